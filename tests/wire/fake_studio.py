"""Twilio Studio on this machine: it conducts calls by the flow it was given, and lets its steps be read.

It follows the definition itself, widget by widget, so that a flow that leads nowhere is found here. Nothing is called
back. What it does not know of a flow is unexpected.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.wire.fake_phones import CHARS_PER_S, Handset, at_once
from tests.wire.fake_twilio import FakeTwilio, refused

FLOW = "FW" + "a" * 32
EVENTS: dict[str, frozenset[str]] = {
    "trigger": frozenset(
        {"incomingMessage", "incomingCall", "incomingConversationMessage", "incomingParent", "incomingRequest"}
    ),
    "make-outgoing-call-v2": frozenset({"answered", "busy", "noAnswer", "failed"}),
    "say-play": frozenset({"audioComplete"}),
    "gather-input-on-call": frozenset({"keypress", "speech", "timeout"}),
    "split-based-on": frozenset({"match", "noMatch"}),
}
"""The widgets that are known here, and the events by which each is left."""
PARAMETERS = {"To", "From", "Parameters"}
_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_LEAVES = {"busy": "busy", "no-answer": "noAnswer", "failed": "failed"}


@dataclass
class Execution:
    """One run through the flow."""

    sid: str
    to: str
    variables: dict[str, Any]
    created_at: datetime
    status: str = "active"
    updated_at: datetime | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    talk_s: float = 0.0


class PutDownError(Exception):
    """The telephone was put down, or the execution was ended."""


class FakeStudio(FakeTwilio):
    """A Twilio whose calls follow a flow."""

    def __init__(self, flow: dict[str, Any]) -> None:
        super().__init__()
        self.states = {state["name"]: state for state in flow["states"]}
        self.first: str = flow["initial_state"]
        self.executions: dict[str, Execution] = {}
        self.written: list[dict[str, Any]] = []
        self._waiting: list[Execution] = []
        self._check(flow)

    @property
    def app(self) -> Starlette:
        """The REST API, and that of Studio."""
        flow = "/v2/Flows/" + FLOW
        known = super().app.routes
        routes = [
            Route(flow + "/Executions", self._studio(self._create), methods=["POST"]),
            Route(flow + "/Executions", self._studio(self._list), methods=["GET"]),
            Route(flow + "/Executions/{sid}", self._studio(self._fetch), methods=["GET"]),
            Route(flow + "/Executions/{sid}", self._studio(self._end_execution), methods=["POST"]),
            Route(flow + "/Executions/{sid}/Steps", self._studio(self._list_steps), methods=["GET"]),
            Route(flow + "/Executions/{sid}/Context", self._studio(self._fetch_context), methods=["GET"]),
        ]
        return Starlette(routes=[*routes, *known])

    def play(self) -> None:
        """Let everything that was accepted happen, to its end."""
        super().play()
        while self._waiting:
            at_once(self._run(self._waiting.pop(0)))

    def receive(self, number: str, body: str) -> None:
        """Somebody writes to our number; nobody is told."""
        self.written.append(
            {
                "sid": f"SM{len(self.written) + 900:032x}",
                "from": number,
                "to": self.numbers[0],
                "body": body,
                "direction": "inbound",
                "status": "received",
                "date_sent": self.now,
            }
        )

    def _studio(self, handle: Any) -> Any:
        def guarded(request: Request, asked: dict[str, list[str]]) -> JSONResponse:
            return handle(request, asked)  # type: ignore[no-any-return]

        return self._guarded(guarded)

    def _wrong_account(self, request: Request) -> JSONResponse | None:
        request.path_params.setdefault("account", self.account_sid)
        return super()._wrong_account(request)

    def _check(self, flow: dict[str, Any]) -> None:
        """A flow that leads to a widget that is not there, or leaves one by an event it has not, is unexpected."""
        for state in flow["states"]:
            events = EVENTS.get(state["type"], frozenset())
            for transition in state["transitions"]:
                if transition["event"] not in events or transition.get("next", self.first) not in self.states:
                    self.unexpected.append(f"{state['name']}: {transition} leads nowhere")

    def _create(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        if wrong := self._wrong_request(asked, PARAMETERS, 21210):
            return wrong
        to = asked["To"][0]
        if any(each.to == to and each.status == "active" for each in self.executions.values()):
            return refused(409, 20409, "An active execution already exists for this contact")
        data = json.loads(asked["Parameters"][0])
        sid = f"FN{len(self.executions) + 1:032x}"
        self.executions[sid] = made = Execution(sid, to, {"flow": {"data": data}, "widgets": {}}, self.now)
        self._take_execution(made)
        return JSONResponse(self._execution_json(made), 201)

    def _take_execution(self, made: Execution) -> None:
        self._waiting.append(made)

    def _list(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        if unknown := set(asked) - {"DateCreatedFrom", "PageSize"}:
            return self._unknown_parameters("listing executions", unknown)
        since = datetime.fromisoformat(asked["DateCreatedFrom"][0].replace("Z", "+00:00"))
        found = [each for each in self.executions.values() if each.created_at >= since.replace(microsecond=0)]
        return JSONResponse(_page("executions", [self._execution_json(each) for each in reversed(found)]))

    def _fetch(self, request: Request, _: dict[str, list[str]]) -> JSONResponse:
        found = self.executions.get(request.path_params["sid"])
        return JSONResponse(self._execution_json(found)) if found else refused(404, 20404, "No such execution")

    def _end_execution(self, request: Request, asked: dict[str, list[str]]) -> JSONResponse:
        found = self.executions[request.path_params["sid"]]
        if asked != {"Status": ["ended"]}:
            return self._unknown_parameters("ending an execution", set(asked))
        found.status, found.updated_at = "ended", found.updated_at or self.now
        return JSONResponse(self._execution_json(found))

    def _list_steps(self, request: Request, asked: dict[str, list[str]]) -> JSONResponse:
        if unknown := set(asked) - {"PageSize"}:
            return self._unknown_parameters("listing steps", unknown)
        steps = self.executions[request.path_params["sid"]].steps
        return JSONResponse(_page("steps", list(reversed(steps))))

    def _fetch_context(self, request: Request, _: dict[str, list[str]]) -> JSONResponse:
        found = self.executions.get(request.path_params["sid"])
        if found is None:
            return refused(404, 20404, "No such execution")
        return JSONResponse({"execution_sid": found.sid, "flow_sid": FLOW, "context": found.variables})

    def _list_texts(self, request: Request, asked: dict[str, list[str]]) -> JSONResponse:
        if asked.get("To") != [self.numbers[0]]:
            return super()._list_texts(request, asked)
        if unknown := set(asked) - {"To", "PageSize", "DateSent>"}:
            return self._unknown_parameters("listing messages", unknown)
        # By day only, as the real one.
        day = datetime.fromisoformat(asked["DateSent>"][0].replace("Z", "+00:00")).date()
        found = [each for each in self.written if each["date_sent"].date() >= day]
        stamped = [{**each, "date_sent": each["date_sent"].strftime("%a, %d %b %Y %H:%M:%S +0000")} for each in found]
        return JSONResponse({"messages": list(reversed(stamped)), "next_page_uri": None, "page": 0})

    def _execution_json(self, execution: Execution) -> dict[str, Any]:
        return {
            "sid": execution.sid,
            "flow_sid": FLOW,
            "contact_channel_address": execution.to,
            "status": execution.status,
            "date_created": _stamp(execution.created_at),
            "date_updated": _stamp(execution.updated_at or execution.created_at),
        }

    async def _run(self, execution: Execution) -> None:
        """Go from widget to widget until the flow or the telephone ends it."""
        handset, keys = self.handset(execution.to), list(self.handset(execution.to).keys)
        name = self.first
        try:
            while True:
                state = self.states[name]
                transition = await self._leave(execution, state, handset, keys)
                went_to = transition.get("next", "Ended")
                self._note(execution, transition["event"], name, went_to)
                if went_to == "Ended":
                    break
                name = went_to
        except PutDownError:
            pass
        execution.status, execution.updated_at = "ended", self.now

    async def _leave(
        self, execution: Execution, state: dict[str, Any], handset: Handset, keys: list[str]
    ) -> dict[str, Any]:
        """Do what a widget does; return the transition by which it is left."""
        properties, kind = state["properties"], state["type"]
        if execution.status == "ended":
            raise PutDownError
        if kind == "trigger":
            return _by(state, "incomingRequest")
        if kind == "make-outgoing-call-v2":
            return await self._ring(execution, state, handset)
        if kind == "say-play":
            await self._say(execution, handset, self._filled(execution, properties["say"]))
            return _by(state, "audioComplete")
        if kind == "gather-input-on-call":
            await self._say(execution, handset, self._filled(execution, properties["say"]))
            key = keys.pop(0) if keys else ""
            await self._last(execution, handset, 1.0 if key else float(properties["timeout"]))
            execution.variables["widgets"][state["name"]] = {"Digits": key}
            return _by(state, "keypress" if key else "timeout")
        value = self._filled(execution, properties["input"])
        matching = [each for each in state["transitions"] if each["event"] == "match" and _fits(each, value)]
        return matching[0] if matching else _by(state, "noMatch")

    async def _ring(self, execution: Execution, state: dict[str, Any], handset: Handset) -> dict[str, Any]:
        call_sid = f"CA{int(execution.sid[2:], 16):032x}"
        answered_by = "machine_start" if handset.answers == "machine" else "human"
        execution.variables["widgets"][state["name"]] = {"CallSid": call_sid, "AnsweredBy": answered_by}
        await self._pass(handset.ring_s)
        return _by(state, _LEAVES.get(handset.answers, "answered"))

    async def _say(self, execution: Execution, handset: Handset, words: str) -> None:
        await self._last(execution, handset, len(words) / CHARS_PER_S)
        execution.spoken.append(words)

    async def _last(self, execution: Execution, handset: Handset, seconds: float) -> None:
        leaves_at_s = handset.hangs_up_at_s
        stays_s = seconds if leaves_at_s is None else min(seconds, leaves_at_s - execution.talk_s)
        await self._pass(stays_s)
        execution.talk_s += stays_s
        if leaves_at_s is not None and execution.talk_s >= leaves_at_s:
            raise PutDownError

    def _filled(self, execution: Execution, template: str) -> str:
        """Put variables in their places; one that is not there is unexpected."""

        def value(found: re.Match[str]) -> str:
            here: Any = execution.variables
            for part in found[1].split("."):
                here = here.get(part) if isinstance(here, dict) else None
            if here is None:
                self.unexpected.append(f"the flow asks for {found[1]}, which nobody told it")
            return str(here or "")

        return _VARIABLE.sub(value, template)

    def _note(self, execution: Execution, event: str, came_from: str, went_to: str) -> None:
        execution.steps.append(
            {
                "sid": f"FT{len(execution.steps) + 1:032x}",
                "execution_sid": execution.sid,
                "flow_sid": FLOW,
                "name": event,
                "transitioned_from": came_from,
                "transitioned_to": went_to,
                "date_created": _stamp(self.now),
                "date_updated": _stamp(self.now),
            }
        )


def _by(state: dict[str, Any], event: str) -> dict[str, Any]:
    return next(each for each in state["transitions"] if each["event"] == event)


def _fits(transition: dict[str, Any], value: str) -> bool:
    (condition,) = transition["conditions"]
    return {"equal_to": value == condition["value"], "contains": condition["value"] in value}[condition["type"]]


def _page(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: items, "meta": {"key": name, "page": 0, "page_size": 50, "next_page_url": None}}


def _stamp(at: datetime) -> str:
    return (at - timedelta(microseconds=at.microsecond)).strftime("%Y-%m-%dT%H:%M:%SZ")
