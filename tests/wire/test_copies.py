"""One-way copies over the wire: what comes into the chats, what becomes of servers that fail, and that none counts."""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from agents.callout.state import ANSWERED, CALLOUTS, CalloutState
from agents.copies.decide import RETRY_AFTER_S, TRIES_MAX
from agents.copies.state import CopyState, Event
from agents.dial.carriers.simulated import Habit, Kind
from streams.broker import free_port
from streams.replay.night import Night, fingerprint
from tests.wire.copies_house import Copying, receiver
from tests.wire.fake_chats import FakeChats, open_chats

ASLEEP = Habit(kind=Kind.SLEEPS)


@pytest.fixture
def night(make_night: Callable[..., Night]) -> Night:
    return make_night()


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeChats]:
    with open_chats(tmp_path, monkeypatch) as fake:
        yield fake


def everybody(night) -> list[str]:
    return [phone.number for person in night.county.people.values() for phone in person.phones]


@pytest.mark.parametrize("service", ["wecom", "dingtalk", "feishu"])
def test_a_red_warning_comes_into_the_chat_with_who_is_called_where_and_that_it_counts_for_nothing(
    night, chats, service
):
    copying = Copying(night, chats, receiver(service))
    night.warning()

    copying.pass_time(minutes=1)

    (said,) = chats.texts(service)
    assert said.startswith("禾溪县叫应：暴雨红色预警，涉及全县。21时59分起叫应")
    assert said.endswith("（抄送，不计为已应，请勿在此回复）")
    assert [(copy.state, copy.tries) for copy in copying.copies] == [(CopyState.HANDED_OVER, 1)]


def test_a_chain_is_told_from_its_opening_through_a_rise_and_summaries_to_its_end(night, chats):
    copying = Copying(night, chats, receiver())
    night.warning(colour="orange")
    copying.pass_time(minutes=7)
    night.warning(colour="red", kind="Update")
    copying.pass_time(minutes=17)
    night.cancel()
    copying.pass_time(minutes=2)

    assert [copy.event for copy in copying.copies] == [
        Event.OPENED,
        Event.SUMMARY,
        Event.CHANGED,
        Event.SUMMARY,
        Event.ENDED,
    ]
    first, five, raised, told_again, end = chats.texts("wecom")
    assert "橙色" in first
    assert "应叫" in five
    assert "已应" in five
    assert "红色预警升级" in raised
    assert "22时11分" in told_again
    assert "已解除" in end
    assert "以当地政府通知为准" in end


def test_a_summary_names_the_townships_that_have_not_answered(make_night, chats):
    night = make_night(habits=dict.fromkeys(("sim:v201-head", "sim:v201-head-b"), ASLEEP))
    copying = Copying(night, chats, receiver(events=(Event.SUMMARY,)))
    night.warning()

    copying.pass_time(minutes=50, every_s=30)

    assert any("溪口镇" in said and "未应" in said for said in chats.texts("wecom"))


def test_the_same_figures_are_told_once(night, chats):
    copying = Copying(night, chats, receiver(events=(Event.SUMMARY,)))
    night.warning()

    copying.pass_time(minutes=120, every_s=60)

    assert len(chats.texts("wecom")) == 1


def test_each_receiver_is_told_what_it_asked_for(night, chats):
    copying = Copying(
        night, chats, receiver("wecom", events=(Event.OPENED,)), receiver("feishu", events=(Event.ENDED,))
    )
    night.warning()
    copying.pass_time(minutes=1)
    night.cancel()
    copying.pass_time(minutes=1)

    assert [len(chats.texts(service)) for service in ("wecom", "feishu")] == [1, 1]
    assert "已解除" in chats.texts("feishu")[0]


def test_a_lone_gauge_and_what_needs_a_person_are_told_as_alarms(make_night, chats):
    night = make_night(vacant=("t100-duty",))
    copying = Copying(night, chats, receiver(events=(Event.ALARM,)))
    night.rain("R1", 61)

    copying.pass_time(minutes=1)
    night.warning()
    copying.pass_time(minutes=5)

    said = chats.texts("wecom")
    assert "监测告警" in said[0]
    assert "单站" in said[0]
    assert any("待处理" in each for each in said[1:])


