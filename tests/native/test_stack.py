"""The real servers: they start, keep what they should, die when told, and `amont stack` shows them to people.

Needs a JDK of version 17 or later and Maven; says in one line what is missing otherwise.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pymongo
import pytest
import typer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo.errors import DuplicateKeyError
from typer.testing import CliRunner

from amont.native import background, cli, servers
from amont.native.errors import StartFailed
from amont.native.ports import HOST, free_ports
from amont.native.process import find, gone, pause, resume
from amont.native.servers import Kafka, Server, Store
from amont.native.stack import Stack, available, speed_up

if reason := available():
    pytest.skip(f"native stack: {reason}", allow_module_level=True)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running


async def produce(kafka: Kafka, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.address, acks="all") as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def create_topic(kafka: Kafka, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


@asynccontextmanager
async def reader(kafka: Kafka, topic: str, **settings: object) -> AsyncIterator[AIOKafkaConsumer]:
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka.address, auto_offset_reset="earliest", **settings) as consumer:
        yield consumer


async def read(consumer: AIOKafkaConsumer, count: int) -> list[bytes]:
    return [(await consumer.getone()).value for _ in range(count)]


async def test_kafka_gives_a_group_what_was_produced(stack: Stack) -> None:
    await create_topic(stack.kafka, "mentors")
    await produce(stack.kafka, "mentors", [b"ada", b"grace"])
    async with reader(stack.kafka, "mentors", group_id="readers", session_timeout_ms=1000, heartbeat_interval_ms=300) as consumer:
        assert await read(consumer, 2) == [b"ada", b"grace"]


async def test_kafka_keeps_its_records_and_its_port_through_a_kill(stack: Stack) -> None:
    await create_topic(stack.kafka, "pairs")
    await produce(stack.kafka, "pairs", [b"one", b"two"])
    address = stack.kafka.address
    stack.kafka.kill()
    assert not stack.kafka.running()
    assert not stack.kafka.answers()
    stack.kafka.start()
    assert stack.kafka.address == address
    async with reader(stack.kafka, "pairs") as consumer:
        assert await read(consumer, 2) == [b"one", b"two"]


def test_the_store_accepts_current_pymongo_and_has_no_stale_compare_and_set(stack: Stack) -> None:
    with pymongo.MongoClient(stack.store.url) as client:
        client.amont.things.insert_one({"_id": "a", "v": 1})
        assert client.amont.things.update_one({"_id": "a", "v": 1}, {"$set": {"v": 2}}).modified_count == 1
        assert client.amont.things.update_one({"_id": "a", "v": 1}, {"$set": {"v": 2}}).modified_count == 0
        with pytest.raises(DuplicateKeyError):
            client.amont.things.insert_one({"_id": "a", "v": 1})


def test_speed_up_makes_the_index_of_compare_and_set(stack: Stack) -> None:
    speed_up(stack.store.url, "quick", ["pools"])
    with pymongo.MongoClient(stack.store.url) as client:
        keys = [index["key"] for index in client.quick.pools.list_indexes()]
    assert {"_id": 1, "v": 1} in keys


@pytest.mark.parametrize("name", ["kafka", "store"])
def test_a_paused_server_lives_and_does_not_answer_until_it_is_resumed(stack: Stack, name: str) -> None:
    server = stack.kafka if name == "kafka" else stack.store
    server.pause()
    try:
        assert server.running()
        assert not server.answers(timeout=0.3)
    finally:
        server.resume()
    assert server.answers(timeout=10)


def test_the_services_are_told_where_both_are(stack: Stack) -> None:
    assert stack.settings() == {
        "AMONT_LOG_URL": f"kafka://{HOST}:{stack.kafka.port}",
        "AMONT_STORE_URL": f"mongodb://{HOST}:{stack.store.port}",
    }


def test_starting_what_runs_changes_nothing(stack: Stack) -> None:
    before = stack.store.handle
    stack.store.start()
    assert stack.store.handle == before


def test_a_store_on_disk_keeps_its_documents_through_a_stop(tmp_path: Path) -> None:
    store = Store(tmp_path / "a folder with spaces", on_disk=True)
    try:
        store.start()
        with pymongo.MongoClient(store.url) as client:
            client.amont.things.insert_one({"_id": "kept"})
        store.stop()
        store.start()
        with pymongo.MongoClient(store.url) as client:
            assert client.amont.things.find_one() == {"_id": "kept"}
    finally:
        store.stop()


@pytest.mark.parametrize("kind", [Kafka, Store])
def test_a_port_taken_at_the_last_moment_is_replaced(
    kind: type[Server], stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = (stack.kafka if kind is Kafka else stack.store).port  # the same kind of server answers there, and must not be taken for ours
    offers = iter([(taken, *free_ports(kind.ports_needed - 1)), free_ports(kind.ports_needed)])
    monkeypatch.setattr(servers, "free_ports", lambda _: next(offers))
    server = kind(tmp_path)
    try:
        server.start()
        assert server.port != taken
        assert server.answers()
    finally:
        server.stop()


def test_a_server_that_dies_says_why(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path, {"broker.session.timeout.ms": "soon"})
    with pytest.raises(StartFailed, match=r"Invalid value soon for configuration broker\.session\.timeout\.ms"):
        kafka.start()
    store = Store(tmp_path / "store", java_options=["-XX:+NoSuchOption"])
    with pytest.raises(StartFailed, match=r"store died.*\n.*NoSuchOption"):
        store.start()
    assert not store.running()


@pytest.fixture(scope="module")
def root() -> typer.Typer:
    app = typer.Typer()
    cli.commands(app)
    return app


def test_up_status_and_down_for_people_and_programs(root: typer.Typer, tmp_path: Path) -> None:
    def amont(word: str, *more: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(root, ["stack", word, "--data", str(tmp_path / "native"), *more])
        return result.exit_code, result.stdout, result.stderr

    assert amont("status") == (1, "", "kafka: down\nstore: down\n")
    try:
        code, exports, _ = amont("up")
        state = background.look(tmp_path / "native")
        assert code == 0
        assert state
        kafka, store = state.servers["kafka"], state.servers["store"]
        assert exports == f"export AMONT_LOG_URL=kafka://{HOST}:{kafka.port}\nexport AMONT_STORE_URL=mongodb://{HOST}:{store.port}\n"
        assert amont("up") == (0, exports, "already up\n")
        assert amont("status") == (0, exports, "")
        code, answer, _ = amont("status", "--json")
        assert json.loads(answer) == {
            "up": True,
            "log_url": kafka.url,
            "store_url": store.url,
            "servers": {
                name: {"condition": "up", "pid": server.pid, "port": server.port, "url": server.url}
                for name, server in state.servers.items()
            },
        }
        handles = [handle for server in state.servers.values() if (handle := find(server.pid, server.argv))]
        assert len(handles) == 2
        pause(handles[0])
        code, answer, said = amont("status", "--json")
        assert (code, said) == (1, "kafka: does not answer\nstore: up\n")
        assert json.loads(answer) == {"up": False, "servers": {"kafka": {"condition": "silent"}, "store": {"condition": "up"}}}
        resume(handles[0])
    finally:
        assert amont("down", "--json")[:2] == (0, '{"up": false, "stopped": true}\n')
    assert all(gone(handle) for handle in handles)
    assert sorted(path.name for path in (tmp_path / "native").iterdir()) == ["lock"]
    assert amont("down") == (0, "", "was not up\n")
