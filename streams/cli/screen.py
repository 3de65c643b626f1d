"""What the commands print with."""

from __future__ import annotations

import logging

from rich.console import Console

from config.settings import Settings, read_settings

PIPE_WIDTH = 130


def console() -> Console:
    """Return the console for results; wide where it is a file or a pipe, so that no table is cut."""
    screen = Console()
    return screen if screen.is_terminal else Console(width=PIPE_WIDTH)


def error_console() -> Console:
    """Return the console for errors."""
    return Console(stderr=True)


def settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: A variable does not fit.
    """
    return read_settings()


def set_up_logging(level: str) -> None:
    """Log to standard error, one line each; the libraries' own debug records are not even made."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True)
    for noisy in ("faust", "mode", "kafka", "sqlalchemy", "twilio", "uvicorn.access", "asyncio", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # While a broker is away it says so some twenty times a second and fills the disk; the pump says it once.
    logging.getLogger("aiokafka").setLevel(logging.WARNING if level == "debug" else logging.CRITICAL)
