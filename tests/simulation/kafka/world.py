"""The Kafka reader under a storm: its lanes, FastStream's loop and aiokafka's consumer, all real, on the virtual loop, before a modelled broker.

The simulator of the house has a log in memory, with lanes of its own; so what `amont.common.log.kafka_reader` does when partitions move, batches fail
and the broker is away would be seen on real servers only, and there two ways to lose events were found late. Here a seed decides: what runs next; who
of up to three members joins, leaves, dies or is silent for a while; when the broker is refused, silent or restarted, for everybody or for one; which
requests and answers get lost; how long each batch takes and whether it can be handled. One seed of four is peaceful: members come and go, batches
are slow or fail, and nothing else goes wrong. Everything takes a twentieth of the time that it takes in production.

What is real, and where it is relied on (aiokafka 0.14.0, FastStream 0.7.8): a batch is handed over and no other is fetched until the call returns
(`faststream/kafka/subscriber/usecase.py`, `_run_consume_loop`); the position moves when records are handed out, and what was fetched before a `seek` or
while a partition is paused is dropped (`aiokafka/consumer/fetcher.py`, `FetchResult`, `seek_to`); partitions are revoked, joined for and assigned anew
whenever a member comes or goes, heartbeats going on while the listener is waited for, and an assignment begins from what is committed, with nothing paused
(`group_coordinator.py`, `ensure_active_group`; `subscription_state.py`, `Assignment`); a commit is tried again while the broker is away, and is
CommitFailedError when the group has moved on (`commit_offsets`). What is modelled is below that: `wire`, `broker`; what is promised, `judge`.
"""

import asyncio
import contextvars
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.simulation.kafka.broker import Broker
from tests.simulation.kafka.judge import Judge
from tests.simulation.kafka.member import SESSION_SECONDS, Member
from tests.simulation.kafka.wire import Network

from amont.common.errors import Unavailable
from amont.common.testing.simulation.loop import BEGINNING, VirtualLoop
from amont.common.testing.simulation.trace import Trace

LET_GO = 0.8 * SESSION_SECONDS
"""How long a batch in hand is waited for when partitions move: the reader's share of a session."""
STORM_SECONDS = 6.0
REST_WITHIN_SECONDS = 60.0
MOST_MEMBERS = 3
PEACEFUL = 4
"""One seed of so many."""
BLOW_SECONDS = 1.2
"""Longer than a call may take, shorter than a session."""


