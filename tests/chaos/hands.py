"""What every stage of a campaign works with, and the supervisor that starts again what ended by itself, as a production would."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.ground import Real
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
    """How often a process of each service was cut off: killed, or, for notifications, unable to note an outcome because the store was away."""
    ended: Counter[str] = field(default_factory=Counter)
    """How often a process of each service ended by itself."""
    _held: Counter[str] = field(default_factory=Counter)

    @property
    def real(self) -> Real:
        """The servers. Raises AssertionError on SQLite, where there are none."""
        assert self.given is not None, "this stage needs real servers"
        return self.given

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
        while True:
            for names in SERVICES:
                if not self._held[names] and not self.house.running(names):
                    self.ended[names] += 1
                    self.house.launch(names)
            await asyncio.sleep(0.5)

    async def all_ready(self) -> None:
        for names in SERVICES:
            await self.house.is_ready(names, READY_WITHIN)
