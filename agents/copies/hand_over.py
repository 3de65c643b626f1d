"""The network of COPIES: hands one message to one receiver, by apprise.

The three group robots answer HTTP 200 also when they refuse, and say so in the body, which apprise does not read; so
their request is made here and its answer read. Everything else is apprise's. No error carries an address or a body.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

import apprise
import httpx
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot
from pydantic import BaseModel, Field, ValidationError

from agents.copies.receivers import NotTakenError, Receiver

REFUSED_WAIT_S = 60.0
"""How long a server that refused by code is left alone at least: most often it was asked too much in this minute."""
QUIETED = ("apprise", "httpx", "httpcore", "urllib3")


class Answer(BaseModel):
    """What a robot answers: `errcode` at WeCom and DingTalk, `code` (once `StatusCode`) at Feishu; 0 means taken."""

    code: int | None = Field(default=None)
    errcode: int | None = Field(default=None)
    StatusCode: int | None = Field(default=None)

    @property
    def verdict(self) -> int | None:
        """Return the code, or None where there is none."""
        return next((each for each in (self.errcode, self.code, self.StatusCode) if each is not None), None)


class WeCom(NotifyWeComBot):  # type: ignore[no-untyped-call]  # apprise is not typed throughout
    """A group robot of WeCom (消息推送, formerly 群机器人)."""

    def send(self, body: Any, title: Any = "", notify_type: Any = None, **kwargs: Any) -> bool:
        """Hand one message over."""
        return _post(self.api_url, {"msgtype": "text", "text": {"content": body}}, {}, self.request_timeout)


class DingTalk(NotifyDingTalk):  # type: ignore[no-untyped-call]
    """A group robot of DingTalk; nobody is called out by a number."""

    def send(self, body: Any, title: Any = "", notify_type: Any = None, body_format: Any = None, **kwargs: Any) -> bool:
        """Hand one message over, signed where the address holds a secret."""
        signed: dict[str, str] = {}
        if self.secret:
            timestamp, signature = self.get_signature()  # type: ignore[no-untyped-call]
            # apprise gives the signature as it stands in an address, and it is written into one here.
            signed = {"timestamp": timestamp, "sign": unquote(signature)}
        payload = {"msgtype": "text", "text": {"content": body}}
        return _post(self.notify_url.format(token=self.token), payload, signed, self.request_timeout)


class Feishu(NotifyFeishu):  # type: ignore[no-untyped-call]
    """A group robot of Feishu."""

    def send(self, body: Any, title: Any = "", notify_type: Any = None, **kwargs: Any) -> bool:
        """Hand one message over."""
        payload = {"msg_type": "text", "content": {"text": body}}
        return _post(self.notify_url.format(token=self.token).rstrip("/"), payload, {}, self.request_timeout)


ROBOTS: dict[str, Any] = {"wecombot": WeCom, "dingtalk": DingTalk, "feishu": Feishu}
# By name: asked for "whatever fits this address", apprise first imports all of its hundred services.
WAYS: dict[str, Any] = {
    **ROBOTS,
    "mailto": NotifyEmail,
    "mailtos": NotifyEmail,
    "json": NotifyJSON,
    "jsons": NotifyJSON,
}


def hand_over(receiver: Receiver, title: str, text: str) -> None:
    """Hand a message to a receiver's server; it waits no longer than the receiver's timeout for each answer.

    Raises:
        NotTakenError: It was refused, or it is not known whether it was taken.
    """
    url = receiver.url.get_secret_value()
    scheme = url.partition("://")[0].lower()
    way = open_way(receiver)
    # A chat shows one text and no subject; what comes first stands in the text itself.
    if not way.notify(body=text, title="" if scheme in ROBOTS else title):
        raise NotTakenError("not taken: no connection, or refused")


def open_way(receiver: Receiver) -> Any:
    """Return apprise's way to a receiver; it opens no connection.

    Raises:
        NotTakenError: apprise cannot read the address.
    """
    url = receiver.url.get_secret_value()
    kind = WAYS[url.partition("://")[0].lower()]
    asset = apprise.AppriseAsset(app_id="jiaoying", app_desc="jiaoying", storage_mode="memory", async_mode=False)
    _keep_quiet()
    read = kind.parse_url(url)
    if not read:
        raise NotTakenError("the address cannot be read")
    try:
        way = kind(**{**read, "asset": asset})
    except AppriseImproperlyConfigured:
        raise NotTakenError("the address cannot be read") from None
    way.socket_connect_timeout = way.socket_read_timeout = receiver.timeout_s
    return way


def _post(url: str, payload: dict[str, Any], params: dict[str, str], timeout: tuple[float, float]) -> bool:
    """POST JSON to a robot and read its answer.

    Raises:
        NotTakenError: No clear yes.
    """
    try:
        # A redirect would take the secret in the address to somebody else.
        with httpx.Client(timeout=httpx.Timeout(timeout[1], connect=timeout[0]), follow_redirects=False) as client:
            answer = client.post(httpx.URL(url).copy_merge_params(params), json=payload)
    except httpx.TimeoutException:
        raise NotTakenError("no answer in time") from None
    except httpx.HTTPError as error:
        raise NotTakenError(f"no connection: {type(error).__name__}") from None
    if answer.status_code == 429:
        raise NotTakenError("HTTP 429", _seconds(answer.headers.get("retry-after", "")))
    if answer.status_code != 200:
        raise NotTakenError(f"HTTP {answer.status_code}")
    try:
        verdict = Answer.model_validate_json(answer.content).verdict
    except ValidationError:
        raise NotTakenError("an answer that cannot be read") from None
    if verdict is None:
        raise NotTakenError("an answer without a code")
    if verdict != 0:
        raise NotTakenError(f"refused with code {verdict}", REFUSED_WAIT_S)
    return True


def _seconds(words: str) -> float:
    return float(words) if words.isdecimal() else REFUSED_WAIT_S


def _keep_quiet() -> None:
    """Keep the libraries' log lines out of ours: at some levels they hold addresses and bodies."""
    for name in QUIETED:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
