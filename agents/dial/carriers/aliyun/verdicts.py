"""What Aliyun's codes mean in our words: how a call ended, how a text ended, why a request was refused. Pure.

Codes come and go: an unknown one is never an error here, it is passed on as `vendor_code` and taken for the mildest
that fits.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from streams.words import Outcome

Fault = Literal["busy", "down", "refused"]


class Ending(NamedTuple):
    """What a call's status code means.

    Args:
        outcome: How it ended; None where seconds and keys decide, because somebody answered.
        permanent: Whether the same number would meet it again tomorrow.
    """

    outcome: Outcome | None
    permanent: bool = False


# 运营商回执错误码, help.aliyun.com/document_detail/55085.htm. The words behind each are the vendor's.
ENDINGS: dict[str, Ending] = {
    "200000": Ending(None),  # 用户听完语音
    "200001": Ending(None),  # 用户提前挂机未完整收听
    "200002": Ending(Outcome.BUSY),  # 用户占线
    "200003": Ending(Outcome.NO_ANSWER),  # 用户收到呼叫但未接听
    "200004": Ending(Outcome.WRONG_NUMBER, permanent=True),  # 用户号码不合法（空号）
    "200005": Ending(Outcome.NO_ANSWER),  # 被叫无法接通：运营商问题或被叫拒接等，分不清是哪一种
    "200006": Ending(Outcome.VENDOR_FAILED, permanent=True),  # 语音播放失败，铃声格式有误
    "200007": Ending(Outcome.NO_COVERAGE),  # 用户无法接通（不在服务区）
    "200008": Ending(None),  # 获取按键超时
    "200010": Ending(Outcome.SWITCHED_OFF),  # 关机
    "200011": Ending(Outcome.OUT_OF_SERVICE, permanent=True),  # 停机
    "200100": Ending(None),  # 呼叫结束
    "200104": Ending(Outcome.VENDOR_FAILED, permanent=True),  # 主叫号码受限
    "200105": Ending(Outcome.BARRED, permanent=True),  # 被叫号码受限（呼入限制）
    "200111": Ending(Outcome.REJECTED),  # 被叫无法接通（拒绝）
    "200112": Ending(Outcome.BUSY),  # 被叫占线
    "200113": Ending(Outcome.NO_ANSWER),  # 被叫收到呼叫但未接听
    "200116": Ending(Outcome.WRONG_NUMBER, permanent=True),  # 被叫号码不合法
    "200117": Ending(Outcome.VENDOR_FAILED, permanent=True),  # 来电显示号码不合法
    "200118": Ending(Outcome.VENDOR_FAILED),  # 供应商时间段限呼
    "200119": Ending(Outcome.VENDOR_BUSY),  # 供应商超频限呼
    "200120": Ending(Outcome.NO_COVERAGE),  # 被叫无法接通（不在服务区）
    "200121": Ending(Outcome.VENDOR_BUSY),  # 呼叫超并发
    "400": Ending(Outcome.VENDOR_BUSY),  # 网元繁忙
    "476": Ending(Outcome.VENDOR_FAILED, permanent=True),  # 主叫号码强制回收
    "482": Ending(Outcome.OUT_OF_SERVICE, permanent=True),  # 被叫号码不可用
    "500": Ending(Outcome.VENDOR_FAILED),  # 运营商错误
    "9996": Ending(Outcome.NO_NEWS),  # 呼叫未建立或者呼叫已结束
    "999999": Ending(Outcome.VENDOR_FAILED),  # 系统错误
}

RINGING = frozenset({"200101", "200102"})
"""正在接通主叫；成功接通主叫，正在接通被叫。"""
ANSWERED = "200103"
"""呼叫建立，正在通话。"""
KEY_PRESSED = "300000"
"""DTMF按键消息。"""
_VAGUE = frozenset({"200003", "200005", "200113"})


class Refusal(NamedTuple):
    """What a request's error code means: come again, unclear, or never; and whose fault it is."""

    fault: Fault
    outcome: Outcome = Outcome.VENDOR_FAILED


# 语音 API 错误码, help.aliyun.com/document_detail/178344.html; 短信 API 错误码, …/101346.html. What is not here is the
# account's fault: people are told, and the next vendor is used.
REFUSALS: dict[str, Refusal] = {
    "isv.BUSINESS_LIMIT_CONTROL": Refusal("busy"),  # 触发业务流控：分钟、小时、天
    "isv.FLOW_LIMIT": Refusal("busy"),
    "isv.VOICE_CALL_FAIL": Refusal("busy"),  # 呼叫发起失败
    "Throttling": Refusal("busy"),
    "Throttling.User": Refusal("busy"),
    "Throttling.Api": Refusal("busy"),
    "isp.SYSTEM_ERROR": Refusal("down"),
    "isp.GATEWAY_ERROR": Refusal("down"),
    "isp.UNKNOWN": Refusal("down"),
    "InternalError": Refusal("down"),
    "ServiceUnavailable": Refusal("down"),
    "isv.MOBILE_NUMBER_ILLEGAL": Refusal("refused", Outcome.WRONG_NUMBER),
    "isv.COMPLAINT_REJECT": Refusal("refused", Outcome.BARRED),  # 防骚扰拦截
    "ComplaintReject": Refusal("refused", Outcome.BARRED),
    "isv.BLACK_KEY_CONTROL_LIMIT": Refusal("refused", Outcome.TEXT_FAILED),  # 变量中有黑名单关键字
    "isv.SMS_CONTENT_ILLEGAL": Refusal("refused", Outcome.TEXT_FAILED),
    "isv.PARAM_LENGTH_LIMIT": Refusal("refused", Outcome.TEXT_FAILED),
    "isv.PARAM_NOT_SUPPORT_URL": Refusal("refused", Outcome.TEXT_FAILED),
}


def call_ending(status_code: str, early_media_code: str = "") -> Ending:
    """Return what a call's receipt says.

    Args:
        status_code: 呼叫状态码.
        early_media_code: What the vendor made of the announcement before any answer (号码状态识别, an option that is
            bought): it tells 停机 and 关机 where the status only says that nobody answered.
    """
    if status_code in _VAGUE and early_media_code in ENDINGS:
        return ENDINGS[early_media_code]
    return ENDINGS.get(status_code, Ending(None))


def refusal(code: str, http_status: int, *, text: bool) -> Refusal:
    """Return what a refused request means.

    Args:
        code: Code of the answer.
        http_status: Its HTTP status.
        text: Whether it was about a text: only a text can fail for its words.
    """
    known = REFUSALS.get(code)
    if known is None and (http_status == 429 or code.startswith("Throttling")):
        return Refusal("busy")
    if known is None:
        return Refusal("down") if http_status >= 500 else Refusal("refused")
    if known.outcome is Outcome.TEXT_FAILED and not text:
        return Refusal("refused")
    return known
