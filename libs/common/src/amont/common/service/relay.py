"""The relay: what a commit has put into outboxes goes to the log, and what the log has taken leaves the outboxes. One per service, for all who write.

Published at once after the write; swept every few seconds for what a crash, or a log that was away, has left behind. Two relays on one document
may publish twice: readers' `seq` guard absorbs it.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from amont.common import metrics
from amont.common.documents import AtMost, Clear, Find
from amont.common.documents.collection import Collection
from amont.common.errors import Unacceptable, Unavailable
from amont.common.events.values import instant_text
from amont.common.log import Log
from amont.common.work import Backlog, Entry, House, Key, Recent

OUTBOX = ("_out", "_out_at")
LEFT_BEHIND_AFTER = timedelta(seconds=5)
"""How old a pending event must be before the sweep takes it: the writer itself is about to publish younger ones."""
SWEEP_PAGE = 200
NEWEST_KNOWN = 20_000
"""Of how many documents the relay remembers which version it published last."""
MAX_LEFT = 10_000
"""Documents whose events a process may leave behind while the log is away; then it takes no more commands."""

_logger = structlog.get_logger(__name__)


class Relay:
    """See the module."""

    def __init__(self, house: House, log: Log) -> None:
        self._house = house
        self._log = log
        self._clears: dict[Key, Clear] = {}
        self.left: set[Key] = set()
        """The documents that were left with events since a sweep last found the log at work."""
        self._newest: OrderedDict[Key, int] = OrderedDict()
        """The newest version of a document whose events were given to the log."""

    async def publish(self, entries: Sequence[Entry], recent: Recent | None = None) -> None:
        """Put the entries' events on the log, in order, and remember that their outboxes may be cleared. Raises Unavailable.

        What the log will never take stays in its outbox, is logged, and keeps nobody else's events back.
        """
        full = [entry for entry in entries if entry.out]
        if not full:
            return
        try:
            await self._publish(full, recent)
        except Unacceptable as error:
            if len(full) == 1:
                _logger.error("event_refused_by_the_log", collection=full[0].collection.name, id=full[0].aggregate.id, reason=str(error))  # noqa: TRY400
                return
            for entry in full:
                await self.publish([entry], recent)

    def refuse_when_full(self) -> None:
        """Raise Backlog when so much was left behind that people's commands must wait; what the service has begun goes on."""
        if len(self.left) >= MAX_LEFT:
            raise Backlog(f"{len(self.left):,} documents hold events that the log has not taken; no command is taken until it is back.")

    def _not_overtaken(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those of which no newer version was given to the log: a newer outbox says what an older one says, and an old state must not come last."""
        found = []
        for entry in entries:
            version = entry.version or 0
            if self._newest.get(entry.key, 0) <= version:
                self._newest[entry.key] = version
                self._newest.move_to_end(entry.key)
                found.append(entry)
        while len(self._newest) > NEWEST_KNOWN:
            self._newest.popitem(last=False)
        return found

    async def _publish(self, full: Sequence[Entry], recent: Recent | None) -> None:
        full = self._not_overtaken(full)
        if not full:
            return
        records = [record for entry in full for record in entry.records(self._house.name)]
        await self._log.append(records)
        metrics.EVENTS_PUBLISHED.labels(self._house.name).inc(len(records))
        since = datetime.fromisoformat(min(entry.out[0]["at"] for entry in full))
        metrics.RELAY_SECONDS.labels(self._house.name).observe(max(0.0, (self._house.clock.now() - since).total_seconds()))
        self.give_back([Clear(*entry.key, entry.version or 0, OUTBOX) for entry in full])
        for entry in full:
            if recent is not None:
                recent.put(Entry(entry.collection, entry.aggregate, entry.version, entry.seen, trace=entry.trace))

    def take_clears(self, written: Mapping[Key, Any]) -> list[Clear]:
        """The clears that are due; those of documents about to be written are dropped, since the write leaves them cleared or carries them on."""
        clears = [clear for key, clear in self._clears.items() if key not in written]
        self._clears = {}
        return clears

    def give_back(self, clears: Sequence[Clear]) -> None:
        """Clear these when something is next written. Of one document the newest version counts: who is slower must not hide it."""
        for clear in clears:
            key = (clear.collection, clear.id)
            known = self._clears.get(key)
            if known is None or known.version <= clear.version:
                self._clears[key] = clear

    async def clear(self) -> None:
        """Write down now what is known to be on the log."""
        clears = self.take_clears({})
        if clears:
            try:
                await self._house.store.commit(clears)
            except Unavailable:
                self.give_back(clears)
                raise

    async def sweep(self, *, older_than: timedelta = LEFT_BEHIND_AFTER) -> int:
        """Publish what was left behind; how many documents had something. Raises Unavailable."""
        await self.clear()
        await self._measure()
        swept = 0
        for collection in self._house.collections.values():
            swept += await self._sweep(collection, older_than)
        metrics.OUTBOX_SWEPT.labels(self._house.name).inc(swept)
        self.left.clear()
        return swept

    async def _measure(self) -> None:
        """Say how many documents hold events that are not known to be on the log, and since when the oldest does."""
        now = self._house.clock.now()
        limit, pending, oldest = AtMost(instant_text(now)), 0, now
        for name in (collection.name for collection in self._house.collections.values()):
            first = await self._house.store.find(Find(collection=name, where={"_out_at": limit}, sort="_out_at", limit=1))
            if first:
                oldest = min(oldest, datetime.fromisoformat(first[0]["_out_at"]))
                pending += sum((await self._house.store.count_by(name, "v", {"_out_at": limit})).values())
        metrics.OUTBOX_PENDING.labels(self._house.name).set(pending)
        metrics.OUTBOX_OLDEST_SECONDS.labels(self._house.name).set((now - oldest).total_seconds())

    async def _sweep(self, collection: Collection[Any], older_than: timedelta) -> int:
        limit = instant_text(self._house.clock.now() - older_than)
        found = Find(collection=collection.name, where={"_out_at": AtMost(limit)}, sort="_out_at", limit=SWEEP_PAGE)
        swept = 0
        while documents := await self._house.store.find(found):
            _logger.info("outbox_swept", collection=collection.name, documents=len(documents))
            await self.publish([Entry.of(collection, document) for document in documents])
            await self.clear()
            swept += len(documents)
            if len(documents) < SWEEP_PAGE or await self._house.store.find(found) == documents:
                break
        return swept
