"""One life of one process: a service on lines that may fail, from its start to the moment at which it is killed or stopped."""

import asyncio
import contextvars
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from amont.common.clock import Clock
from amont.common.errors import Unavailable
from amont.common.identity import Actor
from amont.common.ids import SeededIds
from amont.common.log import Handler, Received, Record
from amont.common.service import Parts, Service
from amont.common.testing.dying import parked_from
from amont.common.testing.memory import Broker, Database, MemoryLog, MemoryStore
from amont.common.testing.memory.log import MemoryReader
from amont.common.testing.promises import Place
from amont.common.testing.simulation.deployment import BAD
from amont.common.testing.simulation.door import Door, Request
from amont.common.testing.simulation.loop import PROCESS
from amont.common.testing.simulation.storm import Line, Storm
from amont.common.work import Work

MOST_FETCHED = (1, 3, 20)
"""How many records of a partition one fetch brings, at most: drawn once for each life."""


class CutOff(Unavailable):
    """The process that was asked is gone: whether it did what was asked is not known."""


class CountingLog(MemoryLog):
    """A log connection that writes down what is handed over, and what is handed over again."""

    storm: Storm
    handed: Counter[Place]
    """How often each record was handed to a reader of this service."""
    unanswered: Counter[Place]
    """How often telling that a record is parked got no answer."""
    parked: set[tuple[str, bytes | None]]
    """The records that it parked for the bad deployment's sake."""

    async def append(self, records: Sequence[Record]) -> None:
        self.parked |= {(one.key, one.value) for one in records if dict(one.headers).get("amont_dlq_reason") == BAD.encode()}
        try:
            await super().append(records)
        except BaseException:
            self.unanswered.update(place for one in records if (place := parked_from(one)))
            raise

    def reader(self, group: str, topic: str, handler: Handler, **more: Any) -> MemoryReader:
        async def noted(batch: Sequence[Received]) -> None:
            places = [Place(topic, record.partition, record.offset) for record in batch]
            again = sum(place in self.handed for place in places)
            self.handed.update(places)
            self.storm.seen["handed over again"] += again
            which = f"{batch[0].partition}:{batch[0].offset}-{batch[-1].offset}"
            self.storm.trace.add(self.client_id, f"hears {topic} {which}{f', {again} again' if again else ''}")
            await handler(batch)

        return super().reader(group, topic, noted, **more)


class Process:
    """See the module. Killed, it is `dead`: the loop runs nothing of it any more, and what it has asked of servers is done all the same."""

    def __init__(
        self,
        name: str,
        storm: Storm,
        build: Callable[[Parts], Service],
        *,
        database: Database,
        broker: Broker,
        clock: Clock,
        member: str,
        life: int,
        tools: Callable[["Process"], Mapping[type, object]],
        on_death: Callable[["Process"], None],
        handed: Counter[Place],
        unanswered: Counter[Place],
        in_a_row: int,
        parked: set[tuple[str, bytes | None]],
    ) -> None:
        self.name, self.dead, self.frozen = name, False, False
        self.drained = False
        """Whether it ended as it should: nothing was in hand."""
        self._storm, self._on_death = storm, on_death
        self._asked: dict[asyncio.Future[Any], None] = {}
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, self)
        most = storm.chance.choice(MOST_FETCHED)
        server = name.partition("-")[0]
        self.log = log = CountingLog(broker, client_id=member, life=life, call=Line(storm, self, "log"), batch=most)
        log.storm, log.handed, log.unanswered, log.parked = storm, handed, unanswered, parked
        store = MemoryStore(database, Line(storm, self, f"{server} store"))
        parts = Parts(store=store, log=log, clock=clock, ids=SeededIds(clock, name), tools=tools(self), dead_letters_in_a_row=in_a_row)
        self.service = self._context.run(build, parts)
        self._door = Door(self.service)

    @property
    def halted(self) -> bool:
        """Whether it takes nothing more of a topic, because too many dead letters came in a row."""
        return any(one.halted for one in self.service._consumers.values())  # noqa: SLF001 - readiness asks store and log as well, which is not for free

    def start(self) -> None:
        """As `amont run` does once its port is open."""
        self._storm.trace.add(self.name, "starts")
        self._in_here(self.service.start(), "start")

    async def stop(self) -> None:
        """As on SIGTERM: drain. Returns when it has ended, one way or another."""
        self._storm.trace.add(self.name, "stops")
        self._storm.happened("stopped")
        await self._awaited(self._in_here(self.service.stop(), "stop"))
        self.drained = True
        self.kill("stopped")

    def kill(self, why: str) -> None:
        """SIGKILL."""
        if self.dead:
            return
        self.dead = True
        self._storm.trace.add(self.name, f"DEAD: {why}")
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(CutOff(f"{self.name} is gone"))
        self._on_death(self)

    async def ask(self, command: Callable[..., Awaitable[Any]], *args: Any, key: str, **kwargs: Any) -> Any:
        """Have a command done, as a request with an idempotency key. Raises what the command raises, CutOff, Unavailable."""
        if self.dead:
            raise CutOff(f"{self.name} is not there")
        unit = self.service.unit
        doing = unit.run_with(lambda: Work(unit.house, idempotency_key=key), command, *args, **kwargs)
        return await self._awaited(self._in_here(doing, getattr(command, "__name__", "command")))

    async def request(self, request: Request, actor: Actor, *, key: str) -> Any:
        """Have the same done over HTTP. Raises what `Door.ask` raises, and CutOff."""
        if self.dead:
            raise CutOff(f"{self.name} is not there")
        return await self._awaited(self._in_here(self._door.ask(request, actor, key), f"{request.method} {request.path}"))

    def _in_here(self, doing: Any, what: str) -> "asyncio.Task[Any]":
        return asyncio.get_running_loop().create_task(
            doing, name=f"{self.name} {what}", context=self._context.run(contextvars.copy_context)
        )

    async def _awaited(self, task: "asyncio.Task[Any]") -> Any:
        """A task of this process, waited for from outside of it."""
        answer = asyncio.get_running_loop().create_future()
        self._asked[answer] = None

        def answered(done: "asyncio.Task[Any]") -> None:
            error = CutOff("cancelled") if done.cancelled() else done.exception()
            if answer.done():
                return
            if error is None:
                answer.set_result(done.result())
            else:
                answer.set_exception(error)

        task.add_done_callback(answered)
        try:
            return await answer
        finally:
            del self._asked[answer]
