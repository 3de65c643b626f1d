"""An Aliyun account and how it is used. Only what the vendor's consoles show or ask for."""

from __future__ import annotations

from pydantic import Field, SecretStr

from streams.words import Model

QUEUE_API = "https://1943695596114318.mns.cn-hangzhou.aliyuncs.com"
"""The vendor's own queues, in which every account's receipts wait."""
BASE_API = "https://dybaseapi.aliyuncs.com"
VOICE_API = "https://dyvmsapi.aliyuncs.com"
TEXT_API = "https://dysmsapi.aliyuncs.com"


class AliyunAccount(Model):
    """An account, its approved templates, and its limits.

    Nothing is spoken or written that is no approved template (help.aliyun.com/document_detail/414170.html): the
    `ivr_template` holds `${message}` and names the keys 1, 2 and 0 after it; the `reply_template` holds `${recorded}`;
    the `notice_template` holds `${message}` and is used where no key is asked for.

    Args:
        access_key_id: Of a RAM user that may call and text, no more.
        access_key_secret: Signs requests.
        show_number: The number of the account that calls: always the same one, so that a second call from it breaks
            through a telephone's do-not-disturb. As the console shows it (05711234567).
        ivr_template: TTS_… of calls that ask for a key.
        reply_template: TTS_… that says what was recorded; "" where the account has none, then nothing is read back.
        notice_template: TTS_… of calls that only tell.
        repeat_template: TTS_… that says the message once more for key 3; "" where the account has none, then key 3 is
            not listened to. No key can be pressed after it: the vendor's menus are one level deep.
        play_times: How often a call that asks for a key says its message by itself until one is pressed, 1 to 3
            (IvrCall, PlayTimes): the only way to hear it again and still press a key in the same call.
        sign_name: The approved SMS signature, without 【】.
        text_template: SMS_….
        text_variables: The variables of that template in their order; a text is spread over them.
        text_variable_chars: How long each may be: 35 unless the vendor granted more (通知短信变量规范).
        chars_per_s: How fast the vendor's voice reads: rather too slow, so that no hearing is called whole that was
            not. Time one call with a watch.
        queue_account: The account's id in the names of its receipt queues; "" where receipts are pushed to us.
        queue_api: Another address only in tests.
        base_api: Likewise.
        voice_api: Likewise.
        text_api: Likewise.
        pace_per_s: Calls per second. The vendor takes 100 IvrCall a second (…/document_detail/393521.html); how many
            the show number carries at once decides.
        texts_per_s: Texts per second.
        timeout_s: How long we wait for an answer.
    """

    access_key_id: str
    access_key_secret: SecretStr
    show_number: str = Field(pattern=r"^\d{5,16}$")
    ivr_template: str = Field(pattern=r"^TTS_\d+$")
    reply_template: str = Field(default="", pattern=r"^(TTS_\d+)?$")
    notice_template: str = Field(default="", pattern=r"^(TTS_\d+)?$")
    repeat_template: str = Field(default="", pattern=r"^(TTS_\d+)?$")
    play_times: int = Field(default=1, ge=1, le=3)
    sign_name: str
    text_template: str = Field(pattern=r"^SMS_\d+$")
    text_variables: tuple[str, ...] = Field(default=("text",), min_length=1)
    text_variable_chars: int = Field(default=35, ge=1, le=500)
    chars_per_s: float = Field(default=4.0, gt=1, le=10)
    queue_account: str = Field(default="", pattern=r"^\d*$")
    queue_api: str = QUEUE_API
    base_api: str = BASE_API
    voice_api: str = VOICE_API
    text_api: str = TEXT_API
    pace_per_s: float = Field(default=3.0, gt=0, le=100)
    texts_per_s: float = Field(default=10.0, gt=0)
    timeout_s: float = Field(default=8.0, gt=0, lt=10)
