"""One employee in one programme in one role, as enrolment tells it. What somebody may be paired by is here; who they are is in `person`."""

from dataclasses import dataclass, field
from datetime import datetime

from amont.common.aggregate import Aggregate, Decision
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.values import EnrolmentStatus, Meeting, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment(Aggregate):
    """`status` is None until we have heard of it; `recheck` asks for a look at its live pairs."""

    person: str = ""
    programme: str = ""
    role: Role = Role.MENTEE
    status: EnrolmentStatus | None = None
    capacity: int = 1
    topics: dict[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    availability: tuple[str, ...] = ()
    meeting: Meeting = Meeting.EITHER
    recheck: bool = False

    @property
    def active(self) -> bool:
        return self.status is EnrolmentStatus.ENROLLED

    def hear(self, event: EnrolmentFact, now: datetime) -> Decision["Enrolment"]:
        """Take over the full state. Pairs are looked at again when a hard rule or the seat itself is concerned; an unknown enrolment has none."""
        heard = self.becomes(
            person=event.person,
            programme=event.programme,
            role=event.role,
            status=event.status,
            capacity=event.capacity,
            topics=dict(event.topics),
            languages=event.languages,
            availability=event.availability,
            meeting=event.meeting,
        ).state
        if self.status is not None and _ruled_by(heard) != _ruled_by(self):
            return heard.becomes(recheck=True, due_at=now)
        return heard.becomes()

    def checked(self, *, again_at: datetime | None) -> Decision["Enrolment"]:
        """Live pairs have been looked at; once more at `again_at` when something was found."""
        return self.becomes(recheck=again_at is not None, due_at=again_at)


def _ruled_by(enrolment: Enrolment) -> tuple[object, ...]:
    return enrolment.status, enrolment.languages, enrolment.availability
