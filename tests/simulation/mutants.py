"""Bugs of the kind that this house is built against, put back one at a time: a simulator that does not find them finds nothing.

Each is a patch at a seam of the real shell or of the memory log, applied in a process of its own.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from amont.common.errors import Unavailable
from amont.common.events.matching import PairFact
from amont.common.events.values import DeliveryStatus, Role
from amont.common.log import Received, Record
from amont.common.service import Service
from amont.common.service.consumer import Consumer
from amont.common.service.holding import Holding
from amont.common.service.letters.parking import First
from amont.common.testing.memory import MemoryLog
from amont.common.testing.memory.log import MemoryReader
from amont.common.testing.simulation import Outcome, simulate
from amont.common.testing.simulation.loop import PROCESS
from amont.common.work import Work
from amont.enrolment.domain.feed import Answer, Feed
from amont.enrolment.domain.holding import Held
from amont.matching.commands import publishing
from amont.matching.domain.programme import PoolHasMoved, Programme
from amont.notifications.commands import deliveries
from amont.notifications.documents import DELIVERIES
from amont.notifications.domain import notices
from amont.notifications.domain.delivery import Delivery
from amont.notifications.domain.people import Known

Mutant = AbstractContextManager[Any]


def ack_before_effect() -> Mutant:
    """FastStream's default: the position moves, then the batch is handled."""
    handled = MemoryReader._taken

    async def taken(self: MemoryReader, batch: Sequence[Received]) -> bool:
        await self._commit(self._ends(batch), self._generation)
        return await handled(self, batch)

    return patch.object(MemoryReader, "_taken", taken)


def guard_without_a_stored_seq() -> Mutant:
    """`seq < n` on a document that has no `seq` of that stream yet never holds: a real event is dropped as stale."""
    saved = Work.save

    def save(self: Work, decision: Any) -> Any:
        key, stream = self._key(type(decision.state), decision.state.id), self._step.stream
        entry = self._entries.get(key)
        if stream is not None and entry is not None and entry.version is not None and stream not in entry.seen:
            return entry.aggregate
        return saved(self, decision)

    return patch.object(Work, "save", save)


def no_guard() -> Mutant:
    """Whatever is heard is applied, how often and how late it may come."""
    saved = Work.save

    def save(self: Work, decision: Any) -> Any:
        key, stream = self._key(type(decision.state), decision.state.id), self._step.stream
        entry = self._entries.get(key)
        if stream is not None and entry is not None:
            self._entries[key] = replace(entry, seen={name: seq for name, seq in entry.seen.items() if name != stream})
        return saved(self, decision)

    return patch.object(Work, "save", save)


def commit_of_all_positions() -> Mutant:
    """`msg.ack()`: whatever was fetched of every partition counts as handled."""
    return patch.object(MemoryReader, "_ends", lambda self, _: dict(self._positions))


def dead_letter_not_awaited() -> Mutant:
    """The dead letter is sent and the batch committed, whatever becomes of the letter."""
    appended = MemoryLog.append

    async def append(self: MemoryLog, records: Sequence[Record]) -> None:
        if all(record.topic.startswith("dlq-") for record in records):
            sent = asyncio.ensure_future(appended(self, records))
            sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        else:
            await appended(self, records)

    return patch.object(MemoryLog, "append", append)


def capacity_checked_in_memory() -> Mutant:
    """Whether a round may still be published is looked up in what this process remembers, and who is free in what the round was solved with."""
    published: dict[str, set[int]] = {}
    publish = Programme.publish

    def in_memory(self: Programme, publication: Any, *, base: int, full: bool) -> Any:
        process = PROCESS.get()
        mine = published.setdefault(process.name if process else "", set())
        if base in mine:
            raise PoolHasMoved(self.id, base, self.edition)
        decision = publish(replace(self, edition=base), publication, base=base, full=full)
        mine.add(base)
        return decision

    stack = ExitStack()
    stack.enter_context(patch.object(Programme, "publish", in_memory))
    stack.enter_context(patch.object(publishing, "free_seats", lambda enrolments, _: {one.id: one.capacity for one in enrolments}))
    return stack


def outcome_noted_once() -> Mutant:
    """A mail has left, and the store is away for the moment in which that is to be noted."""
    return patch.object(deliveries, "NOTE_SECONDS", -1.0)


def cleared_at_once() -> Mutant:
    """Who writes over what another process may still be saying clears it as soon as it has said it itself."""
    return patch.object(Holding, "settles", lambda *_: True)


def noted_mails_sent_again() -> Mutant:
    """Whoever starts takes up what was noted as sent before."""
    started = Service.start

    async def again(work: Work) -> None:
        async for delivery in work.find(DELIVERIES.where(status=DeliveryStatus.SENT)):
            work.save(delivery.becomes(status=DeliveryStatus.PENDING, due_at=work.now))

    async def start(self: Service) -> None:
        await started(self)
        if self.name == "notifications":
            with suppress(Unavailable):
                await self.run(again)

    return patch.object(Service, "start", start)


