"""What scheduling does when another's fact arrives. Facts about people, enrolments and programmes are copied; facts about pairs move plans.

Each fact carries its full state and touches one document, so the order between topics does not matter: a plan that lacks a fact looks again
(`commands.wake_plan`). The guard against redelivery is the unit of work's.
"""

from collections.abc import Iterable

from amont.common import metrics
from amont.common.aggregate import Aggregate, Decision
from amont.common.erasing import Clearing, on_employee_erased
from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeErased,
    EmployeeLeft,
    EmployeeWithdrawn,
    EnrolmentChanged,
    EnrolmentResumed,
    EnrolmentSuspended,
    Envelope,
    ExportRequested,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairResumed,
    PairSuspended,
    ProgrammeChanged,
)
from amont.common.events.enrolment import EmployeeFact, EnrolmentFact
from amont.common.events.matching import PairFact
from amont.common.events.values import EmployeeStatus, PairStatus
from amont.common.exporting import Answer, on_export_requested
from amont.common.retention import is_history
from amont.common.work import Reaction, Reactions, Work
from amont.scheduling.domain.plan import Plan
from amont.scheduling.domain.projections import Enrolment, Pace, Person, Programme


async def on_employee_changed(event: EmployeeChanged, work: Work) -> None:
    """Sessions that are scheduled keep their instant when the zone changes; what is proposed next is proposed for the new one."""
    person = await work.get_or_new(Person, event.person)
    work.save(person.becomes(zone=event.zone, status=event.status))


async def on_employee_left(event: EmployeeLeft, work: Work) -> None:
    person = await work.get_or_new(Person, event.person)
    work.save(person.becomes(status=EmployeeStatus.LEFT, zone=None if event.released else person.zone))


async def on_enrolment(event: EnrolmentFact, work: Work) -> None:
    now = Enrolment(id=event.enrolment, person=event.person, availability=event.availability, status=event.status)
    before = await work.peek(Enrolment, event.enrolment) or now
    work.save(before.becomes(availability=now.availability, status=now.status))


async def on_programme_changed(event: ProgrammeChanged, work: Work) -> None:
    policy = event.policy
    pace = Pace(
        sessions=policy.sessions,
        minutes=policy.session_minutes,
        every_days=policy.session_every_days,
        grace_days=policy.session_grace_days,
    )
    programme = await work.peek(Programme, event.programme) or Programme(id=event.programme, pace=pace)
    work.save(programme.becomes(pace=pace))


async def on_pair_confirmed(event: PairConfirmed | PairResumed, work: Work) -> None:
    """The pair meets, or meets again; a pair that goes on before both have said yes does not, nor one whose plan may have been let go of."""
    if event.status is not PairStatus.CONFIRMED:
        return
    plan = await work.peek(Plan, event.pair)
    if plan is not None or not is_history(work):
        _save(work, plan.wake(work.now) if plan else _plan_of(event).start(work.now))


async def on_pair_suspended(event: PairSuspended, work: Work) -> None:
    plan = await work.peek(Plan, event.pair)
    if plan is not None:
        _save(work, plan.rest(work.now))


async def on_pair_over(event: PairFact, work: Work) -> None:
    """Ended, declined or expired: a pair that was never confirmed has no plan, and needs none."""
    plan = await work.peek(Plan, event.pair)
    if plan is not None:
        _save(work, plan.end(work.now))


def _plan_of(event: PairFact) -> Plan:
    return Plan(
        id=event.pair,
        programme=event.programme,
        mentee=event.mentee,
        mentor=event.mentor,
        mentee_enrolment=event.mentee_enrolment,
        mentor_enrolment=event.mentor_enrolment,
    )


def _save(work: Work, decision: Decision[Plan]) -> None:
    """Save, and count what was said once it is in the store; a redelivered event says nothing and counts nothing."""
    ignored = work.ignored
    work.save(decision)

    async def count() -> None:
        for event in decision.events:
            metrics.SESSIONS.labels(type(event).__name__).inc()

    if work.ignored == ignored:
        work.afterwards(count)


def _person(event: EmployeeFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Person, event.person)]


def _enrolment(event: EnrolmentFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Enrolment, event.enrolment)]


def _programme(event: ProgrammeChanged, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Programme, event.programme)]


def _plan(event: PairFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Plan, event.pair)]


CONSUMES: Reactions = {
    EmployeeChanged: Reaction(on_employee_changed, needs=_person),
    EmployeeLeft: Reaction(on_employee_left, needs=_person),
    EmployeeErased: Reaction(on_employee_erased, needs=lambda event, _: [(Clearing, event.reference)]),
    ExportRequested: Reaction(on_export_requested, needs=lambda event, _: [(Answer, event.reference)]),
    EmployeeEnrolled: Reaction(on_enrolment, needs=_enrolment),
    EnrolmentChanged: Reaction(on_enrolment, needs=_enrolment),
    EnrolmentSuspended: Reaction(on_enrolment, needs=_enrolment),
    EnrolmentResumed: Reaction(on_enrolment, needs=_enrolment),
    EmployeeWithdrawn: Reaction(on_enrolment, needs=_enrolment),
    ProgrammeChanged: Reaction(on_programme_changed, needs=_programme),
    PairConfirmed: Reaction(on_pair_confirmed, needs=_plan),
    PairResumed: Reaction(on_pair_confirmed, needs=_plan),
    PairSuspended: Reaction(on_pair_suspended, needs=_plan),
    PairEnded: Reaction(on_pair_over, needs=_plan),
    PairDeclined: Reaction(on_pair_over, needs=_plan),
    PairExpired: Reaction(on_pair_over, needs=_plan),
}