@pytest.mark.parametrize(
    ("realm", "rehearsal", "mark"),
    [
        ("drill:spring", False, "【演练】"),
        ("check:line", True, "【测试】"),
        ("real", True, "【试运行】"),
        ("real", False, "禾溪县"),
    ],
)
def test_what_is_not_real_says_so_first(make_night, chats, realm, rehearsal, mark):
    night = make_night(realm=realm)
    copying = Copying(night, chats, receiver(), rehearsal=rehearsal)
    night.warning()

    copying.pass_time(minutes=1)

    assert chats.texts("wecom")[0].startswith(mark)


def test_an_exercise_that_comes_in_as_real_says_so_first(night, chats):
    copying = Copying(night, chats, receiver())
    night.warning(status="Exercise")

    copying.pass_time(minutes=1)

    assert chats.texts("wecom")[0].startswith("【演练】")


def test_a_number_that_somebody_wrote_into_a_warning_is_masked(night, chats):
    copying = Copying(night, chats, receiver("dingtalk"))
    night.warning(text="请与张某13812345678联系")

    copying.pass_time(minutes=1)

    assert "13812345678" not in chats.texts("dingtalk")[0]


# What a copy never is


def test_what_chats_take_wakes_nobody_and_answers_nothing(make_night, chats):
    night = make_night()
    night.habits.update(dict.fromkeys(everybody(night), ASLEEP))
    copying = Copying(night, chats, receiver("wecom"), receiver("dingtalk"), receiver("feishu"))
    night.warning()

    copying.pass_time(minutes=40, every_s=30)

    assert all(copy.state is CopyState.HANDED_OVER for copy in copying.copies)
    states = {callout.state for callout in night.find(CALLOUTS)}
    assert CalloutState.UNREACHED in states
    assert states.isdisjoint(ANSWERED)


def test_copies_change_nothing_in_the_history_of_the_calling(make_night, chats):
    def played(*receivers) -> list[tuple[str, int, str]]:
        night = make_night()
        copying = Copying(night, chats, *receivers)
        night.warning()
        copying.pass_time(minutes=20, every_s=30)
        heads = night.ledger.step(lambda step: step.heads())
        return [head for head in heads if "|copy|" not in head[0]]

    assert fingerprint(played(receiver())) == fingerprint(played())


# When the server fails


@pytest.mark.parametrize("fault", ["429", "500", "garbage", "refused", "redirect"])
def test_what_was_not_taken_is_sent_again_a_little_later(night, chats, fault):
    copying = Copying(night, chats, receiver(events=(Event.OPENED,)))
    chats.faults.append(fault)
    night.warning()

    copying.pass_time(minutes=4)

    assert len(chats.texts("wecom")) == 1
    assert [(copy.state, copy.tries) for copy in copying.copies] == [(CopyState.HANDED_OVER, 2)]


def test_a_server_that_says_when_to_come_again_is_left_alone_until_then(night, chats):
    copying = Copying(night, chats, receiver(events=(Event.OPENED,)))
    chats.faults.append("429")
    night.warning()

    copying.pass_time(minutes=1.5)
    assert len(chats.asked) == 1
    copying.pass_time(minutes=1)
    assert len(chats.asked) == 2


def test_a_server_that_never_takes_it_is_given_up_after_six_tries_with_an_entry_and_a_trouble(night, chats):
    copying = Copying(night, chats, receiver(events=(Event.OPENED,)))
    chats.faults.extend(["500"] * 20)
    night.warning()

    copying.pass_time(minutes=60, every_s=15)

    assert len(chats.asked) == TRIES_MAX == len(RETRY_AFTER_S) + 1
    (copy,) = copying.copies
    assert copy.state is CopyState.GIVEN_UP
    assert [entry.what for entry in copying.entries(copy)] == ["copy_given_up"]
    assert [each.kind for each in night.troubles() if each.kind == "copy_failed"] == ["copy_failed"]


def test_a_summary_that_was_not_taken_gives_way_to_the_next_one(make_night, chats):
    night = make_night(habits={"sim:v201-head": Habit(kind=Kind.SLOW, after=2)})
    copying = Copying(night, chats, receiver(events=(Event.SUMMARY, Event.ENDED)))
    chats.faults.extend(["500"] * 2)
    night.warning()
    copying.pass_time(minutes=5.6)
    night.cancel()
    copying.pass_time(minutes=10)

    assert [copy.state for copy in copying.copies] == [CopyState.OVERTAKEN, CopyState.HANDED_OVER]
    assert "已解除" in chats.texts("wecom")[0]


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_server_that_never_comes_to_an_end_holds_up_neither_the_others_nor_the_calling(night, chats, fault):
    short = {"events": (Event.OPENED,), "timeout_s": 3}
    copying = Copying(night, chats, receiver("wecom", **short), receiver("feishu", **short))
    chats.faults.append(fault)
    night.warning()

    copying.pass_time(minutes=1)

    assert len(chats.taken) >= 1
    assert night.post("v201-head").state is CalloutState.CONFIRMED


