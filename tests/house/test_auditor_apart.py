"""The auditor shares no code with the engine it watches, and yet knows the engine's own words, tables and topics."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.auditor import look
from agents.callout.state import OPEN
from streams.ledger.migrate import migrate
from streams.topics import TOPICS
from streams.wiring import TABLES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "agents" / "auditor"
ALLOWED = ("sqlalchemy", "streams.clock", "config.settings", "agents.auditor")
LOADED = """
import sys, agents.auditor.main
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("agents", "streams", "rosters")))
"""


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_the_auditor_imports_nothing_of_the_engine(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides where it leads"
            names = [node.module or ""]
        for name in names:
            known = name.split(".")[0] in sys.stdlib_module_names or name.startswith(ALLOWED)
            assert known, f"{path.name} imports {name}"


def test_its_process_loads_nothing_of_the_engine_behind_its_back() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    engine = [name for name in loaded if not name.startswith("agents.auditor")]
    # The settings bring the recipe of ids and the words along: values, no machinery.
    assert set(engine) == {"agents", "streams", "streams.clock", "streams.ids", "streams.words"}


def test_its_words_are_the_engines_words() -> None:
    assert set(look.OPEN_STATES) == {state.value for state in OPEN}
    assert set(look.OUTGOING_TOPICS) == {topic.name for topic in TOPICS if topic.carries == "bodies"}
    sources = "".join(
        path.read_text(encoding="utf-8") for path in ROOT.glob("*/**/*.py") if "auditor" not in path.parts
    )
    for kind in look.SERIOUS_TROUBLES:
        assert f'trouble("{kind}"' in sources or f'shout("{kind}"' in sources, f"no trouble {kind} is ever made"
    assert f'step.lease("{look.WORKER_LEASE}"' in sources


def test_the_process_beats_by_itself_and_ends_when_it_is_asked(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", TABLES)
    variables = {**os.environ, "JIAOYING_DATA_DIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-m", "agents.auditor"], cwd=ROOT, env=variables)
    try:
        deadline = time.monotonic() + 240
        while not (tmp_path / "heartbeat").exists():
            assert process.poll() is None, "the auditor ended by itself"
            assert time.monotonic() < deadline, "no heartbeat came"
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()
