"""What both of a pair can make: two weeks of usual hours, and the times at which either meets somebody else.

Where slots come from is `slots`; which session a slot is for is `plan`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from amont.common.events import Slot
from amont.common.events.values import EmployeeStatus, EnrolmentStatus
from amont.scheduling.domain.errors import HoursUnknown, HoursUnreadable, SlotRefused, SlotTaken, SomebodyAway
from amont.scheduling.domain.projections import Enrolment, Person
from amont.scheduling.domain.slots import InvalidWindows, Windows, find_slots

OPTIONS = 3
"""How many times are proposed at once."""
SEARCH = (timedelta(days=21), timedelta(days=60))
"""How far ahead options are looked for; the second only when the first has none."""
FARTHEST = timedelta(days=366)
"""How far ahead anything can be booked."""

Side = tuple[Person | None, Enrolment | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When the two are usually free, in their own zones, and when either has a session with somebody else."""

    mentee: Windows
    mentor: Windows
    busy: tuple[Slot, ...] = ()

    @classmethod
    def of(cls, mentee: Side, mentor: Side, busy: Sequence[Slot]) -> Self:
        """From what is known of the two. Raises HoursUnknown, SomebodyAway, HoursUnreadable."""
        return cls(mentee=_usual_hours(*mentee), mentor=_usual_hours(*mentor), busy=tuple(busy))

    def options(self, *, after: datetime, minutes: int, avoid: Sequence[Slot] = ()) -> tuple[Slot, ...]:
        """What to propose: the earliest of a few days, no earlier than `after`, none that overlaps one to `avoid`; empty when there is none."""
        for ahead in SEARCH:
            if found := self.between(after, after + ahead, minutes=minutes, limit=OPTIONS, avoid=avoid):
                return found
        return ()

    def between(self, after: datetime, until: datetime, *, minutes: int, limit: int, avoid: Sequence[Slot] = ()) -> tuple[Slot, ...]:
        """At most `limit` slots of `minutes` that both can make. Raises ValueError outside 1970 to 2100."""
        taken = [(slot.starts_at, slot.ends_at) for slot in (*self.busy, *avoid)]
        found = find_slots(self.mentee, self.mentor, after=after, until=until, minutes=minutes, limit=limit, busy=taken)
        return tuple(Slot(starts_at=slot.start, ends_at=slot.end) for slot in found)

    def choose(self, starts_at: datetime, *, minutes: int, offered: Sequence[Slot], now: datetime) -> Slot:
        """The slot that begins then: one of those offered, or any other that suits both. Raises SlotRefused, SlotTaken."""
        if starts_at <= now:
            raise SlotRefused(starts_at, "lies behind")
        if starts_at > now + FARTHEST:
            raise SlotRefused(starts_at, "lies more than a year ahead")
        slot = Slot(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes))
        if slot not in offered and not self._suits_both(slot, minutes):
            raise SlotRefused(starts_at, "is not a time that both can make")
        if any(overlap(slot, other) for other in self.busy):
            raise SlotTaken(starts_at)
        return slot

    def _suits_both(self, slot: Slot, minutes: int) -> bool:
        found = find_slots(self.mentee, self.mentor, after=slot.starts_at, until=slot.ends_at, minutes=minutes, limit=1)
        return any(one.start == slot.starts_at for one in found)


def overlap(one: Slot, other: Slot) -> bool:
    """Whether two times share more than a moment."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _usual_hours(person: Person | None, enrolment: Enrolment | None) -> Windows:
    if person is None or person.zone is None or enrolment is None:
        raise HoursUnknown
    if person.status is not EmployeeStatus.ACTIVE or enrolment.status is not EnrolmentStatus.ENROLLED:
        raise SomebodyAway
    try:
        return Windows(person.id, person.zone, enrolment.availability)
    except InvalidWindows as error:
        raise HoursUnreadable(enrolment.id, error.faults) from None
