"""The store port in memory: a `Database` is what is kept, a `MemoryStore` is one process's connection to it.

A commit writes one document after the other with a pause between them, as a server does that has other clients: who is cut off in the middle has
written some. Which of several competitors lost is told as the MongoDB adapter tells it: by looking again afterwards.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json, to_json

from amont.common.documents import LARGEST_DOCUMENT, AnyOf, AtMost, Clear, CollectionSpec, Document, Find, Put, Remove, Write, too_large
from amont.common.errors import Unavailable
from amont.common.testing.memory.calling import Call, Deed, directly


class Database:
    """The documents of one service, by collection and id; what every connection to it shares."""

    def __init__(self) -> None:
        self.collections: dict[str, dict[str, Document]] = defaultdict(dict)
        self.heard_again: list[str] = []
        """Every write that put an older event of a stream behind a newer one. What comes after it on the log hides it again."""

    def everything(self) -> dict[str, list[Document]]:
        """Every document by collection, in order of id."""
        return {name: [held[id_] for id_ in sorted(held)] for name, held in self.collections.items()}

    def write(self, write: Write, document: Document | None) -> bool:
        """Do one write if its compare-and-set holds; `document` is a Put's, as it is to be kept."""
        held = self.collections[write.collection]
        now = held.get(write.id)
        match write:
            case Put(expected=expected):
                if document is None or (now["v"] if now else None) != expected:
                    return False
                if now is not None:
                    self._look_back(write, now.get("_seen") or {}, document.get("_seen") or {})
                held[write.id] = document
            case Clear(version=version, fields=fields):
                if now is not None and now["v"] == version:
                    held[write.id] = {name: value for name, value in now.items() if name not in fields}
            case Remove(expected=expected):
                if now is not None and now["v"] != expected:
                    return False
                held.pop(write.id, None)
        return True

    def _look_back(self, write: Put, before: Mapping[str, int], after: Mapping[str, int]) -> None:
        for stream, seq in before.items():
            if after.get(stream, 0) < seq:
                self.heard_again.append(f"{write.collection}/{write.id} ({stream} {after.get(stream, 0)} after {seq})")


class MemoryStore:
    """See the module."""

    def __init__(self, database: Database, call: Call = directly) -> None:
        self._database, self._line = database, call
        self._closed = False

    async def _call(self, what: str, deed: Deed) -> Any:
        if self._closed:
            raise Unavailable("the store has been closed")
        return await self._line(what, deed)

    async def open(self, collections: Sequence[CollectionSpec]) -> None:
        self._closed = False
        await self._call("store open", lambda: [self._database.collections[spec.name] for spec in collections])

    async def close(self) -> None:
        self._closed = True

    async def ping(self) -> None:
        await self._call("store ping", lambda: None)

    async def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        if not ids:
            return {}
        held = self._database.collections[collection]
        found: dict[str, Document] = await self._call(
            f"get {len(ids)} of {collection}", lambda: {id_: held[id_] for id_ in ids if id_ in held}
        )
        return found

    async def find(self, query: Find) -> list[Document]:
        found: list[Document] = await self._call(f"find {query.collection}", lambda: self._find(query))
        return found

    def _find(self, query: Find) -> list[Document]:
        found = sorted(self._meeting(query.collection, query.where), key=lambda one: _place(one, query.sort))
        if query.after is not None:
            last = query.after if query.sort is None else (query.after[0] is not None, *query.after)
            found = [one for one in found if _place(one, query.sort) > last]
        return found[: query.limit]

    async def count_by(self, collection: str, field: str, where: Mapping[str, Any]) -> dict[Any, int]:
        counted = await self._call(f"count {collection}", lambda: Counter(one.get(field) for one in self._meeting(collection, where)))
        return dict(counted)

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        if not writes:
            return frozenset()
        kept = {n: _kept(write) for n, write in enumerate(writes) if isinstance(write, Put)}
        what = f"write {' '.join(map(_named, writes))}"
        one_by_one = self._write if len(writes) > 1 else self._write_one
        lost: frozenset[tuple[str, str]] = await self._call(what, lambda: one_by_one(writes, kept))
        return lost

    def _write_one(self, writes: Sequence[Write], kept: Mapping[int, Document]) -> frozenset[tuple[str, str]]:
        (write,) = writes
        return frozenset() if self._database.write(write, kept.get(0)) else frozenset({(write.collection, write.id)})

    async def _write(self, writes: Sequence[Write], kept: Mapping[int, Document]) -> frozenset[tuple[str, str]]:
        lost = set()
        for number, write in enumerate(writes):
            if number:
                await asyncio.sleep(0)
            if not self._database.write(write, kept.get(number)):
                lost.add((write.collection, write.id))
        if lost and sum(not isinstance(write, Clear) for write in writes) > 1:
            await asyncio.sleep(0)
            lost |= {
                (write.collection, write.id)
                for number, write in enumerate(writes)
                if isinstance(write, Put) and self._database.collections[write.collection].get(write.id) is not kept[number]
            }
        return frozenset(lost)

    def _meeting(self, collection: str, where: Mapping[str, Any]) -> Iterable[Document]:
        documents = self._database.collections[collection].values()
        return [one for one in documents if all(_holds(one.get(name), wanted) for name, wanted in where.items())]


def _holds(value: Any, wanted: Any) -> bool:
    """The port's rules: equality, for a list field containment; None is a field that is absent or null."""
    match wanted:
        case AnyOf(values):
            return any(_holds(value, one) for one in values)
        case AtMost(limit):
            return any(one is not None and one <= limit for one in (value if isinstance(value, list) else [value]))
        case _:
            return wanted in value if isinstance(value, list) else bool(value == wanted)


def _place(document: Document, sort: str | None) -> tuple[Any, ...]:
    """Where a document stands: by the field, those without it first, then by id."""
    if sort is None:
        return (document["_id"],)
    value = document.get(sort)
    return (value is not None, value, document["_id"])


def _kept(put: Put) -> Document:
    """A document as it is kept: its own, whatever becomes of the caller's. Raises ValueError for what is no JSON, Unacceptable."""
    body = to_json(put.document)
    if len(body) > LARGEST_DOCUMENT:
        raise too_large(put.collection, put.id, len(body))
    document: Document = from_json(body)
    return document


def _named(write: Write) -> str:
    """Which document, from which version, for people."""
    before = write.version if isinstance(write, Clear) else write.expected
    return f"{type(write).__name__.lower()} {write.collection}/{write.id}@{before or 0}"
