"""What a Kafka reader adds to the port's contract: partitions that do not wait for each other, moves that repeat nothing, a watchdog that sees."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBase, _DefaultRecordBatchBuilderPy
from tests.chaos.odd_sender import Latin
from tests.contract.test_log_port import PARTITIONS, Hears, Place, create_topics

from amont.common import metrics
from amont.common.errors import Unavailable
from amont.common.log import BATCH_BYTES, Received, Record, kafka_reader
from amont.common.log.kafka import KafkaLog, KafkaOptions
from amont.common.log.kafka_reader import PARTITION_BYTES, KafkaReader
from amont.common.testing.waiting import until

KEYS = 16
"""Enough for every one of the four partitions to have some."""


class Patient(Place):
    """With a session that a busy machine does not end: a member that is put out of its group repeats what it had in hand."""

    async def open(self) -> KafkaLog:
        options = KafkaOptions(session_timeout_ms=20_000, answer_within_seconds=15.0)
        log = KafkaLog(self.url.removeprefix("kafka://"), client_id="test", options=options)
        self._made.append(log)
        await log.open()
        return log


@pytest.fixture
async def place(servers: Any) -> AsyncIterator[Place]:
    made = Patient(servers.log_url)
    await create_topics(made.url, made.topic)
    yield made
    await made.close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_reader, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(kafka_reader, "SLOW_SECONDS", 0.1)


def reader_of(log: Any, place: Place, handler: Any) -> KafkaReader:
    return log.reader(place.group(), place.topic, handler)  # type: ignore[no-any-return]


def partition_of_key(records: Sequence[Received]) -> dict[str, int]:
    return {record.key.decode(): record.partition for record in records}


async def test_a_partition_that_cannot_be_handled_rests_alone_and_comes_again_from_where_it_failed(place: Place) -> None:
    broken: set[int] = {0}
    attempts: Counter[int] = Counter()

    async def fails_in_one_partition(batch: Sequence[Received]) -> None:
        assert len({record.partition for record in batch}) == 1
        attempts[batch[0].partition] += 1
        if batch[0].partition in broken:
            raise Unavailable("not this partition")

    hears = Hears(before=fails_in_one_partition)
    log = await place.open()
    reader = reader_of(log, place, hears)
    await reader.start()
    for begin in range(0, 320, 32):
        await log.append(place.records(32, keys=KEYS, begin=begin))
        await until(lambda end=begin + 32: len(hears.records) >= sum(p not in broken for p in by_partition(end)), within=10)  # type: ignore[misc]
    await until(lambda: attempts[0] >= 4)
    others = set(hears.numbers)
    assert {record.partition for record in hears.records} == set(range(1, PARTITIONS))
    broken.clear()
    await hears.all(*range(320))
    await reader.stop()
    assert Counter(hears.numbers).most_common(1)[0][1] == 1, "something came twice"
    assert hears.by_key() == {f"k{k}": list(range(k, 320, KEYS)) for k in range(KEYS)}
    assert others < set(range(320))


async def test_what_waits_behind_a_batch_that_is_given_back_comes_again_behind_it(place: Place) -> None:
    given_back: list[int] = []

    async def fails_once_another_waits(batch: Sequence[Received]) -> None:
        if not given_back:
            await log.append(place.records(8, keys=1, begin=8))
            await until(lambda: asyncio.current_task() not in reader._lanes.values() and bool(reader._lanes))
            given_back.extend(record.offset for record in batch)
            raise Unavailable("not now")

    hears = Hears(before=fails_once_another_waits)
    log = await place.open()
    reader = reader_of(log, place, hears)
    await reader.start()
    await log.append(place.records(8, keys=1))
    await hears.all(*range(16))
    await reader.stop()
    assert given_back
    assert hears.numbers == list(range(16))


async def test_what_a_batch_that_outlasts_a_move_gives_back_is_not_skipped(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_reader, "LET_GO_SECONDS", 0.3)
    may_fail, held = asyncio.Event(), set[int]()

    async def outlasts_the_move(batch: Sequence[Received]) -> None:
        if batch[0].partition not in held and not may_fail.is_set():
            held.add(batch[0].partition)
            await may_fail.wait()
            raise Unavailable("not before the move")

    one, two = Hears(before=outlasts_the_move), Hears()
    log, group = await place.open(), place.group()
    await log.append(place.records(64, keys=KEYS))
    reader, other = (each.reader(group, place.topic, hears) for each, hears in ((log, one), (await place.open(), two)))
    await reader.start()
    await until(lambda: len(held) == PARTITIONS)
    in_hand = set(reader._lanes.values())
    await log.append(place.records(64, keys=KEYS, begin=64))
    await until(lambda: not in_hand & set(reader._lanes.values()), within=20)  # of each partition another batch waits
    waits = set(reader._lanes.values())
    await other.start()
    await until(lambda: len(reader._consumer.assignment()) == PARTITIONS // 2, within=20)
    await until(lambda: all(at in reader._lanes and reader._lanes[at] not in waits for at in reader._consumer.assignment()), within=20)
    may_fail.set()
    await until(lambda: {*one.numbers, *two.numbers} == set(range(128)), within=20)
    for each in (reader, other):
        await each.stop()
    assert {key: sorted(set(one.by_key().get(key, []) + two.by_key().get(key, []))) for key in map("k{}".format, range(KEYS))} == {
        f"k{k}": list(range(k, 128, KEYS)) for k in range(KEYS)
    }


async def test_a_reader_that_starts_waits_for_members_that_have_batches_in_hand(place: Place) -> None:
    may_end, in_hand = asyncio.Event(), set[int]()

    async def takes_longer_than_an_answer(batch: Sequence[Received]) -> None:
        in_hand.add(batch[0].partition)
        await may_end.wait()

    hears = Hears(before=takes_longer_than_an_answer)
    log, other = cast("KafkaLog", await place.open()), cast("KafkaLog", await place.open())
    other.options = replace(other.options, answer_within_seconds=1.0)
    await log.append(place.records(64, keys=KEYS))
    busy, coming = reader_of(log, place, hears), reader_of(other, place, hears)
    await busy.start()
    await until(lambda: len(in_hand) == PARTITIONS)
    starts = asyncio.create_task(coming.start())
    await until(lambda: busy._moving, within=20)
    await asyncio.wait([starts], timeout=2 * other.options.answer_within_seconds)
    assert not starts.done(), "it gave up, or has partitions of which batches are in hand"
    may_end.set()
    await starts
    await hears.all(*range(64))
    for each in (busy, coming):
        await each.stop()
    assert Counter(hears.numbers).most_common(1)[0][1] == 1, "something came twice"


def by_partition(end: int) -> list[int]:
    """The partition of every record up to a number, as aiokafka's default partitioner deals keys out."""
    from aiokafka.partitioner import DefaultPartitioner

    deal = DefaultPartitioner()
    return [deal(f"k{n % KEYS}".encode(), list(range(PARTITIONS)), list(range(PARTITIONS))) for n in range(end)]


