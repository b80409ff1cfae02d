"""Taking dead letters up again: by the service that parked them, from its own store, through the same reaction.

Four things bring a letter back: somebody asked for it; what it waited behind is resolved; a document could not be read for it, and may be now (while two
releases are at work, each process tries: whichever can read it takes the letter); or nobody has cared for it for too long, and then it is given up.

The records do not travel through their topic again: it may be compacted (an older state would bury a newer one), it belongs to another service, and
its other readers have taken them long ago.

A letter is settled after its effect is saved, never with it, since a store writes documents one by one: a crash in between replays once more, and the
guard in each document knows. In order: of a key only the first unresolved letter is tried, so whatever follows it is still parked.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from amont.common import metrics
from amont.common.documents import AnyOf, AtMost, Document, Find, Remove
from amont.common.errors import Unacceptable, Unavailable, Unreadable
from amont.common.events.values import instant_text
from amont.common.service.letters.letter import BLOCKED_BY, LETTERS, UNREADABLE_DOCUMENT, UNRESOLVED, DeadLetter, Status
from amont.common.service.letters.parking import first_in
from amont.common.service.reading import Heard, Refused, not_taken, react, read
from amont.common.service.unit import ATTEMPTS, Moved, Unit
from amont.common.service.unreadable import unreadable
from amont.common.tracing import within
from amont.common.work import Backlog, Key, Reactions, Work

PAGE = 50
UNREAD_AGAIN = timedelta(seconds=30)
"""How often a process tries the letters for which a document could not be read."""
AT_ONCE = 500
"""How many letters one question to the store names: SQLite takes 32,766 values in one, and a MongoDB message has an end as well."""

_logger = structlog.get_logger(__name__)


class Replayer:
    """See the module. Several processes may do this at once: what one has done, the other recognises."""

    def __init__(self, unit: Unit, reactions: Reactions) -> None:
        self._unit = unit
        self._reactions = reactions
        self._store = unit.house.store
        self._unread_at: datetime | None = None
        """When those for which a document could not be read were tried last."""

    async def tick(self) -> int:
        """Do what is to be done now; how many letters were settled or forgotten. Raises Unavailable."""
        name = self._unit.house.name
        unresolved = await self._store.count_by(LETTERS.name, "status", {"status": AnyOf(UNRESOLVED)})
        metrics.DEAD_LETTERS_OPEN.labels(name).set(sum(unresolved.values()))
        metrics.KEYS_PARKED.labels(name).set(len(await self._lanes()) if unresolved else 0)
        handled = await self._forget()
        if unresolved.get(Status.REPLAYING):
            handled += await self._replay_asked()
        if unresolved.get(Status.OPEN):
            handled += await self._try_unread()
            handled += await self._let_followers_go()
        return handled

    async def _lanes(self) -> Mapping[Any, int]:
        topics = tuple({kind.topic for kind in self._reactions})
        return await self._store.count_by(LETTERS.name, "lane", {"blocking": AnyOf(topics)})

    async def _replay_asked(self) -> int:
        handled, flown = 0, set[str]()
        async for letter in self._all({"status": Status.REPLAYING}):
            if self._unit.stopping.is_set():
                break
            if not letter.ordered:
                handled += await self._try_alone(letter)
            elif letter.lane not in flown:
                flown.add(letter.lane)
                handled += await self._flow(letter.lane)
        return handled

    async def _try_unread(self) -> int:
        now = self._unit.house.clock.now()
        if self._unread_at is not None and abs(now - self._unread_at) < UNREAD_AGAIN:
            return 0
        self._unread_at = now
        handled = 0
        async for letter in self._all({"status": Status.OPEN, "reason": UNREADABLE_DOCUMENT}):
            if self._unit.stopping.is_set():
                break
            handled += await (self._flow(letter.lane) if letter.ordered else self._try_alone(letter))
        return handled

    async def _let_followers_go(self) -> int:
        """Take up those that wait behind nothing any more."""
        waiting = {"status": Status.OPEN, "reason": BLOCKED_BY}
        behind = sorted(await self._store.count_by(LETTERS.name, "blocked_by", waiting))
        handled = 0
        for begin in range(0, len(behind), AT_ONCE):
            handled += await self._let_go_behind(behind[begin : begin + AT_ONCE], waiting)
        return handled

    async def _let_go_behind(self, firsts: Sequence[str], waiting: Mapping[str, Any]) -> int:
        still = await self._store.count_by(LETTERS.name, "_id", {"_id": AnyOf(tuple(firsts)), "status": AnyOf(UNRESOLVED)})
        handled = 0
        for id_ in firsts:
            if id_ in still:
                continue
            for document in await self._store.find(
                Find(collection=LETTERS.name, where={**waiting, "blocked_by": id_}, sort="offset", limit=1)
            ):
                handled += await self._flow(document["lane"])
        return handled

    async def _flow(self, lane: str) -> int:
        """Take up a key's letters from the first on, as long as they are taken; those after one that is not stay."""
        handled = 0
        while (first := await self._first(lane)) is not None and not self._unit.stopping.is_set():
            if not (first.waits or first.unread or first.status is Status.REPLAYING):
                await self._put_back(lane, first)
                break
            taken = await self._try(first)
            if taken is None:
                if first.unread:
                    await self._put_back(lane, first)
                break
            handled += 1
        return handled

    async def _first(self, lane: str) -> DeadLetter | None:
        """None as well when it cannot be read: its key stands still, until a release that can comes to it."""
        try:
            return await first_in(self._store, lane)
        except ValueError as error:
            unreadable(self._unit.house.name, LETTERS.name, lane, error)
            return None

    def _readable(self, documents: Sequence[Document]) -> list[tuple[DeadLetter, int]]:
        """The letters of these with their versions; what cannot be read is passed over and counted."""
        found = []
        for document in documents:
            try:
                found.append((LETTERS.load(document), document["v"]))
            except ValueError as error:
                unreadable(self._unit.house.name, LETTERS.name, document["_id"], error)
        return found

    async def _put_back(self, lane: str, first: DeadLetter) -> None:
        async for letter in self._all({"lane": lane, "status": Status.REPLAYING}):
            await self._unit.run(put_back, letter.id, first.id)

    async def _try_alone(self, found: DeadLetter) -> bool:
        """Try a letter that is in order with no other; whether it was settled. As it is now: somebody may have decided otherwise since it was found."""
        again = self._readable(list((await self._store.get(LETTERS.name, [found.id])).values()))
        letter = next((one for one, _ in again), None)
        if letter is None or (letter.status, letter.reason) != (found.status, found.reason):
            return False
        return await self._try(letter) is not None

    async def _try(self, letter: DeadLetter) -> bool | None:
        """Whether the letter was taken; None when it must wait, because the log has been away for too long or its document is as unreadable as before.

        Raises Unavailable.
        """
        try:
            refused = await self._apply(letter)
        except Backlog as error:
            _logger.warning("replay_waits", service=self._unit.house.name, letter=letter.id, reason=str(error))
            return None
        if letter.unread and refused is not None and refused.reason == UNREADABLE_DOCUMENT:
            return None
        await self._unit.run(settle, letter, refused)
        reason = refused.reason if refused else None
        with within(letter.traceparent):
            _logger.info("replayed" if refused is None else "refused_again", service=self._unit.house.name, letter=letter.id, reason=reason)
        return refused is None

    async def _apply(self, letter: DeadLetter) -> Refused | None:
        """React to the record and save; why it is refused, None when it has taken effect, now or before. Raises Unavailable."""
        try:
            one = read(letter.record, letter.topic)
        except Unreadable as error:
            return Refused(error.reason, str(error))
        if one is None or type(one.event) not in self._reactions:
            return None
        inserts: frozenset[Key] = frozenset()
        for _ in range(ATTEMPTS):
            try:
                return await self._apply_once(one, inserts)
            except Moved as moved:
                inserts |= moved.inserts
            except (Unacceptable, ValueError) as error:
                return not_taken(self._unit.house.name, error)
        raise Unavailable(f"What dead letter {letter.id} is about keeps changing.")

    async def _apply_once(self, one: Heard, inserts: frozenset[Key]) -> Refused | None:
        work = Work(self._unit.house)
        await work.look_at(inserts)
        refused = await react(self._unit.house.name, self._reactions, work, one)
        if refused is not None:
            return refused
        entries = await self._unit.save(work)
        await self._unit.publish_or_leave(entries)
        await self._unit.do_effects(work.effects)
        return None

    async def _forget(self) -> int:
        """Remove the resolved letters whose time is over; give up the open ones."""
        handled = 0
        async for found in self._pages({"due_at": AtMost(instant_text(self._unit.house.clock.now()))}, "due_at"):
            handled += await self._forget_these(found)
            if self._unit.stopping.is_set():
                break
        return handled

    async def _forget_these(self, found: Sequence[tuple[DeadLetter, int]]) -> int:
        over = [Remove(LETTERS.name, letter.id, version) for letter, version in found if not letter.unresolved]
        await self._store.commit(over)
        given_up = [letter for letter, _ in found if letter.status is Status.OPEN]
        for letter in given_up:
            await self._unit.run(give_up, letter.id)
            _logger.warning("letter_given_up", service=self._unit.house.name, letter=letter.id, reason=letter.reason)
        return len(over) + len(given_up)

    async def _all(self, where: Mapping[str, Any]) -> AsyncIterator[DeadLetter]:
        """Every letter that meets the conditions, in the order in which they were parked."""
        async for page in self._pages(where, "order"):
            for letter, _ in page:
                yield letter

    async def _pages(self, where: Mapping[str, Any], sort: str) -> AsyncIterator[list[tuple[DeadLetter, int]]]:
        """The same by pages, in order of a field and with their versions."""
        after: tuple[Any, ...] | None = None
        while True:
            page: list[Document] = await self._store.find(Find(collection=LETTERS.name, where=where, sort=sort, after=after, limit=PAGE))
            yield self._readable(page)
            if len(page) < PAGE:
                return
            after = (page[-1][sort], page[-1]["_id"])


async def settle(work: Work, tried: DeadLetter, refused: Refused | None) -> None:
    """Note what came of it. An effect stands whatever somebody did to the letter meanwhile; a refusal gives way to what they decided."""
    letter = await work.get(DeadLetter, tried.id)
    untouched = (letter.status, letter.content) == (tried.status, tried.content)
    if refused is not None:
        if untouched:
            work.save(letter.refuse(refused.reason, refused.detail, work.now))
    elif letter.status is not Status.REPLAYED:
        work.save(letter.applied(work.now, None if untouched else f"it was being taken when it was {letter.history[-1].what}"))


async def put_back(work: Work, id_: str, behind: str) -> None:
    letter = await work.get(DeadLetter, id_)
    if letter.status is Status.REPLAYING:
        work.save(letter.put_back(behind, work.now))


async def give_up(work: Work, id_: str) -> None:
    letter = await work.get(DeadLetter, id_)
    if letter.status is Status.OPEN:
        work.save(letter.give_up(work.now))
