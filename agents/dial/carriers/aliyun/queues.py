"""The queues in which Aliyun keeps receipts for a house that it cannot reach: taken out, and put away once kept.

The vendor's own client speaks to them, with a token that the account is given for a while. It knows no asyncio, so
each question is asked in a thread. A receipt that is not put away comes again after its queue's visibility timeout
(消息服务 MNS, 消息可见性): nothing is lost by dying between the two, and the same news are the same letter.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from alibabacloud_dybaseapi20170525 import models
from alibabacloud_tea_util.models import RuntimeOptions
from mns.account import Account
from mns.mns_exception import MNSClientException, MNSServerException

from agents.dial.carriers.aliyun.account import AliyunAccount
from agents.dial.carriers.aliyun.receipts import vendor_time
from agents.dial.carriers.aliyun.wire import Tokens
from agents.dial.carriers.protocol import RefusedByVendorError, VendorDownError
from streams.words import Outcome

Kind = Literal["VoiceCallReport", "VoiceReport", "SmsReport", "SmsUp"]
KINDS: tuple[Kind, ...] = ("VoiceCallReport", "VoiceReport", "SmsReport", "SmsUp")
"""MessageType of QueryTokenForMnsQueue, and the end of the queue's name."""
TAKEN_MAX = 16
"""As many as one question may be answered with (BatchReceiveMessage, numOfMessages)."""
WAIT_S = 20
"""How long a question waits for the next receipt (waitseconds, 30 at most)."""
GRACE_S = 10
RENEW_BEFORE = timedelta(minutes=2)
_EMPTY = "MessageNotExist"
_STALE = frozenset({"InvalidAccessKeyId", "SecurityTokenExpired", "InvalidSecurityToken", "AccessIDAuthError"})
"""What is answered to a token that is no longer good: the next one is fetched."""


@dataclass(frozen=True)
class Waiting:
    """A receipt in a queue: what it says, None where that cannot be read, and by what it is put away."""

    receipt: Mapping[str, Any] | None
    handle: str


class Mailbox:
    """One queue of one kind of receipts."""

    def __init__(self, account: AliyunAccount, kind: Kind) -> None:
        self.kind = kind
        self.name = f"Alicom-Queue-{account.queue_account}-{kind}"
        self._account = account
        self._tokens = Tokens(account)
        self._queue: Any = None
        self._good_until: datetime | None = None

    async def take(self, wall: datetime, wait_s: int = WAIT_S) -> list[Waiting]:
        """Return what waits, after at most `wait_s` seconds; nothing is lost by not putting it away.

        Raises:
            VendorBusyError, VendorDownError: It did not answer; ask again later.
            RefusedByVendorError: There is no such queue, or the account may not read it.
        """
        queue = await self._open(wall)
        found = await self._ask(queue.batch_receive_message, TAKEN_MAX, wait_s)
        return [Waiting(read(message.message_body), str(message.receipt_handle)) for message in found or ()]

    async def put_away(self, waiting: Sequence[Waiting]) -> None:
        """Take receipts out of the queue for good.

        Raises:
            VendorDownError: It did not answer; they come again.
            RefusedByVendorError: It may not be done.
        """
        await self._ask(self._queue.batch_delete_message, [each.handle for each in waiting])

    async def close(self) -> None:
        """Let go of connections."""
        await self._tokens.close()
        self._drop()

    async def _open(self, wall: datetime) -> Any:
        """Return the queue, opened with a token that is good for a while."""
        if self._queue is not None and self._good_until is not None and wall < self._good_until - RENEW_BEFORE:
            return self._queue
        self._drop()
        request = models.QueryTokenForMnsQueueRequest(message_type=self.kind, queue_name=self.name)
        answer = await self._tokens.query_token_for_mns_queue_with_options_async(request, RuntimeOptions())
        token = answer.body.message_token_dto
        account = Account(
            self._account.queue_api, token.access_key_id, token.access_key_secret, token.security_token or ""
        )
        # Its own connection would wait for ever for a vendor that has gone away without a word.
        account.mns_client.http.conn.timeout = account.mns_client.http.conn.connection_timeout = WAIT_S + GRACE_S
        self._queue = account.get_queue(self.name)
        # A body may be written plainly or in base64: that is read here.
        self._queue.set_encoding(False)
        self._good_until = vendor_time(token.expire_time)
        return self._queue

    async def _ask(self, question: Any, *about: Any) -> Any:
        try:
            return await asyncio.to_thread(question, *about)
        except MNSServerException as error:
            if error.type == _EMPTY:
                return []
            self._drop()
            sentence = f"Aliyun refused the queue {self.name} ({error.type})"
            if error.type in _STALE or error.type in ("InternalError", "ServiceUnavailable"):
                raise VendorDownError(sentence) from None
            raise RefusedByVendorError(
                f"{sentence}: see to it in the console, 消息接收", outcome=Outcome.VENDOR_FAILED, vendor_code=error.type
            ) from None
        except (MNSClientException, OSError) as error:
            self._drop()
            raise VendorDownError(f"no clear answer from the queue {self.name} ({type(error).__name__})") from None

    def _drop(self) -> None:
        if self._queue is not None:
            self._queue.mns_client.close_connection()
        self._queue = None


def read(body: Any) -> Mapping[str, Any] | None:
    """Return the receipt in a message, written as JSON, plainly or in base64; None where it cannot be read."""
    written = body.encode() if isinstance(body, str) else bytes(body or b"")
    for candidate in (written, _decoded(written)):
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _decoded(written: bytes) -> bytes:
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return b""
