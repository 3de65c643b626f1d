"""Rosters as calendars: the ones people already share are read into shifts; ours is written only when asked for.

A calendar is read on phones and kept by whoever offers it, so it names posts alone unless names are switched on. It
never holds a phone number.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import icalendar

from rosters.county import County
from rosters.io.layout import Headings
from rosters.io.names import Directory, Mention, mentions
from rosters.io.occurrences import Occurrence, Window, occurrences_within
from rosters.io.office import shift_id
from rosters.io.report import Imported, Placed, Remark, UnclearError, settle
from rosters.model import Shift
from streams.ids import digest


def read_ical(content: bytes, county: County, window: Window, *, post: str = "", name: str = "iCalendar") -> Imported:
    """Read the shifts of a calendar between two times.

    An event is a shift of whoever its summary names (张三、李四, or 溪口镇值班员：张三). All-day events are duties
    from the county's handover to the next one.

    Args:
        content: Of the .ics file.
        county: Its posts and people are the only ones that are found.
        window: What part of the calendar, and how its wall clocks are meant.
        post: Id of the post whose calendar it is, where the events do not say.
        name: What the file is called in remarks.

    Raises:
        RosterFileError: It is no calendar, or too large to be a roster.
    """
    found, unreadable = occurrences_within(content, name, window)
    return shifts_of(found, unreadable, county, post=post, name=name)


def shifts_of(
    found: Iterable[Occurrence], unreadable: Iterable[Remark], county: County, *, post: str, name: str
) -> Imported:
    """Match occurrences to posts and people; what matches nobody, or several, is refused."""
    headings, directory = Headings(county), Directory(county)
    placed: list[Placed] = []
    refused = list(unreadable)
    for one in found:
        place = f"{one.starts_at.astimezone(county.zone):%Y-%m-%d %H:%M} {one.summary[:20]}".strip()
        try:
            placed.append(Placed(_shift(one, post, county, headings, directory), name, place))
        except UnclearError as error:
            refused.append(Remark(name, place, error.reason, error.english))
    return settle(placed, refused, ())


def write_ical(shifts: Iterable[Shift], county: County, *, at: datetime, with_names: bool = False) -> bytes:
    """Return a calendar of shifts.

    Args:
        shifts: Of posts of the county.
        county: Names the posts, and the people where they are wanted.
        at: When it was made, aware.
        with_names: Whether people are named; without them the calendar cannot be read back.
    """
    calendar = icalendar.Calendar()
    calendar.add("PRODID", "-//jiaoying//roster//ZH")
    calendar.add("VERSION", "2.0")
    for shift in sorted(shifts, key=lambda shift: (shift.starts_at, shift.post)):
        event = icalendar.Event()
        people = shift.people
        name = county.posts[shift.post].name
        if with_names:
            name += "：" + "、".join(county.people[person].name for person in people)
            event.add("X-JIAOYING-PEOPLE", "|".join(people))
        event.add("SUMMARY", name)
        event.add("UID", f"{digest(county.code, shift.id)}@jiaoying")
        event.add("DTSTAMP", at.astimezone(UTC))
        event.add("DTSTART", shift.starts_at.astimezone(UTC))
        event.add("DTEND", shift.ends_at.astimezone(UTC))
        event.add("X-JIAOYING-POST", shift.post)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _shift(one: Occurrence, post: str, county: County, headings: Headings, directory: Directory) -> Shift:
    label, colon, rest = one.summary.replace("：", ":").partition(":")
    named = headings.column(label) if colon else None
    post_id = one.post or (named.post if named else "") or post
    held = county.posts.get(post_id)
    if held is None or not held.on_shift:
        raise UnclearError("看不出是哪个岗位，请用“岗位：姓名”作标题，或指明岗位", "it does not say for which post")
    written = rest if named and named.role == "people" else one.summary
    meant = [Mention(person) for person in one.people] or list(mentions(written))
    people = [directory.find(mention) for mention in meant]
    if not people:
        raise UnclearError("标题里没有姓名", "its summary names nobody")
    if len(set(people)) < len(people):
        raise UnclearError("同一人写了两次", "one person is written twice")
    return Shift(
        id=shift_id(county, post_id, one.starts_at),
        post=post_id,
        person=people[0],
        deputy=people[1] if len(people) > 1 else "",
        others=tuple(people[2:]),
        starts_at=one.starts_at,
        ends_at=one.ends_at,
    )
