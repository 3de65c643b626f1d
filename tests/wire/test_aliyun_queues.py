"""Aliyun without any receipt being pushed: what it keeps in queues is fetched, kept, and put away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from agents.dial.carriers.aliyun.queues import KINDS, Mailbox, read
from agents.dial.carriers.protocol import RefusedByVendorError, VendorDownError
from streams.doors.fetching import Fetcher, Keep
from streams.doors.http.aliyun import Receipts
from streams.letters import TextReplied
from streams.words import Channel
from tests.wire.aliyun_house import CHARS_PER_S, LOCAL, House, Wires
from tests.wire.fake_mainland import Handset
from tests.wire.fake_queues import ACCOUNT, FakeQueues
from tests.wire.twilio_house import NUMBER_KEY

pytestmark = pytest.mark.anyio


@dataclass
class Fetching(House):
    """A house behind a firewall."""

    fake: FakeQueues

    def mailbox(self, kind: str, queue_account: str = ACCOUNT) -> Mailbox:
        account = self.carrier(queue_account=queue_account, queue_api=self.fake.url, base_api=self.fake.url)._account
        return Mailbox(account, kind)  # type: ignore[arg-type]

    async def fetch(self) -> int:
        """Empty all queues once; return how many receipts there were."""
        receipts = Receipts(self.hear, self.attempts_of, self.clock, NUMBER_KEY, CHARS_PER_S)
        keeps: list[Keep] = [receipts.progressed, receipts.ended, receipts.texts, receipts.replies]
        found = 0
        for kind, keep in zip(KINDS, keeps, strict=True):
            mailbox = self.mailbox(kind)
            try:
                found += await Fetcher(Now(mailbox), keep, self.clock).fetch_once()
            finally:
                await mailbox.close()
        return found


class Now:
    """A mailbox that does not wait for what is not there yet: the fake answers at once."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.name, self._mailbox = mailbox.name, mailbox

    async def take(self, wall):
        return await self._mailbox.take(wall, 0)

    async def put_away(self, waiting) -> None:
        await self._mailbox.put_away(waiting)


@pytest.fixture
def fetching(aliyun_wires: Wires) -> Iterator[Fetching]:
    with aliyun_wires.house() as pushed:
        fake = FakeQueues()
        fake.url, aliyun_wires.theirs.app = aliyun_wires.theirs.url, fake.app
        yield Fetching(fake, pushed.clock)
        fake.close()
        assert fake.unexpected == []


async def ring(fetching: Fetching, handset: Handset, channel: Channel = Channel.VOICE) -> None:
    carrier = fetching.carrier()
    await carrier.place(fetching.dial(channel=channel))
    fetching.play(handset)
    await carrier.close()


async def test_a_key_after_the_whole_message_is_known_without_any_push(fetching: Fetching):
    await ring(fetching, Handset(key="1"))
    assert await fetching.fetch() == 3
    assert fetching.progress() == ["answered", "played", "key", "ended"]
    assert (fetching.fake.left(), fetching.fake.pushed) == (0, [])


async def test_the_delivery_of_a_text_is_fetched(fetching: Fetching):
    await ring(fetching, Handset(), Channel.TEXT)
    await fetching.fetch()
    assert fetching.told() == [("delivered", "", "text_delivered")]


async def test_a_reply_is_fetched_with_a_digest_and_a_masked_number_only(fetching: Fetching):
    fetching.fake.write_in(LOCAL, "收到 1234")
    await fetching.fetch()
    (reply,) = fetching.heard
    assert isinstance(reply, TextReplied)
    assert LOCAL not in reply.model_dump_json()


async def test_bodies_written_plainly_are_read_too(fetching: Fetching):
    fetching.fake.plainly = True
    await ring(fetching, Handset(key="1"))
    await fetching.fetch()
    assert "key" in fetching.progress()


