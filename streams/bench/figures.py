"""What a benchmark says: figures with their units, percentiles, memory, and on what machine."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Figure:
    """One figure: which part and size it belongs to, what it is, and its value in a unit.

    Args:
        aim: What design §6 promises of it, in the same unit; None where nothing is promised.
    """

    part: str
    size: int
    what: str
    value: float | None
    unit: str
    aim: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Tell whether the aim is met; None where there is none."""
        if self.aim is None:
            return None
        return self.value is not None and self.value <= self.aim


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` (0…1) of the values do not exceed; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[int(rank) - 1]


def forget_peak() -> None:
    """Begin to measure peak memory anew, where the platform can."""
    try:
        CLEAR_REFS.write_text("5")
    except OSError:
        return


def cpu_s() -> float:
    """Return the processor time that this process has used, in seconds: what stays true on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    """Return the most memory this process held, in MiB: since `forget_peak` on Linux, else since it began."""
    try:
        lines = STATUS.read_text(encoding="ascii").splitlines()
        return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 2**20 if platform.system() == "Darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def as_json(figures: Sequence[Figure], ledger: str, broker: str) -> dict[str, Any]:
    """Return figures with what they were measured on; nothing in it names the machine."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "ledger": ledger,
        "broker": broker,
        "figures": [asdict(figure) | {"is_met": figure.is_met} for figure in figures],
    }
