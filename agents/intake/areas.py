"""Which of the county's regions a warning speaks of. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rosters.county import County
from streams.doors.reading_text import places_in
from streams.letters import IssuedWarning
from streams.words import Model


class Coverage(Model):
    """The regions a warning covers, and those inside them that it names and that go first.

    `outside` is true where the warning gives areas and none of them is ours; `unclear` where it gives none that can be
    understood, so that a person has to look.
    """

    regions: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    outside: bool = False
    unclear: bool = False


def within(county: County, code: str, areas: Iterable[str]) -> bool:
    """Tell whether a region is one of the areas or lies inside one."""
    wanted = set(areas)
    return code in wanted or any(ancestor in wanted for ancestor in county.ancestors(code))


def coverage(warning: IssuedWarning, county: County) -> Coverage:
    """Read the areas of a warning: geocodes first, then names; townships named in the text go first."""
    names = county.names()
    regions = county.covers(warning.geocodes)
    if not regions:
        said = places_in("，".join(warning.area_names), names)
        regions = tuple(dict.fromkeys(names[place] for place in said))
    if not regions and _speaks_for(county, warning):
        regions = (county.code,)
    named = tuple(
        code
        for code in dict.fromkeys(names[place] for place in places_in(warning.text, names))
        if within(county, code, regions)
    )
    if regions:
        # A warning whose very regions are the named townships names nothing beyond them.
        return Coverage(regions=regions, named=() if set(named) == set(regions) else named)
    if warning.geocodes:
        return Coverage(outside=True)
    return Coverage(unclear=True)


def _speaks_for(county: County, warning: IssuedWarning) -> bool:
    """Tell whether the issuer or the headline or an area carries the county's own name."""
    return any(county.name in words for words in (warning.issuer, warning.headline, warning.text, *warning.area_names))