@pytest.fixture
def rotten(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """Values of records that aiokafka cannot decode, as when the CRC of a batch does not hold; a broker would take no such batch from us."""
    values: set[bytes] = set()
    decoded = fetcher.PartitionRecords._consumer_record

    def decode(self: Any, at: Any, record: Any) -> Any:
        if record.value in values:
            raise CorruptRecordException(f"Invalid CRC - {at}")
        return decoded(self, at, record)

    monkeypatch.setattr(fetcher.PartitionRecords, "_consumer_record", decode)
    return values


async def test_a_record_that_cannot_be_decoded_rests_its_partition_and_takes_nothing_from_the_others(
    place: Place, rotten: set[bytes]
) -> None:
    [bad] = [n for n, p in enumerate(by_partition(64)) if p == 0][5:6]
    rotten.add(str(bad).encode())
    log, hears = cast("KafkaLog", await place.open()), Hears()
    await log.append(place.records(64, keys=KEYS))
    reader = reader_of(log, place, hears)
    with structlog.testing.capture_logs() as said:
        await reader.start()
        for begin in range(64, 320, 32):
            await log.append(place.records(32, keys=KEYS, begin=begin))
            await hears.all(*(n for n, p in enumerate(by_partition(begin + 32)) if p != 0))
        await hears.all(*(n for n, p in enumerate(by_partition(bad)) if p == 0))
        await until(lambda: sum(line["event"] == "partition_rests" for line in said) > 3)
    assert metrics.PARTITIONS_RESTING.labels(reader._group)._value.get() == 1
    assert not [n for n, p in enumerate(by_partition(320)) if p == 0 and n >= bad and n in hears.numbers]
    [told, *_] = [line for line in said if line["event"] == "batch_failed"]
    assert {"topic": place.topic, "partition": 0, "offset": 5, "log_level": "error"}.items() <= told.items()
    assert len(reader._subscriber.tasks) == 1, "its loop was begun anew"
    rotten.clear()
    await hears.all(*range(320))
    await reader.stop()
    assert Counter(hears.numbers).most_common(1)[0][1] == 1, "something came twice"
    assert hears.by_key() == {f"k{k}": list(range(k, 320, KEYS)) for k in range(KEYS)}


@pytest.mark.parametrize("compression", [DefaultRecordBase.CODEC_NONE, DefaultRecordBase.CODEC_GZIP])
async def test_a_header_whose_name_is_not_utf_8_stops_nothing(place: Place, compression: int) -> None:
    log, hears = cast("KafkaLog", await place.open()), Hears()
    reader = reader_of(log, place, hears)
    async with AIOKafkaProducer(bootstrap_servers=place.url.removeprefix("kafka://")) as producer:
        for begin in range(0, 30, 10):
            batch = producer.create_batch()
            batch._builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, 0, 1 << 20)  # the one in C refuses such a name
            for n in range(begin, begin + 10):
                headers = [(Latin("prénom") if n in {13, 16} else "name", b"x" * 100)]
                batch.append(key=b"k", value=str(n).encode(), timestamp=None, headers=headers)
            await (await producer.send_batch(batch, place.topic, partition=0))
    with structlog.testing.capture_logs() as said:
        await reader.start()
        await hears.all(*range(30))
        await log.append(place.records(32, keys=KEYS, begin=30))
        await hears.all(*range(62))
    await reader.stop()
    assert [n for n in hears.numbers if n < 30] == list(range(30))
    assert Counter(hears.numbers).most_common(1)[0][1] == 1, "something came twice"
    assert [record.headers[0][0] for record in hears.records[12:18]] == ["name", "pr\\xe9nom", "name", "name", "pr\\xe9nom", "name"]
    assert not said


