"""The house in a run: four services in one or two processes each, their stores, the log, the mail server, the clock on the wall; and what befalls them."""

import asyncio
import contextlib
import contextvars
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any

from amont.common import hosting
from amont.common.documents import Document
from amont.common.errors import Conflict, Unavailable
from amont.common.events.topics import SERVICES, TOPICS, dead_letters_of
from amont.common.events.values import DeliveryStatus, instant_text
from amont.common.identity import Actor
from amont.common.service import Parts, Service
from amont.common.service.consumer import DEAD_LETTERS_IN_A_ROW
from amont.common.service.letters.letter import LETTERS, RETENTION
from amont.common.testing.hearing import START
from amont.common.testing.memory import Broker, Database
from amont.common.testing.promises import Evidence, Place, Poison
from amont.common.testing.replay import replay
from amont.common.testing.simulation.deployment import Deployment
from amont.common.testing.simulation.door import REQUESTS, Misanswered
from amont.common.testing.simulation.loop import BEGINNING, VirtualLoop
from amont.common.testing.simulation.postbox import Postbox, Sender
from amont.common.testing.simulation.process import CutOff, Process
from amont.common.testing.simulation.storm import Line, Storm
from amont.common.testing.simulation.trace import Trace

LONG_SHARE = 0.1
"""In how many runs a server is away for long."""
LONG_SECONDS = (45.0, 90.0, 150.0, 210.0)
"""How long: beyond the back-off of a batch, a call to the log, a drain, the holding of outboxes, the noting of a mail, the handing over of one."""
LEAVERS_KEPT_SECONDS = (None, None, 2.0, 20.0)
"""How long what is known of a leaver is kept; None stands for the usual thirty days, which no run sees the end of."""
LEASE = timedelta(minutes=9)
"""How long a claim to send a mail holds."""
JUMPS = (timedelta(seconds=20), timedelta(minutes=2), timedelta(hours=2), timedelta(days=3))
FURTHEST = RETENTION - 2 * max(JUMPS)
"""How far the clock jumps in all: a letter that nobody resolves in thirty days is given up, and what waited behind it goes on, as it should."""
CONTESTED = frozenset({"matching"})
"""Where several people want the same thing at once: here two processes are as likely as one."""
REFUSED_SHARE = 0.03
"""How many of the mails are refused for good."""
SLOWEST = 12
"""Seconds: what the storm has made slow, and what is tried again because of it, ends within."""
QUIET_WITHIN = 400.0
"""How long, in seconds of the loop, the house may take to come to rest once nothing goes wrong any more."""


@cache
def _builders() -> Mapping[str, Callable[[Parts], Service]]:
    return hosting.service_builders()


class WallClock:
    """What the services take for the time: the loop's, and the jumps it has made."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop, self._ahead = loop, timedelta(0)

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time() - BEGINNING) + self._ahead

    def jump(self, by: timedelta) -> None:
        self._ahead += by


class Replica:
    """A place for a process of a service: one life after the other."""

    def __init__(self, service: str, name: str, *, static: bool) -> None:
        self.service, self.name, self.static = service, name, static
        self.lives = 0
        self.process: Process | None = None


def _retention(seconds: float | None) -> Mapping[type, object]:
    """How long leavers are kept, as enrolment's settings say it; None leaves it at what they are without a word."""
    kind = import_module("amont.enrolment.settings").Retention
    return {} if seconds is None else {kind: kind.model_construct(leavers_kept_days=seconds / timedelta(days=1).total_seconds())}


