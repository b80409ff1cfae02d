"""What goes wrong, decided by the seed: how each call on a line fares, and at which calls a process is killed.

A line carries one process's calls to one server. Every call is a request that travels, a deed that the server does whatever becomes of the caller,
and an answer that travels back. So there are three moments at which the caller can be killed, and as many ways for a call to fail: the request is
lost; the answer is lost, or comes to nothing while the deed is done later; the server is cut off in the middle of a deed of several parts.

A server that is away refuses at once; one that is silent keeps its callers waiting for as long as the real adapters do, and when it is back it may do
what was asked of it meanwhile, whether anybody still waits for that or not.
"""

import asyncio
import inspect
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from amont.common.errors import Unavailable
from amont.common.testing.memory.calling import Deed
from amont.common.testing.simulation.loop import Owner
from amont.common.testing.simulation.trace import Trace


class Fate(StrEnum):
    """How a call fares."""

    WELL = "well"
    SLOW = "slow"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    DONE_LATER = "done later"
    CUT_OFF = "cut off"
    SILENT = "silent"


class Moment(StrEnum):
    """When a caller is killed."""

    BEFORE = "before"
    IN_FLIGHT = "in flight"
    AFTER = "after"


FAULTS = (Fate.REQUEST_LOST, Fate.ANSWER_LOST, Fate.DONE_LATER, Fate.CUT_OFF)
OFTEN = frozenset({"write", "append", "commit", "mail"})
"""The calls with an effect: here it hurts, so here it goes wrong more often."""
WAITS_SECONDS = {"log": 15.0, "store": 10.0, "server": 30.0}
"""How long a caller waits for a server that is silent, by the last word of its name: as the adapters do for Kafka, MongoDB and SMTP."""
LANDS_WITHIN_SECONDS = {"log": 10.0}
"""How long after its caller has given up a deed may still be done; where nothing is said, however long."""
LETTERS = "append dlq-"
"""Dead letters are few, and none may be lost: here it goes wrong more often still."""


