"""Days and hours as offices write them: 7月19日, 2021.7.19, 19日, 7/19, a serial number, 8:00-次日8:00, 夜班.

What could mean two days is refused with the way to write it. It reads no clock: where the year is nowhere in the
sheet, the caller says near which day the roster lies.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from rosters.io.report import UnclearError

SERIAL_EPOCH = date(1899, 12, 30)
RANGE_DAYS_MAX = 31
_WEEKDAYS = "一二三四五六日"
_WEEKDAY = re.compile(r"\(?(?:星期|礼拜|周)([一二三四五六日天])\)?")
_CHINESE = re.compile(r"[〇零一二三四五六七八九十廿卅]+(?=[年月日号])")
_DIGIT = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0}
_FULL = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:T?0?0:00(?::00)?)?"),
    re.compile(r"(?P<y>\d{4}|\d{2})年(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]?"),
    re.compile(r"(?P<y>\d{2})\.(?P<m>\d{1,2})\.(?P<d>\d{1,2})"),
    re.compile(r"(?P<y>20\d{2})(?P<m>\d{2})(?P<d>\d{2})"),
    re.compile(r"(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]?"),
    re.compile(r"(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})[日号]?"),
    re.compile(r"(?P<d>\d{1,2})[日号]?"),
)
_BETWEEN = re.compile(r"至|到|~|—+|–|--")
_CLOCK = r"(\d{1,2})(?:[:：时点](\d{2})?(?:分)?)"
_HOURS = re.compile(rf"{_CLOCK}(?:至|到|~|—+|–|-+)(次日|翌日|第二天|当日)?{_CLOCK}")
_FROM_TO = re.compile(
    rf"(?P<day>.+?)\s*(?P<h>\d{{1,2}})[:时点](?P<m>\d\d)?分?\s*(?:至|到|~|—+|–|-+)\s*(?P<until>.*?)\s*{_CLOCK}"
)
_NEXT_DAY = {"次日", "翌日", "第二天"}
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d) ?(\d\d:\d\d) ?(?:至|到|~|-) ?(\d{4}-\d\d-\d\d) ?(\d\d:\d\d)")


@dataclass(frozen=True)
class Hours:
    """A shift's hours: minutes from the midnight that begins its day; `ends_min` may lie on a later day."""

    starts_min: int
    ends_min: int

    @classmethod
    def from_handover(cls, handover: time) -> Hours:
        """Return the hours of a day of duty: from one handover to the next."""
        starts_min = handover.hour * 60 + handover.minute
        return cls(starts_min, starts_min + 1440)

    def __str__(self) -> str:
        days, ends = divmod(self.ends_min, 1440)
        next_day = "次日" if days else ""
        return f"{self.starts_min // 60:02d}:{self.starts_min % 60:02d}-{next_day}{ends // 60:02d}:{ends % 60:02d}"


DAY_AND_NIGHT = Hours(8 * 60, 32 * 60)
# What a bare word means where a sheet gives no hours; every use is told in the report.
NAMED_HOURS = {
    "白班": Hours(8 * 60, 20 * 60),
    "夜班": Hours(20 * 60, 32 * 60),
    "白天": Hours(8 * 60, 20 * 60),
    "夜间": Hours(20 * 60, 32 * 60),
    "全天": DAY_AND_NIGHT,
    "全日": DAY_AND_NIGHT,
    "24小时": DAY_AND_NIGHT,
}


def plain(value: Any) -> str:
    """Return a cell as text: full-width forms made ordinary, outer blanks cut."""
    return unicodedata.normalize("NFKC", str(value)).strip() if value is not None else ""