def test_after_a_power_cut_in_the_middle_of_a_handing_over_it_is_sent_again_and_no_more_than_that(night, chats):
    before = Copying(night, chats, receiver(events=(Event.OPENED,)))
    night.warning()
    night.advance(seconds=5)
    claimed = night.ledger.step(before.desk._write_and_claim)
    assert len(claimed) == 1

    after = Copying(night, chats, receiver(events=(Event.OPENED,)), owner="worker-1")
    after.pass_time(minutes=10)

    assert len(chats.texts("wecom")) == 1
    assert after.copies[0].tries == 2


def test_of_two_workers_one_sends(night, chats):
    one = Copying(night, chats, receiver(), owner="worker-0")
    other = Copying(night, chats, receiver(), owner="worker-1")
    night.warning()
    for _ in range(6):
        night.advance(seconds=10)
        one.look()
        other.look()

    assert len(chats.texts("wecom")) == 1


def test_a_robot_is_sent_no_more_than_its_pace_allows(night, chats):
    copying = Copying(night, chats, receiver(gap_s=30))
    night.warning()
    night.advance(seconds=5)
    night.cancel()

    copying.pass_time(minutes=0.4, every_s=2)
    assert len(chats.texts("wecom")) == 1
    copying.pass_time(minutes=0.4, every_s=2)
    assert len(chats.texts("wecom")) == 2


def test_what_happened_while_the_power_was_out_for_hours_is_not_told_as_news(night, chats):
    night.warning().advance(hours=2)

    Copying(night, chats, receiver(events=(Event.OPENED,))).pass_time(minutes=1)

    assert chats.taken == []


def test_no_log_line_and_no_entry_holds_an_address(night, chats, caplog):
    caplog.set_level("DEBUG")
    copying = Copying(night, chats, receiver("wecom"), receiver("dingtalk"))
    chats.faults.extend(["500", "refused"])
    night.warning()
    copying.pass_time(minutes=3)

    secrets = [each.url.get_secret_value().partition("://")[2] for each in copying.desk.receivers]
    written = caplog.text + "".join(
        entry.model_dump_json() for copy in copying.copies for entry in copying.entries(copy)
    )
    assert [secret for each in secrets for secret in each.split("@") if secret in written] == []


# Mail and plain HTTP


class Mailbox:
    """Keeps what an SMTP server was given."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.busy = 0

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.busy:
            self.busy -= 1
            return "451 try again later"
        self.mails.append(envelope.content)
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port(), ready_timeout=120)
    server.start()
    yield box, server.port
    server.stop()


def mail(port: int):
    url = f"mailto://127.0.0.1:{port}/duty@example.com?from=jiaoying@example.com&mode=insecure"
    return receiver("mail", url=url, events=(Event.OPENED,))


def test_a_mail_has_the_mark_and_what_it_is_about_as_its_subject(make_night, chats, mailbox):
    box, port = mailbox
    night = make_night(realm="drill:spring")
    copying = Copying(night, chats, mail(port))
    night.warning()

    copying.pass_time(minutes=1)

    (content,) = box.mails
    message = email.message_from_bytes(content)
    assert str(make_header(decode_header(message["Subject"]))).startswith("【演练】禾溪县叫应：暴雨红色预警")


def test_a_mail_server_that_is_busy_is_tried_again(night, chats, mailbox):
    box, port = mailbox
    box.busy = 1
    copying = Copying(night, chats, mail(port))
    night.warning()

    copying.pass_time(minutes=2)

    assert len(box.mails) == 1
    assert [copy.tries for copy in copying.copies] == [2]


def test_any_other_system_takes_copies_as_json(night, chats):
    address = chats.url.removeprefix("http://")
    copying = Copying(night, chats, receiver("json", url=f"json://{address}/hook", events=(Event.OPENED,)))
    night.warning()

    copying.pass_time(minutes=1)

    assert "暴雨红色预警" in chats.texts("json")[0]
