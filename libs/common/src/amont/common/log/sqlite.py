"""The event log on SQLite: one file that several processes of one machine may share. One partition a topic, offsets counted from 0.

Records are kept as long as their topic says (`events.topics`), and until every group that has begun to read it has read them: `tidy` removes what Kafka
would have removed.

A group reads a topic in one process at a time: whoever holds the lease, which is kept for as long as a batch is handled. A commit checks the lease
in the same statement, so that a process that was frozen cannot move the position of the one that took over.
"""

import asyncio
import contextlib
import itertools
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import structlog
from pydantic_core import from_json, to_json

from amont.common.errors import Unavailable
from amont.common.events.envelope import Event
from amont.common.events.topics import DAY_MS, TOPICS
from amont.common.log import BATCH_BYTES, Handler, RawHeaders, Received, Record
from amont.common.sqlite import PATIENCE_SECONDS, OneThread, split_url

ANSWER_WITHIN_SECONDS = 15.0
"""How long a call waits for another process's write: what `service.holding` takes an append to take at most."""
BATCH = 500
LEASE_SECONDS = 10.0
"""How long the others wait for a process that is silent before one of them takes over."""
POLL_SECONDS = 0.05
PAUSE_SECONDS = 0.5
"""How long a reader rests after a batch that failed."""
TIDY_SECONDS = 3600.0
"""How often a process removes what its topics keep no longer."""
COMPACTED_AFTER_SECONDS = 24 * 3600.0
"""How old a record of a compacted topic is before a later one of its key replaces it, and how long a tombstone stands: Kafka's own default."""
STUCK_SECONDS = 300.0
"""No batch takes this long: a handler gives up after its own back-off, which is much shorter."""

_TABLES = """
CREATE TABLE IF NOT EXISTS records (topic TEXT, offset INTEGER, key TEXT, value BLOB, headers TEXT, at REAL, PRIMARY KEY (topic, offset));
CREATE TABLE IF NOT EXISTS positions (grp TEXT, topic TEXT, next INTEGER NOT NULL, PRIMARY KEY (grp, topic)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (grp TEXT, topic TEXT, owner TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (grp, topic)) WITHOUT ROWID;
"""
_LEASE = """INSERT INTO leases (grp, topic, owner, until) VALUES (?, ?, ?, ?)
ON CONFLICT (grp, topic) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until < ?"""
_COMMIT = """INSERT INTO positions (grp, topic, next) SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM leases WHERE grp = ? AND topic = ? AND owner = ?)
ON CONFLICT (grp, topic) DO UPDATE SET next = excluded.next"""
_READ = """SELECT offset, key, value, headers FROM records
WHERE topic = ? AND offset >= coalesce((SELECT next FROM positions WHERE grp = ? AND topic = ?), 0) ORDER BY offset LIMIT ?"""
_DUE = """topic = :topic AND at < :before
AND NOT EXISTS (SELECT 1 FROM leases AS one WHERE topic = :topic AND NOT EXISTS (SELECT 1 FROM positions WHERE grp = one.grp AND topic = one.topic))
AND offset < coalesce((SELECT min(next) FROM positions WHERE topic = :topic), (SELECT max(offset) + 1 FROM records WHERE topic = :topic))"""
"""What nobody needs any more: read by every group that reads the topic. One that has a lease and no position has begun, and committed nothing yet."""
_OUTDATED = "(value IS NULL OR offset NOT IN (SELECT max(offset) FROM records WHERE topic = :topic GROUP BY key))"
_LAST = "offset = (SELECT max(offset) FROM records WHERE topic = :topic)"
_SINCE = "SELECT offset, key, value, headers FROM records WHERE topic = ? AND offset >= ? ORDER BY offset LIMIT ?"

_Row = tuple[int, str, bytes | None, str]

_logger = structlog.get_logger(__name__)


