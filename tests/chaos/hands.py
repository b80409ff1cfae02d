"""What every stage of a campaign works with, and the supervisor that starts again what ended by itself, as a production would."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.ground import Real
from tests.chaos.mails import Span
from tests.chaos.people_load import PeopleLoad
from tests.chaos.postbox import Postbox
from tests.chaos.size import Size
from tests.chaos.staff_load import StaffLoad
from tests.support.house import House

from amont.common.events.topics import SERVICES

Seen = dict[str, Any]
READY_WITHIN = 240.0


@dataclass(slots=True)
class Hands:
    """See the module."""

    house: House
    given: Real | None
    staff: StaffLoad
    people: PeopleLoad
    postbox: Postbox
    chance: random.Random
    size: Size
    crashes: Counter[str] = field(default_factory=Counter)
    """How often a process of each service was killed."""
    cuts: list[Span] = field(default_factory=list)
    """When the mails in hand were cut off: notifications was killed, ended by itself, or could not note an outcome for longer than it tries to."""
    ended: Counter[str] = field(default_factory=Counter)
    """How often a process of each service ended by itself."""
    _held: Counter[str] = field(default_factory=Counter)

    @property
    def real(self) -> Real:
        """The servers. Raises AssertionError on SQLite, where there are none."""
        assert self.given is not None, "this stage needs real servers"
        return self.given

    def killed(self, service: str) -> None:
        """A process of this service was killed a moment ago."""
        self.crashes[service] += 1
        self.cut(service, time.time())

    def cut(self, service: str, since: float) -> None:
        """What a process of this service had in hand at some moment since then will never be noted by it."""
        if service == "notifications":
            self.cuts.append((since, time.time()))

    @contextlib.contextmanager
    def holding(self, names: str) -> Iterator[None]:
        """The supervisor leaves this one to us."""
        self._held[names] += 1
        try:
            yield
        finally:
            self._held[names] -= 1

    @contextlib.asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Whoever ends by itself is started again and counted."""
        supervising = asyncio.create_task(self._supervise(), name="supervisor")
        try:
            yield
        finally:
            supervising.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await supervising

    async def _supervise(self) -> None:
        seen = dict.fromkeys(SERVICES, time.time())
        while True:
            for names in SERVICES:
                if self._held[names] or self.house.running(names):
                    seen[names] = time.time()
                else:
                    self.ended[names] += 1
                    self.cut(names, seen[names])
                    self.house.launch(names)
            await asyncio.sleep(0.5)

    async def all_ready(self) -> None:
        for names in SERVICES:
            await self.house.is_ready(names, READY_WITHIN)