async def test_a_slow_partition_does_not_keep_the_others_waiting(place: Place) -> None:
    may_go_on = asyncio.Event()
    slow: list[int] = []

    async def one_is_slow(batch: Sequence[Received]) -> None:
        if batch[0].partition == 0:
            slow.append(len(batch))
            await may_go_on.wait()

    hears = Hears(before=one_is_slow)
    log = await place.open()
    reader = reader_of(log, place, hears)
    await reader.start()
    await log.append(place.records(64, keys=KEYS))
    await until(lambda: bool(slow))
    for begin in range(64, 320, 64):
        await log.append(place.records(64, keys=KEYS, begin=begin))
        wanted = [n for n, p in enumerate(by_partition(begin + 64)) if p != 0]
        await hears.all(*wanted)
    assert len(slow) == 1, "the slow partition was handed over again while it was in hand"
    may_go_on.set()
    await hears.all(*range(320))
    await reader.stop()
    assert Counter(hears.numbers).most_common(1)[0][1] == 1


async def test_a_reader_that_hangs_does_not_keep_another_topic_s_waiting(place: Place) -> None:
    may_go_on = asyncio.Event()
    began: list[int] = []

    async def hangs(batch: Sequence[Received]) -> None:
        began.append(len(batch))
        await may_go_on.wait()

    log = await place.open()
    other = f"{place.topic}-other"
    await create_topics(place.url, other)
    hanging, hears = reader_of(log, place, hangs), Hears()
    going = log.reader(place.group("other"), other, hears)
    await hanging.start()
    await going.start()
    await log.append(place.records(KEYS, keys=KEYS))
    await until(lambda: len(began) == PARTITIONS)
    for begin in range(0, 320, 32):
        await log.append([replace(record, topic=other) for record in place.records(32, keys=KEYS, begin=begin)])
        await hears.all(*range(begin + 32))
    assert len(began) == PARTITIONS
    may_go_on.set()
    await going.stop()
    await hanging.stop()


