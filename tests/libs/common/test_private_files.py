"""A data folder's files hold names and addresses: whoever made them reads them, and nobody else on the machine."""

import asyncio
import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from amont.common.documents import CollectionSpec, Put
from amont.common.documents.sqlite import SqliteStore
from amont.common.errors import Unavailable
from amont.common.log import Record
from amont.common.log.sqlite import SqliteLog
from amont.common.sqlite import connect

THINGS = CollectionSpec(name="things")


def modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_whatever_a_store_and_a_log_write_is_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)  # the system would let everybody read and write
    try:
        store, log = SqliteStore(tmp_path / "store.sqlite", sync="normal"), SqliteLog(tmp_path / "log.sqlite", sync="normal")
        await store.open([THINGS])
        await log.open()
        await store.commit([Put(collection="things", document={"_id": "a", "v": 1}, expected=None)])
        await log.append([Record(topic="t", key="k", value=b"v", headers=())])
        files = modes(tmp_path)
    finally:
        os.umask(before)
    await store.close()
    await log.close()
    assert {"store.sqlite", "store.sqlite-wal", "log.sqlite", "log.sqlite-wal"} <= files.keys()
    assert set(files.values()) == {0o600}


async def test_a_file_that_cannot_be_made_is_told_as_any_other_failure_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").mkdir()
    with pytest.raises(Unavailable, match="SQLite does not answer"):
        await SqliteStore(tmp_path / "store.sqlite", sync="normal").open([THINGS])


async def test_to_open_a_file_once_more_drops_no_lock_of_whoever_has_it_open(tmp_path: Path) -> None:
    """POSIX drops a process's locks on a file when the process closes any descriptor of it; then another process that ends believes that it is the last one,
    and takes the write-ahead log away (SQLite, *How To Corrupt An SQLite Database File*, section 2.2).
    """
    file = tmp_path / "store.sqlite"
    with closing(connect(file, sync="normal")) as first:
        first.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        connect(file, sync="normal").close()
        another = f"import sqlite3; db = sqlite3.connect({str(file)!r}); db.execute('SELECT * FROM things').fetchall(); db.close()"
        assert await (await asyncio.create_subprocess_exec(sys.executable, "-c", another)).wait() == 0
        assert "store.sqlite-wal" in modes(tmp_path)
        first.execute("INSERT INTO things VALUES (1)")
    with closing(connect(file, sync="normal")) as again:
        assert again.execute("SELECT id FROM things").fetchall() == [(1,)]
