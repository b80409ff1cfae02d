"""A subsidiary's feed as its breaker sees it: who has left within the hour, and whether that are so many that the feed must be wrong.

A leaving is let through in two steps: the person's record is held and their name is written here by compare-and-set; only when it stands here does
the leaving take effect. So however many processes take records of one subsidiary at the same time, no more people leave than the limit says. A name
that stands here already counts once, however often its record comes. One document per subsidiary, read and written for leavings alone.

The hour is counted by arrival and not by effective dates: what is dangerous is a feed that says too much at once, whatever dates it writes. The
number of leavers let through is bounded by `MOST_LEAVERS`, and so is the document.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict
from amont.common.events.values import Instant
from amont.enrolment.domain.history import known_until
from amont.enrolment.domain.holding import Held
from amont.enrolment.domain.ruling import Ruling, Verb, noted, ruled, still_known

HOUR = timedelta(hours=1)
COUNTED = HOUR + timedelta(minutes=1)
"""How long a minute counts from its beginning, so that who was let go in its last second counts for an hour."""
LEAST_LEAVERS = 10
"""As many may leave within an hour however small the subsidiary is."""
MOST_LEAVERS = 50_000
"""More within an hour are never let through without a word."""
SOON = timedelta(seconds=1)
"""When to look once more at what has just been written."""
OPEN_MINUTE = timedelta(minutes=1)
"""How often an open breaker says that it is open."""


class NothingHeld(Conflict):
    """There is nothing to decide about."""

    code = "nothing-held"
    title = "The breaker holds no leavers"

    def __init__(self, tenant: str) -> None:
        super().__init__(f"The breaker of {tenant!r} is closed and holds nobody's leaving: there is nothing to release or to drop.")


class Answer(StrEnum):
    """What becomes of a held leaving."""

    GO = "go"
    DROP = "drop"
    ASK = "ask"
    """It may go once the person's name stands in the feed's document."""
    STAY = "stay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """Who was let go within a minute, in order."""

    at: Instant
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everybody of the subsidiary of whom something is held is being looked at, one page after another."""

    at: Instant
    """When that was asked for."""
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Aggregate):
    """See the module; the id is the tenant. `tripped_at` is set while the breaker is open.

    The newest of `rulings` decides about every leaving that was held before it.
    """

    people: int = 0
    """How many worked there when the hour was begun."""
    counted_at: Instant | None = None
    leavers: tuple[Minute, ...] = ()
    tripped_at: Instant | None = None
    open_since: Instant | None = None
    """Until when the time that the breaker has been open is counted."""
    rulings: tuple[Ruling, ...] = ()
    sweep: Sweep | None = None
    swept_at: Instant | None = None
    """When the last sweep was asked for."""

    def must_count(self, now: datetime) -> bool:
        """Whether the number of people is more than an hour old."""
        return self.counted_at is None or now - self.counted_at >= HOUR

    def counted(self, people: int, now: datetime) -> Decision["Feed"]:
        return self.becomes(people=people, counted_at=now)

    def gone(self, now: datetime) -> int:
        """How many were let go within the hour."""
        return sum(len(minute.people) for minute in self._within(now))

    def limit(self, share: float) -> int:
        """How many may go within an hour, by the share that the subsidiary has set: 0 lets nobody go, 1 everybody."""
        if share <= 0:
            return 0
        if share >= 1:
            return MOST_LEAVERS
        return min(MOST_LEAVERS, max(LEAST_LEAVERS, math.floor(share * self.people)))

    def ask(self, person: str, share: float, now: datetime) -> Decision["Feed"]:
        """Have somebody let go. One more than the limit opens the breaker, and then nobody goes until a coordinator has decided."""
        within = tuple(self._within(now))
        if self.tripped_at is not None or any(person in minute.people for minute in within):
            return self.becomes()
        if sum(len(minute.people) for minute in within) >= self.limit(share):
            return self.becomes(leavers=within, tripped_at=now, open_since=now, due_at=now + OPEN_MINUTE)
        minute = now.replace(second=0, microsecond=0)
        if within and within[-1].at == minute:
            return self.becomes(leavers=(*within[:-1], replace(within[-1], people=(*within[-1].people, person))))
        return self.becomes(leavers=(*within, Minute(at=minute, people=(person,))))

    def answer(self, person: str, held: Held, now: datetime) -> Answer:
        """What becomes of a leaving that the breaker holds, as far as this document says."""
        ruling = next((one for one in reversed(self.rulings) if one.verb in _OF_LEAVERS), None)
        if ruling is not None and held.since <= ruling.at:
            return Answer.GO if ruling.verb is Verb.RELEASE else Answer.DROP
        if any(person in minute.people for minute in self._within(now)):
            return Answer.GO
        return Answer.ASK if self.tripped_at is None else Answer.STAY

    def decide(self, verb: Verb, by: str, why: str, now: datetime) -> Decision["Feed"]:
        """Let all leavers go who are held now, or none of them, and begin a new hour. Raises NothingHeld, Invalid."""
        ruling = ruled(verb, by, now, why)
        if self.tripped_at is None:
            raise NothingHeld(self.id)
        return self.becomes(leavers=(), counted_at=None, tripped_at=None, open_since=None, rulings=noted(self.rulings, ruling)).state.swept(
            now
        )

    def swept(self, now: datetime) -> Decision["Feed"]:
        """Everybody of whom something is held is to be looked at, from the beginning."""
        return self.becomes(sweep=Sweep(at=now), swept_at=now, due_at=now)

    def swept_since(self, at: datetime) -> bool:
        """Whether a sweep was asked for then or later."""
        return self.swept_at is not None and self.swept_at >= at

    def goes_on(self, sweep: Sweep | None, now: datetime) -> Decision["Feed"]:
        """A page of the sweep was looked at, or time has passed: a minute of an open breaker, or the year of a decision."""
        rulings = still_known(self.rulings, now)
        due_at = now + SOON if sweep else now + OPEN_MINUTE if self.tripped_at else known_until(rulings)
        return self.becomes(sweep=sweep, open_since=now if self.tripped_at else None, rulings=rulings, due_at=due_at)

    def _within(self, now: datetime) -> Iterator[Minute]:
        return (minute for minute in self.leavers if now - minute.at < COUNTED)


_OF_LEAVERS = frozenset({Verb.RELEASE, Verb.DROP})
