"""What the log alone gives: every record is handed once more to the real reactions, on empty stores. Promises compare it with what was kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amont.common.clock import FixedClock
from amont.common.ids import SeededIds
from amont.common.log import Handler, Reader, Received, Record
from amont.common.service import Parts, Service
from amont.common.service.consumer import Consumer
from amont.common.testing.hearing import START
from amont.common.testing.memory import Database, MemoryStore
from amont.common.testing.promises import Documents

BATCH = 500


class NoLog:
    """A log that takes everything and gives nothing: what a replay says has been said before."""

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def ping(self) -> None:
        return

    async def append(self, _: Sequence[Record]) -> None:
        return

    def reader(self, group: str, topic: str, handler: Handler, **_: Any) -> Reader:
        raise NotImplementedError("a replay hands records over itself")


GIVEN = (("enrolment", "subsidiaries"),)
"""What people have told a service and no topic of its own tells it again: a replay begins with it."""


async def replay(
    log: Mapping[str, Sequence[Received]], builders: Mapping[str, Callable[[Parts], Service]], *, given: Documents, **tools: Any
) -> Documents:
    """Every document that the services' reactions make of the log, by service and collection. Nothing that is due is done.

    `builders` are the services' composition roots by name, `given` is what the stores hold (only `GIVEN` is taken from it), `tools` goes to `Parts`
    (`tools={Kind: part}`). Records that lie ahead of `START` stay ahead; no feed is paused, and since everybody has just come no breaker holds anybody.
    """
    databases = {}
    for name, build in builders.items():
        databases[name] = Database()
        for service_name, collection in GIVEN:
            if service_name == name:
                held = given.get(name, {}).get(collection, ())
                databases[name].collections[collection].update((one["_id"], {**one, "pauses": ()}) for one in held)
        clock = FixedClock(START)
        service = build(Parts(store=MemoryStore(databases[name]), log=NoLog(), clock=clock, ids=SeededIds(clock, 1), **tools))
        for topic in service.topics:
            hear, records = Consumer(service.unit, topic, service.consumes), log.get(topic, ())
            for begin in range(0, len(records), BATCH):
                await hear(records[begin : begin + BATCH])
    return {name: database.everything() for name, database in databases.items()}
