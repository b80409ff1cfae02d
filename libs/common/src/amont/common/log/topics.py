"""Topics on a real cluster, made by an explicit step: compare what is there with the topic records, make what is missing, show what differs.

What differs is shown and never changed: partitions are fixed for life, and retention is somebody's decision.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidReplicationFactorError, KafkaError, for_code

from amont.common.errors import Conflict, Unavailable
from amont.common.events.topics import TOPICS, Topic
from amont.common.log.kafka import KafkaOptions

TOPIC_ALREADY_EXISTS = 36
CONTROLLER_WITHIN_SECONDS = 15.0


class TooFewBrokers(Conflict):
    """The cluster cannot keep as many copies as are asked for."""

    code = "too-few-brokers"
    title = "Too few brokers"


class State(StrEnum):
    """What was found of a topic."""

    MADE = "made"
    MISSING = "missing"
    THERE = "there"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Found:
    """One topic, and what is not as its record says."""

    topic: str
    state: State
    differences: tuple[str, ...] = ()


async def ensure(bootstrap: str, *, replication: int, partitions: int | None, dry_run: bool, options: KafkaOptions) -> list[Found]:
    """Make the missing topics (unless `dry_run`) and say what was found of each. `partitions` replaces the records' number for new ones.

    Raises TooFewBrokers; Unavailable when the cluster does not answer or refuses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","), client_id="amont-topics", **options.client_settings())
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        found = [await _compare(admin, topic, partitions, replication) for topic in TOPICS.values() if topic.name in existing]
        missing = [topic for topic in TOPICS.values() if topic.name not in existing]
        if not dry_run:
            await _make(admin, missing, replication=replication, partitions=partitions)
        state = State.MISSING if dry_run else State.MADE
        return sorted([*found, *(Found(topic.name, state) for topic in missing)], key=lambda one: list(TOPICS).index(one.topic))
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka does not answer at {bootstrap}: {type(error).__name__}: {error}") from error
    finally:
        await admin.close()


async def _make(admin: Any, topics: Iterable[Topic], *, replication: int, partitions: int | None) -> None:
    wanted = [
        NewTopic(
            name=topic.name,
            num_partitions=partitions or topic.partitions,
            replication_factor=replication,
            topic_configs=_settings(topic, replication),
        )
        for topic in topics
    ]
    if not wanted:
        return
    answer = await create(admin, wanted)
    for name, code, *_ in answer.topic_errors:
        if code == InvalidReplicationFactorError.errno:
            brokers = len((await admin.describe_cluster())["brokers"])
            has = f"{brokers} broker{'' if brokers == 1 else 's'}"
            raise TooFewBrokers(
                f"{replication} copies of each record are asked for and the cluster has {has}; use --replication {brokers}."
            )
        if code not in {0, TOPIC_ALREADY_EXISTS}:
            raise for_code(code)(f"topic {name}")


async def create(admin: Any, wanted: list[NewTopic]) -> Any:
    """Ask for topics once the cluster says who its controller is: aiokafka's client trips over a broker that has only just started.

    Raises Unavailable when it does not say so in time.
    """
    deadline = time.monotonic() + CONTROLLER_WITHIN_SECONDS
    while True:
        try:
            return await admin.create_topics(wanted)
        except AttributeError:  # the controller is None (aiokafka 0.14)
            if time.monotonic() > deadline:
                raise Unavailable("Kafka answers and has no controller yet. Try again.") from None
            await asyncio.sleep(0.2)


def _settings(topic: Topic, replication: int) -> dict[str, str]:
    """The record's settings and the cluster-wide promise: as many in-sync replicas as may be lost but one."""
    return {**topic.settings(), "min.insync.replicas": str(max(1, replication - 1)), "unclean.leader.election.enable": "false"}


async def _compare(admin: Any, topic: Topic, partitions: int | None, replication: int) -> Found:
    described = (await admin.describe_topics([topic.name]))[0]
    differences = []
    expected = partitions or topic.partitions
    if len(described["partitions"]) != expected:
        differences.append(f"partitions: {len(described['partitions'])}, expected {expected}")
    copies = min((len(partition["replicas"]) for partition in described["partitions"]), default=replication)
    if copies != replication:
        differences.append(f"replication: {copies}, expected {replication}")
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name)])
    actual = {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}
    differences += [
        f"{name}: {actual.get(name)}, expected {value}" for name, value in topic.settings().items() if actual.get(name) != value
    ]
    return Found(topic.name, State.DIFFERS if differences else State.THERE, tuple(differences))