class SqliteLog:
    """See the module."""

    def __init__(self, path: Path, *, sync: str = "full", lease_seconds: float = LEASE_SECONDS, patience: float = PATIENCE_SECONDS) -> None:
        self.lease_seconds = lease_seconds
        self._path = path
        self._db = OneThread(path, sync=sync, patience=patience)
        self._appended = asyncio.Condition()
        self._tidied_at = 0.0

    @classmethod
    def in_folder(cls, rest: str) -> "SqliteLog":
        folder, sync = split_url(rest)
        return cls(folder / "log.sqlite", sync=sync, patience=ANSWER_WITHIN_SECONDS)

    @property
    def is_there(self) -> bool:
        """Whether there is a file: to open a log makes it."""
        return self._path.exists()

    async def open(self) -> None:
        self._db.open_again()
        await self._db.do(_make_tables)

    async def close(self) -> None:
        await self._db.close()

    async def ping(self) -> None:
        await self._db.do(lambda db: db.execute("SELECT 1").fetchone())

    async def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        until = time.monotonic() + ANSWER_WITHIN_SECONDS
        await self._db.do(lambda db: _append(db, records, until))
        async with self._appended:
            self._appended.notify_all()

    async def tidy_now_and_then(self) -> None:
        """For whoever has nothing else to do."""
        now = time.time()
        if now - self._tidied_at > TIDY_SECONDS:
            self._tidied_at = now
            with contextlib.suppress(Unavailable):
                await self.tidy(now)

    async def tidy(self, now: float) -> None:
        """Remove what its topic keeps no longer: what is older than its retention, and on a compacted one what is outdated. `now` is in Unix seconds.

        The last record of a topic is emptied and stays: the next offset is counted from it. Raises Unavailable.
        """
        await self._db.do(lambda db: _tidy(db, now))

    def reader(self, group: str, topic: str, handler: Handler, *, types: Sequence[type[Event]] = ()) -> "SqliteReader":  # noqa: ARG002
        return SqliteReader(self, group, topic, handler)

    async def wait(self, seconds: float) -> None:
        """Until something is appended by this process, or the time is over."""
        async with self._appended:
            try:
                await asyncio.wait_for(self._appended.wait(), seconds)
            except TimeoutError:
                return

    async def read(self, group: str, topic: str, limit: int, *, within: int | None = None) -> list[Received]:
        """What comes next for a group: so many records, of so many bytes or one larger record."""
        return await self._records(topic, _READ, (topic, group, topic, limit), within)

    async def since(self, topic: str, offset: int, limit: int, *, within: int | None = None) -> list[Received]:
        """What is on a topic from an offset on, for whoever only looks; limits as for `read`."""
        return await self._records(topic, _SINCE, (topic, offset, limit), within)

    async def _records(self, topic: str, question: str, values: tuple[Any, ...], within: int | None) -> list[Received]:
        rows = await self._db.do(lambda db: _rows(db, question, values, within))
        return [_received(topic, row) for row in rows]

    async def lease(self, group: str, topic: str, owner: str, seconds: float) -> bool:
        """Take or keep the right to read; False while another process has it. A negative time gives it back."""
        now = time.time()
        return await self._db.do(lambda db: db.execute(_LEASE, (group, topic, owner, now + seconds, now)).rowcount == 1)

    async def commit(self, group: str, topic: str, position: int, owner: str) -> bool:
        """Move a group's position; False when the lease has gone to somebody else."""
        return await self._db.do(lambda db: db.execute(_COMMIT, (group, topic, position, group, topic, owner)).rowcount == 1)


