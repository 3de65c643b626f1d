"""What Aliyun's receipts say of a call or a text, as news. Pure.

Whether a message was heard to the end (docs/adr/0013): where no key was pressed the vendor says so itself (听完语音, or
it waited for a key in vain); where a key was pressed, and may have cut the message short, only seconds prove it.
Where the seconds do not suffice the key is not counted, and the number is called again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agents.dial.carriers.aliyun.verdicts import ANSWERED, KEY_PRESSED, RINGING, call_ending
from agents.dial.carriers.protocol import Dial
from agents.dial.carriers.twiml import RECORDED, REPEAT_KEY
from agents.dial.carriers.verdicts import Progress, seq_of
from streams.letters import CallNews
from streams.words import Outcome

CHINA = ZoneInfo("Asia/Shanghai")
"""The vendor's times have no zone; they are those of China."""
_WHOLE = frozenset({"200000", "200008"})
_CUT_SHORT = "200001"
_SENT, _FAILED, _DELIVERED = "1", "2", "3"
"""SendStatus of QuerySendDetails: 等待回执, 发送失败, 发送成功."""


@dataclass(frozen=True)
class Call:
    """What is known of a call when a receipt for it comes.

    Args:
        attempt_id: Whose call.
        needed_s: Seconds from the answer until its message is spoken to the end.
        chars_per_s: How fast the vendor's voice reads.
        answered_at: When it was answered (story time), if a receipt before said so.
        key_at: When a key was pressed, likewise.
        story: Turns a time of the vendor into story time.
        speed: Story seconds in one second of the vendor.
    """

    attempt_id: str
    needed_s: float
    chars_per_s: float
    answered_at: datetime | None = None
    key_at: datetime | None = None
    story: Callable[[datetime], datetime] = lambda at: at
    speed: float = 1.0

    def whole_by(self, answered_at: datetime, at: datetime) -> bool:
        """Return whether the message was spoken to the end at `at` (both story time)."""
        return (at - answered_at).total_seconds() >= self.needed_s * self.speed


