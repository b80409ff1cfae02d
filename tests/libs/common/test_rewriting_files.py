"""What a SQLite file still holds of what was deleted: copies in the gaps of its pages, until the file is written anew
by whoever opens it alone."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs
from tests.support.rewriting import a_day_goes_by

from amont.common.documents import CollectionSpec, Document, Put, Remove
from amont.common.documents.sqlite import SqliteStore
from amont.common.sqlite import REWRITTEN_AFTER_SECONDS

MARK = "Zquvantrel"
MOST_SEEDS = 20
"""Of every two or three, one leaves something."""
PEOPLE = CollectionSpec(name="people")


def rewritten_at(path: Path) -> float:
    with closing(sqlite3.connect(path)) as db:
        return float(db.execute("SELECT at FROM rewritten").fetchone()[0])


def left_of_mark(folder: Path) -> int:
    return sum(file.read_bytes().count(MARK.encode()) for file in folder.iterdir())


async def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path, sync="normal", patience=0.2)
    await store.open([PEOPLE])
    return store


async def come_and_go(store: SqliteStore, seed: int) -> int:
    """People of all sizes come and go, page after page is divided and merged; in the end those with the mark are gone. How many are left."""
    random = Random(seed)

    def put(number: int) -> Put:
        name = MARK if number % 3 else "somebody"
        document: Document = {"_id": f"{random.random()}-{number}", "v": 1, "name": name * random.randint(1, 60)}
        return Put(collection="people", document=document, expected=None)

    here: list[Put] = []
    for number in range(3000):
        here.append(put(number))
        await store.commit([here[-1]])
        if number % 2:
            await store.commit([_gone(here.pop(random.randrange(len(here))))])
    for one in here:
        if MARK in one.document["name"]:
            await store.commit([_gone(one)])
    return sum(MARK not in one.document["name"] for one in here)


def _gone(one: Put) -> Remove:
    return Remove(collection="people", id=one.id, expected=1)


async def test_what_was_deleted_is_in_no_file_after_a_day_and_what_was_not_is_as_it_was(tmp_path: Path) -> None:
    path, left = tmp_path / "store.sqlite", 0
    for seed in range(MOST_SEEDS):
        store = await opened(path)
        left += await come_and_go(store, seed)
        await store.close()
        if left_of_mark(tmp_path):
            break
    else:
        pytest.fail("SQLite leaves nothing any more: then nothing need be written anew")
    a_day_goes_by(path)

    again = await opened(path)
    assert left_of_mark(tmp_path) == 0, "the write-ahead file lets go of it at once, too"
    assert await again.count_by("people", "v", {}) == {1: left}
    await again.close()


async def test_a_file_that_was_written_anew_is_left_alone_for_a_day(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    await (await opened(path)).close()
    first = rewritten_at(path)
    await (await opened(path)).close()
    assert rewritten_at(path) == first


async def test_while_somebody_else_has_it_open_it_is_left_alone_and_nobody_waits(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    there = await opened(path)
    a_day_goes_by(path)
    before = rewritten_at(path)
    another = await opened(path)
    assert await another.get("people", ["nobody"]) == {}
    assert rewritten_at(path) == before
    await another.close()
    await there.close()
    await (await opened(path)).close()
    assert rewritten_at(path) > before


async def test_a_clock_that_was_ahead_once_puts_it_off_no_longer_than_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    await (await opened(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE rewritten SET at = at + ?", (1000 * REWRITTEN_AFTER_SECONDS,))
    ahead = rewritten_at(path)
    await (await opened(path)).close()
    assert rewritten_at(path) < ahead


@pytest.mark.parametrize("what", ["no room", "damaged"])
async def test_what_cannot_be_rewritten_is_said_and_used_as_it_is(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.sqlite"
    store = await opened(path)
    await store.commit([Put(collection="people", document={"_id": "a", "v": 1}, expected=None)])
    await store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE unused (x)")
        db.execute("INSERT INTO unused VALUES (1)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'unused'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    a_day_goes_by(path)
    if what == "no room":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    else:
        with path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
    with capture_logs() as lines:
        again = await opened(path)
        assert await again.get("people", ["a"]) == {"a": {"_id": "a", "v": 1}}
    assert [(line["event"], line["file"]) for line in lines] == [("file_not_rewritten", "store.sqlite")]
    await again.commit([Put(collection="people", document={"_id": "b", "v": 1}, expected=None)])
    await again.close()
