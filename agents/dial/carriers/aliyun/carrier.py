"""The carrier of Aliyun: calls that ask for a key (IvrCall), calls that only tell (SingleCallByTts), texts (SendSms).

The vendor has no idempotency key: the same request sent twice rings twice, so nothing is sent again from here. Every
attempt carries its OutId, which comes back with each receipt, also of a call whose answer was lost.
It dials +86 numbers that were approved, and no others; no number stands in a log or an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from alibabacloud_dysmsapi20170525 import models as texts
from alibabacloud_dyvmsapi20170525 import models as voice
from alibabacloud_tea_util.models import RuntimeOptions

from agents.dial.budget import Budget
from agents.dial.carriers.aliyun.account import AliyunAccount
from agents.dial.carriers.aliyun.outid import out_id_of
from agents.dial.carriers.aliyun.receipts import CHINA, Call, call_detail_news, text_detail_news
from agents.dial.carriers.aliyun.speech import needed_s, recorded_words, spoken, spread
from agents.dial.carriers.aliyun.wire import Texts, Voice
from agents.dial.carriers.capability import ALIYUN_CALLEE
from agents.dial.carriers.protocol import Dial, Placed, RefusedByVendorError
from agents.dial.carriers.twiml import RECORDED, REPEAT_KEY, with_exercise
from streams.words import Channel, Outcome

KEY_WAIT_MS = 8000
IVR_PRODUCT, NOTICE_PRODUCT = 11000000300005, 11010000138001
"""ProdId of QueryCallDetailByCallId: 语音IVR, and 语音验证码 that TTS notices count as."""
UNKNOWN_CALL = frozenset({"100008", "100008.0"})
"""数据不存在: the vendor has no record of the call yet, or no more."""


class AliyunCarrier:
    """The carrier of approved numbers of the Chinese mainland."""

    name = "aliyun"

    def __init__(self, account: AliyunAccount, approved: Callable[[str], bool]) -> None:
        """Args are the account, and who may be dialled (`jiaoying live approve`)."""
        self.pace_per_s = account.pace_per_s
        self.texts_per_s = account.texts_per_s
        self.budget: Budget = ALIYUN_CALLEE
        self._account = account
        self._approved = approved
        self._voice = Voice(account)
        self._texts = Texts(account)

    def may_dial(self, number: str) -> bool:
        """Return whether it is a number of the Chinese mainland that somebody approved."""
        return number.startswith("+86") and self._approved(number)

    def takes_replies(self, number: str) -> bool:
        """Return whether its texts are answered: uplink messages come back (SmsUp)."""
        return self.may_dial(number)

    async def place(self, dial: Dial) -> Placed:
        """Create the call or the text; what follows is told by receipts."""
        if not self.may_dial(dial.number):
            raise RefusedByVendorError(
                "this number is not approved for real calls; approve it with `jiaoying live approve`",
                outcome=Outcome.BARRED,
                vendor_code="not-approved",
            )
        if dial.channel is Channel.TEXT:
            return Placed(vendor_id=await self._send(dial))
        return Placed(vendor_id=await (self._ask(dial) if dial.script.prompt else self._tell(dial)))

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Fetch a call by its id, or a text among the latest to this number by its OutId.

        A call whose id was never stored cannot be searched for at this vendor: None. Its receipts still lead back to
        the attempt.
        """
        if dial.channel is Channel.TEXT:
            return await self._look_up_text(dial, vendor_id)
        return await self._look_up_call(dial, vendor_id) if vendor_id else None

    async def hang_up(self, vendor_id: str) -> None:
        """Do nothing: this vendor ends only calls between two telephones (CancelCall is for ClickToDial).

        A call that was stopped rings on until it is answered or given up; the callouts have ended all the same.
        """

    async def close(self) -> None:
        """Let go of connections."""
        await self._voice.close()
        await self._texts.close()

    async def _ask(self, dial: Dial) -> str:
        account = self._account
        message = _json({"message": spoken(dial.script)})
        keys = [self._menu_key(key, words) for key, words in RECORDED.items()]
        if account.repeat_template:
            repeated = {"key": REPEAT_KEY, "code": account.repeat_template, "tts_params": message}
            keys.append(voice.IvrCallRequestMenuKeyMap(**repeated))
        request = voice.IvrCallRequest(
            called_number=national(dial.number),
            called_show_number=account.show_number,
            start_code=account.ivr_template,
            start_tts_params=message,
            menu_key_map=keys,
            play_times=account.play_times,
            timeout=KEY_WAIT_MS,
            out_id=out_id_of(dial.attempt_id),
        )
        answer = await self._voice.ivr_call_with_options_async(request, RuntimeOptions())
        return str(answer.body.call_id)

    def _menu_key(self, key: str, words: str) -> Any:
        """Return one key that is listened to, and what is read back for it where there is a template."""
        if not self._account.reply_template:
            return voice.IvrCallRequestMenuKeyMap(key=key)
        said = _json({"recorded": recorded_words(words)})
        return voice.IvrCallRequestMenuKeyMap(key=key, code=self._account.reply_template, tts_params=said)

    async def _tell(self, dial: Dial) -> str:
        if not self._account.notice_template:
            raise RefusedByVendorError(
                "calls that ask for no key need a template of their own: set JIAOYING_ALIYUN_NOTICE_TEMPLATE",
                outcome=Outcome.VENDOR_FAILED,
            )
        request = voice.SingleCallByTtsRequest(
            called_number=national(dial.number),
            called_show_number=self._account.show_number,
            tts_code=self._account.notice_template,
            tts_param=_json({"message": spoken(dial.script)}),
            play_times=1,
            out_id=out_id_of(dial.attempt_id),
        )
        answer = await self._voice.single_call_by_tts_with_options_async(request, RuntimeOptions())
        return str(answer.body.call_id)

    async def _send(self, dial: Dial) -> str:
        account = self._account
        text = with_exercise(dial.script.text, dial.script)
        request = texts.SendSmsRequest(
            phone_numbers=national(dial.number),
            sign_name=account.sign_name,
            template_code=account.text_template,
            template_param=_json(spread(text, account.text_variables, account.text_variable_chars)),
            out_id=out_id_of(dial.attempt_id),
        )
        answer = await self._texts.send_sms_with_options_async(request, RuntimeOptions())
        return str(answer.body.biz_id)

    async def _look_up_call(self, dial: Dial, vendor_id: str) -> Placed | None:
        request = voice.QueryCallDetailByCallIdRequest(
            call_id=vendor_id,
            prod_id=IVR_PRODUCT if dial.script.prompt else NOTICE_PRODUCT,
            query_date=_milliseconds(dial.at),
        )
        try:
            answer = await self._voice.query_call_detail_by_call_id_with_options_async(request, RuntimeOptions())
        except RefusedByVendorError as error:
            if error.vendor_code in UNKNOWN_CALL:
                return None
            raise
        detail = _object(answer.body.data)
        speed = self._account.chars_per_s
        call = Call(dial.attempt_id, needed_s(dial.script, speed), speed)
        return Placed(vendor_id=vendor_id, to_come=call_detail_news(call, detail, dial.at))

    async def _look_up_text(self, dial: Dial, vendor_id: str) -> Placed | None:
        request = texts.QuerySendDetailsRequest(
            phone_number=national(dial.number),
            biz_id=vendor_id or None,
            send_date=dial.at.astimezone(CHINA).strftime("%Y%m%d"),
            page_size=50,
            current_page=1,
        )
        answer = await self._texts.query_send_details_with_options_async(request, RuntimeOptions())
        found = answer.body.sms_send_detail_dtos
        token = out_id_of(dial.attempt_id)
        for detail in found.sms_send_detail_dto if found else ():
            if detail.out_id == token:
                return Placed(vendor_id=vendor_id or token, to_come=text_detail_news(dial, detail.to_map()))
        return None


def national(number: str) -> str:
    """Return a +86 number as the vendor writes it: 11 digits for a mobile, area code with 0 for a landline."""
    digits = number.removeprefix("+86")
    return digits if len(digits) == 11 and digits.startswith("1") else f"0{digits}"


def _milliseconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)


def _json(values: dict[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _object(data: str | None) -> dict[str, Any]:
    found = json.loads(data) if data else {}
    return found if isinstance(found, dict) else {}
