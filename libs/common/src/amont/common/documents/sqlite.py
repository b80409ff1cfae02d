"""The store port on SQLite: one file per service, JSON documents in one table per collection, indexes on expressions.

For one machine. A single thread owns the connection, so statements never interleave; several processes may open the same file (WAL, and a
write waits up to 30 s for another). Durability: `?sync=full` (the default) survives a power cut, `?sync=normal` survives kill -9 only.
A list field declared `many` gets a side table with one row per element, kept in the same transaction.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

from pydantic_core import from_json, to_json

from amont.common.documents import AnyOf, AtMost, Clear, CollectionSpec, Document, Find, Put, Remove, Write
from amont.common.errors import Unavailable

T = TypeVar("T")
FORMAT = 1
"""The file's format (`PRAGMA user_version`); a file with a higher one is refused."""


class NewerFormat(Exception):
    """The data folder was written by a newer Amont."""


def connect(path: Path, *, sync: str) -> sqlite3.Connection:
    """A connection set up as both embedded ports want it. Raises NewerFormat."""
    if sync not in {"full", "normal"}:
        raise ValueError(f"sync is {sync!r}; write sync=full or sync=normal")
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={sync.upper()}")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        connection.close()
        raise NewerFormat(f"{path.name} has format {found}, this Amont knows up to {FORMAT}. Start it with the newer Amont that wrote it.")
    if found < FORMAT:
        connection.execute(f"PRAGMA user_version={FORMAT}")
    return connection


def split_url(rest: str) -> tuple[Path, str]:
    """The folder and the `sync` option of what follows `sqlite://`."""
    path, _, options = rest.partition("?")
    return Path(path), parse_qs(options).get("sync", ["full"])[0]


class OneThread:
    """A connection and the only thread that touches it. Errors of the database leave as Unavailable."""

    def __init__(self, path: Path, *, sync: str) -> None:
        self._path, self._sync = path, sync
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection: sqlite3.Connection | None = None

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work on the thread; it has the connection to itself."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._opened()))
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise Unavailable(f"SQLite does not answer: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, sync=self._sync)
        return self._connection

    async def close(self) -> None:
        def shut() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, shut)


class SqliteStore:
    """See the module."""

    def __init__(self, path: Path, *, sync: str = "full") -> None:
        self._db = OneThread(path, sync=sync)
        self._many: dict[str, frozenset[str]] = {}

    @classmethod
    def in_folder(cls, rest: str, database: str) -> "SqliteStore":
        folder, sync = split_url(rest)
        return cls(folder / f"{database}.sqlite", sync=sync)

    async def open(self, collections: Sequence[CollectionSpec]) -> None:
        for spec in collections:
            self._many[spec.name] = frozenset(name for index in spec.indexes if index.many for name in index.fields[:1])
        await self._db.do(lambda db: _create(db, collections))

    async def close(self) -> None:
        await self._db.close()

    async def ping(self) -> None:
        await self._db.do(lambda db: db.execute("SELECT 1").fetchone())

    async def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        if not ids:
            return {}
        sql = f"SELECT id, body FROM {_name(collection)} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - names are ours
        rows = await self._db.do(lambda db: db.execute(sql, (to_json(list(ids)).decode(),)).fetchall())
        return {id_: from_json(body) for id_, body in rows}

    async def find(self, query: Find) -> list[Document]:
        clauses, values = _conditions(query.where, query.collection, self._many.get(query.collection, frozenset()))
        order = "id"
        if query.sort is not None:
            order = f"{_field(query.sort)}, id"
        if query.after is not None:
            clauses.append(f"({order}) > ({', '.join('?' for _ in query.after)})")
            values.extend(query.after)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        sql = f"SELECT body FROM {_name(query.collection)}{where} ORDER BY {order} LIMIT {int(query.limit)}"  # noqa: S608
        rows = await self._db.do(lambda db: db.execute(sql, values).fetchall())
        return [from_json(body) for (body,) in rows]

    async def count_by(self, collection: str, field: str, where: Mapping[str, Any]) -> dict[Any, int]:
        clauses, values = _conditions(where, collection, self._many.get(collection, frozenset()))
        condition = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        sql = f"SELECT {_field(field)}, count(*) FROM {_name(collection)}{condition} GROUP BY 1"  # noqa: S608
        return dict(await self._db.do(lambda db: db.execute(sql, values).fetchall()))

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        if not writes:
            return frozenset()
        return await self._db.do(lambda db: self._commit(db, writes))

    def _commit(self, db: sqlite3.Connection, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        lost = set()
        db.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                if not self._write(db, write):
                    lost.add((write.collection, write.id))
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        return frozenset(lost)

    def _write(self, db: sqlite3.Connection, write: Write) -> bool:
        table = _name(write.collection)
        many = self._many.get(write.collection, frozenset())
        match write:
            case Put(document=document, expected=None):
                sql = f"INSERT INTO {table} (id, v, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
                done = db.execute(sql, (write.id, document["v"], to_json(document).decode())).rowcount == 1
            case Put(document=document, expected=expected):
                sql = f"UPDATE {table} SET v = ?, body = ? WHERE id = ? AND v = ?"  # noqa: S608
                done = db.execute(sql, (document["v"], to_json(document).decode(), write.id, expected)).rowcount == 1
            case Clear(version=version, fields=fields):
                paths = ", ".join(f"'$.{_checked(name)}'" for name in fields)
                sql = f"UPDATE {table} SET body = json_remove(body, {paths}) WHERE id = ? AND v = ?"  # noqa: S608
                db.execute(sql, (write.id, version))
                return True
            case Remove(expected=expected):
                db.execute(f"DELETE FROM {table} WHERE id = ? AND v = ?", (write.id, expected))  # noqa: S608
                done = db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (write.id,)).fetchone() is None  # noqa: S608
        if done and many:
            _list_elements(db, write, many)
        return done


