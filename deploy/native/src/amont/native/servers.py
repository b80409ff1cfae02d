"""The two servers, each in a folder of its own on free loopback ports: started, waited for, stopped, killed, paused.

Every start after the first is on the same port and data. What is common to both is `Server`; what the jars are and where they come from is
in `jars`, how a process is held in `process`. Nothing here knows that there are two of them: that is `stack`.
"""

import base64
import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import psutil

from amont.native import process as processes
from amont.native.errors import StackError, StartFailed
from amont.native.jars import fetch, java, package_file
from amont.native.ports import HOST, free_ports, kafka_answers, listens, store_answers
from amont.native.process import Process, until

TAIL = 40
ATTEMPTS = 5
TAKEN = "Address already in use"
QUICK = ("-XX:TieredStopAtLevel=1",)  # Java's quick compiler only: starts in two thirds of the time, runs slower; a benchmark says ()


class Server(ABC):
    """A server that answers on `port` between `start` and `stop`."""

    name: ClassVar[str]
    ports_needed: ClassVar[int] = 1
    heap: ClassVar[str] = "512m"

    def __init__(self, folder: Path, java_options: Sequence[str] = QUICK) -> None:
        self.folder = folder.absolute()
        self.java_options = java_options
        self.log = self.folder / "log.txt"
        self.ports: tuple[int, ...] = ()
        self.process: Process | None = None
        self._ports_are_known = False
        self._log_begins = 0

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    @abstractmethod
    def url(self) -> str:
        """As Amont's settings want it."""

    @property
    def handle(self) -> psutil.Process:
        """The process itself.

        Raises:
            StackError: it was not started, or it was stopped.
        """
        if self.process is None:
            raise StackError(f"{self.name} does not run")
        return self.process.handle

    @abstractmethod
    def command(self) -> list[str]:
        """What comes after java's own options."""

    @abstractmethod
    def answers(self, timeout: float = 2) -> bool:
        """Whether it answers a request of its own protocol within `timeout` seconds."""

    def start(self, timeout: float = 90) -> None:
        """Start and wait until requests are answered.

        Raises:
            StartFailed: it died or did not answer in time; the message ends with its log's last lines.
        """
        self.launch()
        self.wait(timeout)

    def launch(self) -> None:
        """The first half of `start`: begins to start. Two servers launched and then waited for start side by side."""
        if self.running():
            return
        self.kill()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = self.ports or free_ports(self.ports_needed)
        self.prepare()
        self._log_begins = self.log.stat().st_size if self.log.exists() else 0
        self.process = Process(self.argv(), self.folder, self.log)

    def wait(self, timeout: float = 90) -> None:
        """The second half of `start`. A port that was taken before we had it is replaced, but only where no client knows it yet."""
        for _ in range(ATTEMPTS):
            if until(lambda: not self.running() or self._answers_itself(), timeout) and self.running():
                self._ports_are_known = True
                return
            reason = "died" if not self.running() else f"did not answer within {timeout:g} s"
            self.kill()
            if self._ports_are_known or TAKEN not in self._said():
                raise StartFailed(f"{self.name} {reason}; the end of {self.log}:\n{self._said(TAIL)}")
            self.ports = ()
            self.launch()
        self.kill()
        raise StartFailed(f"{self.name} found {ATTEMPTS} times that its port was taken; see {self.log}")

    def stop(self, timeout: float = 20) -> None:
        """SIGTERM, SIGKILL if it is still there after `timeout` seconds; nothing when it does not run."""
        self._end(timeout)

    def kill(self) -> None:
        """SIGKILL, as a crash would be; forgets it when it is dead already."""
        self._end(0)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers, as in a network outage."""
        processes.pause(self.handle)

    def resume(self) -> None:
        processes.resume(self.handle)

    def running(self) -> bool:
        """Whether its process lives, paused or not."""
        return self.process is not None and not processes.gone(self.process.handle)

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """What has to be on disk before the process starts."""

    def argv(self) -> list[str]:
        return [*self.java(*self.java_options), *self.command()]

    def java(self, *more: str) -> list[str]:
        """Java with the jars; the folder is in the command line so that `process.find` cannot take one server for another."""
        logging = package_file("log4j2.xml").as_uri()
        options = [f"-Xmx{self.heap}", f"-Dlog4j2.configurationFile={logging}", f"-Damont.folder={self.folder}", *more]
        return [java() or "java", *options, "-cp", f"{fetch()}/*"]

    def _answers_itself(self) -> bool:
        return self.answers() and listens(self.handle, self.port)

    def _said(self, lines: int = 0) -> str:
        """The last lines of its log since it was last launched; 0 is all of them."""
        with self.log.open(errors="replace") as log:
            log.seek(self._log_begins)
            return "\n".join(log.read().splitlines()[-lines:])

    def _end(self, patience: float) -> None:
        if self.process:
            self.process.end(patience)
            self.process = None


class Kafka(Server):
    """Apache Kafka: one KRaft node that is broker and controller. `settings` are added to its server.properties and win over ours."""

    name = "kafka"
    ports_needed = 2

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None, java_options: Sequence[str] = QUICK) -> None:
        super().__init__(folder, java_options)
        self.settings = dict(settings or {})

    @property
    def address(self) -> str:
        """host:port, as Kafka clients want it."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"kafka://{self.address}"

    def answers(self, timeout: float = 2) -> bool:
        return bool(self.ports) and kafka_answers(self.port, timeout)

    def command(self) -> list[str]:
        return ["kafka.Kafka", str(self.folder / "server.properties")]

    def prepare(self) -> None:
        lines = [f"{key}={value}" for key, value in (self._own_settings() | self.settings).items()]
        (self.folder / "server.properties").write_text("\n".join(lines) + "\n")
        if not (self.folder / "data" / "meta.properties").exists():
            self._format()

    def _own_settings(self) -> dict[str, str]:
        broker, controller = self.ports
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "listeners": f"PLAINTEXT://{HOST}:{broker},CONTROLLER://{HOST}:{controller}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": "data",  # within the folder that it runs in, so that no path needs escaping
            "auto.create.topics.enable": "false",
            # one node cannot hold three copies
            "default.replication.factor": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "3",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "3",
            # tests cannot wait as long as production does
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "500",
            # a killed node waits for its own old session before it may start again
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
        }

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(b"amont-" + os.urandom(10)).decode()[:22]  # never begins with a dash
        properties = str(self.folder / "server.properties")
        command = [*self.java(*QUICK), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        if done.returncode:
            raise StartFailed(f"kafka's data folder could not be formatted:\n{done.stdout}{done.stderr}")


class Store(Server):
    """mongo-java-server, which speaks MongoDB's protocol. It keeps everything in memory and starts again empty.

    With `on_disk` it keeps its documents through `stop`; through `kill` it loses acknowledged writes, so never judge Amont by that.
    """

    name = "store"
    heap = "1g"  # at most; it begins with 120 MB

    def __init__(self, folder: Path, java_options: Sequence[str] = QUICK, *, on_disk: bool = False) -> None:
        super().__init__(folder, java_options)
        self.on_disk = on_disk

    @property
    def url(self) -> str:
        return f"mongodb://{HOST}:{self.port}"

    def answers(self, timeout: float = 2) -> bool:
        return bool(self.ports) and store_answers(self.port, timeout)

    def command(self) -> list[str]:
        file = [str(self.folder / "store.h2")] if self.on_disk else []
        return [str(package_file("Main.java")), str(self.port), *file]
