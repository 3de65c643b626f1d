"""Real workers at an update: the older one ends with a sentence that says why, and does not come back as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import Settings, read_settings
from streams.broker import free_port
from streams.installation import deploy, environment
from streams.ledger.contract import Edition, EditionKind, FullStep
from streams.ledger.sql import SqlLedger
from streams.supervisor import FOLLOWED_STATUS, OUTDATED_STATUS
from streams.wiring import TABLES

pytestmark = pytest.mark.e2e
CONFIG = Path(__file__).parents[2] / "config"
WITHIN_S = 60.0


class Machine:
    """An installation without Kafka, whose workers are started by hand."""

    def __init__(self, folder: Path) -> None:
        rules = folder / "rules"
        (rules / "presets").mkdir(parents=True)
        for name in ("hazards.yaml", "thresholds.yaml", "presets/mianxian.yaml"):
            shutil.copy(CONFIG / name, rules / name)
        self.settings: Settings = read_settings(
            data_dir=folder / "data", rules_folder=rules, ledger_url="", port=free_port(), metrics_port=free_port()
        )
        deploy(self.settings)
        self.ledger = SqlLedger(self.settings.ledger, TABLES)
        self.running: list[subprocess.Popen[str]] = []

    def run(self, *words: str) -> subprocess.Popen[str]:
        """Start a command of the house."""
        variables = {**os.environ, **environment(self.settings), "JIAOYING_METRICS_PORT": str(free_port())}
        command = [sys.executable, "-m", "streams.cli", *words]
        self.running.append(
            subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        )
        return self.running[-1]

    def worker(self) -> subprocess.Popen[str]:
        """Start a worker, and wait until it has written something: its lease as the sealer."""
        self.ledger.step(lambda step: step._connection.exec_driver_sql("DELETE FROM leases"))
        started = self.run("worker")
        deadline = time.monotonic() + WITHIN_S
        while not self.ledger.step(lambda step: step._connection.exec_driver_sql("SELECT 1 FROM leases").fetchall()):
            assert started.poll() is None, started.communicate()[1]
            assert time.monotonic() < deadline, "the worker took no lease"
            time.sleep(0.1)
        return started

    def close(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.ledger.close()


@pytest.fixture
def machine(tmp_path: Path):
    made = Machine(tmp_path)
    yield made
    made.close()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The status of a process that ends by itself, and what it said, however its lines were broken."""
    _, told = process.communicate(timeout=WITHIN_S)
    return process.returncode, told.replace("\n", "")


def test_a_worker_ends_when_rules_are_published_and_started_again_goes_by_them(machine: Machine) -> None:
    worker = machine.worker()
    file = machine.settings.rules_folder / "presets" / "mianxian.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("gate_s: 90", "gate_s: 80"), encoding="utf-8")
    assert ended(machine.run("config", "publish", "--by", "王某"))[0] == 0
    status, told = ended(worker)
    assert status == FOLLOWED_STATUS
    assert "叫应规则第 1 版已被第 2 版取代" in told
    again = machine.worker()
    again.terminate()
    assert ended(again)[0] == 0


def test_a_worker_of_an_older_program_ends_and_is_refused_when_it_is_started_again(machine: Machine) -> None:
    old = machine.worker()
    now = datetime.now(UTC)

    def newer_program(step: FullStep) -> None:
        step.publish_edition(
            Edition(kind=EditionKind.RECORDS, n=2, mark="newer", at=now, by="newer", body='{"letters": 2}')
        )

    machine.ledger.step(newer_program)
    status, told = ended(old)
    assert status == FOLLOWED_STATUS
    assert "程序第 1 版已被第 2 版取代，本进程不再写台账；请改用新版程序启动" in told
    status, told = ended(machine.run("worker"))
    assert status == OUTDATED_STATUS
    assert "请改用新版程序启动" in told
