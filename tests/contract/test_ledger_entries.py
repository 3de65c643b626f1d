"""What every ledger promises about the history: entries, chains, seals, and what the verifier finds."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from ledger_samples import at, draft

from streams.ledger.chain import GENESIS, check_entry, seal_entry
from streams.ledger.contract import Draft, Ledger
from streams.ledger.export import HEADERS, export_csv
from streams.ledger.seal import write_next_seal
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import Fault, FaultKind, verify
from streams.topics import AUDIT

A, B = "real|callout|a", "real|callout|b"


def append(ledger: Ledger, *drafts: Draft) -> list[tuple[str, int]]:
    return [(entry.subject, entry.n) for entry in ledger.step(lambda step: step.append(drafts))]


def seal(ledger: Ledger, seconds: float = 0, limit: int = 5000) -> list[tuple[str, int, int]] | None:
    made = ledger.step(lambda step: write_next_seal(step, at(seconds), limit))
    return None if made is None else [(span.subject, span.first, span.last) for span in made.spans]


def test_entries_are_numbered_per_subject_across_steps(ledger: Ledger) -> None:
    assert append(ledger, draft(A), draft(B), draft(A)) == [(A, 1), (B, 1), (A, 2)]
    assert append(ledger, draft(A)) == [(A, 3)]
    assert [entry.n for entry in ledger.step(lambda step: step.entries(A))] == [1, 2, 3]


def test_each_entry_carries_the_hash_of_the_one_before(ledger: Ledger) -> None:
    append(ledger, draft(A), draft(A))
    append(ledger, draft(A))
    previous = GENESIS
    for n, entry in enumerate(ledger.step(lambda step: step.entries(A)), start=1):
        assert check_entry(entry, n, previous) is None
        previous = entry.hash


def test_an_entry_is_read_back_as_it_was_appended(ledger: Ledger) -> None:
    county = timezone(timedelta(hours=8))
    told = draft(A, key="1", heard_s=12.5, said=["红色", None], at=at(7)).model_copy(
        update={"at": at(3).astimezone(county)}
    )
    (appended,) = ledger.step(lambda step: step.append([told]))
    (read,) = ledger.step(lambda step: step.entries(A))
    assert read.model_dump(mode="json") == appended.model_dump(mode="json")
    assert read.at == told.at


def test_the_same_history_has_the_same_heads_in_whatever_zone_it_was_told(ledger: Ledger) -> None:
    append(
        ledger, draft(A), draft(B, note="预警").model_copy(update={"at": at(0).astimezone(ZoneInfo("Asia/Shanghai"))})
    )
    one, other = seal_entry(draft(A), 1, GENESIS), seal_entry(draft(B, note="预警"), 1, GENESIS)
    assert ledger.heads() == [(A, 1, one.hash), (B, 1, other.hash)]


def test_nothing_appended_leaves_no_trace(ledger: Ledger) -> None:
    assert append(ledger) == []
    assert ledger.step(lambda step: step.count_open_letters()) == {}


def test_each_append_tells_the_audit_topic_once(ledger: Ledger) -> None:
    append(ledger, draft(A), draft(B))
    append(ledger, draft(B))
    letters = ledger.step(lambda step: step.open_letters(at(9), at(9), resend_after_s=1, limit=9, topics=(AUDIT,)))
    assert sorted((item.key, [e["n"] for e in item.message.entries]) for item in letters) == [(A, [1, 1]), (B, [2])]
    assert letters[0].message.entries[0]["hash"] in {digest for _, _, digest in ledger.heads()} | {
        entry.hash for entry in ledger.step(lambda step: step.entries(B))
    }


def test_entries_of_a_failed_step_are_not_there(ledger: Ledger) -> None:
    append(ledger, draft(A))
    before = ledger.heads()

    def fail(step):
        step.append([draft(A), draft(B)])
        raise RuntimeError("the room broke")

    with pytest.raises(RuntimeError, match="the room broke"):
        ledger.step(fail)
    assert ledger.heads() == before
    assert append(ledger, draft(A), draft(B)) == [(A, 2), (B, 1)]


def test_a_seal_covers_what_no_seal_covers_yet(ledger: Ledger) -> None:
    append(ledger, draft(B), draft(A), draft(A))
    assert seal(ledger) == [(A, 1, 2), (B, 1, 1)]
    assert seal(ledger) is None
    append(ledger, draft(B), draft(A))
    assert seal(ledger) == [(A, 3, 3), (B, 2, 2)]
    seals = ledger.step(lambda step: step.seals())
    assert [(item.n, item.previous) for item in seals] == [(1, GENESIS), (2, seals[0].hash)]
    assert ledger.step(lambda step: step.seals(after_n=1)) == seals[1:]
    assert [(e.subject, e.n) for e in ledger.step(lambda step: step.sealed_by(2))] == [(A, 3), (B, 2)]


def test_a_seal_has_a_size_and_the_rest_waits_for_the_next(ledger: Ledger) -> None:
    append(ledger, *(draft(A) for _ in range(5)))
    assert seal(ledger, limit=3) == [(A, 1, 3)]
    assert seal(ledger, limit=3) == [(A, 4, 5)]


def test_history_is_read_in_pages_by_subject_or_by_time(ledger: Ledger) -> None:
    append(ledger, draft(B, seconds=1), draft(A, seconds=2), draft(B, seconds=3))

    def pages(*, by_time: bool) -> list[tuple[str, int]]:
        found, after = [], None
        while page := ledger.step(lambda step, last=after: step.page(last, 2, by_time=by_time)):
            found += [(entry.subject, entry.n) for entry in page]
            after = page[-1]
        return found

    assert pages(by_time=False) == [(A, 1), (B, 1), (B, 2)]
    assert pages(by_time=True) == [(B, 1), (A, 1), (B, 2)]


def test_a_history_nobody_touched_verifies(ledger: Ledger) -> None:
    append(ledger, draft(A), draft(B), draft(A, fact=1.5))
    seal(ledger)
    append(ledger, draft(B))
    verdict = verify(ledger, page=2)
    assert (verdict.subjects, verdict.entries, verdict.seals, verdict.faults) == (2, 4, 1, ())


class AtWork:
    """A ledger whose sealer is at work: before one of the looks at it an entry is written and sealed."""

    def __init__(self, ledger: Ledger, look: int) -> None:
        self._ledger, self._left = ledger, look

    def step(self, work: Callable[[Any], Any]) -> Any:
        self._left -= 1
        if self._left == 0:
            append(self._ledger, draft(A))
            seal(self._ledger)
        return self._ledger.step(work)

    def heads(self) -> list[tuple[str, int, str]]:
        return self._ledger.heads()


@pytest.mark.parametrize("look", range(1, 10))
def test_what_is_written_and_sealed_while_the_verifier_looks_is_no_fault(ledger: Ledger, look: int) -> None:
    append(ledger, draft(A), draft(B))
    seal(ledger)
    assert verify(cast("Ledger", AtWork(ledger, look))).faults == ()


def test_an_empty_history_verifies(ledger: Ledger) -> None:
    assert verify(ledger).faults == ()


@pytest.fixture
def tamper(sql_ledger: SqlLedger, database_url: str) -> Callable[..., list[Fault]]:
    """Change a sealed history of A (3 entries) and B (1 entry) behind the ledger's back; return what is found."""

    def change(*statements: str) -> list[Fault]:
        append(sql_ledger, draft(A), draft(A), draft(A), draft(B))
        seal(sql_ledger)
        engine = sa.create_engine(sa.make_url(database_url.replace("postgresql:", "postgresql+psycopg:")))
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), {"a": A, "b": B})
        engine.dispose()
        return list(verify(sql_ledger).faults)

    return change


