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
MOST_SEEDS = 20
"""Of every two or three, one leaves something."""
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


@contextmanager
def written_by_another(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


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
