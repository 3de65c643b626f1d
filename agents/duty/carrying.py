"""What a duty room hands over: counted in the ledger, never remembered on the side."""

from __future__ import annotations

from datetime import datetime

from agents.callout.state import CALLOUTS, OPEN, UNANSWERED
from agents.duty.state import HANDOVERS, Carried, ChainCarried, Handover
from agents.facts import Facts
from agents.intake.areas import within
from agents.intake.state import CHAINS, ChainState
from agents.visit.state import VISITS
from rosters.model import Post
from streams.ids import REAL
from streams.ledger.contract import Step, Where
from streams.rooms import TROUBLES

IDS_MAX = 50
CHAINS_MAX = 1000


def carried_over(step: Step, post: Post, now: datetime, facts: Facts) -> Carried:
    """Return what is open for the area of a duty post: of the county everything, of a township what lies in it."""
    county = facts.county
    township = county.township_of(post.region)
    here = (Where("realm", "=", REAL), *([Where("township", "=", township)] if township else []))
    unsettled = (*here, Where("state", "in", (*OPEN, *UNANSWERED)))
    counts = step.count(CALLOUTS, ("state",), *unsettled)
    rows = step.find(CALLOUTS, *unsettled, order=("-severity", "opened_at"), limit=IDS_MAX)
    lists = step.find(VISITS, Where("realm", "=", REAL), Where("open_items", ">", 0), limit=IDS_MAX)
    chains = step.find(CHAINS, Where("realm", "=", REAL), Where("state", "in", _IN_FORCE), limit=CHAINS_MAX)
    troubles = [Where("region", "=", township)] if township else []
    open_troubles = step.count(
        TROUBLES, ("realm",), Where("realm", "=", REAL), Where("closed_at", "is null"), *troubles
    )
    return Carried(
        at=now,
        callouts={str(state): count for (state,), count in counts.items()},
        callout_ids=tuple(row.id for row in rows),
        visit_ids=tuple(row.id for row in lists if not township or row.region == township),
        chains=tuple(
            ChainCarried(
                chain_id=chain.id, hazard=chain.hazard, colour=chain.colour, headline=chain.headline, until=chain.until
            )
            for chain in chains
            if not township or _touches(chain.regions, township, facts)
        ),
        troubles=sum(open_troubles.values()),
    )


def handover_before(step: Step, post_id: str, starts_at: datetime) -> Handover | None:
    """Return the handover of a post before the one at `starts_at`: what it left open goes on."""
    rows = step.find(
        HANDOVERS,
        Where("post_id", "=", post_id),
        Where("starts_at", "<", starts_at),
        order=("-starts_at",),
        limit=1,
    )
    return rows[0] if rows else None


def _touches(regions: tuple[str, ...], township: str, facts: Facts) -> bool:
    """Tell whether a warning's regions and a township lie in each other."""
    county = facts.county
    return within(county, township, regions) or any(within(county, code, (township,)) for code in regions)


_IN_FORCE = (ChainState.OPEN, ChainState.GATED)
