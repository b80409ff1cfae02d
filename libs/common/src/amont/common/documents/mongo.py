"""The store port on MongoDB's wire protocol, through motor (the default) or PyMongo Async: the same calls, chosen by a setting.

motor is the owner's choice and reached its end of life in May 2026; this module is the only one that knows a driver, so leaving it is one
setting. Both drivers share PyMongo's operations and errors. Writes are acknowledged by a majority.

Which write of a bulk lost is not told by the server for replacements (only how many matched), so every Put carries a token `_w`, and when the
sum is short the documents are read back: whoever does not carry our token lost. Inserts that lose are told by their index (code 11000).
Clears travel beside them in a bulk of their own, because one that does not match is no loss and must not make the sum short.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from bson import encode
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.errors import BSONError
from bson.int64 import Int64
from pymongo import ASCENDING, DeleteOne, IndexModel, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    WTimeoutError,
)

from amont.common.documents import LARGEST_DOCUMENT, AnyOf, AtMost, Clear, CollectionSpec, Document, Find, Put, Remove, Write, too_large
from amont.common.errors import Unacceptable, Unavailable

DUPLICATE_KEY = 11000
WITHOUT_TOKEN = {"_w": 0}
ANSWER_WITHIN_SECONDS = 10.0
"""How long one call may look for a server that answers before it is Unavailable; an answer that has begun to be made may take three times that."""
DRIVERS = ("motor", "pymongo")

Key = tuple[str, str]


class _PlainInt(TypeDecoder):
    """BSON's 64-bit integers as what they are in Python, not as the driver's subclass."""

    bson_type = Int64

    def transform_bson(self, value: int) -> int:
        return int(value)


PLAIN: CodecOptions[Any] = CodecOptions(type_registry=TypeRegistry([_PlainInt()]))


def _client(url: str, driver: str, answer_within: float) -> Any:
    milliseconds = int(answer_within * 1000)
    options: dict[str, Any] = {
        "serverSelectionTimeoutMS": milliseconds,
        "socketTimeoutMS": 3 * milliseconds,
        "connectTimeoutMS": milliseconds,
        "retryWrites": False,  # a retry of ours reads again first; wire-compatible servers have no sessions
        "retryReads": True,
        "w": "majority",
    }
    if driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient  # noqa: PLC0415 - only one of the two is needed

        return AsyncIOMotorClient(url, **options)
    from pymongo import AsyncMongoClient  # noqa: PLC0415

    return AsyncMongoClient(url, **options)


@asynccontextmanager
async def _port_errors(where: str) -> AsyncIterator[None]:
    """Let nothing of the driver out: whatever the server or the network did is Unavailable, a document that is none is a ValueError."""
    try:
        yield
    except (ConnectionFailure, NetworkTimeout, ExecutionTimeout, WTimeoutError) as error:
        raise Unavailable(f"MongoDB at {where} does not answer: {type(error).__name__}") from error
    except PyMongoError as error:
        raise Unavailable(f"MongoDB at {where} refused: {type(error).__name__} {getattr(error, 'code', '')}".rstrip()) from error
    except (BSONError, OverflowError) as error:  # a defect of ours, which no waiting mends; the message of the driver holds the value
        raise ValueError(f"not a JSON document that MongoDB can hold: {type(error).__name__}") from None


class MongoStore:
    """See the module."""

    def __init__(self, url: str, *, database: str, driver: str = "motor", answer_within: float = ANSWER_WITHIN_SECONDS) -> None:
        """Connects to nothing yet. Raises ValueError for a URL or a driver that cannot be meant."""
        if driver not in DRIVERS:
            raise ValueError(f"AMONT_STORE_DRIVER is {driver!r}; write {' or '.join(DRIVERS)}")
        try:
            self._client = _client(url, driver, answer_within)
        except (PyMongoError, ValueError) as error:
            raise ValueError(f"AMONT_STORE_URL cannot be used: {error}. Write mongodb://host:port or sqlite:///folder") from None
        self._where = urlsplit(url).netloc.rpartition("@")[2]
        """The hosts, without who signs in."""
        self._db = self._client.get_database(database, codec_options=PLAIN)

    async def open(self, collections: Sequence[CollectionSpec]) -> None:
        async with _port_errors(self._where):
            for spec in collections:
                models = [IndexModel([(name, ASCENDING) for name in index.fields]) for index in spec.indexes]
                if models:
                    await self._db[spec.name].create_indexes(models)

    async def close(self) -> None:
        closed = self._client.close()
        if closed is not None:  # PyMongo's close is a coroutine, motor's is not
            await closed

    async def ping(self) -> None:
        async with _port_errors(self._where):
            await self._client.admin.command("ping")

    async def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        if not ids:
            return {}
        async with _port_errors(self._where):
            wanted = ids[0] if len(ids) == 1 else {"$in": list(ids)}
            return {document["_id"]: document async for document in self._db[collection].find({"_id": wanted}, WITHOUT_TOKEN)}

    async def find(self, query: Find) -> list[Document]:
        where = _filter(query.where)
        if query.after is not None:
            where = {"$and": [where, _beyond(query.sort, query.after)]} if where else _beyond(query.sort, query.after)
        order = [(query.sort, ASCENDING), ("_id", ASCENDING)] if query.sort else [("_id", ASCENDING)]
        async with _port_errors(self._where):
            return [document async for document in self._db[query.collection].find(where, WITHOUT_TOKEN).sort(order).limit(query.limit)]

    async def count_by(self, collection: str, field: str, where: Mapping[str, Any]) -> dict[Any, int]:
        stages = [{"$match": _filter(where)}, {"$group": {"_id": f"${field}", "n": {"$sum": 1}}}]
        async with _port_errors(self._where):
            cursor = self._db[collection].aggregate(stages)
            if hasattr(cursor, "__await__"):  # PyMongo's aggregate is a coroutine, motor's is not
                cursor = await cursor
            return {row["_id"]: row["n"] async for row in cursor}

    async def commit(self, writes: Sequence[Write]) -> frozenset[Key]:
        grouped: dict[str, list[Write]] = defaultdict(list)
        for write in writes:
            grouped[write.collection].append(write)
        lost: set[Key] = set()
        for collection, group in grouped.items():
            lost |= await self._commit(collection, group)
        return frozenset(lost)

    async def _commit(self, collection: str, writes: Sequence[Write]) -> set[Key]:
        clears = [write for write in writes if isinstance(write, Clear)]
        contested = [write for write in writes if not isinstance(write, Clear)]
        lost, _ = await asyncio.gather(self._contest(collection, contested), self._clear(collection, clears))
        return lost

    async def _clear(self, collection: str, clears: Sequence[Clear]) -> None:
        if clears:
            async with _port_errors(self._where):
                await self._db[collection].bulk_write([_operation(clear, "") for clear in clears], ordered=False)

    async def _contest(self, collection: str, writes: Sequence[Put | Remove]) -> set[Key]:
        if not writes:
            return set()
        token = uuid.uuid4().hex
        async with _port_errors(self._where):
            try:
                result = await self._db[collection].bulk_write([_operation(write, token) for write in writes], ordered=False)
                counts, failed = result.bulk_api_result, frozenset[int]()
            except (DocumentTooLarge, AutoReconnect, BulkWriteError) as error:
                # Just over the limit the driver lets a document pass; then a server says code 10334, or hangs up.
                if not _only_duplicates(error) and (refusal := _too_large(writes)) is not None:
                    raise refusal from error
                if not isinstance(error, BulkWriteError):
                    raise
                failed, counts = _duplicates(error), error.details
        replaced = [write for write in writes if write.expected is not None]
        if counts["nMatched"] + counts["nRemoved"] == len(replaced):
            return {(collection, writes[index].id) for index in failed}
        return await self._losers(collection, writes, token)

    async def _losers(self, collection: str, writes: Sequence[Put | Remove], token: str) -> set[Key]:
        if len(writes) == 1 and isinstance(writes[0], Put):
            return {(collection, writes[0].id)}  # the only one; looking would say the same
        async with _port_errors(self._where):
            cursor = self._db[collection].find({"_id": {"$in": [write.id for write in writes]}}, {"_w": 1})
            holders = {document["_id"]: document.get("_w") async for document in cursor}
        lost = {write.id for write in writes if isinstance(write, Put) and holders.get(write.id) != token}
        lost |= {write.id for write in writes if isinstance(write, Remove) and write.id in holders}
        return {(collection, id_) for id_ in lost}


def _too_large(writes: Sequence[Put | Remove]) -> Unacceptable | None:
    """Which document is larger than the server takes, if there is one."""
    sizes = ((len(encode(write.document)), write) for write in writes if isinstance(write, Put))
    size, put = max(sizes, key=itemgetter(0), default=(0, None))
    return too_large(put.collection, put.id, size) if put is not None and size > LARGEST_DOCUMENT else None


def _operation(write: Write, token: str) -> Any:
    match write:
        case Put(document=document, expected=None):
            return InsertOne({**document, "_w": token})
        case Put(document=document, expected=expected):
            return ReplaceOne({"_id": write.id, "v": expected}, {**document, "_w": token})
        case Clear(id=id_, version=version, fields=fields):
            return UpdateOne({"_id": id_, "v": version}, {"$unset": dict.fromkeys(fields, "")})
        case Remove(id=id_, expected=expected):
            return DeleteOne({"_id": id_, "v": expected})


def _only_duplicates(error: Exception) -> bool:
    return isinstance(error, BulkWriteError) and all(fault["code"] == DUPLICATE_KEY for fault in error.details.get("writeErrors", []))


def _duplicates(error: BulkWriteError) -> frozenset[int]:
    """The indexes of the inserts that lost; any other failure in the bulk is an outage of the store."""
    faults = error.details.get("writeErrors", [])
    if error.details.get("writeConcernErrors") or any(fault["code"] != DUPLICATE_KEY for fault in faults):
        raise Unavailable(f"MongoDB refused part of a bulk: {sorted({fault['code'] for fault in faults})}") from error
    return frozenset(fault["index"] for fault in faults)


def _filter(where: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _wanted(value) for name, value in where.items()}


def _wanted(value: Any) -> Any:
    match value:
        case AnyOf(values):
            return {"$in": list(values)}
        case AtMost(limit):
            return {"$lte": limit}
        case _:
            return value


def _beyond(sort: str | None, after: tuple[Any, ...]) -> dict[str, Any]:
    """Keyset paging: strictly after the last document of the page before."""
    if sort is None:
        return {"_id": {"$gt": after[0]}}
    value, id_ = after
    if value is None:  # documents without the field come first, and are beyond none but each other
        return {"$or": [{sort: {"$ne": None}}, {"_id": {"$gt": id_}}]}
    return {"$or": [{sort: {"$gt": value}}, {sort: value, "_id": {"$gt": id_}}]}
