"""What enrolment tells: subsidiaries, employees, programmes and who takes part.

`enrolment-employees` is the only topic with names and addresses; everything else carries ids.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from amont.common.events.envelope import Event
from amont.common.events.values import (
    Band,
    EmployeeStatus,
    EnrolmentStatus,
    Instant,
    Language,
    Level,
    Meeting,
    PersonId,
    ProgrammeId,
    ProgrammeStatus,
    Role,
    TenantId,
    Window,
    tenant_of,
)


class SubsidiaryChanged(Event):
    """A subsidiary was added or changed."""

    topic: ClassVar[str] = "enrolment-subsidiaries"
    subject_field: ClassVar[str] = "subsidiary"

    subsidiary: TenantId
    name: str
    zone: str
    languages: tuple[Language, ...]
    grades: dict[str, Band]
    holidays: str | None = None
    """A country, or a country and its part, by ISO 3166: `FR`, `DE-BY`."""
    coordinators: tuple[PersonId, ...] = ()
    sender_name: str | None = None
    """Whom its people's mails come from, in words."""

    @property
    def owner(self) -> str:
        return self.subsidiary


class SubsidiaryRemoved(Event):
    """A subsidiary has left; it had no people any more."""

    topic: ClassVar[str] = "enrolment-subsidiaries"
    subject_field: ClassVar[str] = "subsidiary"

    subsidiary: TenantId

    @property
    def owner(self) -> str:
        return self.subsidiary


class EmployeeFact(Event):
    topic: ClassVar[str] = "enrolment-employees"
    subject_field: ClassVar[str] = "person"

    person: PersonId

    @property
    def owner(self) -> str:
        return tenant_of(self.person)


class EmployeeChanged(EmployeeFact):
    """An employee as they are now: names, grade band, place in the organisation."""

    status: Literal[EmployeeStatus.ACTIVE, EmployeeStatus.ON_LEAVE]
    given_name: str
    family_name: str
    email: str | None
    preferred_language: Language | None
    band: Band
    job_title: str
    function: str
    business_unit: str
    team: str
    site: str
    zone: str
    languages: tuple[Language, ...]
    managers: tuple[PersonId, ...]
    """The solid line first, then dotted ones."""
    managers_since: tuple[date, ...] = ()
    """For each of them, in their order: the earliest day for which any record has named them. Empty when that is not known."""
    effective_at: Instant
    joined_on: date | None


class EmployeeLeft(EmployeeFact):
    """An employee has left the group."""

    effective_at: Instant
    managers: tuple[PersonId, ...] | None = None
    """Whom they reported to last: their own reports stand in that line until they are given another manager. None when that is not known."""
    managers_since: tuple[date, ...] = ()
    """As in EmployeeChanged."""
    released: bool = False
    """The time for which a leaver is kept is over: whoever reads this keeps nothing of the person but that they left."""


class EmployeeErased(EmployeeFact):
    """Everything about somebody is to be erased: whoever reads this erases what they hold of them, and says so.

    It takes the place of the last EmployeeChanged on the compacted topic. Once every service has answered, a tombstone takes its own place.
    """

    reference: str
    """The erasure's own, random: what the services answer under."""
    enrolments: tuple[str, ...]
    """The person's enrolments, by which others know them."""
    erased_at: Instant


class EmployeeForgotten(EmployeeFact):
    """Nothing is left under the person's key: the record is a tombstone, so nobody reads this."""

    tombstone: ClassVar[bool] = True


class Weights(BaseModel):
    """Points per criterion; they sum to 1,000."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topics: int = Field(default=600, ge=0)
    function: int = Field(default=120, ge=0)
    hours: int = Field(default=120, ge=0)
    grade_gap: int = Field(default=80, ge=0)
    meeting: int = Field(default=80, ge=0)

    @model_validator(mode="after")
    def _sums_to_a_thousand(self) -> "Weights":
        total = self.topics + self.function + self.hours + self.grade_gap + self.meeting
        if total != 1000:
            raise ValueError(f"the five weights must sum to 1000, they sum to {total}")
        return self


RULES_TO_SWITCH_OFF = (
    "mentor_is_junior",
    "outside_the_line",
    "different_team",
    "across",
    "shared_language",
    "close_zones",
    "common_hours",
    "not_forbidden",
)
"""What `off` of a policy may name. The field itself takes any name, so that readers understand a newer sender's."""


