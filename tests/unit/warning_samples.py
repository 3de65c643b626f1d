"""Two documents in their smallest form: the 12379 dialect as it really comes, and CAP 1.2."""

DIALECT = """<alert>
<identifier>51152741600000_20260720104500</identifier><sender>　筠连县气象局　</sender>
<senderCode>51152741600000</senderCode><sendTime>2026-07-20 10:45:00</sendTime>
<status>Actual</status><msgType>Update</msgType><scope>Public</scope>
<code><method><methodName>SMS|LED</methodName><message/><audenceprt>,</audenceprt></method></code>
<note/><references>51152741600000_20260719121842</references>
<info><language>zh-CN</language><eventType>11B03</eventType><urgency>Unknown</urgency><severity>Orange</severity>
<certainty>Unknown</certainty><effective>2026-07-20 10:57:42+08:00</effective><onset/><expires/>
<senderName>李某</senderName><headline>筠连县气象局发布暴雨橙色预警[II级/严重]</headline>
<description>大雪山镇三小时雨量将达五十毫米。</description><instruction/>
<area><areaDesc>筠连县,筠连县</areaDesc><polygon/><circle/><geocode>511527000000,511527000000</geocode></area></info>
</alert>"""

CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>x.1</identifier><sender>a@b.org</sender>
<sent>2026-07-20T08:00:00+02:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>en</language><event>Heavy rain</event><severity>Extreme</severity><headline>Heavy rain</headline>
<area><areaDesc>Valley, north</areaDesc><polygon>1,1 1,2 2,2 1,1</polygon></area></info></alert>"""
