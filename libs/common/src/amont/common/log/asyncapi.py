"""The AsyncAPI 3.0 document of a service, as FastStream writes it: from the very subscribers that the Kafka adapter runs, and the events published."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from faststream.specification import AsyncAPI

from amont.common.events.envelope import Event
from amont.common.events.topics import dead_letters_of
from amont.common.log import Received
from amont.common.log.kafka import KafkaLog


async def _nothing(_: Sequence[Received]) -> None:
    return


def document(service: str, consumes: Mapping[str, Sequence[type[Event]]], publishes: Iterable[type[Event]]) -> dict[str, Any]:
    """The document for a service that reads these types by topic and publishes those. Connects to nothing."""
    log = KafkaLog("kafka:9092", client_id=service)
    for topic, types in consumes.items():
        log.reader(f"{service}-{topic}", topic, _nothing, types=types)
    by_topic: dict[str, list[type[Event]]] = {}
    for kind in publishes:
        by_topic.setdefault(kind.topic, []).append(kind)
    for topic, types in by_topic.items():
        channel = (
            f"{topic}-said" if topic in consumes else topic
        )  # of one name there is one channel, and what is written is not all that is read
        log.broker.publisher(topic, title=channel, schema=Union[tuple(types)])  # noqa: UP007 - made at run time
    if consumes:
        log.broker.publisher(dead_letters_of(service), title=dead_letters_of(service), schema=bytes)
    described: dict[str, Any] = AsyncAPI(log.broker, title=f"Amont {service}", version="1").to_specification().to_jsonable()
    return described