def test_a_changed_entry_is_found(tamper: Callable[..., list[Fault]]) -> None:
    found = tamper("UPDATE entries SET why = 'other' WHERE subject = :a AND n = 2")
    assert found == [Fault(A, 2, FaultKind.CHANGED)]


def test_a_changed_fact_is_found(tamper: Callable[..., list[Fault]]) -> None:
    found = tamper("""UPDATE entries SET facts = '{"x": 1}' WHERE subject = :b""")
    assert found == [Fault(B, 1, FaultKind.CHANGED)]


def test_a_removed_entry_is_found(tamper: Callable[..., list[Fault]]) -> None:
    found = tamper("DELETE FROM entries WHERE subject = :a AND n = 2")
    assert found == [Fault(A, 2, FaultKind.MISSING), Fault(A, 2, FaultKind.SEALED_MISSING)]


def test_a_removed_tail_is_found_by_its_head(tamper: Callable[..., list[Fault]]) -> None:
    found = tamper("DELETE FROM entries WHERE subject = :a AND n = 3")
    assert found == [Fault(A, 3, FaultKind.SEALED_MISSING), Fault(A, 3, FaultKind.TAIL_MISSING)]


def test_a_tail_removed_together_with_its_head_is_found_by_the_seal(tamper: Callable[..., list[Fault]]) -> None:
    found = tamper(
        "DELETE FROM entries WHERE subject = :a AND n = 3",
        "UPDATE heads SET n = 2, hash = (SELECT hash FROM entries WHERE subject = :a AND n = 2) WHERE subject = :a",
    )
    assert found == [Fault(A, 3, FaultKind.SEALED_MISSING)]