async def test_members_that_come_and_go_repeat_nothing(place: Place) -> None:
    """A graceful deployment (P7): what is in hand is finished and committed before partitions move, what was only fetched is left to the next one."""
    heard: list[Received] = []

    async def slowly(batch: Sequence[Received]) -> None:
        await asyncio.sleep(0.03)
        heard.extend(batch)

    log = await place.open()
    staying = reader_of(log, place, slowly)
    await staying.start()
    sending = True

    async def load() -> int:
        begin = 0
        while sending:
            await log.append(place.records(40, keys=KEYS, begin=begin))
            begin += 40
        return begin

    loading = asyncio.create_task(load())
    for _ in range(6):
        coming = reader_of(await place.open(), place, slowly)
        before = len(heard)
        await coming.start()
        await until(lambda n=before: len(heard) > n + 200, within=30)  # type: ignore[misc]
        await coming.stop()
    sending = False
    end = await loading
    everything = Hears(heard)
    await everything.all(*range(end), within=30)
    await staying.stop()
    twice = [number for number, times in Counter(everything.numbers).items() if times > 1]
    assert not twice, f"{len(twice)} of {end} came twice"
    assert everything.by_key() == {f"k{k}": list(range(k, end, KEYS)) for k in range(KEYS)}


async def test_a_restart_under_a_stable_name_moves_no_partition(place: Place) -> None:
    def static(name: str) -> KafkaLog:
        options = KafkaOptions(instance=name, session_timeout_ms=20_000, answer_within_seconds=15.0)
        return KafkaLog(place.url.removeprefix("kafka://"), client_id=name, options=options)

    heard: dict[str, Hears] = {"one": Hears(), "two": Hears()}
    logs = {name: static(name) for name in heard}
    readers = {}
    for name, log in logs.items():
        await log.open()
        readers[name] = reader_of(log, place, heard[name])
        await readers[name].start()
    sender = await place.open()
    await until(lambda: all(len(reader._consumer.assignment()) == PARTITIONS // 2 for reader in readers.values()), within=30)
    mine = readers["one"]._consumer.assignment()
    turn = readers["one"]._turn
    theirs = readers["two"]._consumer.assignment()

    await readers["two"].stop()
    await logs["two"].close()
    await sender.append(place.records(64, keys=KEYS))
    again = static("two")
    await again.open()
    comes_back = reader_of(again, place, heard["two"])
    await comes_back.start()
    await until(lambda: set(range(64)) <= {*heard["one"].numbers, *heard["two"].numbers}, within=20)
    assert comes_back._consumer.assignment() == theirs
    assert readers["one"]._consumer.assignment() == mine
    assert readers["one"]._turn == turn, "the other member's partitions were taken away meanwhile"
    for reader in (comes_back, readers["one"]):
        await reader.stop()
    for log in (again, logs["one"]):
        await log.close()


async def test_a_reader_holds_no_more_bytes_than_it_says(place: Place) -> None:
    held: list[int] = []

    async def weigh(batch: Sequence[Received]) -> None:
        held.append(sum(len(record.value or b"") for record in batch))
        await asyncio.sleep(0.01)

    log = await place.open()
    for begin in range(0, 240, 20):
        await log.append([Record(topic=place.topic, key=f"k{n % KEYS}", value=bytes(40_000)) for n in range(begin, begin + 20)])
    hears = Hears(before=weigh)
    reader = reader_of(log, place, hears)
    await reader.start()
    await until(lambda: len(hears.records) == 240, within=20)
    await reader.stop()
    assert max(held) <= PARTITION_BYTES
    assert max(held) > 40_000, "nothing was batched, so nothing was shown"


async def test_what_a_compressed_batch_unfolds_to_is_handed_over_and_committed_in_pieces(place: Place) -> None:
    """A megabyte that the broker has as a few hundred bytes. What a piece gives back is that piece and what follows."""
    held: list[int] = []
    committed: list[int] = []
    at = TopicPartition(place.topic, 0)

    async def weigh(batch: Sequence[Received]) -> None:
        held.append(sum(len(record.value or b"") for record in batch))
        if batch[0].offset:
            committed.append((await reader._consumer.committed(at) or 0) - batch[0].offset)
        if len(held) == 3:
            raise Unavailable("the third one comes again")

    log, hears = await place.open(), Hears(before=weigh)
    reader = reader_of(log, place, hears)
    bootstrap = place.url.removeprefix("kafka://")
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type="gzip", max_batch_size=2_000_000, max_request_size=2_000_000
    ) as producer:
        batch = producer.create_batch()
        for n in range(30):
            batch.append(key=b"k", value=str(n).rjust(50_000).encode(), timestamp=None)
        await (await producer.send_batch(batch, place.topic, partition=0))
    await reader.start()
    await until(lambda: len(hears.records) == 30, within=20)
    await reader.stop()
    assert hears.numbers == list(range(30))
    assert BATCH_BYTES / 2 < max(held) <= BATCH_BYTES
    assert set(committed) == {0}, "a piece was begun before the one before it was committed"


def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "STILL_SECONDS", "IDLE_SECONDS", "STUCK_SECONDS"):
        monkeypatch.setattr(kafka_reader, name, 0.3)


