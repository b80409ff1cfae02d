"""What others tell scheduling, with a word for each fact: an executive in Paris and a junior in London who share Tuesday and Thursday hours."""

from datetime import UTC, datetime
from typing import Any

from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeLeft,
    PairConfirmed,
    PairEnded,
    PairResumed,
    PairSuspended,
    Policy,
    ProgrammeChanged,
)
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.envelope import Event
from amont.common.events.matching import PairFact
from amont.common.events.values import (
    EmployeeStatus,
    EndReason,
    EnrolmentStatus,
    Meeting,
    PairStatus,
    ProgrammeStatus,
    Role,
    SuspendReason,
)
from amont.common.testing.hearing import START

MENTEE, MENTOR, OTHER_MENTEE = "fr:e42", "uk:e7", "de:e9"
PAIR, OTHER_PAIR = "pair-1", "pair-2"
THURSDAY, TUESDAY, NEXT_THURSDAY = "2027-01-07T13:00", "2027-01-12T09:00", "2027-01-14T13:00"
"""The first options, in UTC: two days after START, a Monday morning, is a Wednesday."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def employee(person: str, zone: str, *, seq: int = 1, status: Any = EmployeeStatus.ACTIVE) -> EmployeeChanged:
    return EmployeeChanged(
        seq=seq,
        person=person,
        status=status,
        given_name="A",
        family_name="B",
        email=None,
        preferred_language=None,
        band=5,
        job_title="x",
        function="x",
        business_unit="x",
        team="x",
        site="x",
        zone=zone,
        languages=("en",),
        managers=(),
        effective_at=START,
        joined_on=None,
    )


def left(person: str, *, seq: int = 2) -> EmployeeLeft:
    return EmployeeLeft(seq=seq, person=person, effective_at=START)


def enrolled(
    person: str,
    *windows: str,
    role: Role = Role.MENTEE,
    seq: int = 1,
    kind: type[EnrolmentFact] = EmployeeEnrolled,
    status: EnrolmentStatus = EnrolmentStatus.ENROLLED,
) -> EnrolmentFact:
    return kind(
        seq=seq,
        enrolment=f"enrolment-of-{person}",
        person=person,
        programme="digital",
        role=role,
        status=status,
        capacity=2 if role is Role.MENTOR else 1,
        topics={"ai": 2},
        languages=("en",),
        availability=windows,
        meeting=Meeting.EITHER,
    )


def programme(*, seq: int = 1, **policy: Any) -> ProgrammeChanged:
    return ProgrammeChanged(
        seq=seq,
        programme="digital",
        name="Digital",
        status=ProgrammeStatus.RUNNING,
        tenants=("fr", "uk"),
        topics=("ai",),
        policy=Policy(**policy),
        policy_version=seq,
    )


def pair_fact(kind: type[PairFact], status: PairStatus, seq: int, *, pair: str = PAIR, mentee: str = MENTEE, **more: Any) -> PairFact:
    return kind(
        seq=seq,
        pair=pair,
        programme="digital",
        round="r1",
        mentee=mentee,
        mentor=MENTOR,
        mentee_enrolment=f"enrolment-of-{mentee}",
        mentor_enrolment=f"enrolment-of-{MENTOR}",
        status=status,
        accepted_by=(Role.MENTEE, Role.MENTOR),
        score=700,
        topics=("ai",),
        expires_at=None,
        **more,
    )


def confirmed(seq: int = 3, **more: Any) -> PairFact:
    return pair_fact(PairConfirmed, PairStatus.CONFIRMED, seq, **more)


def suspended(seq: int = 4, **more: Any) -> PairFact:
    return pair_fact(PairSuspended, PairStatus.SUSPENDED, seq, reason=SuspendReason.ON_LEAVE, **more)


def resumed(seq: int = 5, *, status: PairStatus = PairStatus.CONFIRMED, **more: Any) -> PairFact:
    return pair_fact(PairResumed, status, seq, **more)


def ended(seq: int = 6, **more: Any) -> PairFact:
    return pair_fact(PairEnded, PairStatus.ENDED, seq, reason=EndReason.NO_FAULT, **more)


HOURS = {
    MENTEE: ("Europe/Paris", ("tue 10:00-12:00", "thu 14:00-16:00"), Role.MENTEE),
    OTHER_MENTEE: ("Europe/Berlin", ("tue 10:00-12:00", "thu 14:00-16:00"), Role.MENTEE),
    MENTOR: ("Europe/London", ("tue 09:00-12:00", "thu 13:00-16:00"), Role.MENTOR),
}


def what_is_known_of(*people: str) -> list[Event]:
    """Where they live and when they are free."""
    facts: list[Event] = []
    for person in people:
        zone, windows, role = HOURS[person]
        facts += [employee(person, zone), enrolled(person, *windows, role=role)]
    return facts


EVERYBODY = (programme(), *what_is_known_of(MENTEE, MENTOR, OTHER_MENTEE))