class World:
    """See the module."""

    def __init__(self, loop: VirtualLoop, seed: int, trace: Trace) -> None:
        self.loop, self.seed, self.trace = loop, seed, trace
        self.chance = random.Random(f"{seed}/world")
        self.storm = Storm(loop, random.Random(f"{seed}/storm"), trace, contextvars.copy_context())
        self.clock = WallClock(loop)
        self.broker = Broker(partitions=self.chance.choice((1, 2, 4)))
        self.databases = {name: Database() for name in SERVICES}
        self._sending = import_module("amont.notifications.sending")  # the library knows no service; a run looks the four up by name
        self.postbox = Postbox(
            self.databases["notifications"].collections["deliveries"],
            lambda: instant_text(self.now()),
            self._refusal,
        )
        self._kept = _retention(random.Random(f"{seed}/retention").choice(LEAVERS_KEPT_SECONDS))
        self.crashes: Counter[str] = Counter()
        self.parked: dict[str, set[tuple[str, bytes | None]]] = defaultdict(set)
        self.deployment = Deployment(random.Random(f"{seed}/deployment"))
        self.builders = _builders()
        static = self.chance.random() < 0.5
        self.replicas = [
            Replica(name, f"{name}-{number}", static=static)
            for name in SERVICES
            for number in range(self.chance.choice((1, 2) if name in CONTESTED else (1, 1, 2)))
        ]
        self.long_outage_seconds = self.chance.choice(LONG_SECONDS) if self.chance.random() < LONG_SHARE else 0.0
        self.zombies: list[Process] = []
        self.complaints: list[str] = []
        """Answers over HTTP that nobody should get."""
        self._handed: dict[str, Counter[Place]] = defaultdict(Counter)
        self._unanswered: dict[str, Counter[Place]] = defaultdict(Counter)

    def now(self) -> datetime:
        return self.clock.now()

    def start(self, replica: Replica) -> Process:
        """Begin the replica's next life."""
        replica.lives += 1
        name = f"{replica.name}.{replica.lives}"
        replica.process = Process(
            name,
            self.storm,
            self.builders[replica.service],
            database=self.databases[replica.service],
            broker=self.broker,
            clock=self.clock,
            member=replica.name if replica.static else name,
            life=replica.lives,
            tools=self._tools,
            on_death=lambda process: self._died(replica, process),
            handed=self._handed[replica.service],
            unanswered=self._unanswered[replica.service],
            in_a_row=self.deployment.in_a_row if replica.service == self.deployment.service else DEAD_LETTERS_IN_A_ROW,
            parked=self.parked[name],
        )
        replica.process.start()
        return replica.process

    def _tools(self, process: Process) -> Mapping[type, object]:
        line = Line(self.storm, process, "mail server", self._sending.MailUnavailable)
        return {self._sending.MailSender: Sender(self.postbox, line), **self._kept}

    def _refusal(self, delivery: str) -> Exception | None:
        """Why the mail server takes no mail of this delivery, however often it is tried; None when it does."""
        refuses = random.Random(f"{self.seed}/{delivery}").random() < REFUSED_SHARE
        return self._sending.MailRefused(550, "recipient") if refuses else None

    def _died(self, replica: Replica, process: Process) -> None:
        if not process.drained:
            self.crashes[replica.service] += 1
            self.postbox.died(process.name)
        if replica.process is process:
            replica.process = None
            self.loop.call_later(self.storm.chance.uniform(0.1, 4.0), self._revive, replica, context=self.storm.outside)

    def _revive(self, replica: Replica) -> None:
        if replica.process is None:
            self.start(replica)

    @property
    def _letters(self) -> Mapping[str, Document]:
        return self.databases[self.deployment.service].collections[LETTERS.name]

    async def mend(self) -> None:
        """In the middle of it all the bad deployment is followed by a good one, and somebody has the letters replayed."""
        await asyncio.sleep(self.deployment.mended_after)
        await self._deploy()
        while True:
            await asyncio.sleep(self.chance.uniform(1.0, 4.0))
            await self._replay()

    async def _deploy(self) -> None:
        """Whoever is there ends, and comes back mended."""
        if not self.deployment.bad:
            return
        self.deployment.bad = False
        halted = {one.name for one in self.replicas if one.service == self.deployment.service and one.process and one.process.halted}
        self.storm.seen["halted"] += len(halted)
        self.trace.add("world", f"{self.deployment.service} is mended")
        for replica in self.replicas:
            if replica.service == self.deployment.service and replica.process:
                if replica.process.service.ready and not replica.process.frozen:
                    await self._stop(replica)
                else:
                    replica.process.kill("deployed again")

    async def _replay(self) -> None:
        if self.deployment.to_ask(self._letters):
            with contextlib.suppress(Unavailable):
                await self.ask(self.deployment.service, self.deployment.replay)

    async def ask(self, service: str, command: str | Callable[..., Any], *args: Any, key: str = "", **kwargs: Any) -> Any:
        """Ask a process of a service that is there, as a person does. Raises what the command raises, Unavailable."""
        verb = getattr(import_module(f"amont.{service}.commands"), command) if isinstance(command, str) else command
        return await self._somebody(service).ask(verb, *args, key=key, **kwargs)

    async def request(self, service: str, command: str, actor: Actor, key: str, *args: Any, **kwargs: Any) -> Any:
        """The same over HTTP: the answer's JSON. Raises DomainError, NotFound, Unavailable; any other answer is noted as a defect."""
        request = REQUESTS[command](*args, **kwargs)
        try:
            answer = await self._somebody(service).request(request, actor, key=key)
        except Misanswered as error:
            self.complaints.append(str(error))
            raise Conflict(str(error)) from error
        self.storm.seen[f"granted over HTTP: {command}"] += 1
        return answer

    def _somebody(self, service: str) -> Process:
        """A process of a service that is there. Raises CutOff."""
        there = [one.process for one in self.replicas if one.service == service and one.process and one.process.service.ready]
        if not there:
            raise CutOff(f"no {service} is there")
        return self.chance.choice(there)

    async def trouble(self) -> None:
        """Now and then, until it is over: something happens to a process, to a server, to the clock."""
        pause = self.chance.choice((1.0, 3.0, 8.0))
        befalls = (self._kill, self._freeze, self._split, self._outage, self._cut, self._jump, self._stop, self._jump)
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / pause))
            there = [one for one in self.replicas if one.process]
            if there:
                await self.chance.choice(befalls)(self.chance.choice(there))

    async def _kill(self, replica: Replica) -> None:
        if replica.process:
            self.storm.happened("killed at any time")
            replica.process.kill("at any time")

    async def _freeze(self, replica: Replica) -> None:
        """Silent for a while, maybe so long that its partitions go to others; then it goes on where it was."""
        if replica.process and not replica.process.frozen:
            self.storm.happened("frozen")
            self._freeze_for(replica.process, self.chance.choice((0.5, 4.0, 14.0)))

    def _freeze_for(self, process: Process, seconds: float) -> None:
        process.frozen = True
        self.trace.add(process.name, f"frozen for {seconds:g} s")
        self.loop.call_later(seconds, self._thaw, process, context=self.storm.outside)

    def _thaw(self, process: Process) -> None:
        process.frozen = False
        self.trace.add(process.name, "thawed")
        self.loop.thaw()

    async def _split(self, replica: Replica) -> None:
        """The cluster takes a silent process for dead and starts another; then the silent one goes on with what it had in hand, until it is killed."""
        zombie = replica.process
        if zombie is None or zombie.frozen:
            return
        self.storm.happened("split")
        replica.process = None
        self.zombies.append(zombie)
        self.start(replica)
        self._freeze_for(zombie, self.chance.choice((1.0, 6.0, 13.0)))
        self.loop.call_later(self.chance.uniform(14.0, 20.0), zombie.kill, "the zombie is found", context=self.storm.outside)

    async def _outage(self, _: Replica) -> None:
        server = self.chance.choice(("log", "mail server", *(f"{name} store" for name in SERVICES)))
        self._away(server)

    async def long_outage(self) -> None:
        """In some runs a server is away, or silent, for longer than anybody waits. Others' troubles go on meanwhile."""
        if self.long_outage_seconds:
            await asyncio.sleep(self.chance.uniform(4.0, 10.0))
            server = self.chance.choice((*("log", "mail server", "notifications store") * 2, *(f"{name} store" for name in SERVICES)))
            silent = self.chance.random() < 0.5
            (self.storm.silent if silent else self.storm.away)[server] = self.loop.time() + self.long_outage_seconds
            self.storm.happened(f"long {'silence' if silent else 'outage'}: {server.rpartition(' ')[2]}")
            self.trace.add(server, f"{'silent' if silent else 'away'} for {self.long_outage_seconds:g} s")

    async def _cut(self, replica: Replica) -> None:
        """One process no longer reaches one server; the others do."""
        if replica.process:
            self._away(f"{replica.process.name}>{self.chance.choice(('log', f'{replica.service} store'))}")

    def _away(self, what: str) -> None:
        seconds = self.chance.choice((0.5, 3.0, 12.0))
        self.storm.happened("cut" if ">" in what else "outage")
        self.storm.away[what] = max(self.storm.away.get(what, 0.0), self.loop.time() + seconds)
        self.trace.add(what, f"away for {seconds:g} s")

    async def _jump(self, _: Replica) -> None:
        by = self.chance.choice(JUMPS)
        if self.clock.now() + by < START + FURTHEST:
            self.jump(by)

    def jump(self, by: timedelta) -> None:
        """Move the clock on the wall. Mails in hand may lose their claims by it."""
        self.storm.happened("clock jumped")
        self.trace.add("clock", f"jumps by {by}")
        self.clock.jump(by)
        self.postbox.ran_out()

    async def _stop(self, replica: Replica) -> None:
        """A deployment."""
        if replica.process and replica.process.service.ready:
            stopping = asyncio.ensure_future(replica.process.stop())
            stopping.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def calm(self) -> str | None:
        """Let nothing go wrong any more and wait until nothing is left to do; what is still open when that takes too long."""
        self.trace.add("world", "calm")
        self.storm.raging = False
        self.storm.away.clear()
        self.storm.silent.clear()
        for zombie in self.zombies:
            zombie.kill("calm")
        for replica in self.replicas:
            if replica.process is not None and replica.process.frozen:
                self._thaw(replica.process)
        await self._deploy()
        deadline, quiet = self.loop.time() + QUIET_WITHIN, 0
        while self.loop.time() < deadline:
            await asyncio.sleep(1.0)
            await self._replay()
            quiet = quiet + 1 if not self._busy_with() else 0
            if quiet > 1 and not self._open_deliveries():
                return None
            if quiet > SLOWEST:
                self.jump(LEASE + timedelta(minutes=1) if deadline - self.loop.time() > QUIET_WITHIN - 60 else timedelta(hours=2))
                quiet = 0
        return f"not quiet within {QUIET_WITHIN:g} s: {self._busy_with() or f'{self._open_deliveries()} deliveries are open'}"

    def _busy_with(self) -> str | None:
        """What is left to do now."""
        for replica in self.replicas:
            if replica.process is None or not replica.process.service.ready:
                return f"{replica.name} is not ready"
        if self.deployment.at_it(self._letters):
            return f"{self.deployment.service} has letters that can be replayed"
        if behind := self._unread():
            return f"{behind} is not read"
        soon = instant_text(self.now() + timedelta(seconds=5))
        for name, database in self.databases.items():
            for collection, held in database.collections.items():
                for one in held.values():
                    if one.get("_out_at"):
                        return f"{name}/{collection} {one['_id']} has something to say"
                    due = one.get("due_at")
                    if due is not None and due <= soon:
                        return f"{name}/{collection} {one['_id']} is due"
        return None

    def _unread(self) -> str | None:
        """What nobody who lives has handled. A commit that failed at the end of a topic is made up for by the next one, however late that comes."""
        handled: Counter[tuple[str, int]] = Counter()
        for replica in self.replicas:
            for reader in replica.process.log.readers if replica.process else ():
                handled |= Counter({(reader.group, number): end for number, end in reader.handled.items()})
        for group, topic, number, end in self.broker.unread():
            if handled[group, number] < end:
                return f"{topic}/{number} by {group}"
        return None

    def _open_deliveries(self) -> int:
        deliveries = self.databases["notifications"].collections["deliveries"].values()
        return sum(one["status"] in {DeliveryStatus.PENDING, DeliveryStatus.SENDING} for one in deliveries)

    async def evidence(self, poison: Mapping[str, Sequence[Poison]]) -> Evidence:
        """What is left, and what a replay of the log makes of it."""
        documents = {name: database.everything() for name, database in self.databases.items()}
        log = {topic: self.broker.everything(topic) for topic in TOPICS}
        again = await replay(log, self.builders, given=documents, tools={self._sending.MailSender: object()})
        return Evidence(
            documents=documents,
            log=log,
            mails=self.postbox.received,
            addressed=self.postbox.addressed,
            refused=self.postbox.refused,
            cut_off=self.postbox.cut_off,
            crashes=self.crashes,
            replayed=again,
            heard_again={name: database.heard_again for name, database in self.databases.items()},
            may_be_parked={name: self._handed[name] + self._unanswered[name] for name in SERVICES},
            ended_at=self.now(),
            poison={**poison, self.deployment.service: self.deployment.poison(log[dead_letters_of(self.deployment.service)])},
        )
