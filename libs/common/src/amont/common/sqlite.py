"""What both embedded ports need of SQLite: a connection set up alike, the only thread that touches it, and what a URL says about the folder.

Statements never interleave; several processes may open the same file (WAL, and a write waits up to 30 s for another). Durability: `?sync=full` (the
default) survives a power cut, `?sync=normal` survives kill -9 only.

What is deleted is overwritten where it stood (`secure_delete`). That is not all: when SQLite divides or merges pages, it leaves copies of what it
moved in the gaps of a page. So whoever has a file open writes it anew (`VACUUM`) when that has not been done for a day.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
"""How long what was erased may stand in gaps of a page: the age at which a file is written anew."""
REWRITE_AGAIN_SECONDS = 3600.0
"""When it is tried again after another process wrote for too long, or the disk had no room for the file twice."""


class NewerFormat(Exception):
    """The data folder was written by a newer Amont."""


def connect(path: Path, *, sync: str, patience: float = PATIENCE_SECONDS) -> sqlite3.Connection:
    """A connection set up as both embedded ports want it. Raises NewerFormat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        _set_up(connection, path.name, sync=_checked_sync(sync), patience=patience)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, name: str, *, sync: str, patience: float) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        raise NewerFormat(f"{name} has format {found}, this Amont knows up to {FORMAT}. Start it with the newer Amont that wrote it.")
    _write_ahead(connection, patience)
    connection.execute(f"PRAGMA synchronous={sync.upper()}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute("PRAGMA secure_delete=ON")
    if found < FORMAT:
        connection.execute(f"PRAGMA user_version={FORMAT}")


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
        self._rewrite_at = 0.0
        """Unix seconds."""

    def open_again(self) -> None:
        """Answer from now on, if it was closed."""
        self._closed = False

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work on the thread; it has the connection to itself."""
        if self._closed:
            raise Unavailable(f"{self._path.name} has been closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise Unavailable(f"SQLite does not answer: {error}") from error

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._opened()
        now = time.time()
        if now >= self._rewrite_at:
            self._rewrite_at = _rewritten(connection, self._path.name, now)
        return work(connection)

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


def _rewritten(connection: sqlite3.Connection, name: str, now: float) -> float:
    """Write the file anew when it is time to; when to look again. It is locked for as long as that takes, and its last content leaves the WAL, too."""
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS rewritten (at REAL NOT NULL)")
        (last,) = connection.execute("SELECT max(at) FROM rewritten").fetchone()
        if last is None or now - last >= REWRITTEN_AFTER_SECONDS:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("DELETE FROM rewritten")
            connection.execute("INSERT INTO rewritten (at) VALUES (?)", (now,))
            last = now
    except sqlite3.OperationalError as error:
        _logger.warning("file_not_rewritten", file=name, reason=str(error), again_in_seconds=REWRITE_AGAIN_SECONDS)
        return now + REWRITE_AGAIN_SECONDS
    return float(last) + REWRITTEN_AFTER_SECONDS
