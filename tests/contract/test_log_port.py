"""The event log port's contract, on every adapter: memory, SQLite, and Apache Kafka through FastStream and aiokafka."""

import asyncio
import signal
import sqlite3
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from amont.common.clock import FixedClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.errors import Conflict, Unavailable
from amont.common.events import SubsidiaryChanged
from amont.common.ids import SeededIds
from amont.common.log import BATCH_BYTES, Log, Received, Record, log_from
from amont.common.log import kafka_reader as kafka_adapter
from amont.common.log import sqlite as sqlite_adapter
from amont.common.log.kafka import KafkaLog, KafkaOptions
from amont.common.log.sqlite import SqliteLog
from amont.common.log.topics import create
from amont.common.service.consumer import Consumer
from amont.common.service.letters.letter import LETTERS as DEAD_LETTERS
from amont.common.service.letters.letter import DeadLetter
from amont.common.service.unit import Unit
from amont.common.testing.hearing import START, record_of
from amont.common.testing.memory import Broker, MemoryLog
from amont.common.testing.memory import log as memory_adapter
from amont.common.testing.waiting import until
from amont.common.work import House, Work
from amont.native.servers import Kafka
from amont.native.stack import available

OPTIONS = KafkaOptions(session_timeout_ms=1000, answer_within_seconds=2.0)
LEASE = 0.5
PARTITIONS = 4


