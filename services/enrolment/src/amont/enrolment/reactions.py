"""What enrolment does when a fact arrives: staff records from HR systems (the hot path), and published rounds from matching.

Staff records carry no `seq`: an employee knows by a record's position whether it is news. What a record means is in the domain.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from prometheus_client import Counter

from amont.common import metrics
from amont.common.errors import DomainError
from amont.common.events import Envelope, RoundPublished, StaffLeft, StaffRecorded
from amont.common.events.hris import StaffFact
from amont.common.work import Handle, Reaction, Reactions, Work
from amont.enrolment.domain.employee import Employee, Outcome
from amont.enrolment.domain.history import Stamp
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.staff import Understood, understand_left, understand_recorded
from amont.enrolment.domain.subsidiary import Subsidiary, UnknownTenant

NOBODYS = "unknown"
"""The metrics label of records for tenants that do not exist: names from outside must not become labels."""


async def on_staff_recorded(event: StaffRecorded, work: Work) -> None:
    """Raises UnknownTenant, UnknownGrade, UnknownZone."""
    subsidiary = await _subsidiary(event, work)
    try:
        understood = understand_recorded(event, subsidiary, _event_id(work))
    except DomainError:
        _count(event.tenant, Outcome.REFUSED)
        raise
    await _take(event, understood, work)


async def on_staff_left(event: StaffLeft, work: Work) -> None:
    """Raises UnknownTenant."""
    subsidiary = await _subsidiary(event, work)
    await _take(event, understand_left(event, subsidiary, _event_id(work)), work)


async def on_round_published(event: RoundPublished, work: Work) -> None:
    """The first published round sets the programme going. Raises NotFound."""
    programme = await work.get(Programme, event.programme)
    work.save(programme.run(Stamp(by=event.published_by, at=event.published_at)))


async def on_employee_due(employee: Employee, work: Work) -> None:
    """What lay ahead for the employee has become true."""
    work.save(employee.ripen(work.now))


async def _subsidiary(event: StaffFact, work: Work) -> Subsidiary:
    subsidiary = await work.peek(Subsidiary, event.tenant)
    if subsidiary is None:
        _count(NOBODYS, Outcome.REFUSED)
        raise UnknownTenant(event.tenant)
    return subsidiary


async def _take(event: StaffFact, understood: Understood, work: Work) -> None:
    employee = await work.get_or_new(Employee, event.person)
    decision, outcome = employee.take(understood.entry, work.now)
    work.save(decision)
    _count(event.tenant, outcome)
    for field in understood.dropped:
        metrics.HRIS_FIELDS_DROPPED.labels(field).inc()


def _event_id(work: Work) -> str:
    return work.cause.id if work.cause else ""


def _count(tenant: str, outcome: Outcome) -> None:
    """One record was handled; one handled again after a lost compare-and-set counts again."""
    _counter(tenant, outcome).inc()


@cache
def _counter(tenant: str, outcome: Outcome) -> Counter:
    """Looked up once: tenants are bounded, records are not."""
    return metrics.HRIS_RECORDS.labels(tenant, outcome)


def _needs(event: StaffFact, _: Envelope) -> Iterable[tuple[type[Employee | Subsidiary], str]]:
    return ((Employee, event.person), (Subsidiary, event.tenant))


CONSUMES: Reactions = {
    StaffRecorded: Reaction(on_staff_recorded, needs=_needs),
    StaffLeft: Reaction(on_staff_left, needs=_needs),
    RoundPublished: Reaction(on_round_published, needs=lambda event, _: [(Programme, event.programme)]),
}

DUE: Mapping[type[Any], Handle] = {Employee: on_employee_due}
