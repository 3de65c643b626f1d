"""A real Apache Kafka (KRaft, one node) from its Maven artifacts, that tests may kill and start again.

Fetched once into a cache outside the tree, each jar checked against `kafka/jars.sha256`.
"""

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from streams.kafka import KafkaAwayError, answers, set_up_topics
from tests.e2e.ports import free_port
from tests.e2e.waiting import read_log, wait_until

HERE = Path(__file__).parent / "kafka"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "jiaoying" / "kafka-4.1.0"
FETCH_S = 900
UP_WITHIN_S = 300
TOOL_WITHIN_S = 240
TAIL_CHARS = 2000


class NoKafkaError(Exception):
    """There is no Java or Maven here, or the artifacts cannot be had; the text says which."""


def fetch() -> Path:
    """Return the folder with Kafka's jars, fetched where it is not there yet.

    Raises:
        NoKafkaError: Java or Maven is missing, the registry cannot be reached, or a jar is not the one that is pinned.
    """
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NoKafkaError(f"{program} is not installed; Apache Kafka needs Java 17, and Maven fetches it")
    pinned = dict(reversed(line.split(maxsplit=1)) for line in (HERE / "jars.sha256").read_text().splitlines())
    if not _is_whole(pinned):
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        try:
            fetched = subprocess.run(
                [*command, f"-DoutputDirectory={CACHE}"], capture_output=True, timeout=FETCH_S, check=False, text=True
            )
        except subprocess.TimeoutExpired as error:
            raise NoKafkaError(f"Maven did not fetch Kafka in {FETCH_S} s") from error
        if fetched.returncode:
            raise NoKafkaError(f"Maven could not fetch Kafka: {fetched.stdout[-300:]}")
        if not _is_whole(pinned):
            raise NoKafkaError("what Maven fetched is not what kafka/jars.sha256 pins")
    return CACHE


def _is_whole(pinned: dict[str, str]) -> bool:
    return CACHE.is_dir() and all(
        (CACHE / name).is_file() and hashlib.sha256((CACHE / name).read_bytes()).hexdigest() == digest
        for name, digest in pinned.items()
    )


def make_topics(servers: tuple[str, ...], within_s: float = UP_WITHIN_S) -> None:
    """Make the topics of the house on a broker that may only just have begun to listen."""
    wait_until(lambda: _made(servers), within_s, "the making of the topics")


def _made(servers: tuple[str, ...]) -> bool:
    try:
        # An administrator that meets a closed port leaves a socket behind.
        if answers(servers):
            set_up_topics(servers)
            return True
    except KafkaAwayError:
        pass
    return False


class ApacheKafka:
    """One broker on loopback; its log stays when it is killed.

    Each of `machines` reaches it through a cable of its own, and so is told another address of it: the port that its
    cable has on its side.
    """

    def __init__(self, folder: Path, machines: tuple[str, ...] = ()) -> None:
        self._jars, self._folder = fetch(), folder
        self.port, self._controller = free_port(), free_port()
        self.doors = {name: (free_port(), free_port()) for name in machines}
        """Of each machine the port here, and the one at its side of the cable."""
        folder.mkdir()
        (folder / "server.properties").write_text("\n".join(self._properties()))
        uuid = self._java("kafka.tools.StorageTool", "random-uuid").strip()
        self._java("kafka.tools.StorageTool", "format", "-t", uuid, "-c", str(folder / "server.properties"))
        self._process: subprocess.Popen[bytes] | None = None

    def _properties(self) -> list[str]:
        names = {name: name.upper().replace("-", "_") for name in self.doors}
        here = [f"PLAINTEXT://127.0.0.1:{self.port}", *(f"{names[of]}://127.0.0.1:{self.doors[of][0]}" for of in names)]
        told = [here[0], *(f"{names[of]}://127.0.0.1:{self.doors[of][1]}" for of in names)]
        listeners = ["PLAINTEXT", "CONTROLLER", *names.values()]
        return [
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{self._controller}",
            f"listeners={','.join([*here, f'CONTROLLER://127.0.0.1:{self._controller}'])}",
            f"advertised.listeners={','.join(told)}",
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=PLAINTEXT",
            f"listener.security.protocol.map={','.join(f'{name}:PLAINTEXT' for name in listeners)}",
            f"log.dirs={self._folder / 'log'}",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=4",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "auto.create.topics.enable=false",
            "log.cleaner.enable=false",
            "num.network.threads=1",
            "num.io.threads=2",
        ]

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, where it does not run, and wait until it answers."""
        if not self.is_alive():
            with (self._folder / "out").open("ab") as out:
                self._process = subprocess.Popen(
                    [*self._command("kafka.Kafka"), str(self._folder / "server.properties")], stdout=out, stderr=out
                )
        wait_until(self._answers, UP_WITHIN_S, "an answer of Kafka")

    def _answers(self) -> bool:
        assert self.is_alive(), f"Kafka ended by itself: {read_log(self._folder / 'out')[-TAIL_CHARS:]}"
        return answers((self.server,))

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _java(self, *arguments: str) -> str:
        command = self._command(*arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=TOOL_WITHIN_S, check=True).stdout

    def _command(self, *arguments: str) -> list[str]:
        # Compiled quickly rather than well: it is started often and does little.
        quick = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        return ["java", *quick, "-cp", f"{self._jars}/*", *arguments]
