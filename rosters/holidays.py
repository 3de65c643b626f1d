"""What kind of day it is: workday, weekend or public holiday, with the make-up working days (调休); special periods.

The State Council announces the arrangement of each year in the autumn before (国务院办公厅关于部分节假日安排的通知);
until it does, nobody knows which Sundays are worked. So a year that neither the package `chinesecalendar` nor the
county's own file knows is refused: a holiday is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

import chinese_calendar
import yaml
from chinese_calendar import constants
from pydantic import Field, ValidationError, model_validator

from rosters.sheets import CountyError, Fault
from streams.words import Model

SATURDAY = 5


class DayKind(StrEnum):
    """A day as a duty roster counts it. A make-up working day is a WORKDAY, whatever day of the week it is."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


class UnknownYearError(Exception):
    """The arrangement of a year is not known; says which years are, and what to do."""


class YearFile(Model):
    """What a county writes down of a year that the package does not know yet: days off, and working days instead."""

    holidays: tuple[date, ...] = Field(min_length=1)
    workdays: tuple[date, ...] = ()


class Period(Model):
    """A special period (重要时段: 两会, a festival, the main flood season): a name, its days, and stronger staffing.

    One leader and two officers is one county's rule for festivals (靖远县 靖政办发〔2017〕84号); each sets its own.

    Args:
        officers: People at a duty post at once; two means that a second one stands beside the holder.
        leader_in_room: The leader on duty sits in the duty room: a phone of the room has to ring for the leader too.
    """

    name: str = Field(min_length=1)
    first: date
    last: date
    officers: int = Field(default=2, ge=1, le=2)
    leader_in_room: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"{self.name}：last {self.last} 早于 first {self.first}")
        return self


class DutyYear(Model):
    """The county's own file, renewed each year: what it decided about its duty.

    Args:
        years: Public holidays of years that the package does not know yet.
        periods: Special periods.
        leaders: By unit, the ids of who may be its leader on duty (带班领导): by function (分管) and level of duty,
            never by title. Who may lead a superior unit may lead here. A unit without a list is not checked, and told.
        duty_h_max: Hours that one person may hold posts without a break.
    """

    years: dict[int, YearFile] = Field(default_factory=dict)
    periods: tuple[Period, ...] = ()
    leaders: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    duty_h_max: float = Field(default=24, gt=0, le=24 * 31)


def duty_year_of(folder: Path) -> DutyYear:
    """Read `duty_year.yaml` of a county's folder; nothing set where there is none.

    Raises:
        CountyError: As `read_duty_year`.
    """
    path = folder / "duty_year.yaml"
    return read_duty_year(path) if path.exists() else DutyYear()


def read_duty_year(path: Path) -> DutyYear:
    """Read the county's own file.

    Raises:
        CountyError: It is not well-formed, or a day in it is not one; the message names the file and the field.
    """
    try:
        return DutyYear.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except ValidationError as error:
        faults = [
            Fault(path.name, 1, f"{_field(problem['loc'])}：{problem['msg']}", f"{_field(problem['loc'])} does not fit")
            for problem in error.errors()
        ]
        raise CountyError(path.parent, faults) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise CountyError(path.parent, [Fault(path.name, line, "不是合格的 YAML", "not well-formed YAML")]) from error


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place)


class Calendar:
    """Public holidays of China by year, from the package and from the county's own file, which goes first."""

    def __init__(self, own: Mapping[int, YearFile] | None = None) -> None:
        self._own = dict(own or {})
        self._known = {day.year for day in constants.holidays}

    def kind(self, day: date) -> DayKind:
        """Return what kind of day it is.

        Raises:
            UnknownYearError: The arrangement of its year is not known.
        """
        own = self._own.get(day.year)
        if own is not None:
            if day in own.holidays:
                return DayKind.HOLIDAY
            return DayKind.WEEKEND if day.weekday() >= SATURDAY and day not in own.workdays else DayKind.WORKDAY
        if day.year not in self._known:
            first, last = min(self._known), max(self._known)
            raise UnknownYearError(
                f"不知道{day.year}年的放假安排（已知{first}–{last}年），不作猜测：请更新 chinesecalendar，"
                f"或在 duty_year.yaml 中写明 / the holidays of {day.year} are not known (known: {first}–{last}) and "
                "are not guessed: update chinesecalendar, or write them into duty_year.yaml"
            )
        off, name = chinese_calendar.get_holiday_detail(day)
        if not off:
            return DayKind.WORKDAY
        return DayKind.HOLIDAY if name else DayKind.WEEKEND


def period_on(day: date, periods: Sequence[Period]) -> Period | None:
    """Return the special period a day lies in; of several the one with the most officers."""
    found = [period for period in periods if period.first <= day <= period.last]
    return max(found, key=lambda period: period.officers) if found else None


def days_between(first: date, last: date) -> list[date]:
    """Return the days from first to last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