async def test_what_the_ledger_could_not_keep_is_not_put_away_and_comes_again(fetching: Fetching):
    await ring(fetching, Handset(status="200010"))
    fetching.away = 1
    with pytest.raises(RuntimeError):
        await fetching.fetch()
    assert fetching.fake.left() == 1
    assert await fetching.fetch() == 0, "it is hidden for a while"
    fetching.fake.reappear()
    await fetching.fetch()
    assert (fetching.told(), fetching.fake.left()) == ([("ended", "", "switched_off")], 0)


async def test_a_receipt_that_comes_again_carries_the_same_seq(fetching: Fetching):
    await ring(fetching, Handset(key="1"))
    fetching.fake.away = 0
    mailbox = fetching.mailbox("VoiceReport")
    receipts = Receipts(fetching.hear, fetching.attempts_of, fetching.clock, NUMBER_KEY, CHARS_PER_S)
    for _ in range(2):
        waiting = await mailbox.take(fetching.clock.wall(), 0)
        await receipts.ended([each.receipt for each in waiting if each.receipt])
        fetching.fake.reappear()
    await mailbox.close()
    seqs = [news.seq for news in fetching.heard]
    assert seqs[: len(seqs) // 2] == seqs[len(seqs) // 2 :]


async def test_more_than_one_answer_holds_is_fetched_in_several(fetching: Fetching):
    for _ in range(40):
        fetching.fake.write_in(LOCAL, "收到")
    assert [await fetching.fetch() for _ in range(4)] == [16, 16, 8, 0]


async def test_what_cannot_be_read_is_put_away_and_holds_nothing_up(fetching: Fetching, caplog):
    fetching.fake.put("sms-up", "not json")
    fetching.fake.write_in(LOCAL, "收到")
    assert await fetching.fetch() == 1
    assert fetching.fake.left() == 0
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("body", ["[]", "7", "", "bm90IGpzb24=", b"\xff\xfe"])
def test_nonsense_is_no_receipt(body):
    assert read(body) is None


async def test_one_token_opens_a_queue_until_shortly_before_it_ends(fetching: Fetching):
    mailbox = fetching.mailbox("VoiceReport")
    wall = fetching.fake.now
    for minutes in (0, 30, 57):
        await mailbox.take(wall + timedelta(minutes=minutes), 0)
    assert fetching.fake.tokens_given == 1
    await mailbox.take(wall + timedelta(minutes=59), 0)
    await mailbox.close()
    assert fetching.fake.tokens_given == 2


async def test_a_token_that_was_taken_back_is_renewed(fetching: Fetching):
    fetching.fake.write_in(LOCAL, "收到")
    mailbox = fetching.mailbox("SmsUp")
    await mailbox.take(fetching.fake.now, 0)
    fetching.fake.token.is_good = False
    with pytest.raises(VendorDownError, match="SecurityTokenExpired"):
        await mailbox.take(fetching.fake.now, 0)
    fetching.fake.reappear()
    assert len(await mailbox.take(fetching.fake.now, 0)) == 1
    await mailbox.close()


async def test_a_queue_that_is_away_is_asked_again(fetching: Fetching):
    fetching.fake.away = 1
    mailbox = fetching.mailbox("SmsUp")
    with pytest.raises(VendorDownError):
        await mailbox.take(fetching.fake.now, 0)
    assert await mailbox.take(fetching.fake.now, 0) == []
    await mailbox.close()


async def test_a_queue_that_does_not_exist_is_told_to_a_person(fetching: Fetching):
    mailbox = fetching.mailbox("SmsUp", queue_account="999")
    with pytest.raises(RefusedByVendorError, match="Alicom-Queue-999-SmsUp"):
        await mailbox.take(fetching.fake.now, 0)
    await mailbox.close()


async def test_no_connection_at_all_is_told_as_such(fetching: Fetching):
    account = fetching.carrier(
        queue_account=ACCOUNT, queue_api="http://127.0.0.1:1", base_api=fetching.fake.url
    )._account
    mailbox = Mailbox(account, "SmsUp")
    with pytest.raises(VendorDownError):
        await mailbox.take(fetching.fake.now, 0)
    await mailbox.close()