def test_a_subject_removed_with_all_its_traces_is_found_by_the_seal(tamper: Callable[..., list[Fault]]) -> None:
    found = tamper("DELETE FROM entries WHERE subject = :b", "DELETE FROM heads WHERE subject = :b")
    assert found == [Fault(B, 1, FaultKind.SEALED_MISSING)]


def test_an_entry_forged_with_a_right_hash_is_found_by_the_seal(tamper: Callable[..., list[Fault]]) -> None:
    forged = seal_entry(draft(B, what="confirmed"), 1, GENESIS)
    found = tamper(
        f"UPDATE entries SET what = 'confirmed', hash = '{forged.hash}' WHERE subject = :b",
        f"UPDATE heads SET hash = '{forged.hash}' WHERE subject = :b",
    )
    assert found == [Fault("seals", 1, FaultKind.SEAL_CHANGED)]


def test_a_removed_seal_is_found(tamper: Callable[..., list[Fault]]) -> None:
    assert tamper("DELETE FROM seals") == [Fault("seals", 1, FaultKind.SEAL_MISSING)]


def test_a_removed_head_is_found(tamper: Callable[..., list[Fault]]) -> None:
    assert tamper("DELETE FROM heads WHERE subject = :b") == [Fault(B, 1, FaultKind.HEAD_MISSING)]


def test_a_fault_speaks_chinese_and_english() -> None:
    fault = Fault(A, 3, FaultKind.TAIL_MISSING)
    assert fault.chinese == "real|callout|a 第 3 条：末尾的记录被删除"
    assert fault.english == "real|callout|a number 3: the last entries were removed"


def test_every_kind_of_fault_has_its_words() -> None:
    assert all(Fault(A, 1, kind).chinese and Fault(A, 1, kind).english for kind in FaultKind)


def test_the_export_is_a_table_in_the_zone_of_the_county(ledger: Ledger, tmp_path: Path) -> None:
    append(ledger, draft(B, seconds=1, name="=cmd()"), draft("=A1", what="@x", seconds=0))
    target = tmp_path / "台账.csv"
    assert export_csv(ledger, target, ZoneInfo("Asia/Shanghai")) == 2
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    headers, first, second = csv.reader(target.read_text(encoding="utf-8-sig").splitlines())
    assert tuple(headers) == HEADERS
    assert first[:4] == ["2021-07-20 16:00:00.000", "'=A1", "1", "'@x"]
    assert second[:7] == ["2021-07-20 16:00:01.000", B, "1", "called", "due", "callout", '{"name":"=cmd()"}']


def test_the_entries_of_one_step_are_told_in_letters_that_a_broker_takes(ledger: Ledger) -> None:
    drafts = [draft(f"real|callout|{n:04}") for n in range(450)]
    entries = ledger.step(lambda step: step.append(drafts))
    letters = ledger.step(lambda step: step.open_letters(at(9), at(9), resend_after_s=1, limit=10, topics=(AUDIT,)))
    told = [entry["hash"] for letter in letters for entry in letter.message.entries]
    assert sorted(told) == sorted(entry.hash for entry in entries)
    assert sorted(len(letter.message.entries) for letter in letters) == [50, 200, 200]
