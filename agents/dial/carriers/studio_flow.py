"""A call that Twilio conducts by itself: the flow it follows, and what the steps it wrote down say of the call. Pure.

For a duty room that cannot be reached from outside (docs/adr/0023). The flow lies in Twilio Studio; a call is one
execution of it, and its steps can be read over the same API that placed it: a step is written when the widget before
it is done, so a step from the message to the question shows that the message was spoken to the end, and a step from
the question to a key's answer shows the key. The names of the widgets are the language between flow and steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.dial.carriers.protocol import Script
from agents.dial.carriers.twiml import (
    CHINESE,
    KEY_WAIT_S,
    MANDARIN,
    RECORDED,
    REPEAT_KEY,
    VOICES,
    phrases,
    with_exercise,
)
from agents.dial.carriers.verdicts import Progress, seq_of
from streams.letters import CallNews
from streams.words import Outcome

HEARINGS_MAX = 3
"""How often one call speaks the message."""
ASKED_MAX = 3
"""How often one hearing asks for a key."""
CALL, WHO, NO_KEY = "call", "who", "no_key"
_UNANSWERED = {"busy": Outcome.BUSY, "noAnswer": Outcome.NO_ANSWER, "failed": Outcome.VENDOR_FAILED}
State = dict[str, Any]


@dataclass(frozen=True)
class FlowStep:
    """One step of an execution: by which event it was reached, from which widget to which, and when."""

    event: str
    came_from: str
    went_to: str
    at: datetime


def parameters_of(script: Script) -> dict[str, str]:
    """Return what the flow is told for one call; it stands there as `{{flow.data.…}}`."""
    said = phrases(script.language)
    return {
        "message": with_exercise(script.voice, script),
        "prompt": script.prompt,
        "wrong": said.wrong_key,
        "no_key": said.no_key,
        **{f"recorded_{key}": words for key, words in said.recorded.items()},
    }


def definition(language: str = CHINESE, ring_s: int = 35) -> dict[str, Any]:
    """Return the flow to import in Twilio's console (Studio, New Flow, Import from JSON).

    Args:
        language: BCP 47 tag of the language that is spoken.
        ring_s: How long it rings.
    """
    voice = VOICES.get(language, MANDARIN)
    # Polly calls Mandarin cmn-CN; zh-CN is what the other voices call it.
    spoken = {"voice": voice, "language": "cmn-CN" if language == CHINESE else language}
    states = [_trigger(), _call(ring_s), _who(), *_hearings(spoken)]
    states += [_say(f"recorded_{key}", f"recorded_{key}", spoken) for key in RECORDED]
    states.append(_say(NO_KEY, "no_key", spoken))
    return {
        "description": "jiaoying",
        "initial_state": "Trigger",
        "flags": {"allow_concurrent_calls": True},
        "states": states,
    }


def news_of(attempt_id: str, steps: Sequence[FlowStep], *, over_at: datetime | None) -> tuple[CallNews, ...]:
    """Return what an execution's steps tell of a call.

    Args:
        attempt_id: Whose call.
        steps: In the order in which they were written.
        over_at: When the execution ended; None while it goes on.
    """
    news = [told for step in steps for told in _news(attempt_id, step)]
    answered_at = next((each.at for each in news if each.progress == "answered"), None)
    if over_at is not None and not any(each.progress == "ended" for each in news):
        talked_s = (over_at - answered_at).total_seconds() if answered_at else 0.0
        machine = any(step.came_from == WHO and step.event == "match" for step in steps)
        outcome = Outcome.VOICEMAIL if machine else None
        news.append(_told(attempt_id, "ended", over_at, outcome=outcome, heard_s=max(0.0, talked_s)))
    return tuple(news)


def _news(attempt_id: str, step: FlowStep) -> Iterator[CallNews]:
    widget, _, counts = step.came_from.partition("_")
    if step.came_from == CALL and step.event == "answered":
        yield _told(attempt_id, "answered", step.at)
    elif step.came_from == CALL and step.event in _UNANSWERED:
        yield _told(attempt_id, "ended", step.at, outcome=_UNANSWERED[step.event])
    elif widget == "message" and step.event == "audioComplete":
        yield _told(attempt_id, "played", step.at, nth=int(counts))
    elif widget == "key" and step.event == "match":
        # Named by where the flow went: the digits themselves stand only in its variables.
        hearing = int(counts.partition("_")[0])
        key = step.went_to.removeprefix("recorded_") if step.went_to.startswith("recorded_") else REPEAT_KEY
        yield _told(attempt_id, "key", step.at, nth=hearing, key=key)


def _told(
    attempt_id: str,
    progress: Progress,
    at: datetime,
    *,
    nth: int = 0,
    key: str = "",
    outcome: Outcome | None = None,
    heard_s: float = 0.0,
) -> CallNews:
    return CallNews(
        attempt_id=attempt_id,
        seq=seq_of(progress, nth),
        progress=progress,
        key=key,
        outcome=outcome,
        heard_s=heard_s,
        at=at,
    )


def _hearings(spoken: dict[str, str]) -> Iterator[State]:
    """Yield, for each time the message is spoken: the message, its questions, and what follows from the keys."""
    for hearing in range(1, HEARINGS_MAX + 1):
        yield _say(f"message_{hearing}", "message", spoken, then=f"ask_{hearing}_1")
        for asked in range(1, ASKED_MAX + 1):
            here, again, is_last = f"{hearing}_{asked}", f"{hearing}_{asked + 1}", asked == ASKED_MAX
            yield _ask(here, spoken, no_key=NO_KEY if is_last else f"ask_{again}")
            yield _keys(here, hearing, other=NO_KEY if is_last else f"wrong_{again}")
            if not is_last:
                yield _say(f"wrong_{again}", "wrong", spoken, then=f"ask_{again}")


def _trigger() -> State:
    others = ("incomingMessage", "incomingCall", "incomingConversationMessage", "incomingParent")
    transitions = [{"event": event} for event in others]
    return _state("Trigger", "trigger", [*transitions, {"event": "incomingRequest", "next": CALL}], {})


def _call(ring_s: int) -> State:
    transitions = [{"event": "answered", "next": WHO}, *({"event": event} for event in _UNANSWERED)]
    properties = {
        "from": "{{flow.channel.address}}",
        "to": "{{contact.channel.address}}",
        "timeout": ring_s,
        "record": False,
        "trim": "do-not-trim",
        "detect_answering_machine": True,
        "machine_detection": "Enable",
        "machine_detection_timeout": "30",
    }
    return _state(CALL, "make-outgoing-call-v2", transitions, properties)


def _who() -> State:
    """Tell machines from people: nobody talks to a machine, and the call is over."""
    answered_by = f"{{{{widgets.{CALL}.AnsweredBy}}}}"
    machines = [_match(answered_by, how, word) for how, word in (("contains", "machine"), ("equal_to", "fax"))]
    return _state(WHO, "split-based-on", [{"event": "noMatch", "next": "message_1"}, *machines], {"input": answered_by})


def _say(name: str, what: str, spoken: dict[str, str], then: str = "") -> State:
    transition = {"event": "audioComplete"} | ({"next": then} if then else {})
    return _state(name, "say-play", [transition], {**spoken, "say": f"{{{{flow.data.{what}}}}}", "loop": 1})


def _ask(here: str, spoken: dict[str, str], *, no_key: str) -> State:
    transitions = [
        {"event": "keypress", "next": f"key_{here}"},
        {"event": "speech"},
        {"event": "timeout", "next": no_key},
    ]
    properties = {
        **spoken,
        "say": "{{flow.data.prompt}}",
        "number_of_digits": 1,
        "finish_on_key": "",
        "timeout": KEY_WAIT_S,
        "stop_gather": True,
        "loop": 1,
    }
    return _state(f"ask_{here}", "gather-input-on-call", transitions, properties)


def _keys(here: str, hearing: int, *, other: str) -> State:
    digits = f"{{{{widgets.ask_{here}.Digits}}}}"
    goes_to = {key: f"recorded_{key}" for key in RECORDED}
    if hearing < HEARINGS_MAX:
        goes_to[REPEAT_KEY] = f"message_{hearing + 1}"
    matches = [_match(digits, "equal_to", key, then) for key, then in goes_to.items()]
    return _state(f"key_{here}", "split-based-on", [{"event": "noMatch", "next": other}, *matches], {"input": digits})


def _match(what: str, how: str, value: str, then: str = "") -> dict[str, Any]:
    condition = {"friendly_name": f"{how} {value}", "arguments": [what], "type": how, "value": value}
    return {"event": "match", "conditions": [condition]} | ({"next": then} if then else {})


def _state(name: str, kind: str, transitions: Sequence[dict[str, Any]], properties: dict[str, Any]) -> State:
    return {"name": name, "type": kind, "transitions": list(transitions), "properties": properties}
