"""The unit of work: load, decide, save state and events together, once.

A work holds every aggregate it has touched (an identity map), so each is read once and written once however many events of a batch touch it.
State and events of an aggregate leave in one document by one compare-and-set; a redelivered event changes nothing, because each document
remembers the last `seq` it applied of each source stream. Each event (or due document) is a step; a step that fails takes back its own saves and
nothing else.

What is not here: when to retry, what to publish, what to commit on the log (`service`), and any rule (`domain`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from amont.common.aggregate import Aggregate, Decision
from amont.common.clock import Clock
from amont.common.documents import AnyOf, Document, Put, Remove, Store
from amont.common.documents.collection import Collection, Query
from amont.common.errors import Conflict, NotFound, Stale
from amont.common.events.envelope import Envelope, Event
from amont.common.events.values import instant_text
from amont.common.ids import Ids, derived
from amont.common.tracing import carried, continued
from amont.common.work.asking import holds_any, meets, place, question
from amont.common.work.entry import COMPACTED, OUTBOX, SAID_AGAIN_WITHIN, Entry, Key
from amont.common.work.limits import MAX_EVENT_BYTES, MAX_PENDING, Backlog, TooMuchToSay, limit
from amont.common.work.reactions import Due, Handle, Needs, Reaction, Reactions, Waking, id_after
from amont.common.work.recent import Recent

__all__ = [
    "COMPACTED",
    "MAX_EVENT_BYTES",
    "MAX_PENDING",
    "OUTBOX",
    "SAID_AGAIN_WITHIN",
    "Backlog",
    "Due",
    "Effect",
    "Entry",
    "Handle",
    "House",
    "Key",
    "Needs",
    "Reaction",
    "Reactions",
    "Recent",
    "TooMuchToSay",
    "Waking",
    "Work",
    "id_after",
]

A = TypeVar("A", bound=Aggregate)
T = TypeVar("T")
Effect = Callable[[], Awaitable[None]]

TOGETHER = 200
"""How many aggregates are read at a time where nobody keeps them."""


@dataclass(frozen=True, slots=True)
class House:
    """What every work of a service shares."""

    name: str
    store: Store
    clock: Clock
    ids: Ids
    collections: Mapping[type[Aggregate], Collection[Any]]
    tools: Mapping[type, object] = field(default_factory=dict)


@dataclass(slots=True)
class _Step:
    """What is known of the event (or command) being handled, and how to take its saves back."""

    cause: Envelope | None
    stream: str | None
    seq: int
    undo: dict[Key, Entry | None] = field(default_factory=dict)
    ids_made: int = 0
    effects: list[Effect] = field(default_factory=list)
    asked: set[Key] = field(default_factory=set)
    """The aggregates that the step has asked for by id."""


class Work:
    """See the module. Not for concurrent use: one task, one work."""

    def __init__(
        self, house: House, *, recent: Recent | None = None, correlation: str | None = None, idempotency_key: str | None = None
    ) -> None:
        self._house = house
        self._recent = recent
        self._entries: dict[Key, Entry] = {}
        self._absent: set[Key] = set()
        self._answers: dict[tuple[str, ...], tuple[Key, ...]] = {}
        self._step = _Step(None, None, 0)
        self._correlation = correlation
        self._idempotency_key = idempotency_key
        self.now: datetime = house.clock.now()
        self._now_text = instant_text(self.now)
        self._effects: list[tuple[frozenset[Key], Effect]] = []
        self._collided: set[Key] = set()
        self._remembered: set[Key] = set()
        self._floors: dict[Key, int] = {}
        self.ignored = 0
        """How many saves were dropped because the aggregate had applied the event before."""

    @property
    def effects(self) -> list[Effect]:
        """What is to be done once everything is saved."""
        return self.effects_without(frozenset())

    def effects_without(self, lost: frozenset[Key]) -> list[Effect]:
        """The effects of the steps that have nothing among these."""
        return [effect for saved, effect in self._effects if not saved & lost]

    @property
    def cause(self) -> Envelope | None:
        """The envelope of the event being handled; None in a command."""
        return self._step.cause

    def tool(self, kind: type[T]) -> T:
        """An outside part that the composition root handed in, by its type."""
        return cast("T", self._house.tools[kind])

    def new_id(self, *parts: str | int) -> str:
        """An id for what begins now: derived from the event (or the request's idempotency key) where there is one, so that doing it again makes the same."""
        cause, key = self._step.cause, self._idempotency_key
        if cause is None and key is None:
            return self._house.ids.new()
        self._step.ids_made += 1
        which = parts or (self._step.ids_made,)
        return id_after(cause, *which) if cause else derived(key or "", *which)

    async def get(self, kind: type[A], id_: str, *, version: int | None = None) -> A:
        """The aggregate. Raises NotFound, and Stale when the caller decided on another `version` than the current one."""
        found = await self.peek(kind, id_)
        if found is None:
            raise NotFound(kind.__name__.lower(), id_)
        current = self._entries[self._key(kind, id_)].version or 0
        if version is not None and version != current:
            raise Stale(kind.__name__.lower(), id_, given=version, current=current)
        return found

    async def peek(self, kind: type[A], id_: str) -> A | None:
        """The aggregate, or None when there is none."""
        key = self._key(kind, id_)
        if key not in self._entries and key not in self._absent:
            await self.prefetch(kind, (id_,))
        self._collided.discard(key)
        self._step.asked.add(key)
        entry = self._entries.get(key)
        return None if entry is None or entry.removed else cast("A", entry.aggregate)

    async def get_or_new(self, kind: type[A], id_: str) -> A:
        """The aggregate, or a new one that needs nothing but its id."""
        return await self.peek(kind, id_) or kind(id=id_)

    async def get_many(self, kind: type[A], ids: Sequence[str]) -> dict[str, A]:
        """Those that exist, by id; one round trip for all that are not known yet."""
        await self.prefetch(kind, ids)
        if self._collided:
            self._collided.difference_update(self._key(kind, id_) for id_ in ids)
        self._step.asked.update(self._key(kind, id_) for id_ in ids)
        known = ((id_, self._entries.get(self._key(kind, id_))) for id_ in ids)
        return {id_: cast("A", entry.aggregate) for id_, entry in known if entry is not None and not entry.removed}

    async def prefetch(self, kind: type[A], ids: Sequence[str]) -> None:
        """Read these in one round trip, so that later reads need none."""
        collection = self._house.collections[kind]
        wanted = []
        for id_ in dict.fromkeys(ids):
            key = (collection.name, id_)
            if key in self._entries or key in self._absent:
                continue
            remembered = self._recent.get(key) if self._recent else None
            if remembered is not None:
                self._entries[key] = replace(remembered, dirty=False, carried=len(remembered.out), known_at=None, ended=None)
                self._remembered.add(key)
            else:
                wanted.append(id_)
        if not wanted:
            return
        found = await self._house.store.get(collection.name, wanted)
        self._absent.update((collection.name, id_) for id_ in wanted if id_ not in found)
        for document in found.values():
            self._take(collection, document)

    async def look_at(self, inserts: Iterable[Key]) -> None:
        """Read what the inserts of an attempt before have met. Who inserts there again without having looked is refused by `save`."""
        kinds = {collection.name: kind for kind, collection in self._house.collections.items()}
        for key in inserts:
            name, id_ = key
            await self.prefetch(kinds[name], (id_,))
            if key in self._entries:
                self._collided.add(key)

    async def prefetch_where(self, query: Query[A], field_name: str, values: Sequence[Any]) -> None:
        """Answer `query` for each value of one (possibly list) field in one go; `find` with that value and the same conditions needs no round trip."""
        questions = {value: question(Query(query.collection, {**query.conditions, field_name: value})) for value in dict.fromkeys(values)}
        answers: dict[Any, list[Key]] = {value: [] for value, asked in questions.items() if asked not in self._answers}
        if not answers:
            return
        async for entry in self._all(Query(query.collection, {**query.conditions, field_name: AnyOf(tuple(answers))})):
            held = entry.collection.dump(entry.aggregate).get(field_name)
            for value in held if isinstance(held, list) else [held]:
                if value in answers:
                    answers[value].append(entry.key)
        self._answers.update((questions[value], tuple(keys)) for value, keys in answers.items())

    def _take(self, collection: Collection[Any], document: Document) -> Entry:
        key = (collection.name, document["_id"])
        entry = self._entries.get(key)
        if entry is None:
            entry = Entry.of(collection, document)
            if key not in self._absent:  # what was decided on its absence must lose against it, not be written on top of it
                self._entries[key] = entry
        return entry

    async def find(self, query: Query[A]) -> AsyncIterator[A]:
        """Every aggregate that meets the query, in its order; as this work knew them when it began to ask, saves included."""
        async for entry in self._all(query):
            now = self._entries.get(entry.key, entry)
            if now.removed or (now.dirty and not meets(now, query.conditions)):
                continue
            self._collided.discard(entry.key)
            yield cast("A", now.aggregate)

    async def _all(self, query: Query[A]) -> AsyncIterator[Entry]:
        answer = self._answers.get(question(query))
        answered = answer is not None
        known = [self._entries[key] for key in dict.fromkeys((*(answer or ()), *self._dirty(query.collection))) if key in self._entries]
        held = sorted((e for e in known if meets(e, query.conditions)), key=lambda e: place(e.collection.dump(e.aggregate), query.sort))
        if not answered:
            saved = {entry.key for entry in known}
            async for documents in self._pages(query):
                for document in documents:
                    entry = self._take(query.collection, document)
                    if entry.key in saved:
                        continue
                    while held and place(held[0].collection.dump(held[0].aggregate), query.sort) < place(document, query.sort):
                        yield held.pop(0)
                    yield entry
        for entry in held:
            yield entry

    def _dirty(self, collection: Collection[Any]) -> list[Key]:
        return [key for key, entry in self._entries.items() if entry.dirty and entry.collection is collection]

    async def _pages(self, query: Query[A], after: tuple[Any, ...] | None = None) -> AsyncIterator[list[Document]]:
        while True:
            page = query.page(after=after)
            documents = await self._house.store.find(page)
            yield documents
            if len(documents) < page.limit:
                return
            last = documents[-1]
            after = (last.get(query.sort), last["_id"]) if query.sort else (last["_id"],)

    async def page(self, query: Query[A], *, after: tuple[Any, ...] | None, limit: int) -> list[A]:
        """One page for people to read: what the store holds now."""
        documents = await self._house.store.find(query.page(after=after, limit=limit))
        return [self.found(query.collection, document) for document in documents]

    def found(self, collection: Collection[A], document: Document) -> A:
        """The aggregate of a document that the caller has found; as this work knows it, if it does. Raises UnreadableDocument."""
        entry = self._take(collection, document)
        self._collided.discard(entry.key)
        return cast("A", entry.aggregate)

    async def pages(self, query: Query[A], *, after: tuple[Any, ...] | None = None) -> AsyncIterator[list[A]]:
        """All that the store holds now (behind `after`), some at a time, kept by nobody: to read very many, of which nothing is saved here.

        Between two pages others have the loop. Raises UnreadableDocument.
        """
        async for documents in self._pages(query, after):
            yield [cast("A", Entry.of(query.collection, document).aggregate) for document in documents]

    async def pages_of(self, kind: type[A], ids: Sequence[str]) -> AsyncIterator[list[A]]:
        """The same for those of these ids that exist."""
        collection = self._house.collections[kind]
        for first in range(0, len(ids), TOGETHER):
            found = await self._house.store.get(collection.name, ids[first : first + TOGETHER])
            yield [cast("A", Entry.of(collection, document).aggregate) for document in found.values()]

    async def holding(self, query: Query[A], texts: Iterable[str]) -> AsyncIterator[A]:
        """Those in whose documents one of the texts stands: as a value, as a name of one, or quoted inside a longer text; none that this work has saved.

        Reads every document, and keeps those it yields.
        """
        wanted = frozenset(texts)
        async for documents in self._pages(query):
            for document in documents:
                if holds_any(document, wanted) and not self._take(query.collection, document).dirty:
                    yield self.found(query.collection, document)

    async def count_by(self, query: Query[A], field_name: str) -> dict[Any, int]:
        """How many of the query's aggregates hold each value of a field."""
        return await self._house.store.count_by(query.collection.name, field_name, query.conditions)

    def trace_of(self, aggregate: Aggregate) -> str | None:
        """The traceparent of what set the aggregate's due date."""
        return self._entries[self._key(type(aggregate), aggregate.id)].trace

    def version_of(self, aggregate: Aggregate) -> int:
        """The version that readers know the aggregate by: the one it will have once this work is saved."""
        entry = self._entries[self._key(type(aggregate), aggregate.id)]
        return entry.next_version if entry.dirty else entry.version or 0

    def save(self, decision: Decision[A]) -> A:
        """Remember a new state and its events for one atomic write, and return the new state.

        When this event was applied to this aggregate before, nothing is remembered and the state as it is comes back. A decision that changes
        nothing and says nothing costs no write. An aggregate that was not asked for is an insert; Conflict when there is one already. Raises
        Backlog when too many events wait for the log.
        """
        new, step = decision.state, self._step
        key = self._key(type(new), new.id)
        entry = self._entries.get(key)
        if entry is not None and step.stream is not None and key not in step.undo and entry.seen.get(step.stream, 0) >= step.seq:
            self.ignored += 1
            return cast("A", entry.aggregate)
        if key in self._collided:
            raise Conflict(f"There is a {type(new).__name__.lower()} {new.id!r} already.")
        if entry is not None and step.stream is None and not decision.events and entry.aggregate == new:
            return new
        base = entry or Entry(self._house.collections[type(new)], new, None, floor=self._floors.get(key, 0))
        trace = carried()
        out = (*base.out, *[self._pending(event, trace) for event in decision.events])
        if len(out) > 1:
            limit(key, len(base.out), out)
        seen = base.seen if step.stream is None else {**base.seen, step.stream: step.seq}
        step.undo.setdefault(key, entry)
        self._entries[key] = Entry(
            base.collection, new, base.version, seen, out, dirty=True, trace=trace or base.trace, carried=base.carried, floor=base.floor
        )
        return new

    def counts_on(self, kind: type[Aggregate], id_: str, version: int) -> None:
        """Should this work make the aggregate, its versions go on from there: a process that knew a document of that id would not say an older one."""
        self._floors[self._key(kind, id_)] = version

    def all_said(self, aggregate: Aggregate) -> bool:
        """Whether the log has all that an aggregate that this work has read had to say: its outbox was empty when it was read, and is."""
        return not self._entries[self._key(type(aggregate), aggregate.id)].out

    def remove(self, aggregate: Aggregate, *, heard: bool = False) -> None:
        """Have an aggregate that this work has read deleted: one that has said nothing; or one whose last word everybody has `heard`, and that is never
        made again under its id, or else counts on from a `seq` that another document keeps.

        Raises ValueError for one that has said something otherwise, and for one that has something to say: its events may still be in its outbox, and
        whoever has heard them counts on from its `seq`.
        """
        key = self._key(type(aggregate), aggregate.id)
        entry = self._entries[key]
        if (entry.aggregate.seq and not heard) or entry.out:
            raise ValueError(f"{key[0]} {key[1]!r} has said something: leave a tombstone that goes on counting")
        self._step.undo.setdefault(key, entry)
        self._entries[key] = Entry(entry.collection, entry.aggregate, entry.version, dirty=True, removed=True)

    def put_off(self, aggregate: Aggregate, until: datetime) -> None:
        """Have an aggregate woken later. Nothing is decided on it, so it stays as it is otherwise."""
        key = self._key(type(aggregate), aggregate.id)
        entry = self._entries[key]
        raw = None if entry.raw is None else {**entry.raw, "due_at": instant_text(until)}
        self._entries[key] = replace(entry, aggregate=replace(entry.aggregate, due_at=until), raw=raw, dirty=True)

    def afterwards(self, effect: Effect) -> None:
        """Do this once the step's saves are in the store; not at all when the step is taken back. It may happen more than once."""
        self._step.effects.append(continued(effect))

    def _pending(self, event: Event, trace: str | None) -> Mapping[str, Any]:
        cause, data, kind, subject = self._step.cause, event.encode(), event.type_name(), event.subject
        if len(data) > MAX_EVENT_BYTES:
            raise TooMuchToSay(f"{kind} about {subject!r} has {len(data):,} bytes; {MAX_EVENT_BYTES:,} is the most.")
        entry = {
            "id": derived(kind, subject, event.seq),
            "type": kind,
            "topic": event.topic,
            "subject": subject,
            "key": event.key,
            "seq": event.seq,
            "at": self._now_text,
            "data": None if event.tombstone else data.decode(),
        }
        if (owner := event.owner) is not None:
            entry["tenant"] = owner
        if cause is not None:
            entry["cause"] = cause.id
        correlation = (cause.correlation or cause.id) if cause else self._correlation
        if correlation is not None:
            entry["corr"] = correlation
        if trace is not None:
            entry["trace"] = trace
        return entry

    @contextmanager
    def step(self, cause: Envelope | None = None, *, seq: int = 0) -> Iterator[_Step]:
        """Handle one event or due document. A raise takes the step's saves back; the ones before stay.

        `seq` above 0 guards every save of the step by the cause's stream.
        """
        outer, step = self._step, _Step(cause, cause.stream if cause and seq else None, seq)
        self._step = step
        try:
            yield step
        except BaseException:
            for key, entry in step.undo.items():
                if entry is None:
                    self._entries.pop(key, None)
                else:
                    self._entries[key] = entry
            raise
        else:
            if step.effects:
                saved = frozenset(step.undo)
                self._effects.extend((saved, effect) for effect in step.effects)
        finally:
            self._step = outer

    def applied_before(self, step: _Step) -> bool:
        """Whether an aggregate that the step asked for has applied its event already."""
        if step.stream is None:
            return False
        asked = (self._entries.get(key) for key in step.asked)
        return any(entry.seen.get(step.stream, 0) >= step.seq for entry in asked if entry is not None)

    @property
    def trusts_memory(self) -> bool:
        """Whether anything that was read came from the memory of what this process wrote last, which may be stale."""
        return bool(self._remembered)

    def pending(self) -> list[Entry]:
        """The entries with events that may not be on the log: said now, or left by an attempt that was cut off."""
        return [entry for entry in self._entries.values() if entry.out]

    def take_over(self) -> None:
        """Write again what may not be on the log though it is in an outbox: who says a version has written it."""
        for entry in self.pending():
            entry.dirty = entry.dirty or entry.compacted

    async def check_memory(self) -> frozenset[Key]:
        """What was remembered, only read, and has moved since; a remembered aggregate that is saved is checked by its compare-and-set."""
        read_only = [entry for key in self._remembered if (entry := self._entries.get(key)) is not None and not entry.dirty]
        moved: set[Key] = set()
        for collection in {entry.collection for entry in read_only}:
            held = {entry.aggregate.id: entry for entry in read_only if entry.collection is collection}
            found = await self._house.store.get(collection.name, list(held))
            moved |= {entry.key for id_, entry in held.items() if id_ not in found or found[id_]["v"] != entry.version}
        return frozenset(moved)

    def written(self) -> list[Entry]:
        """The entries that hold saves."""
        return [entry for entry in self._entries.values() if entry.dirty]

    def writes(self, entries: Sequence[Entry]) -> list[Put | Remove]:
        """The entries as writes for the store."""
        return [
            Remove(*entry.key, entry.version or 0)
            if entry.removed
            else Put(entry.collection.name, entry.document(self._now_text), entry.version)
            for entry in entries
        ]

    def _key(self, kind: type[Aggregate], id_: str) -> Key:
        return (self._house.collections[kind].name, id_)
