"""An enrolment: one employee in one programme in one role. It lives inside the employee's document, so that a change of status and what it does to
the person's enrolments are one fact. What is not here: who may enrol (`eligibility`), and the decisions themselves (`employee`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from amont.common.errors import Conflict, NotAllowed
from amont.common.events.values import EnrolmentStatus, Instant, Meeting, Role


class AlreadyEnrolled(Conflict):
    """There is one seat per person, programme and role."""

    code = "already-enrolled"
    title = "Already enrolled"

    def __init__(self, enrolment: str, programme: str, role: Role) -> None:
        super().__init__(f"The person is in {programme!r} as {role} already (enrolment {enrolment}). Change that enrolment instead.")


class CharterIsPersonal(NotAllowed):
    """Whoever takes part accepts the charter, and nobody does for them."""

    code = "charter-is-personal"
    title = "People enrol themselves"

    def __init__(self, person: str) -> None:
        super().__init__(f"{person!r} must accept the charter themselves, so nobody else can enrol them. Ask them to enrol.")


class EnrolmentOver(Conflict):
    """What has been withdrawn or has ended is not changed any more."""

    code = "enrolment-over"
    title = "The enrolment is over"

    def __init__(self, enrolment: str, status: EnrolmentStatus) -> None:
        super().__init__(f"Enrolment {enrolment} is {status}; it cannot be changed. Enrol again to take part.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a person fills in: topics with levels, languages, weekly windows in their own zone, how to meet, how many partners."""

    topics: Mapping[str, int]
    languages: tuple[str, ...]
    availability: tuple[str, ...]
    meeting: Meeting = Meeting.EITHER
    capacity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """See the module. `version` counts this enrolment's own changes, so that a staff record does not make a form stale."""

    id: str
    programme: str
    role: Role
    status: EnrolmentStatus
    form: Form
    charter_accepted_at: Instant
    charter_version: int = 0
    """The edition of the programme's charter that was accepted last; 0 where the programme had no text."""
    request: str
    """The id of the request that enrolled the person, so that the same request sent again is recognised."""
    private_reason: str | None = None
    """Why they withdrew, if they said so: never returned, never told."""
    asked: int = 0
    """The person's `seq` with which it asked for a seat; 0 where seats are not counted."""
    told_to_wait: bool = False
    """Whether the person was told that there is no seat yet."""
    version: int = 1

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def counted(self) -> bool:
        """Whether its seat is one of so many."""
        return self.asked > 0

    @property
    def waits(self) -> bool:
        """Whether it is for want of a seat that nobody else has heard of it."""
        return self.status is EnrolmentStatus.WAITING

    def blank(self) -> "Enrolment":
        """The same without anything that was filled in or said."""
        return replace(self, form=Form(topics={}, languages=(), availability=()), private_reason=None, version=self.version + 1)

    def seat(self, person: str, asked_at: datetime) -> Mapping[str, Any]:
        """The fields of the events about the seat that it waits for."""
        return {"enrolment": self.id, "person": person, "programme": self.programme, "role": self.role, "asked_at": asked_at}

    def facts(self, person: str) -> Mapping[str, Any]:
        """The fields that every enrolment event carries."""
        return {
            "enrolment": self.id,
            "person": person,
            "programme": self.programme,
            "role": self.role,
            "status": self.status,
            "capacity": self.form.capacity,
            "topics": dict(self.form.topics),
            "languages": self.form.languages,
            "availability": self.form.availability,
            "meeting": self.form.meeting,
        }


OPEN = frozenset({EnrolmentStatus.WAITING, EnrolmentStatus.ENROLLED, EnrolmentStatus.SUSPENDED})
