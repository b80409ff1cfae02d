"""What both embedded ports need of SQLite: a connection set up alike, the only thread that touches it, and what a URL says about the folder.

Statements never interleave; several processes may open the same file (WAL, and a write waits up to 30 s for another). Durability: `?sync=full` (the
default) survives a power cut, `?sync=normal` survives kill -9 only.

What is deleted is overwritten where it stood (`secure_delete`). That is not all: when SQLite divides or merges pages, it leaves copies of what it
moved in the gaps of a page. So whoever opens a file that nobody else has open writes it anew first, when that has not been done for a day: a start takes
longer, and no call ever waits for it.
"""

import asyncio
import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl

import structlog

from amont.common.errors import Unavailable

T = TypeVar("T")
_logger = structlog.get_logger(__name__)

FORMAT = 2
"""The file's format (`PRAGMA user_version`); a file with a higher one is refused. Until 1 there was no column for the shell."""
CHECKPOINT_PAGES = 4000
"""How long the write-ahead log may get, in pages of 4 KB, before what it holds is written to its place: a page that changes often is written once."""
PATIENCE_SECONDS = 30.0
"""How long a write waits for another process to finish its own before the file is Unavailable."""
REWRITTEN_AFTER_SECONDS = 24 * 3600.0
"""The age at which a file is written anew."""
ROOM = 1.5
"""How many times its size must be free where a file is: as much again is written beside it until it is done."""


class NewerFormat(Exception):
    """The data folder was written by a newer Amont."""


def connect(path: Path, *, sync: str, patience: float = PATIENCE_SECONDS) -> sqlite3.Connection:
    """A connection set up as both embedded ports want it. A file that is made is its owner's alone to read: there are names in it. Raises NewerFormat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(path.parent):
        with suppress(OSError):  # of what is there, or cannot be made, SQLite tells
            os.close(
                os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            )  # never one that is there: to close it would drop SQLite's own locks
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
        try:
            _set_up(connection, path, sync=_checked_sync(sync), patience=patience)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Of several who open files of a folder at the same time the first is alone."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _set_up(connection: sqlite3.Connection, path: Path, *, sync: str, patience: float) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        raise NewerFormat(f"{path.name} has format {found}, this Amont knows up to {FORMAT}. Start it with the newer Amont that wrote it.")
    _write_anew(connection, path)
    _write_ahead(connection, patience)
    connection.execute(f"PRAGMA synchronous={sync.upper()}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute("PRAGMA secure_delete=ON")
    if found < FORMAT:
        connection.execute(f"PRAGMA user_version={FORMAT}")


def _write_anew(connection: sqlite3.Connection, path: Path) -> None:
    """Write the file anew if it is time to and nobody else has it open; who opens it meanwhile waits. What cannot be done is said, and hurts nobody."""
    began = time.time()
    try:
        is_new = connection.execute("PRAGMA page_count").fetchone() == (0,)
        connection.execute("CREATE TABLE IF NOT EXISTS rewritten (at REAL NOT NULL)")
        if is_new:
            connection.execute("INSERT INTO rewritten (at) VALUES (?)", (began,))
        (last,) = connection.execute("SELECT max(at) FROM rewritten").fetchone()
        if last is not None and 0 <= began - last < REWRITTEN_AFTER_SECONDS:
            return
        size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
        if free < ROOM * size:
            _logger.warning(
                "file_not_rewritten", file=path.name, reason=f"{free:,} bytes are free on its disk, and {ROOM * size:,.0f} are needed"
            )
            return
        if _alone(connection):
            connection.execute("VACUUM")
            connection.execute("DELETE FROM rewritten")
            connection.execute("INSERT INTO rewritten (at) VALUES (?)", (began,))
            _logger.info("file_rewritten", file=path.name, bytes=size, seconds=round(time.time() - began, 3))
    except sqlite3.Error as error:
        _logger.warning("file_not_rewritten", file=path.name, reason=str(error))
    finally:
        connection.execute("PRAGMA locking_mode=NORMAL")


def _alone(connection: sqlite3.Connection) -> bool:
    """Whether nobody else has the file open; if so, nobody can read or write it until the lock is given back. Its write-ahead log is gone then."""
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    try:
        return bool(connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",))
    except sqlite3.OperationalError:
        return False


def _write_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Switch to WAL. SQLite does not wait when another connection is just doing the same, so we do."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def split_url(rest: str) -> tuple[Path, str]:
    """The folder and the `sync` option of what follows `sqlite://`. Raises ValueError for any other option.

    `/./data` and `/../data` are relative, as people write them (`sqlite:///./data`); any other path that begins with a slash is absolute.
    """
    path, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    sync = _checked_sync(options.pop("sync", "full"))
    if options:
        raise ValueError(f"sqlite://{path} has the unknown option {next(iter(options))!r}; the only one is sync=full or sync=normal")
    return Path(path[1:] if path.startswith(("/./", "/../")) else path), sync


def _checked_sync(sync: str) -> str:
    if sync not in {"full", "normal"}:
        raise ValueError(f"sync is {sync!r}; write sync=full or sync=normal")
    return sync


class OneThread:
    """A connection and the only thread that touches it. Errors of the database leave as Unavailable, and so does what comes after `close`."""

    def __init__(self, path: Path, *, sync: str, patience: float = PATIENCE_SECONDS) -> None:
        self._path, self._sync, self._patience = path, sync, patience
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def open_again(self) -> None:
        """Answer from now on, if it was closed."""
        self._closed = False

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work on the thread; it has the connection to itself."""
        if self._closed:
            raise Unavailable(f"{self._path.name} has been closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._opened()))
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise Unavailable(f"SQLite does not answer: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, sync=self._sync, patience=self._patience)
        return self._connection

    async def close(self) -> None:
        self._closed = True

        def shut() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, shut)
