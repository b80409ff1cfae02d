"""One service on the embedded adapters, driven by hand: it hears events, is asked for things, time passes, and what it said is read off the log.

Nothing waits and nothing is mocked: store and log are the embedded adapters, the shell is the shell.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import unquote

import httpx

from amont.common.aggregate import Aggregate, Decision
from amont.common.clock import FixedClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.events.envelope import Envelope, Event
from amont.common.events.topics import TOPICS, TYPES, dead_letters_of
from amont.common.identity import Actor, Privilege
from amont.common.ids import SeededIds, derived
from amont.common.log import Received, Record
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts, Service
from amont.common.web import app
from amont.common.work import Work

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A", bound=Aggregate)
START = datetime(2027, 1, 4, 8, tzinfo=UTC)
"""A Monday morning."""


def record_of(event: Event, *, source: str = "/test", time: datetime = START, **attributes: Any) -> Record:
    """An event as any producer would put it on the log."""
    envelope = Envelope(
        id=attributes.pop("id", None) or derived("test", event.type_name(), event.subject, event.seq, event.encode().decode()),
        type=event.type_name(),
        source=source,
        subject=event.subject,
        time=time,
        tenant=event.owner,
        seq=event.seq or None,
        **attributes,
    )
    return Record(topic=event.topic, key=event.key, value=event.encode(), headers=envelope.headers())


class AnyToken:
    """A verifier for tests: the token is the actor, `person` or `person|role,role`; percent-encoded where it is not ASCII."""

    async def actor(self, token: str) -> Actor:
        person, _, roles = unquote(token).partition("|")
        privileges = frozenset(Privilege(role) for role in roles.split(",") if role) or frozenset({Privilege.PARTICIPANT})
        return Actor(person, person.partition(":")[0], privileges)


class Hearing:
    """See the module."""

    def __init__(self, service: Service, log: SqliteLog, clock: FixedClock) -> None:
        self.service, self.log, self.clock = service, log, clock
        self._read: dict[str, int] = {}

    async def given(self, *aggregates: A) -> A:
        """Put aggregates into the store as they are, saying nothing; the last one comes back."""

        async def plant(work: Work) -> None:
            for aggregate in aggregates:
                await work.peek(type(aggregate), aggregate.id)
                work.save(Decision(aggregate))

        await self.service.run(plant)
        return aggregates[-1]

    async def hears(self, *events: Event | Record) -> None:
        """Put events on the log and let the service take them, with everything that is due at once because of them."""
        await self.log.append([event if isinstance(event, Record) else record_of(event, time=self.clock.now()) for event in events])
        await self.settle()

    async def settle(self) -> None:
        """Until nothing is left to do."""
        while await self.service.step():
            pass
        await self.service.unit.relay.clear()

    async def asked(self, command: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a command."""
        return await self.service.run(command, *args, **kwargs)

    async def passes(self, time: timedelta) -> None:
        """Time goes by, and what it brings is done."""
        self.clock.advance(time)
        await self.settle()

    async def look(self, kind: type[A], id_: str) -> A:
        """An aggregate as it is in the store. Raises NotFound."""

        async def read(work: Work) -> A:
            return await work.get(kind, id_)

        return await self.service.run(read)

    async def said(self) -> list[Event]:
        """The events the service put on the log since the last time, topic by topic in order of its PUBLISHES table; no tombstones, and nothing of a topic
        that others write as well and that it reads.
        """
        read = {kind.topic for kind in self.service.consumes}
        shared = {name for name in read if len(TOPICS[name].producers) > 1}
        topics = dict.fromkeys(kind.topic for kind in self.service.publishes if kind.topic not in shared)
        records = [record for topic in topics for record in await self._new_on(topic) if record.value is not None]
        kinds = set(self.service.publishes)
        events = [(TYPES[Envelope.parse(record.headers, key=record.key.decode()).type], record) for record in records]
        return [kind.decode(record.value or b"") for kind, record in events if kind in kinds]

    async def parked(self) -> list[tuple[str, str]]:
        """The (reason, detail) of every new dead letter."""
        letters = await self._new_on(dead_letters_of(self.service.name))
        headers = [dict(letter.headers) for letter in letters]
        return [((h["amont_dlq_reason"] or b"").decode(), (h["amont_dlq_detail"] or b"").decode()) for h in headers]

    async def _new_on(self, topic: str) -> Sequence[Received]:
        everything = await self.log.read("test-observer", topic, 1_000_000)
        new = everything[self._read.get(topic, 0) :]
        self._read[topic] = len(everything)
        return new

    @asynccontextmanager
    async def client(self, person: str, *privileges: Privilege) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client signed in as somebody (a participant unless said otherwise)."""
        transport = httpx.ASGITransport(app(([self.service]), title="test", verifier=AnyToken()), raise_app_exceptions=False)
        token = f"{person}|{','.join(privileges)}"
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"}) as client:
            yield client


@asynccontextmanager
async def hearing(build: Callable[[Parts], Service], folder: Path, **tools: Any) -> AsyncIterator[Hearing]:
    """A service built by its own composition root on embedded adapters in a folder of the test's. `tools` maps nothing by name: pass `tools={Kind: part}`."""
    clock = FixedClock(START)
    log = SqliteLog(folder / "log.sqlite", sync="normal")
    store = SqliteStore(folder / "store.sqlite", sync="normal")
    service = build(Parts(store=store, log=log, clock=clock, ids=SeededIds(clock, 1), **tools))
    await service.open()
    service.ready = True
    try:
        yield Hearing(service, log, clock)
    finally:
        await service.stop()
