"""What matching does when a fact arrives: it writes down what it heard, and a mark where live pairs may be concerned.

Nothing is decided about a pair here (but that its last session was held): the mark wakes the document at once, and `commands.clock` looks at the
pairs after the fact has been written. So facts of different topics may come in any order.
"""

from collections.abc import Iterable

from amont.common import metrics
from amont.common.aggregate import Aggregate
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
    PairEnded,
    ProgrammeChanged,
    SessionCompleted,
)
from amont.common.events.enrolment import EmployeeFact, EnrolmentFact
from amont.common.exporting import Answer, on_export_requested
from amont.common.work import Reaction, Reactions, Work
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person
from amont.matching.domain.programme import Programme


async def on_employee_changed(event: EmployeeChanged, work: Work) -> None:
    person = await work.get_or_new(Person, event.person)
    work.save(person.hear(event, work.now))


async def on_employee_left(event: EmployeeLeft, work: Work) -> None:
    person = await work.get_or_new(Person, event.person)
    work.save(person.leave(event, work.now))


async def on_enrolment(event: EnrolmentFact, work: Work) -> None:
    """Any of the five: each carries the full state."""
    enrolment = await work.get_or_new(Enrolment, event.enrolment)
    work.save(enrolment.hear(event, work.now))


async def on_programme_changed(event: ProgrammeChanged, work: Work) -> None:
    programme = await work.get_or_new(Programme, event.programme)
    work.save(programme.hear(event, work.now))


async def on_session_completed(event: SessionCompleted, work: Work) -> None:
    """The last planned session ends the pair."""
    pair = await work.peek(Pair, event.pair)
    if pair is not None and event.number == event.planned:
        decision = pair.complete(work.now)
        work.save(decision)
        if decision.events:
            work.afterwards(_count_an_end)


async def _count_an_end() -> None:
    metrics.PAIRS.labels(PairEnded.__name__).inc()


def _person(event: EmployeeFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Person, event.person)]


def _enrolment(event: EnrolmentFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Enrolment, event.enrolment)]


def _programme(event: ProgrammeChanged, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Programme, event.programme)]


def _pair(event: SessionCompleted, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Pair, event.pair)]


CONSUMES: Reactions = {
    EmployeeChanged: Reaction(on_employee_changed, needs=_person),
    EmployeeLeft: Reaction(on_employee_left, needs=_person),
    EmployeeErased: Reaction(on_employee_erased, needs=lambda event, _: [(Clearing, event.reference)]),
    ExportRequested: Reaction(on_export_requested, needs=lambda event, _: [(Answer, event.reference)]),
    ProgrammeChanged: Reaction(on_programme_changed, needs=_programme),
    EmployeeEnrolled: Reaction(on_enrolment, needs=_enrolment),
    EnrolmentChanged: Reaction(on_enrolment, needs=_enrolment),
    EnrolmentSuspended: Reaction(on_enrolment, needs=_enrolment),
    EnrolmentResumed: Reaction(on_enrolment, needs=_enrolment),
    EmployeeWithdrawn: Reaction(on_enrolment, needs=_enrolment),
    SessionCompleted: Reaction(on_session_completed, needs=_pair),
}
