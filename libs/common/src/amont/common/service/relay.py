"""The relay: what a commit has put into outboxes goes to the log, and what the log has taken leaves the outboxes. One per service, for all who write.

Published at once after the write; swept every few seconds for what a crash, or a log that was away, has left behind. Two relays on one document
may publish twice: readers' `seq` guard absorbs it. That one relay does not is seen to with `saying`, that the newest state comes last on compacted
topics with `holding`. Nothing here reads or decides on an aggregate's state, so what is written again is the document as it was found.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from amont.common import metrics
from amont.common.documents import AnyOf, AtMost, Clear, Document, Find, Put
from amont.common.documents.collection import Collection
from amont.common.errors import Unacceptable, Unavailable
from amont.common.events.values import instant_text
from amont.common.log import Log
from amont.common.service.holding import SAY_WITHIN_SECONDS, Holding
from amont.common.service.saying import Saying
from amont.common.service.unreadable import unreadable
from amont.common.work import OUTBOX, Backlog, Entry, House, Key, Recent

LEFT_BEHIND_AFTER = timedelta(seconds=10)
"""How old a pending event must be before the sweep takes it: the writer itself is about to publish younger ones, and to clear them when it next sweeps."""
ANY_TIME = "~"
"""Comes after every instant."""
SWEEP_PAGE = 200
MAX_LEFT = 10_000
"""Documents whose events a process may leave behind while the log is away; then it takes no more commands."""

_logger = structlog.get_logger(__name__)


class Relay:
    """See the module."""

    def __init__(self, house: House, log: Log) -> None:
        self._house = house
        self._log = log
        self._collections = {one.name: one for one in house.collections.values()}
        self._clears: dict[Key, Clear] = {}
        self.left: set[Key] = set()
        """The documents whose events the log did not take, until it has, from whomever."""
        self._holding = Holding()
        self._saying = Saying()
        self._under_way: set[asyncio.Task[None]] = set()

    async def publish(self, entries: Sequence[Entry], recent: Recent | None = None) -> None:
        """Put the entries' events on the log, in order, and remember that their outboxes may be cleared. Raises Unavailable.

        What the log will never take stays in its outbox, is logged, and keeps nobody else's events back. A caller that is cancelled waits no more, but
        what was given to the log is seen through: nobody could say what became of it.
        """
        full = [entry for entry in entries if entry.out]
        if full:
            saying = asyncio.create_task(self._say(full, recent), name=f"{self._house.name} says")
            self._under_way.add(saying)
            saying.add_done_callback(self._under_way.discard)
            await asyncio.shield(saying)

    async def _say(self, full: Sequence[Entry], recent: Recent | None) -> None:
        try:
            await self._publish(full, recent)
        except Unacceptable as error:
            if len(full) == 1:
                _logger.error("event_refused_by_the_log", collection=full[0].collection.name, id=full[0].aggregate.id, reason=str(error))  # noqa: TRY400
                self.left.discard(full[0].key)
                return
            await self._say_apart(full, recent)
        except Unavailable:
            self.left.update(entry.key for entry in full)
            raise
        finally:
            self._saying.ends(full)

    async def _say_apart(self, full: Sequence[Entry], recent: Recent | None) -> None:
        """Say each by itself. When the log goes away meanwhile, that one and those that have not had their turn are left."""
        for number, entry in enumerate(full):
            try:
                await self._say([entry], recent)
            except Unavailable:
                self.left.update(one.key for one in full[number:])
                raise

    def refuse_when_full(self) -> None:
        """Raise Backlog when so much was left behind that people's commands must wait; what the service has begun goes on."""
        if len(self.left) >= MAX_LEFT:
            raise Backlog(f"{len(self.left):,} documents hold events that the log has not taken; no command is taken until it is back.")

    def _in_time(self, entries: Sequence[Entry], now: float) -> list[Entry]:
        """Those that are known to be their documents' states of just now. What took longer may have been written over long since: the sweep sees to it."""
        found = []
        for entry in entries:
            if entry.known_at is not None and now - entry.known_at > SAY_WITHIN_SECONDS and entry.compacted:
                _logger.info("events_left_to_the_sweep", collection=entry.collection.name, id=entry.aggregate.id)
            else:
                found.append(entry)
        return found

    async def _publish(self, full: Sequence[Entry], recent: Recent | None) -> None:
        loop = asyncio.get_running_loop()
        called = loop.time()
        full = self._saying.give(self._in_time(full, called))
        if not full:
            return
        records = [record for entry in full for record in entry.records(self._house.name)]
        for entry in full:
            self._holding.begins(entry)
        try:
            await self._log.append(records)
        except BaseException:
            for entry in full:
                self._holding.failed(entry, called, loop.time())
            raise
        self._count(full, len(records))
        self.left.difference_update(entry.key for entry in full)
        done = [entry for entry in full if self._holding.settles(entry, called)]
        self._saying.say(done)
        self.give_back([_clear(entry) for entry in done])
        for entry in done:
            if recent is not None:
                recent.put(Entry(entry.collection, entry.aggregate, entry.version, entry.seen, trace=entry.trace, raw=entry.raw))

    def _count(self, full: Sequence[Entry], records: int) -> None:
        metrics.EVENTS_PUBLISHED.labels(self._house.name).inc(records)
        said = [entry.out[entry.carried]["at"] for entry in full if len(entry.out) > entry.carried]
        if said:
            since = datetime.fromisoformat(min(said))
            metrics.RELAY_SECONDS.labels(self._house.name).observe(max(0.0, (self._house.clock.now() - since).total_seconds()))

    async def others_end(self, entries: Sequence[Entry]) -> None:
        """Wait a moment for what this process is still saying of what these carry on."""
        await self._saying.others_end(entries)

    def begins(self, entries: Sequence[Entry]) -> None:
        """These are about to be written and then published: take out of them what is known to be on the log for good.

        Whoever calls this calls `publish` or `ends` with every one of them.
        """
        for entry in entries:
            if not entry.carried:
                continue
            if self._saying.has_said(entry):
                entry.out, entry.carried = entry.out[entry.carried :], 0
            else:
                self._holding.shorten(entry)
        self._saying.begins(entries)

    def ends(self, entries: Iterable[Entry]) -> None:
        """These were not written, so nobody waits for them."""
        self._saying.ends(entries)

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
        """Publish what was left behind, and once more what is held; how many documents had been left. Raises Unavailable."""
        await self.clear()
        await self._measure()
        swept = await self._say_again()
        for collection in self._collections.values():
            swept += await self._sweep(collection, older_than)
        metrics.OUTBOX_SWEPT.labels(self._house.name).inc(swept)
        await self._look_at_what_is_left()
        return swept

    async def say_what_is_left(self) -> None:
        """Before an end: see through what is being said, and publish once more what this process could not. Nothing of what others may be about to say.

        Raises Unavailable.
        """
        await self.clear()
        while self._under_way:
            await asyncio.wait(self._under_way)
        await self.clear()
        await self._say_again()
        for collection, page in self._pages(self.left):
            known_at = asyncio.get_running_loop().time()
            found = await self._house.store.get(collection.name, page)
            entries = self._entries(collection, list(found.values()), known_at)
            await self._say_found([one for one in self._left_behind(entries) if not one.compacted])

    async def _look_at_what_is_left(self) -> None:
        """Forget of what was left what others have said meanwhile."""
        for collection, page in self._pages(self.left):
            still = {"_id": AnyOf(tuple(page)), "_out_at": AtMost(ANY_TIME)}
            pending = await self._house.store.count_by(collection.name, "_id", still)
            self.left.difference_update((collection.name, id_) for id_ in page if id_ not in pending)

    def _pages(self, keys: Iterable[Key]) -> Iterator[tuple[Collection[Any], list[str]]]:
        """Keys as ids by collection, as many as are asked for at once; in order, so that the simulator can play it again."""
        by_collection: dict[str, list[str]] = defaultdict(list)
        for name, id_ in sorted(keys):
            by_collection[name].append(id_)
        for name, ids in by_collection.items():
            for begin in range(0, len(ids), SWEEP_PAGE):
                yield self._collections[name], ids[begin : begin + SWEEP_PAGE]

    async def _say_again(self) -> int:
        """Say what this process holds and is due, unless somebody has written over it; how much of it was not said before."""
        loop = asyncio.get_running_loop()
        said_before = dict(self._holding.due(loop.time()))
        unsaid = 0
        for collection, page in self._pages(said_before):
            known_at, entries = loop.time(), []
            found = await self._house.store.get(collection.name, page)
            for id_ in page:
                document = found.get(id_)
                if document is None or document["v"] != self._holding.version((collection.name, id_)):
                    self._holding.forget((collection.name, id_))
                    continue
                entries += self._entries(collection, [document], known_at)
            await self._say_found(entries)
            unsaid += sum(not said_before[entry.key] for entry in entries)
        return unsaid

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
        swept, after = 0, None
        while True:
            known_at = asyncio.get_running_loop().time()
            documents = await self._house.store.find(
                Find(collection=collection.name, where={"_out_at": AtMost(limit)}, sort="_out_at", after=after, limit=SWEEP_PAGE)
            )
            left = self._left_behind(self._entries(collection, documents, known_at))
            if left:
                _logger.info("outbox_swept", collection=collection.name, documents=len(left))
            await self._say_found(left)
            swept += len(left)
            if len(documents) < SWEEP_PAGE:
                return swept
            after = (documents[-1]["_out_at"], documents[-1]["_id"])

    def _left_behind(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that nobody here is saying or holds; what is on the log already is noted to be cleared."""
        self.give_back([_clear(entry) for entry in entries if self._saying.has_said(entry)])
        unsaid = [one for one in entries if not self._saying.has_said(one) and not self._saying.is_open(one)]
        return [one for one in unsaid if not one.compacted or not self._holds(one)]

    def _holds(self, entry: Entry) -> bool:
        """Whether this process has written the entry's version, and says it again when it is time."""
        return self._holding.version(entry.key) == entry.version

    async def _say_found(self, found: Sequence[Entry]) -> None:
        """Say what was found in outboxes, and clear what is done with. What is compacted and not ours is written again first."""
        self._saying.begins(found)
        safe = [entry for entry in found if not entry.compacted or self._holds(entry)]
        try:
            ours = await self._taken_over([entry for entry in found if entry.compacted and not self._holds(entry)])
        except BaseException:
            self._saying.ends(found)
            raise
        await self.publish([*safe, *ours])
        await self.clear()

    async def _taken_over(self, entries: Sequence[Entry]) -> list[Entry]:
        """Write again what somebody else may be saying, as it is; those of which nobody was faster."""
        if not entries:
            return []
        now = instant_text(self._house.clock.now())
        known_at = asyncio.get_running_loop().time()
        puts = [Put(entry.collection.name, entry.document(now), entry.version) for entry in entries]
        lost = await self._house.store.commit(puts)
        self._saying.ends(entry for entry in entries if entry.key in lost)
        ours = [entry for entry in entries if entry.key not in lost]
        for entry in ours:
            entry.version, entry.known_at = (entry.version or 0) + 1, known_at
        return ours

    def _entries(self, collection: Collection[Any], documents: Sequence[Document], known_at: float) -> list[Entry]:
        """What documents have to say. One whose outbox cannot be read (a newer release may have written it) is passed over and counted."""
        entries = []
        for document in documents:
            try:
                entry = Entry.unread(collection, document)
                entry.records(self._house.name)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                unreadable(self._house.name, collection.name, document["_id"], error)
                continue
            entry.known_at = known_at
            entries.append(entry)
        return entries


def _clear(entry: Entry) -> Clear:
    return Clear(*entry.key, entry.version or 0, OUTBOX)