class Killable(Owner, Protocol):
    """A process as a line knows it."""

    def kill(self, why: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad a run is: shares of calls that are slow, that fail, and at which the caller is killed."""

    slow: float
    faults: float
    kills: float

    @classmethod
    def drawn(cls, chance: random.Random) -> "Weather":
        """Some runs are stormy, some are still but for what people do."""
        return cls(chance.choice((0.0, 0.02, 0.1)), chance.choice((0.0, 0.01, 0.03, 0.08)), chance.choice((0.0, 0.002, 0.005, 0.01)))


class Storm:
    """See the module. `raging` is False at the end of a run: then every call goes well."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, trace: Trace, outside: Context) -> None:
        self.loop, self.chance, self.trace, self.outside = loop, chance, trace, outside
        self.weather = Weather.drawn(chance)
        self.raging = True
        self.away: dict[str, float] = {}
        """Until when a server, or a process's way to one (`process>server`), is away, by the loop's time."""
        self.silent: dict[str, float] = {}
        """Until when a server is silent."""
        self.seen: Counter[str] = Counter()
        """What was done to the house, by kind of call."""

    def fate(self, what: str, way: str, server: str) -> Fate:
        """How the next call fares."""
        if not self.raging:
            return Fate.WELL
        now = self.loop.time()
        if self.away.get(server, 0.0) > now or self.away.get(way, 0.0) > now:
            return Fate.REQUEST_LOST
        if self.silent.get(server, 0.0) > now:
            return Fate.SILENT
        kind = what.partition(" ")[0]
        rarity = 0.2 if what.startswith(LETTERS) else 1.0 if kind in OFTEN else 4.0
        draw = self.chance.random() * rarity
        if draw < self.weather.faults:
            return self.chance.choice(FAULTS)
        return Fate.SLOW if draw < self.weather.faults + self.weather.slow else Fate.WELL

    def kills(self, kind: str) -> Moment | None:
        """Whether the caller is killed at the next call, and when."""
        rarity = 0.2 if kind == "mail" else 1.0 if kind in OFTEN else 8.0  # a mail is rare, and the gap behind it is the one to be seen
        if not self.raging or self.chance.random() * rarity >= self.weather.kills:
            return None
        return self.chance.choice(tuple(Moment))

    def travel(self, fate: Fate) -> float:
        """How long a request or an answer is on its way."""
        return self.chance.uniform(0.05, 3.0) if fate is Fate.SLOW else self.chance.uniform(0.0005, 0.004)

    def happened(self, what: str) -> None:
        self.seen[what] += 1


class Line:
    """One process's calls to one server. `error` is what a call raises that gets no answer."""

    def __init__(self, storm: Storm, process: Killable | None, server: str, error: Callable[[str], Exception] = Unavailable) -> None:
        self._storm, self._process, self._server, self._error = storm, process, server, error
        self._way = f"{process.name if process else 'outside'}>{server}"

    async def __call__(self, what: str, deed: Deed) -> Any:
        storm, kind = self._storm, what.partition(" ")[0]
        fate, killed = storm.fate(what, self._way, self._server), storm.kills(kind) if self._process else None
        if fate is not Fate.WELL:
            storm.happened(f"{fate}: {kind}")
        loop = storm.loop
        answer: asyncio.Future[Any] = loop.create_future()
        storm.trace.add(self._way, what if fate is Fate.WELL else f"{what} [{fate}]")
        if killed is Moment.BEFORE:
            self._kill(killed, kind, what)
        elif fate is Fate.SILENT:
            self._unanswered(what, deed, answer)
        else:
            loop.call_later(storm.travel(fate), self._arrives, what, deed, fate, killed, answer, context=storm.outside)
        return await answer

    def _unanswered(self, what: str, deed: Deed, answer: "asyncio.Future[Any]") -> None:
        """The caller waits and gives up; what it asked for is lost, or done when the server speaks again."""
        storm, loop, kind = self._storm, self._storm.loop, self._server.rpartition(" ")[2]
        until, gives_up = storm.silent[self._server], loop.time() + WAITS_SECONDS[kind]
        loop.call_at(gives_up, self._fails, answer, what, context=storm.outside)
        if until <= gives_up + LANDS_WITHIN_SECONDS.get(kind, until) and storm.chance.random() < 0.7:
            loop.call_at(until, self._does, what, deed, Fate.WELL, None, answer, context=storm.outside)

    def _arrives(self, what: str, deed: Deed, fate: Fate, killed: Moment | None, answer: "asyncio.Future[Any]") -> None:
        storm, loop, kind = self._storm, self._storm.loop, what.partition(" ")[0]
        if killed is Moment.IN_FLIGHT:
            self._kill(killed, kind, what)
        if fate in {Fate.REQUEST_LOST, Fate.DONE_LATER}:
            loop.call_later(storm.chance.uniform(0.05, 1.0), self._fails, answer, what)
            if fate is Fate.REQUEST_LOST:
                return
        if fate is Fate.DONE_LATER:
            loop.call_later(storm.chance.uniform(0.5, 6.0), self._does, what, deed, fate, killed, answer)
        else:
            self._does(what, deed, fate, killed, answer)

    def _does(self, what: str, deed: Deed, fate: Fate, killed: Moment | None, answer: "asyncio.Future[Any]") -> None:
        """The server at work: at once, or as a task of its own when the deed has several parts."""
        try:
            done = deed()
        except Exception as error:
            self._done(error, what, fate, killed, answer)
            return
        if not inspect.iscoroutine(done):
            self._done(done, what, fate, killed, answer)
            return
        loop = self._storm.loop
        doing = _partly(done, self._storm.chance.randint(1, 4)) if fate is Fate.CUT_OFF else _finished(done)
        task = loop.create_task(doing, name=f"{self._server} {what}")
        task.add_done_callback(lambda done: self._done(done.result(), what, fate, killed, answer))

    def _done(self, outcome: Any, what: str, fate: Fate, killed: Moment | None, answer: "asyncio.Future[Any]") -> None:
        loop = self._storm.loop
        if killed is Moment.AFTER:
            self._kill(killed, what.partition(" ")[0], what)
        if fate in {Fate.ANSWER_LOST, Fate.CUT_OFF}:
            loop.call_later(self._storm.chance.uniform(0.05, 1.0), self._fails, answer, what)
        elif fate is not Fate.DONE_LATER:
            loop.call_later(self._storm.travel(fate), self._answers, answer, outcome)

    def _answers(self, answer: "asyncio.Future[Any]", outcome: Any) -> None:
        """Whoever is dead hears nothing any more; whoever gave up has."""
        if answer.done() or (self._process is not None and self._process.dead):
            return
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def _fails(self, answer: "asyncio.Future[Any]", what: str) -> None:
        self._answers(answer, self._error(f"{self._server} does not answer: {what}"))

    def _kill(self, moment: Moment, kind: str, what: str) -> None:
        if self._process is not None and not self._process.dead:
            self._storm.happened(f"killed {moment}: {kind}")
            self._process.kill(f"{moment} {what}")


async def _finished(deed: Coroutine[Any, Any, Any]) -> Any:
    """The outcome of a deed of several parts, be it an error."""
    try:
        return await deed
    except Exception as error:
        return error


async def _partly(deed: Coroutine[Any, Any, Any], parts: int) -> None:
    """The first parts of a deed; the server does not come to the others."""
    steps = deed.__await__()
    for _ in range(parts):
        try:
            next(steps)
        except StopIteration:
            return
        await asyncio.sleep(0)
    deed.close()
