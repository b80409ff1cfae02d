"""The words that several contexts share, as types. A domain may import this module; it has no behaviour to speak of."""

from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer, StringConstraints


@lru_cache(maxsize=4096)
def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC with six digits always, so that texts sort as the instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for one that no calendar reaches there, as the first hour of the year 1 east of Greenwich."""
    if at.tzinfo is UTC:
        return at
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant that no calendar reaches") from None


Instant = Annotated[AwareDatetime, AfterValidator(in_utc), PlainSerializer(instant_text, return_type=str, when_used="json")]
"""An aware datetime, in UTC on the wire."""

TenantId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
EmployeeId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,64}$")]
"""The HRIS's own stable id: 1 to 64 printable characters."""
PersonId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}:[^\x00-\x1f\x7f-\x9f]{1,64}$")]
"""`tenant:employee_id`."""
ProgrammeId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
"""A BCP 47 tag."""
Window = Annotated[
    str,
    StringConstraints(pattern=r"^(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):(00|30)-(([01]\d|2[0-3]):(00|30)|24:00)$"),
]
"""A weekly window in local time on the half-hour grid, `mon 09:00-11:30`; its end lies after its start."""
Level = Annotated[int, Field(ge=1, le=3)]
Band = Annotated[int, Field(ge=1, le=20)]
"""A grade band of the group: 20 is the most senior."""
EffectiveAt = Annotated[Instant | date, Field(union_mode="left_to_right")]
"""When a fact becomes true: an instant, or a day that begins at midnight in the site's zone."""


def tenant_of(person: str) -> str:
    """The subsidiary of `tenant:anything`."""
    return person.partition(":")[0]


class Role(StrEnum):
    """The side an employee takes in a programme."""

    MENTOR = "mentor"
    MENTEE = "mentee"


class EmployeeStatus(StrEnum):
    ACTIVE = "active"
    ON_LEAVE = "on_leave"
    LEFT = "left"


class Meeting(StrEnum):
    IN_PERSON = "in-person"
    REMOTE = "remote"
    EITHER = "either"


class ProgrammeStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    RUNNING = "running"
    CLOSED = "closed"


class EnrolmentStatus(StrEnum):
    """`waiting` is for a seat, where a programme has so many; other services hear of an enrolment once it has one."""

    WAITING = "waiting"
    ENROLLED = "enrolled"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class PairStatus(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a pair ended."""

    COMPLETED = "completed"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    LEFT = "left"
    LINE_CONFLICT = "line-conflict"
    RULE_BROKEN = "rule-broken"
    NO_FAULT = "no-fault"


class SuspendReason(StrEnum):
    """Why a pair rests: a rule no longer holds, or one of the two is away."""

    RULE_BROKEN = "rule-broken"
    LINE_CONFLICT = "line-conflict"
    ON_LEAVE = "on-leave"


class SessionStatus(StrEnum):
    PROPOSED = "proposed"
    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    MISSED = "missed"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
