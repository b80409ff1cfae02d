"""Who is told what, by which event. The whole of it: an event that is not here tells nobody anything.

Three things are held here and nowhere else. A mentor who was not asked yet is not told that the proposal is off. A message about a proposal that
was declined or lapsed names nobody. And of a reason, only what both may know goes on: who left, withdrew or said no does not.
"""

from collections.abc import Mapping
from types import MappingProxyType

from amont.common.events import (
    EmployeeEnrolled,
    EmployeeInvited,
    EmployeeWaitlisted,
    EmployeeWithdrawn,
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairResumed,
    PairSuspended,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
)
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.envelope import Event
from amont.common.events.matching import PairFact
from amont.common.events.scheduling import SessionFact
from amont.common.events.values import EndReason, EnrolmentStatus, Role, SuspendReason
from amont.notifications.domain.delivery import Kind, Matter, Notice, Sitting

KINDS: Mapping[type[Event], Kind] = MappingProxyType(
    {
        EmployeeEnrolled: Kind.ENROLLED,
        EmployeeWithdrawn: Kind.WITHDRAWN,
        EmployeeWaitlisted: Kind.WAITLISTED,
        PairProposed: Kind.PROPOSAL,
        PairAccepted: Kind.PROPOSAL,
        PairConfirmed: Kind.PAIR_CONFIRMED,
        PairDeclined: Kind.PAIR_DECLINED,
        PairExpired: Kind.PAIR_EXPIRED,
        PairSuspended: Kind.PAIR_SUSPENDED,
        PairResumed: Kind.PAIR_RESUMED,
        PairEnded: Kind.PAIR_ENDED,
        SessionProposed: Kind.SESSION_PROPOSED,
        SessionScheduled: Kind.SESSION_SCHEDULED,
        SessionRescheduled: Kind.SESSION_RESCHEDULED,
        SessionCancelled: Kind.SESSION_CANCELLED,
        SessionCompleted: Kind.SESSION_COMPLETED,
        SessionMissed: Kind.SESSION_MISSED,
    },
)
"""What each event is told as."""

NAMELESS = frozenset({Kind.PAIR_DECLINED, Kind.PAIR_EXPIRED})
SAYABLE = MappingProxyType(
    {
        EndReason.COMPLETED: "completed",
        EndReason.LINE_CONFLICT: "line-of-management",
        SuspendReason.LINE_CONFLICT: "line-of-management",
        SuspendReason.ON_LEAVE: "leave",
    },
)
"""What may be said of a reason; `other` for the rest."""


def of_invitation(event: EmployeeInvited) -> list[Notice]:
    """Whoever is invited is told so, a second time in other words."""
    kind = Kind.INVITED if event.number == 1 else Kind.REMINDED
    return [Notice(person=event.person, kind=kind, matter=Matter(programme=event.programme, role=event.role))]


def of_enrolment(event: EnrolmentFact | EmployeeWaitlisted) -> list[Notice]:
    """Whoever enrolled, withdrew or waits for a seat is told so, and whose enrolment could not come along to another subsidiary; not who left the group."""
    if isinstance(event, EmployeeWithdrawn) and event.status is not EnrolmentStatus.WITHDRAWN:
        return []
    moved = isinstance(event, EmployeeWithdrawn) and event.moved_from is not None
    matter = Matter(programme=event.programme, role=event.role, enrolment=event.enrolment)
    return [Notice(person=event.person, kind=Kind.NOT_CARRIED if moved else KINDS[type(event)], matter=matter)]


def of_pair(event: PairFact) -> list[Notice]:
    """What each of the two is told, the mentee first."""
    return [_of_pair(event, role) for role in _told(event)]


def _told(event: PairFact) -> tuple[Role, ...]:
    """The sides that are told: the mentee is asked first, the mentor is asked (and so knows of it) once the mentee has said yes."""
    match event:
        case PairProposed():
            return (Role.MENTEE,)
        case PairAccepted():
            return (Role.MENTOR,) if event.by is Role.MENTEE else ()
        case PairConfirmed():
            return (Role.MENTEE, Role.MENTOR)
        case _:
            return (Role.MENTEE, Role.MENTOR) if event.accepted_by else (Role.MENTEE,)


def _of_pair(event: PairFact, role: Role) -> Notice:
    kind = KINDS[type(event)]
    person, partner = (event.mentee, event.mentor) if role is Role.MENTEE else (event.mentor, event.mentee)
    reason = SAYABLE.get(event.reason, "other") if isinstance(event, PairSuspended | PairEnded) else None
    matter = Matter(
        programme=event.programme,
        role=role,
        pair=event.pair,
        partner=None if kind in NAMELESS else partner,
        topics=event.topics,
        expires_at=event.expires_at,
        reason=reason,
    )
    return Notice(person=person, kind=kind, matter=matter)


def of_session(event: SessionFact) -> list[Notice]:
    """Both are told, each in their own zone. A session that never had a time has none to cancel, and without options there is nothing to choose."""
    told = event.options if isinstance(event, SessionProposed) else event.slot
    return [_of_session(event, role) for role in (Role.MENTEE, Role.MENTOR)] if told else []


def _of_session(event: SessionFact, role: Role) -> Notice:
    mentee = role is Role.MENTEE
    sitting = Sitting(
        session=event.session,
        number=event.number,
        sequence=event.invitation_sequence,
        zone=event.mentee_zone if mentee else event.mentor_zone,
        slot=event.slot,
        options=event.options,
    )
    person, partner = (event.mentee, event.mentor) if mentee else (event.mentor, event.mentee)
    matter = Matter(programme=event.programme, role=role, pair=event.pair, partner=partner, sitting=sitting)
    return Notice(person=person, kind=KINDS[type(event)], matter=matter)