def every_third_suppressed() -> Mutant:
    """Of every three deliveries one comes to nothing, and says that its reader has left."""
    looked = Delivery.obstacle
    return patch.object(Delivery, "obstacle", lambda self, known: "left" if int(self.id[:8], 16) % 3 == 0 else looked(self, known))


def mentors_not_told() -> Mutant:
    """What both are to be told of a pair, the mentee alone is told: the same whenever the log is replayed."""
    told = notices._told

    def one_side(event: PairFact) -> tuple[Role, ...]:
        return told(event)[:1]

    return patch.object(notices, "_told", one_side)


def given_up_at_once() -> Mutant:
    """A mail server that did not answer is not asked again."""
    return patch.object(Delivery, "postpone", lambda self, _, now: self.fail("unavailable", now))


def written_to_the_other() -> Mutant:
    """The mail leaves, is taken and noted, and goes to the other one of the pair."""
    looked_up = deliveries._known

    async def turned(work: Work, delivery: Delivery) -> Known:
        known = await looked_up(work, delivery)
        return known if known.partner is None else replace(known, recipient=known.partner, partner=known.recipient)

    return patch.object(deliveries, "_known", turned)


def followers_not_parked() -> Mutant:
    """What follows a dead letter under its key is taken as if nothing were before it."""
    return patch.object(First, "comes_before", lambda *_: False)


def told_at_each_attempt() -> Mutant:
    """A batch that is begun again puts what it has parked on the dead-letter topic again."""
    parked = Consumer._park

    async def park(self: Consumer, refused: Any, tried: Any) -> None:
        tried.told.clear()
        await parked(self, refused, tried)

    return patch.object(Consumer, "_park", park)


def never_halting() -> Mutant:
    """However many dead letters come in a row, the topic goes on."""
    return patch.object(Consumer, "_halt", lambda *_: None)


def resumed_without_a_look() -> Mutant:
    """A feed is resumed, and nobody looks at what was held of it."""
    return patch.object(Feed, "swept", lambda self, now: self.becomes(swept_at=now))


def released_leavings_dropped() -> Mutant:
    """A coordinator lets the held leavers go, and they stay."""
    answered = Feed.answer

    def turned(self: Feed, person: str, held: Held, now: datetime) -> Answer:
        answer = answered(self, person, held, now)
        return Answer.DROP if answer is Answer.GO else answer

    return patch.object(Feed, "answer", turned)


MUTANTS: Mapping[str, tuple[Callable[[], Mutant], str]] = {
    "ack before effect": (
        ack_before_effect,
        "is not what a replay of the log gives|has not heard|poison that nobody parked|not what was said",
    ),
    "guard without a stored seq": (guard_without_a_stored_seq, "has not heard"),
    "no guard": (no_guard, "an older event took effect behind a newer one"),
    "commit of all positions": (commit_of_all_positions, "is not what a replay of the log gives|has not heard|poison that nobody parked"),
    "dead letter not awaited": (dead_letter_not_awaited, "poison that nobody parked"),
    "outcome noted once": (outcome_noted_once, "came again without"),
    "noted mails sent again": (noted_mails_sent_again, "came again without"),
    "every third delivery suppressed": (every_third_suppressed, "given up without cause"),
    "mentors not told": (mentors_not_told, "is not what is in hand"),
    "given up at once": (given_up_at_once, "given up without cause"),
    "written to the other": (written_to_the_other, "went to somebody else"),
    "cleared at once": (cleared_at_once, "an older state comes last"),
    "followers not parked": (
        followers_not_parked,
        "which it had refused",
    ),
    "told at each attempt": (told_at_each_attempt, "more often than it was handed over"),
    "resumed without a look": (resumed_without_a_look, "held, and nobody is asked"),
    "released leavings dropped": (released_leavings_dropped, "left out, and nobody said so"),
    "never halting": (never_halting, "should halt it"),
    "capacity checked in memory": (capacity_checked_in_memory, "above capacity|a pair twice"),
}
"""Each with what the simulator must complain about."""
LIKELY = {"outcome noted once": 30, "cleared at once": 32, "capacity checked in memory": 88}
"""Seeds that found those that hide longest: tried first, which saves a minute."""


def simulate_with(mutant: str, seed: int) -> Outcome:
    """A seed with a bug put back."""
    make, _ = MUTANTS[mutant]
    with make():
        return simulate(seed)


def first_found(mutant: str, within: int) -> int | None:
    """A seed that complains of the bug as it must; None when so many do not."""
    _, complaint = MUTANTS[mutant]
    seeds = dict.fromkeys((LIKELY.get(mutant, 0), *range(within)))
    return next((seed for seed in seeds if any(re.search(complaint, one) for one in simulate_with(mutant, seed).broken)), None)