class World:
    """See the module."""

    def __init__(self, loop: VirtualLoop, seed: int, trace: Trace) -> None:
        self.loop, self.trace = loop, trace
        self.chance = chance = random.Random(f"{seed}/world")
        self.peaceful = seed % PEACEFUL == 0
        self.raging = True
        self.partitions = chance.choice((1, 2, 3, 4))
        self.judge = Judge(self.partitions)
        self.outside = contextvars.copy_context()
        self.broker = Broker(loop, self.partitions, self._committed)
        self.network = Network(loop, self.broker, self.partitions, chance, self.outside)
        self.members: list[Member] = []
        self.hanging = 0.0 if self.peaceful else chance.choice((0.0, 0.1, 0.3))
        """The share of batches that outlast a move."""
        self.failing = chance.choice((0.0, 0.1, 0.4))
        self.quick = chance.choice((0.01, 0.1, 0.3))
        self.pause = chance.choice((0.2, 0.5, 1.0))
        self.telling = STORM_SECONDS * chance.uniform(0.3, 1.0)
        if not self.peaceful:
            self.network.requests_lost, self.network.answers_lost = (chance.choice((0.0, 0.0, 0.01, 0.05)) for _ in range(2))
        self.seen = Counter[str]()

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> None:
        self.loop.call_later(seconds, call, *args, context=self.outside)

    def happened(self, who: str, what: str, *details: str) -> None:
        self.seen[what] += 1
        self.trace.add(who, " ".join((what, *details)))

    def _committed(self, partition: int, position: int) -> None:
        self.trace.add("broker", f"takes position {partition}:{position}")
        self.judge.committed(partition, position)

    def fate(self) -> tuple[float, Exception | None]:
        """How long a batch takes, and what comes of it."""
        chance = self.chance
        if not self.raging:
            return 0.01, None
        hangs = chance.random() < self.hanging
        fails = chance.random() < (0.5 if hangs else self.failing)
        error = chance.choice((Unavailable("the store is away"), RuntimeError("not foreseen"))) if fails else None
        if hangs:
            return chance.uniform(0.8 * LET_GO, 4 * LET_GO), error
        return min(chance.expovariate(1 / self.quick), 0.7 * LET_GO), error

    @property
    def alive(self) -> list[Member]:
        return [one for one in self.members if not one.dead]

    async def live(self) -> None:
        """The storm, and the rest after it."""
        self._join()
        tasks = [asyncio.create_task(doing) for doing in (self._tell(), self._trouble())]
        await asyncio.sleep(STORM_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()
        if not self.peaceful and self.chance.random() < 0.7:
            await self._last_blow()
        await self._rest()

    async def _tell(self) -> None:
        pause = self.chance.choice((0.05, 0.2, 1.0))
        while self.loop.time() < BEGINNING + self.telling:
            self._append()
            await asyncio.sleep(self.chance.expovariate(1 / pause))

    def _append(self) -> None:
        self.broker.append(self.chance.randrange(self.partitions), self.chance.choice((1, 1, 2, 5)))

    async def _trouble(self) -> None:
        peaceful = (self._join, self._stop)
        befalls = peaceful if self.peaceful else (*peaceful, self._join, self._kill, self._freeze, self._restart, self._cut, self._silence)
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / self.pause))
            self.chance.choice(befalls)()

    async def _last_blow(self) -> None:
        """With the last records in hand the broker goes away for longer than a call waits, or members change; and nothing comes after that."""
        moves = self.chance.random() < 0.5
        if moves:
            self.hanging = 0.5
        for partition in range(self.partitions):
            self.broker.append(partition, 1)
        await asyncio.sleep(self.chance.uniform(0.0, 0.1))
        if moves:
            self.chance.choice((self._join, self._stop))()
        else:
            self._restart(BLOW_SECONDS)
        await asyncio.sleep(BLOW_SECONDS)

    def _join(self) -> None:
        if len(self.alive) < MOST_MEMBERS:
            name = f"member-{len(self.members) + 1}"
            self.happened(name, "joins")
            self.members.append(Member(self, name))

    def _stop(self) -> None:
        if self.alive:
            self.chance.choice(self.alive).stop()

    def _kill(self) -> None:
        if self.alive:
            self.happened("world", "kills")
            self.chance.choice(self.alive).kill("at any time")

    def _freeze(self) -> None:
        """Silent for a while, maybe so long that its partitions go to others; then it goes on where it was."""
        if self.alive and not (one := self.chance.choice(self.alive)).frozen:
            one.frozen = True
            self.happened(one.name, "is frozen")
            self.later(self._a_while(), self._thaw, one)

    def _thaw(self, one: Member) -> None:
        if one.frozen:
            one.frozen = False
            self.trace.add(one.name, "thaws")
            self.loop.thaw()

    def _a_while(self) -> float:
        return self.chance.choice((0.1, 0.3, 1.0, 1.5 * SESSION_SECONDS))

    def _restart(self, seconds: float | None = None) -> None:
        if not self.broker.down:
            self.happened("broker", "is down")
            self.broker.down = True
            self.network.break_connections()
            self.later(seconds or self._a_while(), self._up)

    def _up(self) -> None:
        if self.broker.down:
            self.trace.add("broker", "is up")
            self.broker.restart()

    def _some(self) -> list[str]:
        return [one.name for one in (self.alive if self.chance.random() < 0.5 else self.alive[:1])]

    def _cut(self) -> None:
        """Some no longer reach the broker, and notice at once."""
        for name in self._some():
            self.happened(name, "is cut off")
            self.network.cut.add(name)
            self.network.break_connections(name)
            self.later(self._a_while(), self.network.cut.discard, name)

    def _silence(self) -> None:
        """Some no longer reach the broker, and hear nothing."""
        seconds = self._a_while()
        for name in self._some():
            self.happened(name, "hears nothing")
            self.network.silent.add(name)
            self.later(seconds, self._heard, name)

    def _heard(self, name: str) -> None:
        self.network.silent.discard(name)
        for wire in self.network.wires:
            if wire.name == name:
                wire.heard_again()

    async def _rest(self) -> None:
        """Nothing goes wrong any more: everything is to be handled and committed."""
        self.trace.add("world", "calm")
        self.raging = False
        self.network.requests_lost = self.network.answers_lost = 0.0
        self.network.cut.clear()
        for name in sorted(self.network.silent):
            self._heard(name)
        self._up()
        for one in self.alive:
            self._thaw(one)
        deadline, quiet = self.loop.time() + REST_WITHIN_SECONDS, 0
        while quiet < 2:
            if not [one for one in self.alive if not one.stopping]:
                self._join()
            await asyncio.sleep(0.5)
            restless = self._restless()
            quiet = 0 if restless else quiet + 1
            if self.loop.time() > deadline:
                self.judge.complain(f"no rest within {REST_WITHIN_SECONDS:g} s: {restless}")
                return
        for one in self.alive:
            if trouble := await one.in_here(one.reader.trouble()):
                self.judge.complain(f"{one.name} at rest: {trouble}")
        if self.peaceful and self.judge.again:
            self.judge.complain(f"handled twice in peace: {self.judge.again[:3]}")

    def _restless(self) -> str | None:
        """What is not as it should be at last."""
        for partition, end in enumerate(self.broker.ends):
            handled, committed = self.judge.prefix[partition], self.broker.committed[partition]
            if not handled == committed == end:
                return f"partition {partition} is handled up to {handled} and {committed} is committed, its end is {end}"
        if self.broker.moving:
            return "partitions are moving"
        if busy := next((f"{one.name} {what}" for one in self.alive if (what := one.busy_with())), None):
            return busy
        held = sorted(at.partition for one in self.alive for at in one.reader._consumer.assignment())
        return None if held == list(range(self.partitions)) else f"partitions are held as {held}"