class SqliteReader:
    """One subscription. `drain` handles what is there and returns; `start` does so for ever."""

    def __init__(self, log: SqliteLog, group: str, topic: str, handler: Handler) -> None:
        self._log, self._group, self._topic, self._handler = log, group, topic, handler
        self._owner = uuid.uuid4().hex
        self._leased_until = 0.0
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._took_at = 0.0
        """When the batch in hand was taken; 0 while there is none."""

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    async def trouble(self) -> str | None:
        if self._stopping:
            return None
        if not self.alive:
            return "its loop has ended"
        taken = time.monotonic() - self._took_at if self._took_at else 0.0
        return f"it has been at one batch for {taken:.0f} s" if taken > STUCK_SECONDS else None

    async def start(self) -> None:
        self._stopping = False
        self._task = asyncio.create_task(self._read_on(), name=f"read {self._topic} for {self._group}")

    async def stop(self) -> None:
        self._stopping = True
        if self._task is not None:
            try:
                await asyncio.wait([self._task])
            except asyncio.CancelledError:  # nobody waits for what is in hand: it is cut off, and its position does not move
                self._task.cancel()
                await asyncio.wait([self._task])
                raise
            self._task = None
        with contextlib.suppress(Unavailable):  # then the lease runs out by itself
            await self.release()

    async def release(self) -> None:
        """Let another process read at once."""
        if self._leased_until:
            self._leased_until = 0.0
            await self._log.lease(self._group, self._topic, self._owner, -self._log.lease_seconds)

    async def drain(self) -> int:
        """Hand over one batch if there is one and commit behind it; how many records it held. What the handler raises passes through."""
        if not await self._holds_lease():
            return 0
        batch = await self._log.read(self._group, self._topic, BATCH, within=BATCH_BYTES)
        if batch:
            self._took_at = time.monotonic()
            try:
                async with self._keeping_lease():
                    await self._handler(batch)
            finally:
                self._took_at = 0.0
            if not await self._log.commit(self._group, self._topic, batch[-1].offset + 1, self._owner):
                _logger.warning("lease_lost", topic=self._topic, group=self._group, records=len(batch))
        return len(batch)

    @contextlib.asynccontextmanager
    async def _keeping_lease(self) -> AsyncIterator[None]:
        """However long a batch takes: two processes whose leases ran out in turn would handle it in turn for ever."""
        keeper = asyncio.create_task(self._keep_lease(), name=f"keep {self._topic} for {self._group}")
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._log.lease_seconds / 3)
            with contextlib.suppress(Unavailable):
                await self._holds_lease()

    async def _holds_lease(self) -> bool:
        now = time.time()
        lease = self._log.lease_seconds
        if self._leased_until - now < lease / 2:
            held = await self._log.lease(self._group, self._topic, self._owner, lease)
            self._leased_until = now + lease if held else 0.0
        return self._leased_until > 0

    async def _read_on(self) -> None:
        while not self._stopping:
            try:
                handled = await self.drain()
            except Unavailable as error:
                _logger.warning("batch_not_handled", topic=self._topic, group=self._group, reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:
                _logger.exception("batch_failed", topic=self._topic, group=self._group)
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                if not handled:
                    await self._log.tidy_now_and_then()
                    await self._log.wait(POLL_SECONDS)


def _append(db: sqlite3.Connection, records: Sequence[Record], until: float) -> None:
    """Not after `until` (monotonic seconds): the calls before this one may have waited, and whoever asked waits no more."""
    db.execute("BEGIN IMMEDIATE")
    if time.monotonic() > until:
        db.execute("ROLLBACK")
        raise Unavailable("SQLite does not answer: another process wrote for too long")
    try:
        offsets = {topic: itertools.count(_end(db, topic)) for topic in {record.topic for record in records}}
        now = time.time()
        rows = [(one.topic, next(offsets[one.topic]), one.key, one.value, _to_json(one.headers), now) for one in records]
        db.executemany("INSERT INTO records (topic, offset, key, value, headers, at) VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _rows(db: sqlite3.Connection, question: str, values: tuple[Any, ...], within: int | None) -> list[_Row]:
    """The rows of records, those that go beyond so many bytes left in the file; the first one comes in any case."""
    with contextlib.closing(db.execute(question, values)) as found:
        if within is None:
            return found.fetchall()
        rows: list[_Row] = []
        held = 0
        for row in found:
            _, key, value, headers = row
            held += len(key) + len(value or b"") + len(headers)
            if rows and held > within:
                break
            rows.append(row)
        return rows


def _received(topic: str, row: _Row) -> Received:
    offset, key, value, headers = row
    return Received(topic=topic, partition=0, offset=offset, key=key.encode(), value=value, headers=_from_json(headers))


def _make_tables(db: sqlite3.Connection) -> None:
    """A log of before has no times: its records count as of now."""
    db.executescript(_TABLES)
    if "at" not in {name for _, name, *_ in db.execute("PRAGMA table_info(records)")}:
        db.execute("ALTER TABLE records ADD COLUMN at REAL")
    db.execute("UPDATE records SET at = ? WHERE at IS NULL", (time.time(),))


def _tidy(db: sqlite3.Connection, now: float) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for topic in TOPICS.values():
            due = f"{_DUE} AND {_OUTDATED}" if topic.compacted else _DUE
            kept = COMPACTED_AFTER_SECONDS if topic.compacted else topic.retention_days * DAY_MS / 1000
            values = {"topic": topic.name, "before": now - kept}
            db.execute(f"DELETE FROM records WHERE {due} AND NOT {_LAST}", values)  # noqa: S608
            db.execute(f"UPDATE records SET key = '', value = NULL, headers = '[]' WHERE {due} AND {_LAST}", values)  # noqa: S608
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _end(db: sqlite3.Connection, topic: str) -> int:
    end: int = db.execute("SELECT coalesce(max(offset) + 1, 0) FROM records WHERE topic = ?", (topic,)).fetchone()[0]
    return end


def _to_json(headers: RawHeaders) -> str:
    return to_json([[name, None if value is None else value.decode("latin-1")] for name, value in headers]).decode()


def _from_json(text: str) -> RawHeaders:
    return tuple((name, None if value is None else value.encode("latin-1")) for name, value in from_json(text))