def _create(db: sqlite3.Connection, collections: Sequence[CollectionSpec]) -> None:
    for spec in collections:
        table = _name(spec.name)
        db.execute(f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY, v INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID")
        for index in spec.indexes:
            if index.many:
                elements = f"{table}_{_checked(index.fields[0])}"
                db.execute(f"CREATE TABLE IF NOT EXISTS {elements} (value, id TEXT, PRIMARY KEY (value, id)) WITHOUT ROWID")
                db.execute(f"CREATE INDEX IF NOT EXISTS {elements}_by_id ON {elements} (id)")
            else:
                fields = ", ".join(_field(name) for name in index.fields)
                db.execute(f"CREATE INDEX IF NOT EXISTS {table}_by_{'_'.join(map(_checked, index.fields))} ON {table} ({fields}, id)")


def _list_elements(db: sqlite3.Connection, write: Put | Remove, many: frozenset[str]) -> None:
    for name in many:
        elements = f"{_name(write.collection)}_{_checked(name)}"
        db.execute(f"DELETE FROM {elements} WHERE id = ?", (write.id,))  # noqa: S608
        if isinstance(write, Put):
            rows = [(value, write.id) for value in set(write.document.get(name) or ())]
            db.executemany(f"INSERT INTO {elements} (value, id) VALUES (?, ?)", rows)  # noqa: S608


def _conditions(where: Mapping[str, Any], collection: str, many: frozenset[str]) -> tuple[list[str], list[Any]]:
    clauses, values = [], []
    for name, wanted in where.items():
        clause, value = _condition(wanted)
        if name in many:
            clause = f"id IN (SELECT id FROM {_name(collection)}_{_checked(name)} WHERE value {clause})"  # noqa: S608
        else:
            clause = f"{_field(name)} {clause}"
        clauses.append(clause)
        values.extend(value)
    return clauses, values


def _condition(wanted: Any) -> tuple[str, list[Any]]:
    match wanted:
        case AnyOf(values):
            return f"IN ({', '.join('?' for _ in values)})", list(values)
        case AtMost(value):
            return "<= ?", [value]
        case None:
            return "IS NULL", []
        case _:
            return "= ?", [wanted]


def _field(name: str) -> str:
    return "id" if name == "_id" else f"json_extract(body, '$.{_checked(name)}')"


def _name(collection: str) -> str:
    return f"d_{_checked(collection)}"


def _checked(name: str) -> str:
    """A field or collection name as part of a statement; anything but letters, digits and underscores is a mistake of ours."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"not a name: {name!r}")
    return name
