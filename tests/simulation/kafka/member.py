"""A process with one reader, from its start to its end, as the service's shell treats it (`amont.common.hosting`, `amont.common.service`)."""

import asyncio
import contextvars
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.simulation.kafka.broker import TOPIC
from tests.simulation.kafka.wire import Network

from amont.common.errors import Unavailable
from amont.common.log import Received
from amont.common.log.kafka import KafkaLog, KafkaOptions
from amont.common.testing.simulation.loop import PROCESS

if TYPE_CHECKING:
    from tests.simulation.kafka.world import World

SESSION_SECONDS = 1.5
DRAIN_SECONDS, GRACE_SECONDS = 1.25, 4.0


class Log(KafkaLog):
    """The real one; whether the broker is there, it asks by way of the network."""

    def __init__(self, network: Network, name: str) -> None:
        options = KafkaOptions(session_timeout_ms=int(1000 * SESSION_SECONDS), answer_within_seconds=0.75)
        super().__init__("modelled:9092", client_id=name, options=options)
        self._network = network

    async def ping(self) -> None:
        async with self.port_errors("ping"), asyncio.timeout(self.options.answer_within_seconds):
            await self._network.client(metadata_max_age_ms=0).fetch_all_metadata()


class Member:
    """A process with one reader."""

    def __init__(self, world: "World", name: str) -> None:
        self.name, self.dead, self.frozen = name, False, False
        self.reads = self.stopping = False
        self._world = world
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, self)
        self.log = Log(world.network, name)
        self.reader = self.log.reader("readers", TOPIC, self._handle)
        self._starting = self.in_here(self._start())

    def in_here(self, doing: Any) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(doing, name=self.name, context=self._context.run(contextvars.copy_context))
        task.add_done_callback(self._ended, context=self._world.outside)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        if task.cancelled() and not self.stopping:
            self._world.judge.complain(f"{self.name} was cancelled by nobody")
        elif not task.cancelled() and (error := task.exception()):
            self._world.judge.complain(f"{self.name} raises {error!r}")

    async def _start(self) -> None:
        """As the service's shell does it: again, until it succeeds."""
        await self.log.broker.connect()  # which asks nobody
        while not self.reads:
            try:
                await self.reader.start()
                self.reads = True
            except Unavailable as error:
                self._world.trace.add(self.name, f"does not start: {error}")
                await asyncio.sleep(0.2)

    def stop(self) -> None:
        if not self.stopping:
            self.stopping = True
            self._world.happened(self.name, "stops")
            self._world.later(GRACE_SECONDS, self.kill, "its grace is over")
            self.in_here(self._stop())

    async def _stop(self) -> None:
        """As the shell does it (`hosting`, `service`): what still starts is cancelled, what is in hand has so long, and then the log is closed."""
        self._starting.cancel()
        await asyncio.wait([self._starting])
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self.reader.stop()
                self._world.trace.add(self.name, "has drained")
        except TimeoutError:
            self._world.happened(self.name, "runs out of time")
        await self.log.broker.stop()
        self.kill("stopped")

    def kill(self, why: str) -> None:
        if not self.dead:
            self.dead = True
            self._world.trace.add(self.name, f"DEAD: {why}")
            self._world.network.break_connections(self.name)

    async def _handle(self, batch: Sequence[Received]) -> None:
        partition, first, last = batch[0].partition, batch[0].offset, batch[-1].offset
        seconds, error = self._world.fate()
        self._world.trace.add(self.name, f"takes {partition}:{first}-{last}, for {seconds:.3f} s{f', then {error!r}' if error else ''}")
        self._world.judge.begins(self.name, partition, first)
        await asyncio.sleep(seconds)
        if error:
            raise error
        self._world.trace.add(self.name, f"has handled {partition}:{first}-{last}")
        self._world.judge.handled(partition, first, last)

    def busy_with(self) -> str | None:
        """What keeps it from being at rest."""
        if self.stopping:
            return "has not ended"
        if not self.reads:
            return "has not started"
        if self.reader._lanes:
            return "has something in hand"
        paused = self.reader._consumer.paused()
        return f"has paused {sorted(at.partition for at in paused)}" if paused else None
