"""The HR system of a campaign: everybody's records, each changing one field to its own number, with records strewn in that nobody can take.

So the end can be counted: a person with n records must have said `f1` to `fn`, in that order and each once, and every reader must know `fn`. Records
that nobody can take (`poison`) go under keys of their own; what follows a parked record of one key is another matter (`tests/libs/common`). Where the log
is Kafka, one burst in `ODD` comes from a sender that packs and writes headers as ours does not (`odd_sender`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

from tests.chaos import poison
from tests.chaos.odd_sender import send_oddly
from tests.support.house import House
from tests.support.programme import ZONES, staff

from amont.common.errors import Unavailable
from amont.common.log import Record
from amont.common.testing.promises import Poison

TENANTS = tuple(ZONES)
BLOCK = 20
"""People come in blocks: twenty executives, twenty juniors, and so on."""
PAUSE = 0.25
ODD = 10
"""One burst of so many comes from the other sender."""


def person_id(person: int) -> str:
    return f"{TENANTS[person % 3]}:e{person}"


def version_of(person: int, version: int) -> Record:
    """The record that says `version`, counted from 1, of a person."""
    grade = "J" if person // BLOCK % 2 else "D"
    day = (date(2024, 1, 1) + timedelta(days=version)).isoformat()
    return staff(TENANTS[person % 3], person, grade=grade, function=f"f{version}", effective_at=day, occurred_at=f"{day}T08:00:00Z")


class StaffLoad:
    """See the module."""

    def __init__(self, house: House, people: int) -> None:
        self._house = house
        self.versions = [0] * people
        """What was sent of each."""
        self.poison: list[Poison] = []
        self.share = 1.0
        """How much of the poison is strewn in: 0 is none, 1 is 1 % unreadable and 0.5 % refused."""
        self.odd = 0
        """How many records the other sender has sent."""
        self._next = self._since = self._bursts = self._strewn = 0

    @property
    def sent(self) -> int:
        return sum(self.versions)

    async def burst(self, count: int) -> None:
        """The next `count` records, one person after the other; tried until the log has all of them."""
        records: list[Record] = []
        for _ in range(count):
            person = self._next % len(self.versions)
            self._next += 1
            self.versions[person] += 1
            records += [*self._bad(), version_of(person, self.versions[person])]
        self._bursts += 1
        odd = self._bursts % ODD == 0 and self._house.log_url.startswith("kafka://")
        while True:
            try:
                await (send_oddly(self._house.log_url.removeprefix("kafka://"), records) if odd else self._house.append(records))
            except Unavailable:
                await asyncio.sleep(PAUSE)
            else:
                self.odd += len(records) if odd else 0
                return

    def _bad(self) -> list[Record]:
        self._since += 1
        if not self.share or self._since < 200:
            return []
        self._since = 0
        made = poison.strewn(self._strewn)
        self._strewn += 1
        self.poison += [one for _, one in made]
        return [record for record, _ in made]

    @contextlib.asynccontextmanager
    async def flowing(self, rate: float) -> AsyncIterator[None]:
        """So many records a second, in bursts, while inside."""

        async def flow() -> None:
            while not over.is_set():
                await self.burst(max(1, min(len(self.versions), round(rate * PAUSE))))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), PAUSE)

        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(flow())
            try:
                yield
            finally:
                over.set()

    def unheard(self, said: dict[str, list[Any]]) -> list[str]:
        """Who has not said exactly `f1` to `fn`, each once and in order, in words. `said` holds the functions that each one's changes carried."""
        wrong = []
        for person, versions in enumerate(self.versions):
            expected, got = [f"f{version}" for version in range(1, versions + 1)], said.get(person_id(person), [])
            if got == expected:
                continue
            what = (
                "lost"
                if set(expected) - set(got)
                else "repeated"
                if sorted(set(got)) == sorted(expected) and len(got) > len(expected)
                else "out of order"
            )
            wrong.append(f"{what}: {person_id(person)} said {len(got)} changes of {versions}")
        return wrong
