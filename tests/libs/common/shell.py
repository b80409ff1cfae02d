"""One small service for the tests of the shell: tallies that count what they hear, on the embedded adapters, with a store and a log that can fail."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amont.common.aggregate import Aggregate
from amont.common.clock import FixedClock
from amont.common.documents import Document, Find, Index, Store, Write
from amont.common.documents.collection import Collection
from amont.common.documents.sqlite import SqliteStore
from amont.common.errors import Unacceptable, Unavailable
from amont.common.events import Policy, ProgrammeChanged, SubsidiaryChanged
from amont.common.events.envelope import Envelope
from amont.common.ids import SeededIds
from amont.common.log import Received, Record
from amont.common.log.sqlite import SqliteLog
from amont.common.service.letters.letter import LETTERS, DeadLetter
from amont.common.service.unit import Unit
from amont.common.testing.hearing import START, record_of
from amont.common.work import House, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Aggregate):
    """Counts, and remembers what it was told, in order."""

    n: int = 0
    told: tuple[str, ...] = ()
    team: str | None = None
    tags: tuple[str, ...] = ()

    def facts(self) -> Mapping[str, Any]:
        return {
            "programme": self.id,
            "name": f"{self.n}",
            "status": "open",
            "tenants": (),
            "topics": (),
            "policy": Policy(),
            "policy_version": self.n,
        }

    def hear(self, what: str) -> "Tally":
        return self.becomes(n=self.n + 1, told=(*self.told, what)).state


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Aggregate):
    """A second kind."""

    text: str = ""


TALLIES = Collection(Tally, "tallies", indexes=(Index(("team",)), Index(("tags",), many=True)), due=True)
NOTES = Collection(Note, "notes")
COLLECTIONS: dict[type[Aggregate], Collection[Any]] = {Tally: TALLIES, Note: NOTES, DeadLetter: LETTERS}


class WatchedStore:
    """Counts what is asked of it, and lets a test come in between or make it fail."""

    def __init__(self, path: Path) -> None:
        self.real = SqliteStore(path, sync="normal")
        self.reads = 0
        self.commits: list[list[Write]] = []
        self.before_commit: Callable[[], Awaitable[None]] | None = None
        self.away = 0
        """How many calls fail before it answers again."""

    def _answer(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise Unavailable("the store is away")

    async def open(self, collections: Any) -> None:
        await self.real.open(collections)

    async def close(self) -> None:
        await self.real.close()

    async def ping(self) -> None:
        self._answer()

    async def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        self._answer()
        self.reads += bool(ids)
        return await self.real.get(collection, ids)

    async def find(self, query: Find) -> list[Document]:
        self._answer()
        self.reads += 1
        return await self.real.find(query)

    async def count_by(self, collection: str, field: str, where: Mapping[str, Any]) -> dict[Any, int]:
        return await self.real.count_by(collection, field, where)

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        self._answer()
        if self.before_commit:
            await self.before_commit()
        if writes:
            self.commits.append(list(writes))
        return await self.real.commit(writes)


def refuse_document(monkeypatch: pytest.MonkeyPatch, store: Store, **fields: str) -> None:
    """Have a store never take one document: that with these fields."""
    commit = store.commit

    async def picky(writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        if any(fields.items() <= getattr(write, "document", {}).items() for write in writes):
            raise Unacceptable("16 MB")
        return await commit(writes)

    monkeypatch.setattr(store, "commit", picky)


class WatchedLog(SqliteLog):
    """Refuses records of some topics as long as it is told to."""

    refuses: frozenset[str] = frozenset()

    async def append(self, records: Sequence[Record]) -> None:
        if any(record.topic in self.refuses for record in records):
            raise Unavailable("the log is away")
        await super().append(records)


@dataclass
class Shell:
    """Everything a test of the shell looks at."""

    store: WatchedStore
    log: WatchedLog
    clock: FixedClock
    house: House
    unit: Unit

    def work(self, **more: Any) -> Work:
        return Work(self.house, **more)

    async def given(self, *aggregates: Aggregate) -> None:
        """Put aggregates there, behind everybody's back; those that are there move by a version."""

        async def put(work: Work) -> None:
            for one in aggregates:
                await work.peek(type(one), one.id)
                work.save(one.becomes())

        away, between = self.store.away, self.store.before_commit
        self.store.away, self.store.before_commit = 0, None
        await Unit(self.house, self.log).run(put)
        self.store.away, self.store.before_commit = away, between

    async def document(self, id_: str, collection: str = "tallies") -> dict[str, Any]:
        return dict((await self.store.real.get(collection, [id_])).get(id_) or {})

    async def tally(self, id_: str) -> Tally:
        return TALLIES.load(await self.document(id_))

    async def on(self, topic: str) -> list[Received]:
        return await self.log.read("observer", topic, 1_000_000)

    async def said(self) -> list[tuple[str, int]]:
        """(aggregate, seq) of every event on the log, in order."""
        envelopes = [Envelope.parse(record.headers, key="") for record in await self.on("enrolment-programmes")]
        return [(envelope.subject, envelope.seq or 0) for envelope in envelopes]

    async def letters(self) -> list[tuple[str, str]]:
        """(key, reason) of every dead letter."""
        found = [(record.key.decode(), dict(record.headers)["amont_dlq_reason"]) for record in await self.on("dlq-matching")]
        return [(key, (reason or b"").decode()) for key, reason in found]


@asynccontextmanager
async def shell(folder: Path) -> AsyncIterator[Shell]:
    clock = FixedClock(START)
    store, log = WatchedStore(folder / "store.sqlite"), WatchedLog(folder / "log.sqlite", sync="normal")
    house = House("matching", store, clock, SeededIds(clock, 1), COLLECTIONS)
    await store.open([one.spec for one in COLLECTIONS.values()])
    await log.open()
    yield Shell(store, log, clock, house, Unit(house, log))
    await store.close()
    await log.close()


def told(id_: str, seq: int, name: str = "x") -> SubsidiaryChanged:
    """What tallies hear: the tally's id, and something to remember."""
    return SubsidiaryChanged(seq=seq, subsidiary=id_, name=name, zone="Europe/Paris", languages=(), grades={})


def envelope(event: SubsidiaryChanged) -> Envelope:
    return Envelope.parse(record_of(event).headers, key=event.key)


def batch_of(*records: Record | SubsidiaryChanged) -> list[Received]:
    """As a log would hand them over."""
    made = [one if isinstance(one, Record) else record_of(one) for one in records]
    return [
        Received(topic=one.topic, partition=0, offset=offset, key=one.key.encode(), value=one.value, headers=one.headers)
        for offset, one in enumerate(made)
    ]


async def hear(event: SubsidiaryChanged, work: Work) -> None:
    """The reaction: count, remember, say so."""
    tally = await work.get_or_new(Tally, event.subsidiary)
    work.save(tally.hear(event.name).becomes().saying(ProgrammeChanged))
