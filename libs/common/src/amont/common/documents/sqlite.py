"""The store port on SQLite: one file per service, JSON documents in one table per collection, indexes on expressions.

For one machine. A list field declared `many` gets a side table with one row per element, kept in the same transaction.

Documents are in tables that have row ids: without them a document of more than a quarter of a page lies in pages of its own, and writing takes half
as much time again. A file of before keeps the tables it has; the statements are the same. What the shell keeps in a document (the fields that begin
with `_`) has a column of its own: clearing an outbox leaves the rest as it is, and so every index over it.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from amont.common.documents import LARGEST_DOCUMENT, AnyOf, AtMost, Clear, CollectionSpec, Document, Find, Put, Remove, Write, too_large
from amont.common.sqlite import PATIENCE_SECONDS, OneThread, split_url


class SqliteStore:
    """See the module."""

    def __init__(self, path: Path, *, sync: str = "full", patience: float = PATIENCE_SECONDS) -> None:
        self._db = OneThread(path, sync=sync, patience=patience)
        self._many: dict[str, frozenset[str]] = {}

    @classmethod
    def in_folder(cls, rest: str, database: str) -> "SqliteStore":
        folder, sync = split_url(rest)
        return cls(folder / f"{database}.sqlite", sync=sync)

    async def open(self, collections: Sequence[CollectionSpec]) -> None:
        for spec in collections:
            self._many[spec.name] = frozenset(name for index in spec.indexes if index.many for name in index.fields[:1])
        self._db.open_again()
        await self._db.do(lambda db: _create(db, collections))

    async def close(self) -> None:
        await self._db.close()

    async def ping(self) -> None:
        await self._db.do(lambda db: db.execute("SELECT 1").fetchone())

    async def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        if not ids:
            return {}
        sql = f"SELECT id, state, shell FROM {_name(collection)} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - names are ours
        rows = await self._db.do(lambda db: db.execute(sql, (to_json(list(ids)).decode(),)).fetchall())
        return {id_: _document(state, shell) for id_, state, shell in rows}

    async def find(self, query: Find) -> list[Document]:
        clauses, values = _conditions(query.where, query.collection, self._many.get(query.collection, frozenset()))
        order = "id" if query.sort is None else f"{_field(query.sort)}, id"
        if query.after is not None:
            clause, beyond = _beyond(query.sort, query.after)
            clauses.append(clause)
            values.extend(beyond)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        sql = f"SELECT state, shell FROM {_name(query.collection)}{where} ORDER BY {order} LIMIT {int(query.limit)}"  # noqa: S608
        rows = await self._db.do(lambda db: db.execute(sql, values).fetchall())
        return [_document(state, shell) for state, shell in rows]

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
        clears: dict[tuple[str, tuple[str, ...]], list[Clear]] = defaultdict(list)
        contested: list[Put | Remove] = []
        for write in writes:
            if isinstance(write, Clear):
                clears[write.collection, write.fields].append(write)
            else:
                contested.append(write)
        db.execute("BEGIN IMMEDIATE")
        try:
            lost = {(write.collection, write.id) for write in contested if not self._write(db, write)}
            for (collection, fields), group in clears.items():
                self._clear(db, collection, fields, group)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        return frozenset(lost)

    def _clear(self, db: sqlite3.Connection, collection: str, fields: tuple[str, ...], clears: Sequence[Clear]) -> None:
        table, listed = _name(collection), self._many.get(collection, frozenset()).intersection(fields)
        sql = f"UPDATE {table} SET {_removing(fields)} WHERE id = ? AND v = ?"  # noqa: S608
        rows = [(clear.id, clear.version) for clear in clears]
        if not listed:
            db.executemany(sql, rows)
            return
        for row in rows:
            if db.execute(sql, row).rowcount == 1:
                _unlist(db, table, row[0], listed)

    def _write(self, db: sqlite3.Connection, write: Put | Remove) -> bool:
        table = _name(write.collection)
        many = self._many.get(write.collection, frozenset())
        match write:
            case Put(document=document, expected=None):
                sql = f"INSERT INTO {table} (v, state, shell, id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
                done = db.execute(sql, (document["v"], *_columns(write), write.id)).rowcount == 1
            case Put(document=document, expected=expected):
                sql = f"UPDATE {table} SET v = ?, state = ?, shell = ? WHERE id = ? AND v = ?"  # noqa: S608
                done = db.execute(sql, (document["v"], *_columns(write), write.id, expected)).rowcount == 1
            case Remove(expected=expected):
                db.execute(f"DELETE FROM {table} WHERE id = ? AND v = ?", (write.id, expected))  # noqa: S608
                done = db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (write.id,)).fetchone() is None  # noqa: S608
        if done and many:
            _list_elements(db, write, many)
        return done


def _columns(put: Put) -> tuple[str, str]:
    """A document as state and shell."""
    state, shell = _split(put.document)
    if len(state) + len(shell) > LARGEST_DOCUMENT:
        raise too_large(put.collection, put.id, len(state) + len(shell))
    return state.decode(), shell.decode()


def _split(document: Document) -> tuple[bytes, bytes]:
    state = dict(document)
    shell = {name: state.pop(name) for name in document if _column(name) == "shell"}
    return to_json(state), to_json(shell)


def _document(state: str, shell: str) -> Document:
    document: dict[str, Any] = from_json(state)
    document.update(from_json(shell))
    return document


def _create(db: sqlite3.Connection, collections: Sequence[CollectionSpec]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for spec in collections:
            table = _name(spec.name)
            db.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY, v INTEGER NOT NULL, state TEXT NOT NULL, shell TEXT NOT NULL)"
            )
            _take_over(db, table)
            for index in spec.indexes:
                if index.many:
                    _create_elements(db, table, index.fields[0])
                else:
                    fields = ", ".join(_field(name) for name in index.fields)
                    sparse = f" WHERE {fields} IS NOT NULL" if index.sparse else ""
                    db.execute(
                        f"CREATE INDEX IF NOT EXISTS {table}_by_{'_'.join(map(_checked, index.fields))} ON {table} ({fields}, id){sparse}"
                    )
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _take_over(db: sqlite3.Connection, table: str) -> None:
    """A table of format 1 has one column, `body`. It gets another name, so that the statements of an older process that has the file open fail."""
    if "body" not in {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}:
        return
    for (index,) in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql LIKE '%body%'", (table,)
    ).fetchall():
        db.execute(f"DROP INDEX {index}")
    db.execute(f"ALTER TABLE {table} RENAME COLUMN body TO state")
    db.execute(f"ALTER TABLE {table} ADD COLUMN shell TEXT NOT NULL DEFAULT '{{}}'")
    last = ""
    while rows := db.execute(f"SELECT id, state FROM {table} WHERE id > ? ORDER BY id LIMIT 1000", (last,)).fetchall():  # noqa: S608
        parts = [(*(part.decode() for part in _split(from_json(state))), id_) for id_, state in rows]
        db.executemany(f"UPDATE {table} SET state = ?, shell = ? WHERE id = ?", parts)  # noqa: S608
        last = rows[-1][0]


def _create_elements(db: sqlite3.Connection, table: str, name: str) -> None:
    """The side table of a list field, with what older documents hold already."""
    elements = f"{table}_{_checked(name)}"
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (elements,)).fetchone():
        return
    db.execute(f"CREATE TABLE {elements} (value, id TEXT, PRIMARY KEY (value, id)) WITHOUT ROWID")
    db.execute(f"CREATE INDEX {elements}_by_id ON {elements} (id)")
    listed = f"SELECT DISTINCT one.value, {table}.id FROM {table}, json_each({table}.state, '$.{name}') one"  # noqa: S608
    db.execute(f"INSERT INTO {elements} (value, id) {listed} WHERE one.value IS NOT NULL")


def _list_elements(db: sqlite3.Connection, write: Put | Remove, many: frozenset[str]) -> None:
    """Write down what is new among the elements and strike out what is gone: most writes change no list."""
    for name in many:
        has = set(write.document.get(name) or ()) - {None} if isinstance(write, Put) else set()
        if write.expected is None and not has:
            continue
        elements = f"{_name(write.collection)}_{_checked(name)}"
        had = set()
        if write.expected is not None:
            had = {value for (value,) in db.execute(f"SELECT value FROM {elements} WHERE id = ?", (write.id,))}  # noqa: S608
        if gone := had - has:
            db.executemany(f"DELETE FROM {elements} WHERE value = ? AND id = ?", [(value, write.id) for value in gone])  # noqa: S608
        if new := has - had:
            db.executemany(f"INSERT INTO {elements} (value, id) VALUES (?, ?)", [(value, write.id) for value in new])  # noqa: S608


def _unlist(db: sqlite3.Connection, table: str, id_: str, names: Iterable[str]) -> None:
    for name in names:
        db.execute(f"DELETE FROM {table}_{_checked(name)} WHERE id = ?", (id_,))  # noqa: S608


def _conditions(where: Mapping[str, Any], collection: str, many: frozenset[str]) -> tuple[list[str], list[Any]]:
    clauses, values = [], []
    for name, wanted in where.items():
        begin, end = f"{_field(name)} ", ""
        if name in many:
            begin, end = f"id IN (SELECT id FROM {_name(collection)}_{_checked(name)} WHERE value ", ")"  # noqa: S608
        operator, value = _operator(wanted)
        or_absent = f" OR {_field(name)} IS NULL" if wanted is None or (isinstance(wanted, AnyOf) and None in wanted.values) else ""
        clauses.append(f"({begin}{operator}{end}{or_absent})")
        values.extend(value)
    return clauses, values


def _operator(wanted: Any) -> tuple[str, list[Any]]:
    """What compares with a wanted value, and what to bind; nothing compares with NULL, which is asked for apart."""
    match wanted:
        case AnyOf(values):
            return f"IN ({', '.join('?' for _ in values)})", list(values)
        case AtMost(value):
            return "<= ?", [value]
        case _:
            return "= ?", [wanted]


def _beyond(sort: str | None, after: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Keyset paging: strictly after the last document of the page before; documents without the sorted field come first."""
    if sort is None:
        return "id > ?", [after[0]]
    value, id_ = after
    if value is None:
        return f"({_field(sort)} IS NOT NULL OR id > ?)", [id_]
    return f"({_field(sort)}, id) > (?, ?)", [value, id_]


@cache
def _field(name: str) -> str:
    return "id" if name == "_id" else f"json_extract({_column(name)}, '$.{_checked(name)}')"


@cache
def _column(name: str) -> str:
    """Where a field is kept."""
    return "shell" if name.startswith("_") and name != "_id" else "state"


@cache
def _removing(names: tuple[str, ...]) -> str:
    """What sets the columns to what they are without these fields."""
    paths: dict[str, list[str]] = defaultdict(list)
    for name in names:
        paths[_column(name)].append(f"'$.{_checked(name)}'")
    return ", ".join(f"{column} = json_remove({column}, {', '.join(fields)})" for column, fields in paths.items())


@cache
def _name(collection: str) -> str:
    return f"d_{_checked(collection)}"


@cache
def _checked(name: str) -> str:
    """A field or collection name as part of a statement; anything but letters, digits and underscores is a mistake of ours."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"not a name: {name!r}")
    return name