def vendor_time(written: Any) -> datetime | None:
    """Return a time as the vendor writes it (2026-07-19 22:00:00, in China); None where there is none."""
    try:
        return datetime.strptime(str(written), "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC)
    except ValueError:
        return None


def pressed_key(dtmf: Any) -> str:
    """Return the first key that is recorded, or 3 where it was only to be said again, or ""."""
    pressed = str(dtmf or "")
    return next((key for key in pressed if key in RECORDED), REPEAT_KEY if REPEAT_KEY in pressed else "")


def progress_news(call: Call, receipt: Mapping[str, Any], now: datetime) -> list[CallNews]:
    """Return what a VoiceCallReport tells while the call goes on.

    Args:
        call: What is known of it.
        receipt: Its fields.
        now: The vendor's time where the receipt has none.
    """
    code = str(receipt.get("status_code", ""))
    at = vendor_time(receipt.get("status_time")) or now
    if code in RINGING:
        return [_news(call, "ringing", at)]
    if code == ANSWERED:
        return [_news(call, "answered", at)]
    key = pressed_key(receipt.get("dtmf"))
    if code != KEY_PRESSED or not key:
        return []
    pressed = _news(call, "key", at, key=key)
    if key == REPEAT_KEY:
        # The message is said once more from here on; whether it was heard then, the end tells.
        return [pressed]
    heard = call.answered_at is not None and call.whole_by(call.answered_at, pressed.at)
    return [_news(call, "played", at), pressed] if heard else [pressed]


def ended_news(call: Call, receipt: Mapping[str, Any], now: datetime) -> list[CallNews]:
    """Return what a VoiceReport tells when the call is over."""
    code = str(receipt.get("status_code", ""))
    ending = call_ending(code, str(receipt.get("early_media_code") or ""))
    duration_s = _seconds(receipt.get("duration"))
    over_at = vendor_time(receipt.get("end_time")) or now
    told = _news(call, "ended", over_at, heard_s=duration_s, outcome=ending.outcome, vendor_code=code)
    if duration_s <= 0 or ending.outcome is not None:
        return [told]
    began_at = vendor_time(receipt.get("start_time")) or vendor_time(receipt.get("b_start_time"))
    answered = _news(call, "answered", began_at or over_at)
    if began_at is None and call.answered_at is not None:
        answered = answered.model_copy(update={"at": call.answered_at})
    key = pressed_key(receipt.get("dtmf"))
    whole = _heard_whole(call, code, duration_s, key, answered.at)
    played = [_news(call, "played", over_at)] if whole else []
    pressed = [_news(call, "key", over_at, key=key)] if key else []
    if not whole:
        # Pressed at once, for all that is known: else the same receipt, told twice, would make it a late key.
        pressed = [each.model_copy(update={"at": answered.at}) for each in pressed]
    return [answered, *played, *pressed, told]


def text_news(attempt_id: str, status: str, at: datetime, error_code: str = "") -> CallNews:
    """Return how far a text is.

    Args:
        attempt_id: Whose text.
        status: SendStatus: 1 handed on, 2 failed, 3 delivered.
        at: Story time.
        error_code: The network's code; DELIVERED is none.
    """
    progress: Progress = "delivered" if status == _DELIVERED else "failed" if status == _FAILED else "sent"
    outcome = {"delivered": Outcome.TEXT_DELIVERED, "failed": Outcome.TEXT_FAILED, "sent": Outcome.TEXT_SENT}[progress]
    code = "" if progress == "delivered" else error_code
    return CallNews(
        attempt_id=attempt_id, seq=seq_of(progress), progress=progress, outcome=outcome, vendor_code=code, at=at
    )


def text_report_news(attempt_id: str, receipt: Mapping[str, Any], at: datetime) -> CallNews:
    """Return what an SmsReport tells."""
    status = _DELIVERED if receipt.get("success") in (True, "true") else _FAILED
    return text_news(attempt_id, status, at, str(receipt.get("err_code") or ""))


def call_detail_news(call: Call, detail: Mapping[str, Any], now: datetime) -> tuple[CallNews, ...]:
    """Return what QueryCallDetailByCallId found of a call; nothing while it goes on. It tells of no key."""
    state, over = str(detail.get("state") or ""), vendor_time(detail.get("endDate"))
    if not state or (over is None and call_ending(state).outcome is None):
        return ()
    receipt = {
        "status_code": state,
        "duration": detail.get("duration"),
        "start_time": detail.get("startDate"),
        "end_time": detail.get("endDate"),
    }
    return tuple(ended_news(call, receipt, now))


def text_detail_news(dial: Dial, detail: Mapping[str, Any]) -> tuple[CallNews, ...]:
    """Return what QuerySendDetails found of a text."""
    at = vendor_time(detail.get("ReceiveDate")) or vendor_time(detail.get("SendDate")) or dial.at
    return (text_news(dial.attempt_id, str(detail.get("SendStatus")), at, str(detail.get("ErrCode") or "")),)


def _heard_whole(call: Call, code: str, duration_s: float, key: str, answered_at: datetime) -> bool:
    if key == REPEAT_KEY:
        # It may have cut the first hearing short, and the second may have been hung up in: it lasted for both.
        return duration_s >= 2 * call.needed_s
    if key and call.key_at is not None:
        return call.whole_by(answered_at, call.key_at)
    if key:
        # When it was pressed is not known: the call lasted for the message and for all that was read back after it.
        return duration_s >= call.needed_s + len(RECORDED[key]) / call.chars_per_s
    if code == _CUT_SHORT:
        return False
    # The vendor's word stands unless nobody could have read so fast.
    return duration_s >= (call.needed_s / 2 if code in _WHOLE else call.needed_s)


def _news(
    call: Call,
    progress: Progress,
    at: datetime,
    *,
    key: str = "",
    heard_s: float = 0.0,
    outcome: Outcome | None = None,
    vendor_code: str = "",
) -> CallNews:
    return CallNews(
        attempt_id=call.attempt_id,
        seq=seq_of(progress),
        progress=progress,
        key=key,
        heard_s=heard_s,
        outcome=outcome,
        vendor_code=vendor_code,
        at=call.story(at),
    )


def _seconds(written: Any) -> float:
    digits = "".join(sign for sign in str(written or "") if sign.isdecimal() and sign.isascii())
    return float(digits) if digits else 0.0
