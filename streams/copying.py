"""Runs the copies of one installation beside the loops of its worker, which never wait for them nor end with them."""

from __future__ import annotations

import asyncio
import logging

from agents.copies.desk import CopyDesk
from agents.copies.receivers import Receiver, load_receivers
from agents.copies.wording import Voice
from config.load import ConfigError
from streams.installation import Installation
from streams.ledger.contract import LedgerError

log = logging.getLogger(__name__)
LOOK_S = 1.0


def copy_desk(installation: Installation, receivers: tuple[Receiver, ...]) -> CopyDesk:
    """Return what sends copies for an installation."""
    house, chosen = installation.house, installation.settings
    voice = Voice(chosen.language, rehearsal=chosen.rehearsal)
    return CopyDesk(installation.ledger, installation.clock, house.facts, receivers, voice, house.owner)


async def keep_copying(installation: Installation) -> None:
    """Send copies until cancelled; whatever goes wrong with them is logged and waited out."""
    chosen = installation.settings
    try:
        receivers = load_receivers(chosen.data_dir, chosen.language)
    except (ConfigError, OSError) as error:
        log.error("no copies are sent until copies.yaml is corrected and the worker started again: %s", error)  # noqa: TRY400
        return
    if not receivers:
        return
    desk = copy_desk(installation, receivers)
    while True:
        try:
            await desk.run_once()
        except LedgerError as error:
            log.warning("the ledger is away, copies wait: %s", error)
        except Exception:
            log.exception("copies failed, they go on in a second")
        await asyncio.sleep(LOOK_S)
