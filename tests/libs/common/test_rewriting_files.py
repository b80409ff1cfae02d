"""What a SQLite file still holds of what was deleted: copies in the gaps of its pages, until the file is written anew."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from amont.common.documents import CollectionSpec, Document, Put, Remove
from amont.common.documents.sqlite import SqliteStore
from amont.common.sqlite import REWRITE_AGAIN_SECONDS, REWRITTEN_AFTER_SECONDS

MARK = "Zquvantrel"
PEOPLE = CollectionSpec(name="people")


def a_day_goes_by(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE rewritten SET at = at - ?", (REWRITTEN_AFTER_SECONDS,))


def rewritten_at(path: Path) -> float:
    with closing(sqlite3.connect(path)) as db:
        return float(db.execute("SELECT at FROM rewritten").fetchone()[0])


def left_of_mark(folder: Path) -> int:
    return sum(file.read_bytes().count(MARK.encode()) for file in folder.iterdir())


async def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path, sync="normal", patience=0.2)
    await store.open([PEOPLE])
    return store


async def come_and_go(store: SqliteStore) -> None:
    """People of all sizes; those with the mark go, and the pages they were on are merged."""
    random = Random(7)

    def put(number: int, name: str) -> Put:
        document: Document = {"_id": f"{random.random()}-{number}", "v": 1, "name": name * random.randint(1, 40)}
        return Put(collection="people", document=document, expected=None)

    puts = [put(number, MARK if number % 3 else "somebody") for number in range(400)]
    for one in puts:
        await store.commit([one])
    random.shuffle(puts)
    for one in puts:
        if MARK in one.document["name"]:
            await store.commit([Remove(collection="people", id=one.id, expected=1)])


@contextmanager
def written_by_another(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


async def test_what_was_deleted_is_in_no_file_after_a_day_and_what_was_not_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = await opened(path)
    await come_and_go(store)
    await store.close()
    assert left_of_mark(tmp_path) > 0, "SQLite leaves nothing any more: then nothing need be written anew"
    a_day_goes_by(path)

    again = await opened(path)
    assert left_of_mark(tmp_path) == 0, "the write-ahead file lets go of it at once, too"
    assert await again.count_by("people", "v", {}) == {1: 134}
    await again.close()


async def test_a_file_that_was_written_anew_is_left_alone_for_a_day_whoever_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    await (await opened(path)).close()
    first = rewritten_at(path)
    await (await opened(path)).close()
    assert rewritten_at(path) == first


async def test_who_has_it_open_for_a_day_writes_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.sqlite"
    store = await opened(path)
    first = rewritten_at(path)
    monkeypatch.setattr(time, "time", lambda: first + REWRITTEN_AFTER_SECONDS - 1)
    await store.ping()
    assert rewritten_at(path) == first
    monkeypatch.setattr(time, "time", lambda: first + REWRITTEN_AFTER_SECONDS + 1)
    await store.ping()
    assert rewritten_at(path) == first + REWRITTEN_AFTER_SECONDS + 1
    await store.close()


async def test_while_another_process_writes_it_answers_all_the_same_says_so_and_tries_again_within_the_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.sqlite"
    store = await opened(path)
    due = rewritten_at(path) + REWRITTEN_AFTER_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: due)
    with written_by_another(path), capture_logs() as lines:
        assert await store.get("people", ["nobody"]) == {}
    assert [(line["event"], line["file"]) for line in lines] == [("file_not_rewritten", "store.sqlite")]
    monkeypatch.setattr(time, "time", lambda: due + REWRITE_AGAIN_SECONDS)
    await store.ping()
    assert rewritten_at(path) == due + REWRITE_AGAIN_SECONDS
    await store.close()
