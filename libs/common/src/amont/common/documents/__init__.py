"""The store port: named collections of JSON documents, read by id or by a few indexed fields, written by compare-and-set.

A document is a mapping of JSON values with `_id` (text) and `v` (the version, counted from 1). Nothing else is promised, because nothing else
holds on MongoDB, on wire-compatible servers and on SQLite alike: no transaction across documents, no change stream, no server-side script.
Instants are texts that sort (`events.values.instant_text`). Adapters raise `Unavailable` when the server does not answer and nothing of their
driver ever leaves them. `mongo` and `sqlite` implement the port; one contract suite holds them to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from amont.common.errors import Unacceptable

Document = Mapping[str, Any]

LARGEST_DOCUMENT = 16 * 1024 * 1024
"""Bytes: what MongoDB takes of one document, so what every adapter takes."""


@dataclass(frozen=True, slots=True)
class Index:
    """Fields that named queries filter by together. The first one may hold a list: then it matches each of its elements (`many`).

    `sparse` says that few documents have the (one) field, and that nobody asks for those without it or for all in its order.
    """

    fields: tuple[str, ...]
    many: bool = False
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """What a store must know of a collection before it is used."""

    name: str
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field equals one of these values; None among them is a field that is absent or null."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class AtMost:
    """The field is set and not above this value."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """One page of a collection.

    `where` maps fields to a value (equality; for a list field: contains), `AnyOf` or `AtMost`; all must hold. The order is by `sort`, then by
    `_id` (by `_id` alone when None); documents without the field come first. `after` is the (sort value, `_id`) of the last document of the page
    before, or (`_id`,) without sort. None as a value is a field that is absent or null.
    """

    collection: str
    where: Mapping[str, Any] = field(default_factory=dict)
    sort: str | None = None
    after: tuple[Any, ...] | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole document. `expected` is the version it must have now; None means that it must not exist. `document['v']` is the next version."""

    collection: str
    document: Document
    expected: int | None

    @property
    def id(self) -> str:
        return str(self.document["_id"])


@dataclass(frozen=True, slots=True)
class Clear:
    """Take these fields away if the document still has this version; otherwise do nothing. The version stays."""

    collection: str
    id: str
    version: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a document if it still has this version; a conflict if it is there with another one (none at all is what was wanted)."""

    collection: str
    id: str
    expected: int


Write = Put | Clear | Remove


class Store(Protocol):
    """One service's database."""

    async def open(self, collections: Sequence[CollectionSpec]) -> None:
        """Connect and make collections and indexes; may be called again. Raises Unavailable."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...

    async def ping(self) -> None:
        """Raise Unavailable unless the store answers now."""
        ...

    async def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """The documents that exist, by id; absent ones are left out."""
        ...

    async def find(self, query: Find) -> list[Document]:
        """One page, in order."""
        ...

    async def count_by(self, collection: str, field: str, where: Mapping[str, Any]) -> dict[Any, int]:
        """How many documents hold each value of a (single-valued) field; documents without it count under None."""
        ...

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        """Do all writes, each atomically and independently of the others, in one round trip per collection.

        Returns the (collection, id) of every Put and Remove that lost its compare-and-set; the rest is done. One write per document and call.
        The answer is exact when it is empty, and for a call with a single Put however many Clears go with it. Where several compete and some lose,
        one that won may be called lost too when somebody wrote on top of it before we looked; the other way round never happens.
        When the connection breaks in the middle (Unavailable), any part may have been done. Raises ValueError for what is no JSON, and
        Unacceptable, which names the document, for one that is larger than LARGEST_DOCUMENT; any part of the rest may have been done.
        """
        ...


def too_large(collection: str, id_: str, size: int) -> Unacceptable:
    """What an adapter raises about a document that it will never take."""
    return Unacceptable(f"{collection} {id_!r} would have {size:,} bytes; a document may have {LARGEST_DOCUMENT:,}. It was left as it is.")


def store_from(url: str, *, database: str, driver: str = "motor") -> Store:
    """The store a URL names: `mongodb://…` (driver `motor` or `pymongo`) or `sqlite:///DIR` (one file per database in that folder).

    Raises ValueError that says what is accepted.
    """
    scheme, _, rest = url.partition("://")
    if scheme in {"mongodb", "mongodb+srv"}:
        from amont.common.documents.mongo import MongoStore  # noqa: PLC0415 - an embedded run must not need a driver

        return MongoStore(url, database=database, driver=driver)
    if scheme == "sqlite" and rest:
        from amont.common.documents.sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore.in_folder(rest, database)
    raise ValueError(f"AMONT_STORE_URL begins with {scheme[:20]!r}; write mongodb://host:port or sqlite:///folder")
