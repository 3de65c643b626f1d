"""What comes in during a night: warnings and what becomes of them, orders, readings, people's words, roster changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agents.callout.state import CALLOUTS
from agents.intake.state import CHAINS
from agents.sense.state import state_id
from rosters.county import County
from streams import topics
from streams.doors import orders
from streams.ids import REAL, make_id
from streams.ledger.contract import FullStep
from streams.letters import IssuedWarning, Letter, OrderKind, Reading, ReadingsArrived, Received, write_letter
from streams.sim.county import AREAS, COUNTY, HAZARDS, JINPEN, LIULIN, SHANGWAN, START, XIKOU, rules
from streams.sim.faults import Chance, Fault, faulty_s_of
from streams.words import Colour, MsgType, Status

DRILL = "drill:cap"
COLOURS = (Colour.BLUE, Colour.YELLOW, Colour.ORANGE, Colour.ORANGE, Colour.RED, Colour.RED)
WIDER = {SHANGWAN: XIKOU, JINPEN: LIULIN}
ISSUER = "41992641600000"


@dataclass(frozen=True)
class Event:
    """One thing that comes in at a time, in true virtual seconds."""

    at_s: float
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it in one line of a history."""
        said = " ".join(f"{key}={value}" for key, value in self.facts.items())
        return f"{self.at_s:7.1f} s  {self.kind} {said}"


def script_of(seed: int, faults: frozenset[Fault]) -> list[Event]:
    """Return what comes in during a seed's night, in order."""
    chance, faulty_s = Chance(seed, "script"), faulty_s_of(seed)
    events = _chain(chance, 1, chance.between(1, 60), faulty_s)
    if chance.happens(0.25):
        events += _chain(chance, 2, chance.between(60, faulty_s * 0.43), faulty_s)
    extra: list[tuple[float, str, dict[str, Any]]] = [
        (0.25, "order", {"place": chance.one_of(("上湾村", "金盆村")), "hazard": chance.one_of(HAZARDS)}),
        (0.2, "pause", {"nth": chance.whole(0, 3), "pause_s": chance.whole(30, 300)}),
        (0.1, "resume", {"nth": chance.whole(0, 3)}),
        (0.12, "cancel", {"nth": chance.whole(0, 3)}),
        (0.12, "correct", {"nth": chance.whole(0, 3)}),
        (0.3, "vouch", {"nth": chance.whole(0, 30), "at_the_door": False}),
        (0.3, "vouch", {"nth": chance.whole(0, 30), "at_the_door": True}),
        (0.15, "rain", {"station": "R1", "mm": 40.0}),
        (0.1, "rain", {"station": "R2", "mm": 35.0}),
    ]
    for share, kind, facts in extra:
        at_s = chance.between(20, faulty_s - 60)
        if chance.happens(share):
            events.append(Event(at_s, kind, facts))
    if Fault.ROSTER in faults:
        roster = Chance(seed, "roster")
        events += [
            Event(roster.between(30, faulty_s), "roster", {"edition": n}) for n in range(1, roster.whole(1, 3) + 1)
        ]
    return sorted(events, key=lambda event: event.at_s)