def hours_of(text: str, usual: Hours = DAY_AND_NIGHT) -> Hours | None:
    """Return the hours that a heading or cell names, None where it names none.

    Args:
        text: Such as 夜班(18:00-次日8:00), 8时至20时, 白班, 全天.
        usual: What 全天 and 24小时 mean in this county: from one handover to the next.

    Raises:
        UnclearError: It names hours that no clock shows.
    """
    written = re.sub(r"\s", "", plain(text))
    if found := _HOURS.search(written):
        from_h, from_m, day, to_h, to_m = found.groups()
        starts, ends = int(from_h) * 60 + int(from_m or 0), int(to_h) * 60 + int(to_m or 0)
        if starts >= 1440 or ends > 1440:
            raise UnclearError(f"{found[0]} 不是时刻", f"{found[0]} is no time of day")
        if ends <= starts or day in _NEXT_DAY:
            ends += 1440
        return Hours(starts, ends)
    for word, hours in NAMED_HOURS.items():
        if word in written:
            return usual if hours is DAY_AND_NIGHT else hours
    return None


def span_of(text: str) -> tuple[datetime, datetime] | None:
    """Return the local begin and end where a cell names both with their dates: 2021-07-19 08:00 至 2021-07-22 08:00."""
    found = _SPAN.fullmatch(plain(text))
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}"), datetime.fromisoformat(f"{found[3]}T{found[4]}")
    except ValueError:
        return None


def weekday_of(text: str) -> int | None:
    """Return 0 (Monday) to 6 for 星期一, 周一, 一; None where no weekday stands there."""
    written = plain(text)
    found = _WEEKDAY.search(written)
    word = found[1] if found else written
    return "一二三四五六日".find(word.replace("天", "日")) if len(word) == 1 and word in _WEEKDAYS + "天" else None


