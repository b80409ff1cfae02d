"""Looking at a topic disturbs nobody: on SQLite and on Kafka, everything from the beginning to the present end, and no group, no commit, no topic made."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from tests.chaos.odd_sender import send_oddly
from tests.conftest import Servers
from tests.contract.test_log_port import create_topics

from amont.common.errors import NotFound, Unavailable
from amont.common.log import Log, Record
from amont.common.log.kafka import KafkaLog
from amont.common.log.scan import scan
from amont.common.log.sqlite import SqliteLog
from amont.common.log.topics import create


@pytest.fixture
def topic() -> str:
    return f"scan-{uuid.uuid4().hex[:12]}"


@pytest.fixture(params=["sqlite", "kafka"])
async def log(request: pytest.FixtureRequest, topic: str, tmp_path: Path) -> AsyncIterator[Log]:
    made: Log
    if request.param == "sqlite":
        made = SqliteLog(tmp_path / "log.sqlite", sync="normal")
    else:
        servers: Servers = request.getfixturevalue("servers")
        bootstrap = servers.log_url.removeprefix("kafka://")
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            await create(admin, [NewTopic(topic, num_partitions=3, replication_factor=1)])
        finally:
            await admin.close()
        made = KafkaLog(bootstrap, client_id="scan-test")
    await made.open()
    yield made
    await made.close()


def record(topic: str, number: int) -> Record:
    return Record(topic=topic, key=f"k{number % 7}", value=str(number).encode(), headers=(("h", b"\xff"), ("none", None)))


def looking(log: Log) -> Log:
    """A log of one's own, as a command has it."""
    return KafkaLog(",".join(log.bootstrap), client_id="scan") if isinstance(log, KafkaLog) else log


async def test_everything_is_seen_each_key_in_its_order_and_again(log: Log, topic: str) -> None:
    await log.append([record(topic, number) for number in range(1_200)])
    for _ in range(2):
        seen = [one async for one in scan(looking(log), topic)]
        assert sorted(int(one.value or b"") for one in seen) == list(range(1_200))
        for key in {one.key for one in seen}:
            numbers = [int(one.value or b"") for one in seen if one.key == key]
            assert numbers == sorted(numbers)
        assert {one.headers for one in seen} == {(("h", b"\xff"), ("none", None))}
        assert len({(one.partition, one.offset) for one in seen}) == 1_200


async def test_an_empty_topic_ends_at_once(log: Log, topic: str) -> None:
    assert [one async for one in scan(looking(log), topic)] == []


async def test_a_topic_that_is_not_there_is_not_made(servers: Servers) -> None:
    bootstrap = servers.log_url.removeprefix("kafka://")
    with pytest.raises(NotFound, match="no topic 'scan-nowhere'"):
        _ = [one async for one in scan(KafkaLog(bootstrap, client_id="scan"), "scan-nowhere")]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        assert "scan-nowhere" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_a_cluster_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        _ = [one async for one in scan(KafkaLog("127.0.0.1:1", client_id="scan"), "hris-staff")]


async def test_a_header_whose_name_is_not_utf_8_ends_no_look(servers: Servers, topic: str) -> None:
    bootstrap = servers.log_url.removeprefix("kafka://")
    await create_topics(servers.log_url, topic)
    await send_oddly(bootstrap, [record(topic, number) for number in range(90)])
    seen = [one async for one in scan(KafkaLog(bootstrap, client_id="scan"), topic)]
    assert sorted(int(one.value or b"") for one in seen) == list(range(90))
    assert sum(one.headers[-1] == ("pr\\xe9nom", b"\xff") for one in seen) >= 30
