"""The contracts: every event class by its own name. `topics` says what travels where, `values` has the shared words, `envelope` the wire."""

from amont.common.events.enrolment import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeLeft,
    EmployeeWithdrawn,
    EnrolmentChanged,
    EnrolmentResumed,
    EnrolmentSuspended,
    Policy,
    ProgrammeChanged,
    SubsidiaryChanged,
    Weights,
)
from amont.common.events.envelope import Envelope, Event
from amont.common.events.hris import StaffLeft, StaffRecorded
from amont.common.events.matching import (
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairResumed,
    PairSuspended,
    RoundPublished,
)
from amont.common.events.notifications import NotificationFailed, NotificationSent
from amont.common.events.scheduling import (
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
    Slot,
)

__all__ = [
    "EmployeeChanged",
    "EmployeeEnrolled",
    "EmployeeLeft",
    "EmployeeWithdrawn",
    "EnrolmentChanged",
    "EnrolmentResumed",
    "EnrolmentSuspended",
    "Envelope",
    "Event",
    "NotificationFailed",
    "NotificationSent",
    "PairAccepted",
    "PairConfirmed",
    "PairDeclined",
    "PairEnded",
    "PairExpired",
    "PairProposed",
    "PairResumed",
    "PairSuspended",
    "Policy",
    "ProgrammeChanged",
    "RoundPublished",
    "SessionCancelled",
    "SessionCompleted",
    "SessionMissed",
    "SessionProposed",
    "SessionRescheduled",
    "SessionScheduled",
    "Slot",
    "StaffLeft",
    "StaffRecorded",
    "SubsidiaryChanged",
    "Weights",
]
