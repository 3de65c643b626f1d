"""Twilio for a duty room that cannot be reached from outside: nothing is called back, everything is asked for.

A call is one execution of a flow that lies in Twilio Studio (studio_flow.py); what became of it is read from the steps
that Twilio wrote down. It dials nobody a second time by itself, and no number stands in an address or a log.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Any

from agents.dial.carriers.protocol import Dial, Placed, RefusedByVendorError, Reply
from agents.dial.carriers.studio_flow import CALL, FlowStep, news_of, parameters_of
from agents.dial.carriers.twilio import LOOK_BACK, OVER, TwilioCarrier, placed_for

STEPS_MAX = 100
REPLIES_MAX = 200


class StudioCarrier(TwilioCarrier):
    """The carrier of numbers that were approved, whose calls follow a flow and are asked about."""

    asked_every_s = 2.0

    async def replies_since(self, at: datetime) -> list[Reply]:
        """Return what was written to our number from a time on, oldest first; the vendor filters by day only.

        Raises:
            VendorBusyError, VendorDownError, RefusedByVendorError: It could not be asked.
        """
        ours = self._account.from_number
        found = await self._ask(self._twilio().messages.list_async(to=ours, date_sent_after=at, limit=REPLIES_MAX))
        replies = [
            Reply(number=each.from_, text=each.body or "", vendor_id=each.sid, at=each.date_sent or each.date_created)
            for each in found
            if each.direction == "inbound"
        ]
        return sorted((each for each in replies if each.at >= at), key=lambda each: (each.at, each.vendor_id))

    async def hang_up(self, vendor_id: str) -> None:
        """End the call of an execution, and the execution itself, so that it does not begin one."""
        if not vendor_id.startswith("FN"):
            return
        execution = self._executions()(vendor_id)
        context = await self._unless_over(execution.execution_context().fetch_async())
        call_sid = _call_sid(context.context if context else None)
        if call_sid:
            await super().hang_up(call_sid)
        await self._unless_over(execution.update_async(status="ended"))

    async def _call(self, dial: Dial) -> str:
        execution = await self._ask(
            self._executions().create_async(
                to=dial.number, from_=self._account.from_number, parameters=parameters_of(dial.script)
            )
        )
        return str(execution.sid)

    async def _look_up_call(self, dial: Dial, vendor_id: str) -> Placed | None:
        if not vendor_id:
            return await self._search(dial)
        execution = self._executions()(vendor_id)
        # The state first: a step that is written between the two questions is read the next time.
        state = await self._ask(execution.fetch_async())
        steps = await self._ask(execution.steps.list_async(limit=STEPS_MAX))
        told = [FlowStep(each.name, each.transitioned_from, each.transitioned_to, each.date_created) for each in steps]
        over_at = state.date_updated if state.status == "ended" else None
        return Placed(vendor_id=vendor_id, to_come=news_of(dial.attempt_id, told, over_at=over_at))

    async def _search(self, dial: Dial) -> Placed | None:
        """Find the execution of an attempt whose answer was lost: by number and time, as calls are searched for."""
        latest = await self._ask(self._executions().list_async(date_created_from=dial.at - LOOK_BACK, limit=200))
        found = [
            each
            for each in latest
            if each.contact_channel_address == dial.number and placed_for(dial, each.date_created)
        ]
        return Placed(vendor_id=found[0].sid) if len(found) == 1 else None

    def _executions(self) -> Any:
        return self._twilio().studio.v2.flows(self._account.flow_sid).executions

    async def _unless_over(self, request: Awaitable[Any]) -> Any:
        """Return an answer, or None where there is no such thing any more."""
        try:
            return await self._ask(request)
        except RefusedByVendorError as error:
            if error.vendor_code not in OVER:
                raise
            return None


def _call_sid(context: Any) -> str:
    """Return the id of the call that an execution made, from its variables; "" where it made none yet."""
    widgets = context.get("widgets") if isinstance(context, dict) else None
    made = widgets.get(CALL) if isinstance(widgets, dict) else None
    return str(made.get("CallSid") or "") if isinstance(made, dict) else ""