class DayReader:
    """Reads the days of one sheet, one after another: what a day leaves out follows from its title and the day before.

    Args:
        year: The year the sheet's title or name says, if any.
        month: Its month, if any.
        near: The day near which the roster lies; chooses the year where none is written.
        epoch: Day 0 of serial numbers in the workbook.
    """

    def __init__(self, year: int | None, month: int | None, near: date, epoch: date = SERIAL_EPOCH) -> None:
        self.year, self.month, self.near, self.epoch = year, month, near, epoch
        self.last: date | None = None
        self.guessed_year = False

    def days(self, value: Any, number_format: str = "") -> tuple[date, ...]:
        """Return the day, or the days from one to another, that a cell names.

        Raises:
            UnclearError: It names none, or could name several.
        """
        if isinstance(value, datetime):
            found: tuple[date, ...] = (value.date(),)
        elif isinstance(value, date):
            found = (value,)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = (self._of_number(value, number_format),)
        else:
            found = self._of_text(plain(value))
        self.last = found[-1]
        return found

    def span(self, value: Any) -> tuple[datetime, datetime] | None:
        """Return the local begin and end where a cell names a day with its hours: 7月19日8:00-7月20日8:00.

        None where it does not name both.

        Raises:
            UnclearError: It does, but one of its days or hours is none.
        """
        # Blanks stay: in 2021-07-19 8:00 they alone tell the day from the hour.
        found = _FROM_TO.fullmatch(_WEEKDAY.sub("", plain(value)))
        if found is None:
            return None
        first = self.days(found["day"])[-1]
        begins = _at(first, int(found["h"]), int(found["m"] or 0))
        until = found["until"]
        last = first + timedelta(days=1) if until in _NEXT_DAY else self._until(until, first)
        ends = _at(last, int(found[5]), int(found[6] or 0))
        self.last = first
        return begins, ends + timedelta(days=1) if ends <= begins and not until else ends

    def _until(self, written: str, first: date) -> date:
        if not written or written == "当日":
            return first
        found = self._single(_CHINESE.sub(_arabic, re.sub(r"\s", "", written)), first)
        if found is None:
            raise UnclearError(f"“{written}”看不出是哪一天", f"{written!r} names no day")
        return found

    def _of_number(self, number: float, number_format: str) -> date:
        if number == int(number):
            whole = int(number)
            if 20_000 <= whole <= 80_000:
                return self.epoch + timedelta(days=whole)
            return self._of_text(str(whole))[0]
        if number_format == "0.00":
            return self._of_text(f"{number:.2f}")[0]
        month, _, day = f"{number:g}".partition(".")
        if len(day) == 1 and day in "123":
            reason = f"{number:g} 可能是 {month}月{day}日，也可能是 {month}月{day}0日，请写成“{month}月{day}日”"
            raise UnclearError(
                reason, f"{number:g} may be day {day} or {day}0 of month {month}; write {month}月{day}日"
            )
        return self._of_text(f"{number:g}")[0]

    def _of_text(self, text: str) -> tuple[date, ...]:
        written = _CHINESE.sub(_arabic, re.sub(r"\s", "", _WEEKDAY.sub("", text)))
        if re.fullmatch(r"[2-7]\d{4}", written):
            return (self.epoch + timedelta(days=int(written)),)
        single = self._single(written, self.last)
        if single is not None:
            return (single,)
        for begin, end in _halves(written):
            first = self._single(begin, self.last)
            last = self._single(end, first) if first else None
            if first and last and first <= last:
                count = (last - first).days + 1
                if count > RANGE_DAYS_MAX:
                    raise UnclearError(f"“{text}”长达 {count} 天，请逐日写", f"{text!r} is {count} days; write each")
                return tuple(first + timedelta(days=n) for n in range(count))
        raise UnclearError(f"“{text}”看不出是哪一天", f"{text!r} names no day")

    def _single(self, written: str, before: date | None) -> date | None:
        for pattern in _FULL:
            found = pattern.fullmatch(written)
            if found is None:
                continue
            parts = found.groupdict()
            month = int(parts["m"]) if parts.get("m") else self._month_for(before)
            try:
                if parts.get("y"):
                    year = int(parts["y"])
                    return date(year + 2000 if year < 100 else year, month, int(parts["d"]))
                return self._with_year(month, int(parts["d"]), before)
            except ValueError as error:
                if isinstance(error, UnclearError):
                    raise
                continue
        return None

    def _month_for(self, before: date | None) -> int:
        month = self.month or (before.month if before else None)
        if month is None:
            raise UnclearError("只有日，没有月份，请写成“7月19日”", "a day without its month; write 7月19日")
        return month

    def _with_year(self, month: int, day: int, before: date | None) -> date:
        if self.month and (month - self.month) % 12 not in {0, 1, 11}:
            reason = f"{month}月{day}日 不在表题所说的 {self.month}月"
            raise UnclearError(reason, f"month {month} is not the month {self.month} of the title")
        if before is None and self.year:
            return date(self.year, month, day)
        middle = before or self.near
        self.guessed_year = self.guessed_year or before is None
        candidates = []
        for year in (middle.year - 1, middle.year, middle.year + 1):
            try:
                candidates.append(date(year, month, day))
            except ValueError:
                continue  # 29 February is in one year of four.
        if not candidates:
            raise ValueError(f"{month}-{day}")
        return min(candidates, key=lambda one: abs(one - middle))


def _at(day: date, hour: int, minute: int) -> datetime:
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise UnclearError(f"{hour}:{minute:02d} 不是时刻", f"{hour}:{minute:02d} is no time of day")
    return datetime.combine(day, time()) + timedelta(hours=hour, minutes=minute)


def _halves(written: str) -> list[tuple[str, str]]:
    parts = _BETWEEN.split(written)
    if len(parts) == 2:
        return [(parts[0], parts[1])]
    return [(written[: dash.start()], written[dash.end() :]) for dash in re.finditer("-", written)]


def _arabic(found: re.Match[str]) -> str:
    word = found[0].replace("廿", "二十").replace("卅", "三十")
    if "十" not in word:
        return "".join(str(_DIGIT[character]) for character in word)
    tens, _, ones = word.partition("十")
    return str(_DIGIT.get(tens, 1) * 10 + _DIGIT.get(ones, 0))