async def troubled(reader: KafkaReader, within: float = 15) -> str:
    found: list[str] = []

    async def seen() -> bool:
        found.extend([why] if (why := await reader.trouble()) else [])
        return bool(found)

    await until(seen, within)
    return found[0]


async def test_the_watchdog_sees_a_reader_that_fetches_no_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As aiokafka #1154 and #847 are reported: alive, a member of the group, and stuck."""
    looks_often(monkeypatch)
    hears = Hears()
    log = await place.open()
    reader = reader_of(log, place, hears)
    await reader.start()
    await log.append(place.records(10, keys=KEYS))
    await hears.all(*range(10))
    await quiet(reader)
    stuck = asyncio.Event()

    async def hangs(_: Any) -> Any:
        await stuck.wait()
        return ()

    monkeypatch.setattr(reader._subscriber, "get_msg", hangs)
    for begin in range(10, 60, 10):  # one fetch may be on its way
        await log.append(place.records(10, keys=KEYS, begin=begin))
    assert "lags and has not moved" in await troubled(reader)
    stuck.set()
    await reader.stop()


async def quiet(reader: KafkaReader) -> None:
    """Several looks that see nothing wrong."""
    for _ in range(6):
        assert await reader.trouble() is None
        await asyncio.sleep(0.2)


async def test_the_watchdog_sees_a_batch_that_never_ends(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    looks_often(monkeypatch)
    may_end = asyncio.Event()

    async def hangs(_: Sequence[Received]) -> None:
        await may_end.wait()

    log = await place.open()
    reader = reader_of(log, place, hangs)
    await reader.start()
    await log.append(place.records(1))
    assert "has been at one batch" in await troubled(reader)
    may_end.set()
    await reader.stop()


async def test_the_watchdog_leaves_a_partition_alone_that_rests(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    looks_often(monkeypatch)
    monkeypatch.setattr(kafka_reader, "STUCK_SECONDS", 60.0)
    monkeypatch.setattr(kafka_reader, "PAUSE_SECONDS", 30.0)
    failed: list[int] = []

    async def fails(batch: Sequence[Received]) -> None:
        failed.append(len(batch))
        raise Unavailable("the store is away")

    log = await place.open()
    reader = reader_of(log, place, fails)
    await reader.start()
    await log.append(place.records(10))
    await until(lambda: bool(failed))
    await quiet(reader)
    assert len(failed) == 1
    await reader.stop()  # at once: a rest ends when the reader stops


async def test_the_watchdog_leaves_a_reader_alone_behind_the_marks_of_transactions(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other people's producers may be transactional: a commit mark is an offset that nobody can read."""
    looks_often(monkeypatch)
    hears = Hears()
    reader = reader_of(await place.open(), place, hears)
    await reader.start()
    bootstrap = place.url.removeprefix("kafka://")
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=place.group("tx")) as producer, producer.transaction():
        await producer.send_and_wait(place.topic, b"7", b"k7")
    await hears.all(7)
    await quiet(reader)
    await reader.stop()


async def test_the_watchdog_sees_a_move_that_never_ends(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    looks_often(monkeypatch)
    reader = reader_of(await place.open(), place, Hears())
    await reader.start()
    await until(lambda: len(reader._consumer.assignment()) == PARTITIONS)
    await reader.let_go()
    assert "have been moving" in await troubled(reader)
    reader.begin_again()
    await quiet(reader)
    await reader.stop()


@pytest.mark.parametrize(("members", "what"), [(1, "no partition for"), (PARTITIONS, "")])
async def test_the_watchdog_sees_a_reader_without_a_partition_while_there_are_some(
    place: Place, monkeypatch: pytest.MonkeyPatch, members: int, what: str
) -> None:
    looks_often(monkeypatch)
    reader = reader_of(await place.open(), place, Hears())
    await reader.start()
    await until(lambda: len(reader._consumer.assignment()) == PARTITIONS)
    assert await reader._members() == 1

    async def so_many() -> int:
        return members

    monkeypatch.setattr(reader, "_members", so_many)
    monkeypatch.setattr(reader._consumer, "assignment", frozenset)
    if what:
        assert what in await troubled(reader)
    else:
        await quiet(reader)
    await reader.stop()
