"""What the embedded log lets go of, and what not: the same as Kafka would, and nothing that somebody has still to read."""

import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from amont.common.log import Received, Record
from amont.common.log.sqlite import SqliteLog, SqliteReader

DAY = 24 * 3600.0
EVENTS, STATES, LETTERS = "hris-staff", "enrolment-employees", "dlq-enrolment"


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    one = SqliteLog(tmp_path / "log.sqlite", sync="normal")
    await one.open()
    yield one
    await one.close()


async def add(log: SqliteLog, topic: str, *pairs: tuple[str, bytes | None]) -> None:
    await log.append([Record(topic=topic, key=key, value=value) for key, value in pairs])


async def left_on(log: SqliteLog, topic: str) -> list[tuple[int, bytes | None]]:
    return [(one.offset, one.value) for one in await log.since(topic, 0, 100)]


async def read_all(log: SqliteLog, topic: str) -> None:
    async def take(_: Sequence[Received]) -> None:
        return

    reader = SqliteReader(log, "readers", topic, take)
    while await reader.drain():
        pass


async def later(log: SqliteLog, days: float) -> None:

    await log.tidy(time.time() + days * DAY)


async def test_events_go_after_seven_days_and_dead_letters_after_thirty(log: SqliteLog) -> None:
    for topic in (EVENTS, LETTERS):
        await add(log, topic, ("a", b"1"), ("b", b"2"))
        await read_all(log, topic)
    await later(log, 6.9)
    assert await left_on(log, EVENTS) == [(0, b"1"), (1, b"2")]
    await later(log, 7.1)
    assert await left_on(log, EVENTS) == [(1, None)]
    await later(log, 29.9)
    assert await left_on(log, LETTERS) == [(0, b"1"), (1, b"2")]
    await later(log, 30.1)
    assert await left_on(log, LETTERS) == [(1, None)]


async def test_the_next_record_counts_on_from_what_is_gone(log: SqliteLog) -> None:
    await add(log, EVENTS, ("a", b"1"), ("b", b"2"))
    await read_all(log, EVENTS)
    await later(log, 8)
    await add(log, EVENTS, ("c", b"3"))
    assert (await log.since(EVENTS, 0, 100))[-1].offset == 2
    assert [one.value for one in await log.read("readers", EVENTS, 10)] == [b"3"]


async def test_what_a_group_has_not_read_stays_however_old(log: SqliteLog) -> None:
    await add(log, EVENTS, ("a", b"1"))
    await read_all(log, EVENTS)
    await add(log, EVENTS, ("b", b"2"), ("c", b"3"))
    await later(log, 400)
    assert await left_on(log, EVENTS) == [(1, b"2"), (2, b"3")]


async def test_what_a_group_has_begun_to_read_and_not_finished_stays_also_before_its_first_commit(log: SqliteLog) -> None:
    async def cannot(_: Sequence[Received]) -> None:
        raise RuntimeError("a service that is new and not well")

    await add(log, EVENTS, ("a", b"1"), ("b", b"2"))
    await read_all(log, EVENTS)
    with pytest.raises(RuntimeError):
        await SqliteReader(log, "others", EVENTS, cannot).drain()
    await later(log, 400)
    assert await left_on(log, EVENTS) == [(0, b"1"), (1, b"2")]


async def test_of_a_state_the_last_record_of_each_key_stays_for_ever_and_after_a_tombstone_nothing(log: SqliteLog) -> None:
    await add(log, STATES, ("a", b"1"), ("b", b"1"), ("a", b"2"), ("c", b"1"), ("b", None))
    await read_all(log, STATES)
    await later(log, 0.9)
    assert len(await left_on(log, STATES)) == 5
    await later(log, 400)
    assert await left_on(log, STATES) == [(2, b"2"), (3, b"1"), (4, None)]
    assert (await log.since(STATES, 4, 1))[0].key == b""


async def test_a_topic_of_nobody_s_is_left_alone(log: SqliteLog) -> None:
    await add(log, "elsewhere", ("a", b"1"))
    await later(log, 400)
    assert await left_on(log, "elsewhere") == [(0, b"1")]


async def test_a_file_of_before_has_no_times_and_its_records_count_as_of_now(tmp_path: Path) -> None:

    db = sqlite3.connect(tmp_path / "log.sqlite")
    db.execute("CREATE TABLE records (topic TEXT, offset INTEGER, key TEXT, value BLOB, headers TEXT, PRIMARY KEY (topic, offset))")
    db.execute("INSERT INTO records VALUES (?, 0, 'a', ?, '[]')", (EVENTS, b"1"))
    db.commit()
    db.close()
    log = SqliteLog(tmp_path / "log.sqlite", sync="normal")
    await log.open()
    await read_all(log, EVENTS)
    await later(log, 6.9)
    assert await left_on(log, EVENTS) == [(0, b"1")]
    await later(log, 7.1)
    assert await left_on(log, EVENTS) == [(0, None)]
    await log.close()
