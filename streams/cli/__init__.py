"""The command line `jiaoying`. Each command is a few lines around what is built elsewhere."""

from streams.cli.root import app, main

__all__ = ["app", "main"]