class Place:
    """Where logs of one adapter are, with a topic that no other test has."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.topic = f"t-{uuid.uuid4().hex[:12]}"
        self._made: list[Log] = []
        self._broker = Broker(partitions=PARTITIONS, session_seconds=1.0)

    async def open(self) -> Log:
        log: Log
        if self.url == "memory":
            log = MemoryLog(self._broker, client_id=f"test-{len(self._made)}")
        elif self.url.startswith("sqlite://"):
            log = SqliteLog(Path(self.url.removeprefix("sqlite://")), sync="normal", lease_seconds=LEASE, patience=0.1)
        else:
            log = KafkaLog(self.url.removeprefix("kafka://"), client_id="test", options=OPTIONS)
        self._made.append(log)
        await log.open()
        return log

    async def close(self) -> None:
        for log in self._made:
            await log.close()

    def group(self, name: str = "g") -> str:
        """A group that no other test has."""
        return f"{name}-{self.topic}"

    def records(self, count: int, *, keys: int = 1, begin: int = 0) -> list[Record]:
        """Records whose values are numbered, dealt out to so many keys."""
        return [Record(topic=self.topic, key=f"k{n % keys}", value=str(n).encode()) for n in range(begin, begin + count)]


async def create_topics(url: str, *topics: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=url.removeprefix("kafka://"))
    await admin.start()
    try:
        await create(admin, [NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1) for topic in topics])
    finally:
        await admin.close()


@pytest.fixture(params=["memory", "sqlite", "kafka"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    urls = {"memory": lambda: "memory", "sqlite": lambda: f"sqlite://{tmp_path / 'log.sqlite'}"}
    place = Place(urls.get(request.param, lambda: request.getfixturevalue("servers").log_url)())
    if request.param == "kafka":
        await create_topics(place.url, place.topic)
    yield place
    await place.close()


@pytest.fixture
async def log(place: Place) -> Log:
    return await place.open()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for adapter in (memory_adapter, sqlite_adapter, kafka_adapter):
        monkeypatch.setattr(adapter, "PAUSE_SECONDS", 0.02)


@dataclass
class Hears:
    """A handler that remembers, and does something first when told to."""

    records: list[Received] = field(default_factory=list)
    before: Callable[[Sequence[Received]], Awaitable[None]] | None = None
    batches: int = 0

    async def __call__(self, batch: Sequence[Received]) -> None:
        self.batches += 1
        if self.before:
            await self.before(batch)
        self.records += batch

    @property
    def numbers(self) -> list[int]:
        return [int(record.value or b"") for record in self.records]

    def by_key(self) -> dict[str, list[int]]:
        heard = defaultdict(list)
        for record in self.records:
            heard[record.key.decode()].append(int(record.value or b""))
        return heard

    async def all(self, *numbers: int, within: float = 15) -> None:
        await until(lambda: set(numbers) <= set(self.numbers), within)


def first_time(numbers: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


# --- reading in order ---------------------------------------------------------------------------------------------------------------


async def test_a_thousand_records_over_fifty_keys_are_read_once_and_in_order_within_a_key(place: Place, log: Log) -> None:
    for begin in range(0, 1000, 250):
        await log.append(place.records(250, keys=50, begin=begin))
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await until(lambda: len(hears.records) >= 1000)
    await reader.stop()
    assert hears.by_key() == {f"k{key}": list(range(key, 1000, 50)) for key in range(50)}
    positions = {(record.partition, record.offset) for record in hears.records}
    assert len(positions) == 1000
    assert {record.topic for record in hears.records} == {place.topic}


async def test_every_group_hears_everything_and_a_new_one_from_the_earliest_record(place: Place, log: Log) -> None:
    await log.append(place.records(20, keys=5))
    groups = [Hears() for _ in range(2)]
    readers = [log.reader(place.group(str(n)), place.topic, hears) for n, hears in enumerate(groups)]
    for reader in readers:
        await reader.start()
    await log.append(place.records(20, keys=5, begin=20))
    for hears, reader in zip(groups, readers, strict=True):
        await hears.all(*range(40))
        await reader.stop()
        assert sorted(hears.numbers) == list(range(40))
    late = Hears()
    reader = log.reader(place.group("late"), place.topic, late)
    await reader.start()
    await late.all(*range(40))
    await reader.stop()


async def test_one_group_in_two_processes_loses_nothing_and_keeps_the_order_within_a_key(place: Place, log: Log) -> None:
    together: list[Received] = []

    async def remember(batch: Sequence[Received]) -> None:
        together.extend(batch)

    other = await place.open()
    readers = [one.reader(place.group(), place.topic, Hears(before=remember)) for one in (log, other)]
    await readers[0].start()
    for begin in range(0, 400, 20):
        await log.append(place.records(20, keys=8, begin=begin))
        if begin == 100:
            await readers[1].start()
        if begin == 300:
            await readers[0].stop()
    everything = Hears(together)
    await everything.all(*range(400))
    await readers[1].stop()
    assert {key: first_time(numbers) for key, numbers in everything.by_key().items()} == {f"k{k}": list(range(k, 400, 8)) for k in range(8)}


async def test_nothing_is_appended_by_appending_nothing(place: Place, log: Log) -> None:
    await log.append([])
    await log.ping()
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await log.append(place.records(1))
    await hears.all(0)
    await reader.stop()
    assert hears.numbers == [0]


# --- what must come again, and what must not ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Unavailable("the store is away"), KeyError("a defect of the handler")])
async def test_a_batch_that_could_not_be_handled_comes_again_before_anything_else(place: Place, log: Log, error: Exception) -> None:
    came: list[list[int]] = []

    async def fail_at_first(batch: Sequence[Received]) -> None:
        came.append([int(record.value or b"") for record in batch])
        if len(came) <= 3:
            raise error

    await log.append(place.records(10))
    hears = Hears(before=fail_at_first)
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await until(lambda: bool(came))
    await log.append(place.records(10, begin=10))
    await hears.all(*range(20))
    assert reader.alive
    await reader.stop()
    assert hears.numbers == list(range(20))
    assert [numbers[0] for numbers in came[:4]] == [0, 0, 0, 0]


async def test_a_reader_torn_down_between_effect_and_commit_gets_the_batch_again(place: Place, log: Log) -> None:
    async def torn_down(_: Sequence[Received]) -> None:
        first.records += _
        raise asyncio.CancelledError

    first = Hears(before=torn_down)
    await log.append(place.records(5))
    reader = log.reader(place.group(), place.topic, first)
    await reader.start()
    await first.all(*range(5))
    await until(lambda: not reader.alive)
    await reader.stop()
    second = Hears()
    reader = (await place.open()).reader(place.group(), place.topic, second)
    await reader.start()
    await second.all(*range(5))
    await reader.stop()


async def test_what_a_killed_process_had_handled_but_not_committed_comes_again(place: Place, log: Log, child: Any) -> None:
    if place.url == "memory":
        pytest.skip("no other process can reach it; the simulator kills its own")
    await log.append(place.records(30, keys=4))
    other = await child("handle", place.url, place.topic, place.group())
    handled = await other.lines_until("handled")
    assert handled
    await other.kill()
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await hears.all(*range(30))
    await reader.stop()
    assert sorted(hears.numbers) == list(range(30))


async def test_stopping_lets_the_batch_in_hand_finish_and_commits_it(place: Place, log: Log) -> None:
    may_finish = asyncio.Event()

    async def slowly(_: Sequence[Received]) -> None:
        await may_finish.wait()

    first = Hears(before=slowly)
    await log.append(place.records(5))
    reader = log.reader(place.group(), place.topic, first)
    await reader.start()
    await until(lambda: first.batches == 1)
    stopping = asyncio.create_task(reader.stop())
    await log.append(place.records(5, begin=5))
    assert not stopping.done()
    may_finish.set()
    await stopping
    assert not reader.alive
    assert first.batches == 1
    second = Hears()
    reader = (await place.open()).reader(place.group(), place.topic, second)
    await reader.start()
    await second.all(*set(range(10)) - set(first.numbers))
    await reader.stop()
    assert first.numbers
    assert sorted(first.numbers + second.numbers) == list(range(10))


async def test_a_stop_that_nobody_waits_for_any_more_cuts_off_what_is_in_hand_and_commits_nothing(place: Place, log: Log) -> None:
    ended: list[bool] = []

    async def endless(_: Sequence[Received]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    first = Hears(before=endless)
    await log.append(place.records(5))
    reader = log.reader(place.group(), place.topic, first)
    await reader.start()
    await until(lambda: first.batches > 0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.stop(), 0.1)
    assert len(ended) == first.batches
    assert first.numbers == []
    await log.close()
    second = Hears()
    reader = (await place.open()).reader(place.group(), place.topic, second)
    await reader.start()
    await second.all(*range(5), within=40)
    await reader.stop()


async def test_a_log_that_was_closed_takes_nothing_until_it_is_opened_again(place: Place, log: Log) -> None:
    await log.close()
    for call in (log.ping, lambda: log.append(place.records(1))):
        with pytest.raises(Unavailable, match="closed"):
            await call()
    await log.open()
    await log.append(place.records(1))


async def test_positions_survive_closing_and_opening(place: Place, log: Log) -> None:
    heard = []
    for begin in (0, 50):
        await log.append(place.records(50, keys=7, begin=begin))
        hears = Hears()
        reader = log.reader(place.group(), place.topic, hears)
        await reader.start()
        await hears.all(*range(begin, begin + 50))
        await reader.stop()
        await log.close()
        heard += hears.numbers
        log = await place.open()
    assert sorted(heard) == list(range(100))


async def test_a_reader_that_was_stopped_can_be_started_again(place: Place, log: Log) -> None:
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    assert not reader.alive
    for begin in (0, 5):
        await log.append(place.records(5, begin=begin))
        await reader.start()
        assert reader.alive
        await hears.all(*range(begin + 5))
        await reader.stop()
        assert not reader.alive
    assert hears.numbers == list(range(10))


# --- records of any kind ------------------------------------------------------------------------------------------------------------

ODD = (
    (b"tombstone", None, ()),
    (b"empty", b"", ()),
    (b"", b"no key", ()),
    ("naïve 🙂 \x00".encode(), b"\xff\xfe\x00", (("n\u00e4me", b"1"), ("n\u00e4me", b"2"))),
    (b"headers", b"v", (("broken", b"\xff\xfe"), ("none", None), ("empty", b""), ("ce_id", b"\x80"))),
)


def good(place: Place, begin: int) -> list[Record]:
    return [Record(topic=place.topic, key="good", value=str(n).encode()) for n in range(begin, begin + 3)]


async def test_odd_records_among_good_ones_are_delivered_as_they_are(place: Place, log: Log) -> None:
    odd = [Record(topic=place.topic, key=key.decode(), value=value, headers=headers) for key, value, headers in ODD]
    await log.append([*good(place, 0), *odd, *good(place, 3)])
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await until(lambda: len(hears.records) == 6 + len(ODD))
    await reader.stop()
    assert [record.value for record in hears.records if record.key == b"good"] == [str(n).encode() for n in range(6)]
    assert {(record.key, record.value, record.headers) for record in hears.records if record.key != b"good"} == set(ODD)


async def test_records_of_foreign_kafka_clients_are_delivered_as_they_are(servers: Any) -> None:
    """FastStream's own parser raises on the header, and the whole batch would be skipped."""
    place = Place(servers.log_url)
    await create_topics(place.url, place.topic)
    log = await place.open()
    async with AIOKafkaProducer(bootstrap_servers=place.url.removeprefix("kafka://")) as foreign:
        for key, value, headers in (*ODD, (b"\xff\xfe", b"broken key", ()), (None, b"no key at all", ())):
            await foreign.send_and_wait(place.topic, value=value, key=key, headers=list(headers), partition=0)
            await foreign.send_and_wait(place.topic, value=b"good", key=b"good", partition=0)
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await until(lambda: len(hears.records) == 14)
    await reader.stop()
    await place.close()
    assert [record.value for record in hears.records[1::2]] == [b"good"] * 7
    expected = [*ODD, (b"\xff\xfe", b"broken key", ()), (b"", b"no key at all", ())]
    assert [(record.key, record.value, record.headers) for record in hears.records[::2]] == expected


