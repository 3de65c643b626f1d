"""Who is meant by what stands in a cell: names, phones written beside them, titles in brackets, several in one cell.

Somebody is found only by a name that one known person bears, or by a phone or id that tells namesakes apart. An
unknown or ambiguous name is refused with those it may have meant; nobody is ever guessed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rosters.county import County
from rosters.io.days import plain
from rosters.io.report import UnclearError
from rosters.model import Person

NEAR_MAX = 3
CELL_CHARS_MAX = 1000
"""A cell with more in it is no list of names; to look for some in a hundred thousand letters would take a minute."""
_TAIL = 7
# What a clerk writes where nobody is on duty; the hole is found by the checks, not filled here.
NOBODY = frozenset({"", "无", "/", "-", "--", "—", "空", "待定", "暂无", "\\", "×", "x"})
_PHONE = (
    r"sim:[a-z0-9-]+|\+[1-9]\d{6,14}(?!\d)|(?<!\d)(?:86[- ]?)?1\d{2}[- ]?\d{4}[- ]?\d{4}(?!\d)"
    r"|(?<!\d)\(?0\d{2,3}[)\- ]?\d{7,8}(?!\d)|(?<!\d)\d{7,8}(?!\d)"
)
_PHONE_ONLY = re.compile(_PHONE)
_TOKEN = re.compile(
    rf"(?P<phone>{_PHONE})|\((?P<bracket>[^()]*)\)|(?P<label>[^\s():]{{1,8}}):(?!\s*(?:{_PHONE}))|(?P<word>[^\s():])"
)
_SEPARATOR = re.compile(r"[、,;/|\n\r+&]+")
_STAND_IN = re.compile(r"代|替|换|调|请假|休假|出差|公休")
_TITLE = re.compile(
    r"(?:(?:党委|党组|支部|常务|副|代理|正)*"
    r"(?:县长|书记|镇长|乡长|主任|局长|部长|科长|股长|所长|站长|主席|委员|组长|队长|干事|科员|同志))$"
)


@dataclass(frozen=True)
class Mention:
    """One person as written: the name, and what stands beside it that tells namesakes apart."""

    name: str
    phones: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def mentions(cell: object) -> tuple[Mention, ...]:
    """Return the people that a cell names, in order; empty where it says that nobody is there.

    Raises:
        UnclearError: It speaks of a stand-in or of several posts, which a person must sort out, or is far too long.
    """
    text = plain(cell).replace(",", "、")
    if text.lower() in NOBODY:
        return ()
    if len(text) > CELL_CHARS_MAX:
        reason = f"一格里有 {len(text)} 个字，不像姓名，请核对"
        raise UnclearError(reason, f"{len(text)} letters in one cell are no names; look at it")
    found: list[_Draft] = []
    labels = 0
    for chunk in _SEPARATOR.split(text):
        # Two letters of one name that are spaced for looks (李  四) follow each other; a new chunk is a new person.
        word_ended_at, in_chunk = -1, False
        for token in _TOKEN.finditer(chunk):
            if token["phone"]:
                _last(found, token["phone"]).phones.append(token["phone"])
            elif token["bracket"] is not None:
                _read_bracket(found, token["bracket"].strip())
            elif token["label"]:
                labels += 1
            elif in_chunk and word_ended_at == token.start():
                found[-1].parts[-1] += token["word"]
                word_ended_at = token.end()
                continue
            elif in_chunk and not found[-1].phones and not found[-1].notes and word_ended_at >= 0:
                found[-1].parts.append(token["word"])
            else:
                found.append(_Draft([token["word"]]))
                in_chunk = True
            word_ended_at = token.end() if token["word"] else -1
    if labels > 1:
        raise UnclearError(
            "一格里写了几个岗位的人，请分列", "one cell names people of several posts; use one column each"
        )
    return tuple(mention for draft in found for mention in draft.told())


class _Draft:
    """A stretch of words without a phone or bracket between them: one name, or several set apart by blanks."""

    def __init__(self, parts: list[str]) -> None:
        self.parts = parts
        self.phones: list[str] = []
        self.notes: list[str] = []

    def told(self) -> Iterator[Mention]:
        names: list[str] = []
        spaced = ""
        for part in [*self.parts, ""]:
            if len(part) == 1:
                spaced += part
                continue
            if spaced:
                names.append(spaced)
                spaced = ""
            if part:
                names.append(part)
        for name in names[:-1]:
            yield Mention(name)
        yield Mention(names[-1], tuple(self.phones), tuple(self.notes))


def _last(found: list[_Draft], written: str) -> _Draft:
    if not found:
        raise UnclearError("电话或括号前面没有姓名", "no name stands before the phone or brackets")
    return found[-1]


def _read_bracket(found: list[_Draft], content: str) -> None:
    if _STAND_IN.search(content) and not _PHONE_ONLY.search(content):
        reason = f"括号里写了“{content}”，请直接写当班人的姓名"
        raise UnclearError(reason, f"the brackets say {content!r}; write the name of who is on duty")
    draft = _last(found, content)
    phones = [phone[0] for phone in _PHONE_ONLY.finditer(content)]
    draft.phones += phones
    draft.notes += [] if phones else [content]


def phones_in(cell: object) -> tuple[str, ...]:
    """Return the phone numbers written in a cell."""
    return tuple(found[0] for found in _PHONE_ONLY.finditer(plain(cell)))


def same_number(written: str, number: str) -> bool:
    """Return whether a number as written in an office, without country or area code perhaps, is this full one."""
    if written.startswith("sim:") or number.startswith("sim:"):
        return written == number
    digits = re.sub(r"\D", "", written)
    short = digits.removeprefix("86") if len(digits) > 11 else digits.removeprefix("0")
    return len(short) >= 7 and number.endswith(short)


class Directory:
    """The known people of a county, found by name."""

    def __init__(self, county: County) -> None:
        self._county = county
        by_name: dict[str, list[Person]] = {}
        for person in county.people.values():
            by_name.setdefault(_bare(person.name), []).append(person)
        self._by_name: Mapping[str, list[Person]] = by_name
        self._where: dict[str, str] = {}
        self._numbers: dict[str, list[str]] = {}
        for person in county.people.values():
            for phone in person.phones:
                self._numbers.setdefault(phone.number[-_TAIL:], []).append(phone.number)

    def find(self, mention: Mention, beside: Collection[str] = ()) -> str:
        """Return the id of the person meant.

        Args:
            mention: As written in the cell.
            beside: Phones from elsewhere in the row; they may tell namesakes apart, but prove nothing.

        Raises:
            UnclearError: Nobody known bears the name, or several do, or the phone beside it is another person's.
        """
        by_id = [self._county.people[note] for note in (*mention.notes, mention.name) if note in self._county.people]
        if by_id:
            return self._checked_id(mention, by_id[0])
        named = self._named(mention.name)
        if not named:
            raise self._unknown(mention.name)
        fitting = [person for person in named if _has(person, mention.phones)] if mention.phones else named
        if not fitting:
            reason = f"{mention.name} 旁边的电话与名册不符：请改正电话，或先改人员名册"
            raise UnclearError(reason, f"the phone beside {mention.name} is not the one on file; correct either")
        if len(fitting) > 1 and beside:
            fitting = [person for person in fitting if _has(person, beside)] or fitting
        if len(fitting) > 1:
            shown = "、".join(f"{person.id}（{self._post_of(person.id)}）" for person in fitting[:NEAR_MAX])
            reason = f"有 {len(fitting)} 人都叫 {mention.name}：{shown}；请在姓名后加电话或（编号）"
            ids = ", ".join(person.id for person in fitting[:NEAR_MAX])
            raise UnclearError(
                reason, f"{len(fitting)} people bear that name: {ids}; add a phone or (id) after the name"
            )
        return fitting[0].id

    def written(self, person_id: str) -> str:
        """Return how a person is written so that `find` finds exactly them: the name, with the id where needed."""
        person = self._county.people.get(person_id)
        if person is None:
            return person_id
        alone = len(self._by_name[_bare(person.name)]) == 1
        try:
            read = mentions(person.name)
        except UnclearError:
            return person_id
        readable = [_bare(mention.name) for mention in read] == [_bare(person.name)] and not read[0].phones
        if not readable or (person.name in self._county.people and person.name != person.id):
            return person_id
        return person.name if alone and not read[0].notes else f"{person.name}({person_id})"

    def knows_number(self, written: str) -> bool:
        """Return whether a number as written in an office is somebody's on file."""
        tail = written if written.startswith("sim:") else re.sub(r"\D", "", written)
        return any(same_number(written, number) for number in self._numbers.get(tail[-_TAIL:], ()))

    def _checked_id(self, mention: Mention, person: Person) -> str:
        if mention.name != person.id and _bare(mention.name) != _bare(person.name):
            reason = f"编号 {person.id} 是 {person.name}，不是 {mention.name}"
            raise UnclearError(reason, f"the id {person.id} is {person.name}, not {mention.name}")
        return person.id

    def _named(self, name: str) -> Sequence[Person]:
        bare = _bare(name)
        return self._by_name.get(bare) or self._by_name.get(_TITLE.sub("", bare)) or ()

    def _unknown(self, name: str) -> UnclearError:
        near = difflib.get_close_matches(_bare(name), self._by_name, n=NEAR_MAX, cutoff=0.5)
        hint = f"，名册里相近的有 {'、'.join(near)}" if near else ""
        english = f"; near names: {', '.join(near)}" if near else ""
        return UnclearError(f"名册里没有 {name}{hint}", f"nobody on file is called {name}{english}")

    def _post_of(self, person_id: str) -> str:
        if not self._where:
            for post in self._county.posts.values():
                for holder in post.holders:
                    self._where.setdefault(holder, post.name)
            for shift in self._county.shifts:
                self._where.setdefault(shift.person, self._county.posts[shift.post].name)
        return self._where.get(person_id, "无岗位")


def _has(person: Person, written: Collection[str]) -> bool:
    return any(same_number(one, phone.number) for one in written for phone in person.phones)


def _bare(name: str) -> str:
    return re.sub(r"\s", "", plain(name))