class Policy(BaseModel):
    """A programme's rules and weights; every value of the default programme is a parameter here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_grade_gap: int = Field(default=2, ge=-19, le=19)
    across: Literal["subsidiary", "business_unit", "none"] = "subsidiary"
    max_zone_hours: int = Field(default=6, ge=0, le=26)
    min_common_hours: int = Field(default=2, ge=0, le=168)
    off: tuple[str, ...] = ()
    weights: Weights = Weights()
    order: Literal["pairs, worst, total", "pairs, total", "total"] = "pairs, worst, total"
    min_score: int = Field(default=0, ge=0, le=1000)
    stickiness: int = Field(default=0, ge=0, le=1000)

    mentor_min_months: int = Field(default=6, ge=0, le=600)
    mentor_max_capacity: int = Field(default=2, ge=1, le=2)
    mentee_min_band: Band = 10
    mentor_max_band: Band = 9
    both_roles: bool = False
    min_matched_percent: int = Field(default=0, ge=0, le=100)
    """Commit guard: a round that matches fewer of the smaller side is published only with a reason."""
    replacements: Literal["automatic", "reviewed"] = "automatic"
    """Whether a round's publication also covers the replacements of declined and expired proposals."""

    mentor_seats: int = Field(default=0, ge=0, le=2000)
    """How many mentors may take part, the others wait in order of time; 0 is as many as come."""
    mentee_seats: int = Field(default=0, ge=0, le=2000)

    proposal_days: int = Field(default=7, ge=1, le=60)
    suspension_days: int = Field(default=7, ge=0, le=365)
    """How long a pair that breaks a rule rests before it ends."""
    sessions: int = Field(default=6, ge=1, le=24)
    session_minutes: int = Field(default=60, ge=15, le=240)
    session_every_days: int = Field(default=30, ge=1, le=180)
    session_grace_days: int = Field(default=7, ge=0, le=60)
    """How long after its end a session that nobody completed counts as missed."""


class ProgrammeChanged(Event):
    """A programme was made, edited, opened, is running or was closed."""

    topic: ClassVar[str] = "enrolment-programmes"
    subject_field: ClassVar[str] = "programme"

    programme: ProgrammeId
    name: str
    status: ProgrammeStatus
    tenants: tuple[TenantId, ...]
    """The subsidiaries that take part."""
    topics: tuple[str, ...]
    policy: Policy
    policy_version: int


Capacity = Annotated[int, Field(ge=1, le=2)]


class EnrolmentFact(Event):
    """One employee in one programme in one role: the full state."""

    topic: ClassVar[str] = "enrolment-enrolments"
    subject_field: ClassVar[str] = "enrolment"

    enrolment: str
    person: PersonId
    programme: ProgrammeId
    role: Role
    status: Literal[EnrolmentStatus.ENROLLED, EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN, EnrolmentStatus.ENDED]
    capacity: Capacity
    topics: dict[str, Level]
    """A mentee's wishes or a mentor's levels."""
    languages: tuple[Language, ...]
    availability: tuple[Window, ...]
    """Weekly windows in the person's own zone."""
    meeting: Meeting

    @property
    def key(self) -> str:
        return f"{self.owner}:{self.enrolment}"

    @property
    def owner(self) -> str:
        return tenant_of(self.person)


class EmployeeEnrolled(EnrolmentFact):
    """Somebody takes part."""


class EnrolmentChanged(EnrolmentFact):
    """Somebody changed what they offer, wish or can make."""


class EnrolmentSuspended(EnrolmentFact):
    """The person is on leave."""


class EnrolmentResumed(EnrolmentFact):
    """The person is back."""


class EmployeeWithdrawn(EnrolmentFact):
    """The person takes part no more: by their own wish (`withdrawn`) or because they left the group (`ended`)."""

    moved_from: PersonId | None = None
    """Set when neither is so: who they were in another subsidiary, where they took part; here a rule stands against it, or they have come back and nobody
    has said that they were that person meanwhile.
    """


class SeatFact(Event):
    """Somebody wants a seat in a programme that has so many of them for a role."""

    topic: ClassVar[str] = "enrolment-seats"
    subject_field: ClassVar[str] = "enrolment"

    enrolment: str
    person: PersonId
    programme: ProgrammeId
    role: Role
    asked_at: Instant

    @property
    def key(self) -> str:
        return f"{self.owner}:{self.enrolment}"

    @property
    def owner(self) -> str:
        return tenant_of(self.person)


class SeatRequested(SeatFact):
    """Somebody has enrolled where seats are counted, and waits to hear whether there is one."""


class EmployeeWaitlisted(SeatFact):
    """There was none: the person waits for the next one that is free, in order of time."""


class EmployeeInvited(Event):
    """A coordinator invites somebody who may enrol to do so; `number` is 1 for the invitation, more for a reminder of it."""

    topic: ClassVar[str] = "enrolment-invitations"
    subject_field: ClassVar[str] = "person"

    person: PersonId
    programme: ProgrammeId
    role: Role
    """The one that the person may take."""
    number: int = Field(ge=1)
    invited_at: Instant

    @property
    def owner(self) -> str:
        return tenant_of(self.person)
