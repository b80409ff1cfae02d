"""What this process is saying at the moment and what it has said, so that it says nothing twice beside itself.

Two works of one process meet in one document when the second reads it before the first has been answered by the log, or before the outbox of what is
on the log was cleared. Of other processes nobody can know that (`holding` sees to them); of its own a process does, and waits for a moment.
"""

import asyncio
import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence

from amont.common.work import Entry, Key

WAIT_SECONDS = 5.0
"""How long a work waits for what another one is saying; what takes longer is said twice rather than late."""
REMEMBERED = 20_000
"""Of how many documents it is remembered which version was given to the log last, and which is there."""


class Saying:
    """See the module. What has begun must end: `begins` before the store is asked to write, `ends` whatever comes of it."""

    def __init__(self) -> None:
        self._open: defaultdict[Key, set[asyncio.Event]] = defaultdict(set)
        self._given = _Newest()
        self._said = _Newest()

    def begins(self, entries: Iterable[Entry]) -> None:
        """These are about to be written, or were found, and are said next."""
        for entry in entries:
            if entry.out:
                entry.ended = asyncio.Event()
                self._open[entry.key].add(entry.ended)

    def ends(self, entries: Iterable[Entry]) -> None:
        """These are on the log, or are not said now."""
        for entry in entries:
            if entry.ended is not None:
                entry.ended.set()
                self._open[entry.key].discard(entry.ended)
                if not self._open[entry.key]:
                    del self._open[entry.key]
                entry.ended = None

    async def others_end(self, entries: Iterable[Entry]) -> None:
        """Wait until nobody here is saying what these carry on, or for `WAIT_SECONDS`."""
        waited_for = [ended for entry in entries if entry.carried for ended in self._open.get(entry.key, ())]
        if waited_for:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    await asyncio.gather(*(ended.wait() for ended in waited_for))

    def is_open(self, entry: Entry) -> bool:
        """Whether somebody here is about to say what the entry's document holds."""
        return entry.key in self._open

    def give(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those of which no newer version was given to the log: a newer outbox says what an older one says, and an old state must not come last."""
        return [entry for entry in entries if self._given.put(entry)]

    def say(self, entries: Iterable[Entry]) -> None:
        """All that these had to say is on the log for good."""
        for entry in entries:
            self._said.put(entry)

    def has_said(self, entry: Entry) -> bool:
        """Whether all that is in the outbox of the entry's version is on the log for good."""
        return self._said.version(entry.key) == entry.version


class _Newest:
    """The newest version of each document that something was done with; of those with which it was done last."""

    def __init__(self) -> None:
        self._versions: OrderedDict[Key, int] = OrderedDict()

    def put(self, entry: Entry) -> bool:
        """Remember an entry's version; False, and nothing else, when a newer one is known."""
        version = entry.version or 0
        if self._versions.get(entry.key, 0) > version:
            return False
        self._versions[entry.key] = version
        self._versions.move_to_end(entry.key)
        if len(self._versions) > REMEMBERED:
            self._versions.popitem(last=False)
        return True

    def version(self, key: Key) -> int | None:
        return self._versions.get(key)
