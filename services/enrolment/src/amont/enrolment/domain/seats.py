"""The seats of a programme for one role, where the policy says that there are so many: who has one, who waits for one, in order of time.

One document counts them, so that two people cannot take the last one, and nobody counts enrolments. What travels between it and the people's own
documents travels by events and by looking twice ([decision 36] says why): somebody asks by `SeatRequested`; a seat that is free is `granted` here
first, and once that is written the person's enrolment follows; only when the enrolment is seen to hold it does it count as `taken`. A crash in between
leaves a seat granted, never one too many and never one too few.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from amont.common.aggregate import Aggregate
from amont.common.events import EmployeeWithdrawn, Policy, SeatRequested
from amont.common.events.values import EnrolmentStatus, Instant, Role

MAX_WAITING = 2000
AT_ONCE = 100
"""People looked at in one go."""
SOON = timedelta(milliseconds=1)
"""When a look is followed by another: as soon as what it decided is written."""
HOLDS = frozenset({EnrolmentStatus.ENROLLED, EnrolmentStatus.SUSPENDED})


def seats_for(policy: Policy, role: Role) -> int:
    """How many may take part in a role; 0 is as many as come."""
    return policy.mentor_seats if role is Role.MENTOR else policy.mentee_seats


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somebody who has a seat or wants one. `seq` is the person's own when they asked: what was said before is not about this place."""

    enrolment: str
    person: str
    asked_at: Instant
    seq: int
    told: bool = False
    """Whether the person knows that they wait."""


class Standing(NamedTuple):
    """What a person's own document says of their enrolment: its status, None for none; the `seq` it was asked for with; whether they know they wait."""

    status: EnrolmentStatus | None = None
    asked: int = 0
    told: bool = False

    def wants(self, place: Place) -> bool:
        """Whether it waits for this place, not for one that was asked for later and is not heard of yet."""
        return self.status is EnrolmentStatus.WAITING and self.asked == place.seq


class Settled(NamedTuple):
    """What follows from a look at the seats: their new state, whose enrolment takes the seat, who is to be told that they wait."""

    seats: "Seats"
    admit: tuple[Place, ...]
    tell: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats(Aggregate):
    """See the module. The id is `id_of` programme and role. Each place is in one of the three, `waiting` is in order of asking."""

    taken: tuple[Place, ...] = ()
    granted: tuple[Place, ...] = ()
    waiting: tuple[Place, ...] = ()

    @staticmethod
    def id_of(programme: str, role: Role) -> str:
        return f"{programme}/{role}"

    @property
    def programme(self) -> str:
        return self.id.partition("/")[0]

    @property
    def role(self) -> Role:
        return Role(self.id.partition("/")[2])

    def line(self, enrolment: str) -> int | None:
        """How many are served before, and the person: 1 is the next one. None for who does not wait."""
        return next((at for at, place in enumerate(self.waiting, 1) if place.enrolment == enrolment), None)

    def ask(self, event: SeatRequested, now: datetime) -> "Seats":
        """Somebody wants a seat: at their place in the line, by when they asked.

        Who asks anew while their withdrawal is still under way keeps the seat that they have; in the line they give up the place of before.
        """
        known = next((one for one in (*self.taken, *self.granted, *self.waiting) if one.enrolment == event.enrolment), None)
        if known is not None and known.seq >= event.seq:
            return self
        place = Place(enrolment=event.enrolment, person=event.person, asked_at=event.asked_at, seq=event.seq)
        rest = self._without(event.enrolment)
        if known is not None and known not in self.waiting:
            return replace(rest, granted=(*rest.granted, place), due_at=now)
        line = sorted((*rest.waiting, place), key=lambda one: (one.asked_at, one.enrolment))
        return replace(rest, waiting=tuple(line), due_at=now)

    def release(self, event: EmployeeWithdrawn, now: datetime) -> "Seats":
        """Somebody takes part no more: the seat, or the place in the line, is free. What was said before they asked again changes nothing."""
        held = any(one.enrolment == event.enrolment and one.seq < event.seq for one in (*self.taken, *self.granted, *self.waiting))
        return replace(self._without(event.enrolment), due_at=now) if held else self

    def wake(self, now: datetime) -> "Seats":
        """The programme has changed: look again."""
        return replace(self, due_at=now)

    @property
    def concerned(self) -> tuple[Place, ...]:
        """Whose own documents a look needs: those with a seat that is not seen to be taken yet, and those who wait and may not know it."""
        untold = [one for one in self.waiting if not one.told]
        return (*self.granted, *untold[:AT_ONCE])

    def settle(self, limit: int, standing: Mapping[str, Standing], now: datetime) -> Settled:
        """Give out what is free among `limit` seats. `standing` is what the concerned people's documents say, by enrolment.

        Only what was granted before this look is admitted: a grant that is not written yet could be lost to a faster process.
        """
        taken = (*self.taken, *[one for one in self.granted if standing[one.enrolment].status in HOLDS])
        admit = tuple(one for one in self.granted if standing[one.enrolment].wants(one))
        seen = [(one, standing.get(one.enrolment)) for one in self.waiting]
        line = [replace(one, told=said.told) if said else one for one, said in seen if said is None or said.wants(one)]
        free = max(0, min(AT_ONCE, limit - len(taken) - len(admit)))
        granted, waiting = (*admit, *line[:free]), tuple(line[free:])
        tell = tuple(one for one in waiting if not one.told and one.enrolment in standing)
        again = granted or any(not one.told for one in waiting)
        return Settled(replace(self, taken=taken, granted=granted, waiting=waiting, due_at=now + SOON if again else None), admit, tell)

    def _without(self, enrolment: str) -> "Seats":
        taken, granted, waiting = (
            tuple(one for one in places if one.enrolment != enrolment) for places in (self.taken, self.granted, self.waiting)
        )
        return replace(self, taken=taken, granted=granted, waiting=waiting)
