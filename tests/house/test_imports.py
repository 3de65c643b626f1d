"""Nothing happens at import: no connection, no file, no thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

from tests.house.tree import PACKAGES, ROOT, python

STORY = """
    import importlib, json, socket, sys, threading

    class NoSocket(socket.socket):
        def __init__(self, *args, **more):
            raise RuntimeError("a connection at import")

    real, socket.socket = socket.socket, NoSocket
    for name in json.loads(sys.stdin.read()):
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}")
    running = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if running:
        print(f"threads: {running}")
"""
NOT_IMPORTED = ("streams/ledger/migrations/env.py",)
"""Alembic runs its environment; nobody imports it."""


def modules() -> list[str]:
    names = [name for name in python(*PACKAGES) if name not in NOT_IMPORTED and not name.endswith("__main__.py")]
    return [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in names]


def test_every_module_is_imported_without_a_connection_a_file_or_a_thread(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-B", "-c", textwrap.dedent(STORY)],
        input=json.dumps(modules()),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (ended.stdout, ended.returncode) == ("", 0), ended.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []
