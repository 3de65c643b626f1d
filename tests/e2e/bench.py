"""`jiaoying bench` on Apache Kafka and PostgreSQL, both started for it and removed after it.

python -m tests.e2e.bench --part red-warning --posts 10000 --workers 1 --workers 2 --workers 4
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.contract.throwaway_postgres import fresh_database, running_postgres
from tests.e2e.apache_kafka import ApacheKafka


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark with these arguments; return its status."""
    with tempfile.TemporaryDirectory(prefix="jiaoying-bench-") as folder, running_postgres() as server:
        kafka = ApacheKafka(Path(folder) / "kafka")
        kafka.start()
        try:
            ground = ["--kafka", kafka.server, "--ledger-url", fresh_database(server, "bench")]
            return subprocess.run(
                [sys.executable, "-m", "streams.cli", "bench", *arguments, *ground], check=False
            ).returncode
        finally:
            kafka.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