# --- outages ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_kafka(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker that a test may pause and kill: ours, or another one when somebody else runs the servers."""
    if servers.stack:
        yield servers.stack.kafka
        return
    if reason := available():
        pytest.skip(reason)
    broker = Kafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


async def is_unavailable(call: Awaitable[Any], within: float) -> None:
    async with asyncio.timeout(within):
        [outcome] = await asyncio.gather(call, return_exceptions=True)
    assert type(outcome) is Unavailable  # and nothing of the client


async def works(call: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await call()
    except Unavailable:
        return False
    return True


@pytest.mark.parametrize("outage", ["killed", "silent"])
async def test_a_broker_that_is_away_is_unavailable_and_everything_works_when_it_is_back(own_kafka: Kafka, outage: str) -> None:
    place = Place(own_kafka.url)
    await create_topics(place.url, place.topic)
    log = await place.open()
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await log.append(place.records(10))
    await hears.all(*range(10))
    await asyncio.to_thread(own_kafka.kill if outage == "killed" else own_kafka.pause)
    try:
        fresh = KafkaLog(place.url.removeprefix("kafka://"), client_id="test", options=OPTIONS)
        lost = place.records(10, begin=10)
        others = log.reader(place.group("other"), place.topic, Hears())
        calls = (log.ping(), log.append(lost), log.append(lost), fresh.open(), others.start())
        await asyncio.gather(*(is_unavailable(call, within=5) for call in calls))
        await is_unavailable(log.append(lost), within=5)
        await fresh.close()
    finally:
        await asyncio.to_thread(own_kafka.start if outage == "killed" else own_kafka.resume)
    await until(lambda: works(lambda: log.append(place.records(10, begin=20))), within=20)
    await hears.all(*range(20, 30), within=30)
    assert reader.alive
    await reader.stop()
    late = [number for number in first_time(hears.numbers) if number >= 20]
    assert late == list(range(20, 30))
    await place.close()


async def test_a_producer_that_is_stuck_is_replaced(servers: Any) -> None:
    """As after a fatal error of an idempotent producer (aiokafka #1017): it takes records and sends none."""
    place = Place(servers.log_url)
    await create_topics(place.url, place.topic)
    log = await place.open()
    assert isinstance(log, KafkaLog)
    await log.append(place.records(1))
    log._producer._sender.sender_task.cancel()  # type: ignore[union-attr]
    await asyncio.gather(*(is_unavailable(log.append(place.records(1, begin=1)), within=6) for _ in range(2)))
    await log.append(place.records(1, begin=2))
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await hears.all(0, 2)
    await reader.stop()
    assert hears.numbers == [0, 2]
    await place.close()


async def test_what_was_given_to_a_broker_that_is_away_never_comes_once_its_caller_is_cancelled(own_kafka: Kafka) -> None:
    """Or it would land behind what others say when the broker is back."""
    place = Place(own_kafka.url)
    await create_topics(place.url, place.topic)
    log, other = await place.open(), await place.open()
    for one in (log, other):
        await one.append(place.records(1))
    await asyncio.to_thread(own_kafka.kill)
    try:
        cancelled = asyncio.create_task(log.append(place.records(1, begin=1)))
        assert isinstance(log, KafkaLog)
        held = log._producer._message_accumulator  # type: ignore[union-attr]
        await until(lambda: any(held._batches.values()) or bool(held._pending_batches))
        cancelled.cancel()
        await asyncio.wait([cancelled])
    finally:
        await asyncio.to_thread(own_kafka.start)
    for number, one in ((2, other), (3, log)):
        await until(lambda one=one, number=number: works(lambda: one.append(place.records(1, begin=number))), within=20)  # type: ignore[misc]
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await hears.all(2, 3, within=30)
    await reader.stop()
    assert 1 not in hears.numbers
    await place.close()


async def test_an_append_to_a_locked_file_is_done_in_time_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its caller is cancelled or waits: the thread goes on, and calls before it may have used up the time."""
    monkeypatch.setattr(sqlite_adapter, "ANSWER_WITHIN_SECONDS", 0.2)
    log = SqliteLog(tmp_path / "log.sqlite", sync="normal", patience=30.0)
    await log.open()
    locker = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    calls = [asyncio.create_task(log.append([Record(topic="t", key="k", value=name)])) for name in (b"cancelled", b"waiting")]
    await asyncio.sleep(0)
    calls[0].cancel()
    await until(lambda: time.monotonic() - began > 0.3)
    locker.execute("ROLLBACK")
    locker.close()
    await is_unavailable(calls[1], within=5)
    await log.append([Record(topic="t", key="k", value=b"later")])
    assert [one.value for one in await log.read("g", "t", 10)] == [b"later"]
    await log.close()


async def test_a_topic_that_does_not_exist_is_unavailable_and_not_made(servers: Any) -> None:
    place = Place(servers.log_url)
    log = await place.open()
    await is_unavailable(log.append(place.records(1)), within=5)
    await create_topics(place.url, place.topic)  # refused if it were there
    await until(lambda: works(lambda: log.append(place.records(1))))
    await place.close()


async def test_a_locked_file_is_unavailable_and_everything_works_when_it_is_free(tmp_path: Path) -> None:
    place = Place(f"sqlite://{tmp_path / 'log.sqlite'}")
    log = await place.open()
    hears = Hears()
    reader = log.reader(place.group(), place.topic, hears)
    await reader.start()
    await log.append(place.records(5))
    await hears.all(*range(5))
    locker = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    await is_unavailable(log.append(place.records(5, begin=5)), within=2)
    stopping = asyncio.create_task(log.reader(place.group("other"), place.topic, hears).stop())
    locker.execute("ROLLBACK")
    locker.close()
    await stopping
    await log.append(place.records(5, begin=5))
    await hears.all(*range(10))
    assert reader.alive
    await reader.stop()
    await place.close()


@pytest.mark.parametrize("url", ["", "log", "kafka://", "sqlite://", "redis://host", "sqlite:///folder?sync=no"])
def test_a_url_that_names_no_log_is_refused_with_what_is_accepted(url: str) -> None:
    with pytest.raises(ValueError, match=r"AMONT_LOG_URL .*kafka://host:port or sqlite:///folder|sync=full or sync=normal"):
        log_from(url, client_id="test")


# --- SQLite alone -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(f"sqlite://{tmp_path / 'log.sqlite'}")
    yield place
    await place.close()


async def test_a_process_that_was_frozen_cannot_move_the_position_of_the_one_that_took_over(file: Place, child: Any) -> None:
    log = await file.open()
    await log.append(file.records(10))
    frozen = await child("handle", file.url, file.topic, "g")
    assert await frozen.lines_until("handled") == [str(n) for n in range(10)]
    frozen.process.send_signal(signal.SIGSTOP)
    hears = Hears()
    reader = log.reader("g", file.topic, hears)
    await reader.start()
    await hears.all(*range(10))
    await log.append(file.records(10, begin=10))
    await hears.all(*range(20))
    frozen.process.send_signal(signal.SIGCONT)
    await frozen.hears("finish")
    assert isinstance(log, SqliteLog)
    await log.append(file.records(1, begin=20))
    await hears.all(20)
    await reader.stop()
    await log.append(file.records(1, begin=21))
    assert await frozen.lines_until("handled") == ["21"]
    assert hears.numbers == list(range(21))


async def test_a_lease_is_kept_for_as_long_as_a_batch_takes(file: Place) -> None:
    """Otherwise two processes with slow batches take the lease from each other in turn, and none ever commits."""
    log, other = await file.open(), await file.open()
    may_finish = asyncio.Event()

    async def slowly(_: Sequence[Received]) -> None:
        await may_finish.wait()

    slow, waiting = Hears(before=slowly), Hears()
    await log.append(file.records(5))
    readers = [log.reader("g", file.topic, slow), other.reader("g", file.topic, waiting)]
    await readers[0].start()
    await until(lambda: slow.batches == 1)
    await readers[1].start()
    _, ends = lease_of(file)
    await until(lambda: lease_of(file)[1] > ends + 2 * LEASE)
    may_finish.set()
    await until(lambda: len(slow.records) == 5)
    await readers[0].stop()
    await log.append(file.records(5, begin=5))
    await waiting.all(*range(5, 10))
    await readers[1].stop()
    assert waiting.numbers == list(range(5, 10))


def lease_of(file: Place) -> tuple[str, float]:
    connection = sqlite3.connect(file.url.removeprefix("sqlite://"))
    owner, ends = connection.execute("SELECT owner, until FROM leases").fetchone()
    connection.close()
    return owner, ends


async def test_a_batch_holds_so_many_bytes_or_one_larger_record(file: Place) -> None:
    """Five hundred records of the largest size would be 450 MB at once."""
    log = await file.open()
    sizes = [100_000] * 5 + [900_000] * 2 + [100] * 20 + [BATCH_BYTES]
    await log.append([Record(topic=file.topic, key="k", value=bytes(size)) for size in sizes])
    batches: list[list[int]] = []

    async def weigh(batch: Sequence[Received]) -> None:
        batches.append([len(record.value or b"") for record in batch])

    reader = log.reader("g", file.topic, Hears(before=weigh))
    await reader.start()
    await until(lambda: sum(map(len, batches)) == len(sizes))
    await reader.stop()
    assert batches == [[100_000] * 2, [100_000] * 2, [100_000], [900_000], [900_000], [100] * 20, [BATCH_BYTES]]


async def test_a_lease_that_ran_out_and_was_taken_refuses_the_commit(file: Place) -> None:
    log = await file.open()
    assert isinstance(log, SqliteLog)
    await log.append(file.records(10))
    assert await log.lease("g", file.topic, "one", LEASE)
    assert not await log.lease("g", file.topic, "two", LEASE)
    assert await log.commit("g", file.topic, 3, "one")
    assert not await log.commit("g", file.topic, 9, "two")
    assert await log.lease("g", file.topic, "one", -1)
    assert await log.lease("g", file.topic, "two", LEASE)
    assert await log.commit("g", file.topic, 8, "two")
    assert not await log.commit("g", file.topic, 3, "one")
    assert [record.offset for record in await log.read("g", file.topic, 5)] == [8, 9]


async def test_several_processes_append_to_the_same_file(file: Place, child: Any) -> None:
    log = await file.open()
    writers = [await child("append", file.url.removeprefix("sqlite://"), f"w{n}", "100") for n in range(2)]
    assert [await writer.process.wait() for writer in writers] == [0, 0]
    hears = Hears()
    reader = log.reader("g", "t", hears)
    await reader.start()
    await until(lambda: len(hears.records) >= 200)
    await reader.stop()
    assert [record.offset for record in hears.records] == list(range(200))
    assert hears.by_key() == {f"w{n}": list(range(100)) for n in range(2)}


async def test_several_logs_append_at_once(file: Place) -> None:
    patient = [SqliteLog(Path(file.url.removeprefix("sqlite://")), sync="normal") for _ in range(4)]
    for log in patient:
        await log.open()

    async def append_all(log: SqliteLog, key: str) -> None:
        for n in range(100):
            await log.append([Record(topic=file.topic, key=key, value=str(n).encode())])

    await asyncio.gather(*(append_all(log, f"w{n}") for n, log in enumerate(patient)))
    hears = Hears(list(await patient[0].read("g", file.topic, 1000)))
    assert [record.offset for record in hears.records] == list(range(400))
    assert hears.by_key() == {f"w{n}": list(range(100)) for n in range(4)}
    for log in patient:
        await log.close()


# --- parking ------------------------------------------------------------------------------------------------------------------------

TOPIC, LETTERS = "enrolment-subsidiaries", "dlq-notifications"


class NoLetters:
    """A log on which dead letters fail as long as `fails`."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.fails = True
        self.refused = 0

    async def append(self, records: Sequence[Record]) -> None:
        if self.fails and any(record.topic == LETTERS for record in records):
            self.refused += 1
            raise Unavailable("no dead letters today")
        await self._log.append(records)


class Parking:
    """A service on a log: what it applied, and the dead letters about subsidiaries that no other test has."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.mine = uuid.uuid4().hex[:12]
        self._place, self._folder = place, folder
        self._heard: list[str] = []
        self._letters = Hears()

    def event(self, n: int) -> Record:
        event = SubsidiaryChanged(seq=1, subsidiary=f"{self.mine}-{n}", name="x", zone="Europe/Paris", languages=(), grades={})
        return record_of(event)

    @property
    def applied(self) -> list[str]:
        return [id_.removeprefix(f"{self.mine}-") for id_ in self._heard if id_.startswith(self.mine)]

    @property
    def letters(self) -> dict[str, Received]:
        """By reason."""
        mine = [letter for letter in self._letters.records if letter.key.startswith(self.mine.encode())]
        return {(dict(letter.headers)["amont_dlq_reason"] or b"").decode(): letter for letter in mine}

    async def consumer(self, log: Any) -> Consumer:
        async def react(event: SubsidiaryChanged, _: Work) -> None:
            if event.subsidiary == f"{self.mine}-3":
                raise Conflict("not this one")
            self._heard.append(event.subsidiary)

        clock = FixedClock(START)
        store = SqliteStore(self._folder / "store.sqlite", sync="normal")
        await store.open([DEAD_LETTERS.spec])
        unit = Unit(House("notifications", store, clock, SeededIds(clock, 1), {DeadLetter: DEAD_LETTERS}), log)
        return Consumer(unit, TOPIC, {SubsidiaryChanged: react})

    @asynccontextmanager
    async def reading_letters(self) -> AsyncIterator[None]:
        reader = (await self._place.open()).reader(self._place.group("letters"), LETTERS, self._letters)
        await reader.start()
        yield
        await reader.stop()


@pytest.fixture
async def parking(place: Place, tmp_path: Path) -> Parking:
    if place.url.startswith("kafka"):
        await create_topics(place.url, TOPIC, LETTERS)  # they may be there
    return Parking(place, tmp_path)


async def test_a_bad_record_is_parked_as_it_came_with_the_reason_and_the_rest_is_applied(place: Place, parking: Parking) -> None:
    log = await place.open()
    bad = replace(parking.event(9), value=b"{", headers=(*parking.event(9).headers, ("ce_causationid", b"\xff"), ("none", None)))
    events = [parking.event(n) for n in range(6)]
    await log.append([*events[:2], replace(bad, value=b"\xff", headers=()), bad, *events[2:]])
    reader = log.reader(place.group(), TOPIC, await parking.consumer(log))
    await reader.start()
    async with parking.reading_letters():
        await until(lambda: len(parking.letters) == 3 and len(parking.applied) == 5, within=20)
    await reader.stop()
    assert set(parking.applied) == {"0", "1", "2", "4", "5"}
    letters = parking.letters
    assert set(letters) == {"missing-headers", "broken-headers", "conflict"}
    assert letters["missing-headers"].value == b"\xff"
    assert letters["broken-headers"].key == bad.key.encode()
    assert letters["broken-headers"].value == bad.value
    assert letters["broken-headers"].headers[: len(bad.headers)] == bad.headers
    assert letters["conflict"].value == events[3].value
    assert dict(letters["conflict"].headers)["amont_dlq_detail"] == b"not this one"


async def test_without_its_dead_letter_no_batch_is_committed(place: Place, parking: Parking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amont.common.service.consumer.BACK_OFF_SECONDS", 0.0)
    log = await place.open()
    failing = NoLetters(log)
    await log.append([replace(parking.event(9), value=b"{"), parking.event(1)])
    consume = await parking.consumer(failing)
    reader = log.reader(place.group(), TOPIC, consume)
    await reader.start()
    await until(lambda: failing.refused >= 3, within=20)
    await reader.stop()
    failing.fails = False
    again = (await place.open()).reader(place.group(), TOPIC, consume)
    await again.start()
    async with parking.reading_letters():
        await until(lambda: bool(parking.letters), within=20)
    await again.stop()
    assert set(parking.letters) == {"invalid-payload"}
    assert set(parking.applied) == {"1"}
