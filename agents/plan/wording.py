"""What is said, in a call and by SMS. Pure.

A call says who is calling, colour and hazard, the callee's own place, until when, one action, and the keys, in at most
`voice_chars_max` characters. The fields follow §64 突发事件应对法 (类别、级别、时间、范围、措施、发布单位), the rest of
them in the SMS.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from agents.facts import Facts
from streams.letters import ChainMoved, Move
from streams.words import Colour

KEYS = "收到按1，代接按2，不能到岗按0，重听按3。"
TEXT_MAX = 480


def voice_of(moved: ChainMoved, place: str, facts: Facts) -> str:
    """Return what a call says before it asks for a key."""
    knobs = facts.book.knobs
    mark = _mark(moved)
    head = f"{mark}{facts.county.name}叫应：{_what(moved, facts)}，{_where(place, facts)}"
    until = f"，{spoken_time(moved.until, moved.at, facts.county.zone)}前" if moved.until else ""
    action = f"。请{_action(moved, facts)}。"
    for spoken in (head + until + action, head + action, head + "。"):
        if len(spoken) + len(KEYS) <= knobs.voice_chars_max:
            return spoken
    return (head + "。")[: knobs.voice_chars_max - len(KEYS)]


def text_of(moved: ChainMoved, place: str, facts: Facts) -> str:
    """Return the full text for an SMS."""
    zone = facts.county.zone
    until = f"有效至{spoken_time(moved.until, moved.at, zone)}。" if moved.until else ""
    who = moved.issuer or facts.county.name
    body = moved.text or moved.headline
    order = {"order": "（人工叫应）", "monitor": "（内部监测告警，非预警信号）"}.get(moved.source, "")
    text = (
        f"【{facts.county.name}叫应】{_mark(moved)}{_what(moved, facts)}{order}，{_where(place, facts)}。{body}"
        f" {until}发布：{who}，{spoken_time(moved.at, moved.at, zone)}。"
    )
    if moved.move not in (Move.CANCELLED, Move.CORRECTED):
        text += f"请{_action(moved, facts)}。"
    return text[:TEXT_MAX]


def ending_text(moved: ChainMoved, place: str, facts: Facts) -> str:
    """Return what those who were woken are told when a chain ends. It never tells people to go home."""
    name = _what(moved, facts)
    if moved.move is Move.CORRECTED:
        reason = moved.text or "误发"
        return (
            f"【{facts.county.name}叫应】更正：{_mark(moved)}此前关于{name}的叫应系误发，请勿据此行动。说明：{reason}"[
                :TEXT_MAX
            ]
        )
    note = moved.text or moved.headline
    return (
        f"【{facts.county.name}叫应】{_mark(moved)}{name}已解除（{place}）。{note}"
        "已转移人员是否返回、已采取的措施是否解除，以当地政府通知为准。"
    )[:TEXT_MAX]


def ending_voice(moved: ChainMoved, facts: Facts) -> str:
    """Return what a correction says in a call."""
    return f"{_mark(moved)}{facts.county.name}更正：此前{_what(moved, facts)}叫应系误发，请勿据此行动。"


def gate_voice(moved: ChainMoved, facts: Facts) -> str:
    """Return what the duty room hears when one lone gauge crossed a threshold."""
    gate_s = facts.book.knobs.gate_s
    head = f"{_mark(moved)}{facts.county.name}监测告警，单站：{moved.text[:24]}。"
    return f"{head}{gate_s}秒后自动叫应，误报请在值班页停止。"


def unclear_voice(moved: ChainMoved, facts: Facts) -> str:
    """Return what the duty officer hears about a warning the machine cannot place."""
    head = f"{_mark(moved)}{facts.county.name}叫应：收到一条系统无法判读的预警"
    return f"{head}，请立即到值班页查看：{moved.headline[:20]}。"


def visit_voice(places: tuple[str, ...], facts: Facts) -> str:
    """Return what a duty room hears when a list of the unreached is handed to it."""
    shown = "、".join(places[:3]) + ("等" if len(places) > 3 else "")
    return f"{facts.county.name}叫应：{shown}{len(places)}处未叫醒，请立即派人上门，名单见短信和值班页。"


def visit_text(lines: tuple[str, ...], facts: Facts) -> str:
    """Return the list of the unreached as a message."""
    return (f"【{facts.county.name}叫应】以下{len(lines)}处未叫醒，请派人上门并回报：" + "；".join(lines))[
        : TEXT_MAX * 2
    ]


def spoken_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Say a time as people do: 22时, 明天6时30分, 21日8时."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local.hour}时" + (f"{local.minute}分" if local.minute else "")
    days = (local.date() - today).days
    if days == 0:
        return clock
    return f"明天{clock}" if days == 1 else f"{local.day}日{clock}"


def colour_word(colour: Colour) -> str:
    """Return the colour as it is spoken."""
    return colour.chinese


def _what(moved: ChainMoved, facts: Facts) -> str:
    names = {hazard.key: hazard.name for hazard in facts.book.hazards}
    name = names.get(moved.hazard, "未明确灾种")
    if moved.source == "monitor":
        return f"{name}监测告警（{colour_word(moved.colour)}阈值）"
    return f"{name}{colour_word(moved.colour)}预警" if moved.source == "warning" else f"{name}紧急叫应"


def _where(place: str, facts: Facts) -> str:
    return f"涉及{place}" if place != facts.county.name else "涉及全县"


def _action(moved: ChainMoved, facts: Facts) -> str:
    actions = {hazard.key: hazard.action.rstrip("。") for hazard in facts.book.hazards}
    return actions.get(moved.hazard, "立即到岗值守").removeprefix("请")


def _mark(moved: ChainMoved) -> str:
    """Say first that it is a drill or a test, where it is one."""
    if moved.realm.startswith("drill:") or moved.exercise:
        return "【演练】"
    return "【测试】" if moved.realm.startswith("check:") else ""