def _chain(chance: Chance, number: int, at_s: float, faulty_s: float) -> list[Event]:
    """Return the life of one chain: issued, then raised, widened, continued, lowered, cancelled, issued again."""
    realm = DRILL if number == 2 and chance.happens(0.5) else REAL
    said: dict[str, Any] = {
        "hazard": chance.one_of(HAZARDS),
        "colour": chance.one_of(COLOURS),
        "area": chance.one_of(AREAS),
    }
    said |= {"kind": MsgType.ALERT, "identifier": f"{number}.1", "references": (), "realm": realm}
    events = [Event(at_s, "warning", dict(said))]
    for nth in range(2, chance.whole(1, 3) + 1):
        at_s += chance.between(1, faulty_s / 3)
        change = chance.one_of(("raise", "widen", "continue", "lower", "cancel", "again", "double"))
        told = said | {"identifier": f"{number}.{nth}", "kind": MsgType.UPDATE, "references": (f"{number}.1",)}
        if change in ("raise", "lower"):
            shift = 1 if change == "raise" else -1
            severity = min(4, max(1, said["colour"].severity + shift))
            told["colour"] = tuple(Colour)[severity - 1]
        elif change == "widen":
            told["area"] = WIDER.get(said["area"], COUNTY)
        elif change == "cancel":
            told["kind"] = MsgType.CANCEL
        elif change == "again":
            told |= {"kind": MsgType.ALERT, "references": ()}
        elif change == "double":
            told = dict(said)
        events.append(Event(at_s, "warning", told))
        said |= {"colour": told["colour"], "area": told["area"]}
    if len(events) > 1 and chance.happens(0.1):
        # Overtaken on the way: the second document comes first. When it was sent stays what it was.
        first, second = events[0], events[1]
        events[0] = Event(first.at_s, "warning", {**second.facts, "sent_s": second.at_s})
        events[1] = Event(second.at_s, "warning", {**first.facts, "sent_s": first.at_s})
    return [event for event in events if event.at_s < faulty_s]


def letters_of(event: Event, nth: int, step: FullStep, county: County) -> list[Letter]:
    """Return the letters that an event is, as the doors write them; nothing where it is about nothing that is there."""
    now = START + timedelta(seconds=event.at_s)
    facts = event.facts
    match event.kind:
        case "warning":
            return [_received(event, nth)]
        case "order":
            request = orders.CallRequest(
                villages=(facts["place"],), hazard=facts["hazard"], text="请转移", by="值班员", on_word_of="值班领导"
            )
            return [orders.call_order(request, county, rules().hazards, realm=REAL, ordered_at=now)]
        case "pause" | "resume" | "cancel" | "correct":
            chains = step.find(CHAINS, order=("opened_at",))
            if not chains:
                return []
            chain = chains[facts["nth"] % len(chains)]
            asked = orders.ChainRequest(
                order=OrderKind(event.kind), by="值班员", text="误发", pause_s=facts.get("pause_s", 300)
            )
            return [orders.chain_order(asked, chain.id, ordered_at=now)]
        case "vouch":
            callouts = step.find(CALLOUTS, order=("opened_at",))
            if not callouts:
                return []
            said = orders.VouchRequest(by="网格员", heard_by="本人", how="核实", at_the_door=facts["at_the_door"])
            return [orders.vouch(said, callouts[facts["nth"] % len(callouts)].id, ordered_at=now)]
        case "rain":
            reading = Reading(station=facts["station"], quantity="rain_mm", at=now, value=facts["mm"])
            page = ReadingsArrived(realm=REAL, station=reading.station, readings=(reading,), received_at=now)
            return [write_letter(topics.READINGS, state_id(REAL, reading.station), page, now, cause=f"rain {nth}")]
        case _:
            return []


def _received(event: Event, nth: int) -> Letter:
    facts, now = event.facts, START + timedelta(seconds=event.at_s)
    sent = START + timedelta(seconds=facts.get("sent_s", event.at_s))
    realm = facts["realm"]
    warning = IssuedWarning(
        id=make_id(realm, "warning", ISSUER, facts["identifier"], sent.isoformat()),
        realm=realm,
        status=Status.ACTUAL if realm == REAL else Status.EXERCISE,
        kind=facts["kind"],
        identifier=facts["identifier"],
        sender=ISSUER,
        sent=sent,
        references=facts["references"],
        issuer="禾溪县气象台",
        hazard=facts["hazard"],
        colour=facts["colour"],
        headline=f"{facts['hazard']} {facts['colour']}",
        text="请注意防范。",
        geocodes=(facts["area"],),
    )
    message = Received(warning=warning, raw_id="", source="simulated", received_at=now)
    key = make_id(realm, "chainhint", ISSUER, facts["hazard"])
    return write_letter(topics.WARNINGS_RAW, key, message, now, cause=f"{warning.id}:{nth}")
