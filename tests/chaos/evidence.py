"""What a campaign collects when all is quiet: every document, every record on the log, what the mail server took. Whether it is right, `promises` says."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from tests.chaos.mails import Span, cut_off, noted_at
from tests.chaos.postbox import Postbox
from tests.support.house import PARTITIONS, House

from amont.common import hosting
from amont.common.documents import Document
from amont.common.events.topics import SERVICES, TOPICS, dead_letters_of
from amont.common.log import Received
from amont.common.log.kafka_fetch import Fetch, Unreadable, received
from amont.common.log.sqlite import SqliteLog
from amont.common.service.letters.letter import LETTERS
from amont.common.testing.promises import OWNERS, Evidence, Place, Poison
from amont.common.testing.replay import replay
from amont.notifications.sending import FolderSender, MailSender


class Timed(NamedTuple):
    """A record, and when its writer sent it, in seconds; 0 where the log keeps no time."""

    record: Received
    at: float


async def everything_on(house: House, topic: str) -> list[Timed]:
    """Every record of a topic; in order within a partition."""
    if isinstance(house.log, SqliteLog):
        return [Timed(record, 0.0) for record in await house.log.read("chaos-observer", topic, 10_000_000)]
    consumer = AIOKafkaConsumer(bootstrap_servers=house.log_url.removeprefix("kafka://"))
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Timed] = []
        fetch = Fetch(_stumbles)
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            found += [Timed(received(one), one.timestamp / 1000) for one in await fetch(consumer)]
        return found
    finally:
        await consumer.stop()


def _stumbles(at: TopicPartition, unreadable: Unreadable) -> None:
    raise AssertionError(f"{at} has a record that nobody can decode: {unreadable}")


async def repeated_on_log(house: House) -> int:
    """How many events of the services are on the log more often than once, each as often as it is there too often."""
    again = 0
    for topic in OWNERS:
        ids = [dict(one.record.headers)["ce_id"] for one in await everything_on(house, topic)]
        again += len(ids) - len(set(ids))
    return again


async def collect(
    house: House,
    *,
    folder: Path,
    postbox: Postbox,
    cuts: Sequence[Span],
    crashes: Mapping[str, int],
    poison: Sequence[Poison],
    may_be_parked: Mapping[str, Mapping[Place, int]],
) -> Evidence:
    """All of it, with what a replay of the log makes."""
    topics = [*TOPICS, *(dead_letters_of(service) for service in SERVICES)]
    log = {topic: [one.record for one in await everything_on(house, topic)] for topic in dict.fromkeys(topics)}
    documents: dict[str, dict[str, list[Document]]] = defaultdict(dict)
    for service, collections in (await house.collections()).items():
        for collection in (*collections, LETTERS.name):
            documents[service][collection] = await house.everything(service, collection)
    return Evidence(
        documents=documents,
        log=log,
        mails={message_id: len(times) for message_id, times in postbox.taken.items()},
        addressed=postbox.addressed,
        cut_off=cut_off(postbox.taken, noted_at(log["notifications-deliveries"]), cuts),
        crashes=crashes,
        replayed=await replay(log, hosting.service_builders(), given=documents, tools={MailSender: FolderSender(folder / "replayed")}),
        poison={"enrolment": poison},
        may_be_parked=may_be_parked,
    )


def changes_of(evidence: Evidence) -> dict[str, list[str]]:
    """The functions that each one's `enrolment-employees` carried; an event that is on the log again counts once."""
    said: dict[str, list[str]] = defaultdict(list)
    seen: set[bytes | None] = set()
    for record in evidence.log["enrolment-employees"]:
        id_ = dict(record.headers)["ce_id"]
        if id_ not in seen:
            seen.add(id_)
            said[record.key.decode()].append(json.loads(record.value or b"{}").get("function", ""))
    return said


def copies_behind(evidence: Evidence, functions: Mapping[str, str]) -> list[str]:
    """Whose copies, in which service, are missing or do not hold the function that was sent last; and who is known and was never sent."""
    wrong = []
    for service, collection in (("enrolment", "employees"), ("matching", "people"), ("notifications", "recipients")):
        held = {one["_id"]: _function(one) for one in evidence.documents[service][collection]}
        wrong += [
            f"{service}/{collection}: {id_} holds {held.get(id_)!r}, sent was {functions.get(id_)!r}" for id_ in _differing(held, functions)
        ]
    return wrong


def _differing(held: Mapping[str, str], sent: Mapping[str, str]) -> list[str]:
    return sorted(id_ for id_ in held.keys() | sent.keys() if held.get(id_) != sent.get(id_))


def _function(document: Document) -> str:
    """Enrolment keeps the last record, the others a copy of the fact."""
    return str(document["function"] if "function" in document else document["last"]["profile"]["function"])
