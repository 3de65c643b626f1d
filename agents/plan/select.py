"""Which posts the county's rules give for a move. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from agents.facts import Facts
from config.choose import choose, quiet_for
from config.rules import Rule, RuleBook, Selector
from rosters.county import DUTY_OFFICER
from rosters.model import Post
from streams.letters import ChainMoved, Mode
from streams.words import Level


@dataclass(frozen=True)
class Chosen:
    """A post that is to be opened: how, by which ladder, how urgently, and until when it is held if it is."""

    post: Post
    mode: Mode
    ladder: str
    priority: int
    hold_until: datetime | None = None
    hold_reason: str = ""


NAMED_FIRST = 10


def chosen_posts(moved: ChainMoved, now: datetime, facts: Facts) -> tuple[Rule | None, tuple[Chosen, ...]]:
    """Return the rule that matches and the posts it gives, each once, the first selector that gives it deciding."""
    county = facts.county
    local = now.astimezone(county.zone)
    rule = choose(facts.book, moved.hazard, moved.colour, moved.source, local.time())
    if rule is None:
        return None, ()
    given: dict[str, Chosen] = {}
    for selector in rule.posts:
        for post in _posts(selector, moved, facts):
            if post.id not in given:
                given[post.id] = _choose(post, selector, moved, local, facts)
    return rule, tuple(given.values())


def _posts(selector: Selector, moved: ChainMoved, facts: Facts) -> tuple[Post, ...]:
    county = facts.county
    areas = moved.named if selector.scope == "named" and moved.named else moved.regions
    match selector.level:
        case Level.COUNTY:
            regions = None
        case Level.TOWNSHIP:
            # A village that is named has its township's posts rung too; the whole county has all of them.
            townships = {county.township_of(code) or code for code in areas}
            regions = frozenset(townships)
        case _:
            regions = frozenset(areas)
    return county.posts_where(
        level=selector.level, kinds=selector.kinds, regions=regions, site_kinds=selector.site_kinds
    )


def _choose(post: Post, selector: Selector, moved: ChainMoved, local: datetime, facts: Facts) -> Chosen:
    county = facts.county
    first = bool(moved.named) and any(code in moved.named for code in (post.region, *county.ancestors(post.region)))
    priority = min(selector.priority, 9) + (NAMED_FIRST if first else 0)
    quiet = quiet_for(facts.book, moved.hazard, moved.colour, post.level, moved.source)
    if quiet is not None and not (quiet.unless_danger and county.danger(post)):
        if quiet.digest_at is None:
            return Chosen(post, Mode.MESSAGE, selector.ladder, priority, None, quiet.reason)
        return Chosen(post, Mode.HOLD, selector.ladder, priority, _next_at(quiet.digest_at, local), quiet.reason)
    mode = Mode.CALL if selector.mode == "call" else Mode.MESSAGE
    return Chosen(post, mode, selector.ladder, priority)


def county_ladder(book: RuleBook) -> str:
    """Return the ladder by which the county's own duty officer is rung: the first that a rule names for that post."""
    for rule in book.rules:
        for selector in rule.posts:
            if selector.level is Level.COUNTY and DUTY_OFFICER in selector.kinds:
                return selector.ladder
    return book.knobs.order_ladder


def _next_at(clock: str, local: datetime) -> datetime:
    """Return the next time the county's clock shows HH:MM."""
    at = datetime.combine(local.date(), time.fromisoformat(clock), tzinfo=local.tzinfo)
    return at if at > local else at + timedelta(days=1)
