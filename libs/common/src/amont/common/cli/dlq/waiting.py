"""Asking for replays and waiting until the services have done them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from amont.common.cli.stores import Place
from amont.common.documents import AnyOf
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import LETTERS, UNRESOLVED, DeadLetter, Status
from amont.common.service.letters.parking import first_in

POLL_SECONDS = 0.2
AT_ONCE = 500


@dataclass(slots=True)
class Watched:
    """The letters of one service whose replay is awaited, and the keys they are in order with."""

    place: Place
    ids: list[str] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)
    in_part: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, letter: DeadLetter) -> None:
        if letter.truncated_from is not None:
            self.in_part += 1
            return
        self.ids.append(letter.id)
        self.reasons[letter.reason] += 1
        if letter.ordered:
            self.lanes.add(letter.lane)

    async def unresolved(self) -> dict[str, int]:
        """How many are not resolved yet, by status."""
        counts: dict[str, int] = {}
        for start in range(0, len(self.ids), AT_ONCE):
            some = {"_id": AnyOf(tuple(self.ids[start : start + AT_ONCE])), "status": AnyOf(UNRESOLVED)}
            for status, count in (await self.place.store.count_by(LETTERS.name, "status", some)).items():
                counts[status] = counts.get(status, 0) + count
        return counts

    async def done(self) -> bool:
        """Whether the service has nothing left to do for them: each key flows, or stands behind a letter that nobody asked for or that was refused."""
        if Status.REPLAYING in await self.unresolved():
            return False
        for lane in sorted(self.lanes):
            first = await first_in(self.place.store, lane)
            if first is not None and (first.waits or first.status is Status.REPLAYING):
                return False
            self.lanes.discard(lane)
        return True

    async def left(self) -> list[DeadLetter]:
        """Those that are still unresolved."""
        found: list[DeadLetter] = []
        for start in range(0, len(self.ids), AT_ONCE):
            documents = await self.place.store.get(LETTERS.name, self.ids[start : start + AT_ONCE])
            found += [letter for document in documents.values() if (letter := LETTERS.load(document)).unresolved]
        return sorted(found, key=lambda letter: letter.order)


async def chosen_in(place: Place, chosen: Chosen) -> Watched:
    """The unresolved letters that a choice means."""
    watched, after = Watched(place), ""
    while found := await place.run(commands.page, chosen, after or None):
        for letter, _ in found:
            watched.add(letter)
        after = found[-1][0].order
    return watched


async def ask(place: Place, chosen: Chosen, who: str, why: str | None) -> None:
    """Ask for all of them to be replayed, a page at a time."""
    asked = await place.run(commands.replay_chosen, chosen, who, why, None)
    while asked.last is not None:
        asked = await place.run(commands.replay_chosen, chosen, who, why, asked.last)


async def until_done(watched: Sequence[Watched], patience: float, show: Callable[[int], None]) -> bool:
    """Wait as long as something happens; False when nothing has for `patience` seconds. `show` is told how many are resolved."""
    total = sum(len(one.ids) for one in watched)
    before, since = -1, time.monotonic()
    while True:
        resolved = total - sum([sum((await one.unresolved()).values()) for one in watched])
        show(resolved)
        if all([await one.done() for one in watched]):
            return True
        if resolved != before:
            before, since = resolved, time.monotonic()
        if time.monotonic() - since > patience:
            return False
        await asyncio.sleep(POLL_SECONDS)
