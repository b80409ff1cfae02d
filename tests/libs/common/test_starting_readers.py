"""A start that is cut off half-way goes on where it was: no reader is started beside itself."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from amont.common import hosting, service
from amont.common.clock import FixedClock
from amont.common.errors import Unavailable
from amont.common.ids import SeededIds
from amont.common.log import Handler
from amont.common.service import Parts
from amont.common.testing.hearing import START
from amont.common.testing.memory import Broker, Database, MemoryLog, MemoryStore
from amont.common.testing.memory.log import MemoryReader


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    with capture_logs():
        yield


class LogAwayInBetween(MemoryLog):
    """The second reader that is started finds the log away, once."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker, client_id="test")
        self.starts: Counter[str] = Counter()

    def reader(self, group: str, topic: str, handler: Handler, **more: Any) -> MemoryReader:
        made = super().reader(group, topic, handler, **more)
        start = made.start

        async def counted() -> None:
            if len(self.starts) == 1 and topic not in self.starts:
                self.starts[topic] = 0
                raise Unavailable("away for a moment")
            self.starts[topic] += 1
            await start()

        made.start = counted  # type: ignore[method-assign]
        return made


async def test_a_reader_that_reads_is_not_started_again_when_another_could_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the simulator: the first reader ran twice, and a stop stopped one of the two."""
    real_sleep = asyncio.sleep
    monkeypatch.setattr(service.asyncio, "sleep", lambda seconds: real_sleep(min(seconds, 0.01)))
    clock = FixedClock(START)
    log = LogAwayInBetween(Broker())
    built = hosting.service_builders()["scheduling"](Parts(store=MemoryStore(Database()), log=log, clock=clock, ids=SeededIds(clock, 1)))
    async with built.running():
        assert set(log.starts.values()) == {1}
        assert set(log.starts) == set(built.topics)
