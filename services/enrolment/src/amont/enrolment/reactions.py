"""What enrolment does when a fact arrives: staff records from HR systems (the hot path), published rounds from matching, and what enrolment
itself has said of seats: who asks for one and who gives one up travels by events from the person's document to the one that counts.

Staff records carry no `seq`: an employee knows by a record's position whether it is news. What a record means is in the domain.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import TypeVar

from prometheus_client import Counter

from amont.common import metrics
from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import DomainError
from amont.common.events import (
    EmployeeWithdrawn,
    Envelope,
    ErasedFromMatching,
    ErasedFromNotifications,
    ErasedFromScheduling,
    ExportedFromMatching,
    ExportedFromNotifications,
    ExportedFromScheduling,
    ProgrammeChanged,
    RoundPublished,
    SeatRequested,
    StaffLeft,
    StaffRecorded,
)
from amont.common.events.erasure import ErasureFact
from amont.common.events.exporting import ExportFact
from amont.common.events.hris import StaffFact
from amont.common.events.values import Role, tenant_of
from amont.common.events.words import person_id
from amont.common.retention import count
from amont.common.work import Due, Reaction, Reactions, Work
from amont.enrolment.commands.doors import door_of, without_erased
from amont.enrolment.commands.feeds import ask_breaker, settle, sweep, tell_of_open_breaker
from amont.enrolment.commands.leavers import let_go_of_user
from amont.enrolment.domain.arrival import Outcome
from amont.enrolment.domain.charter import Charter
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.erasure import Doors, Erased, Erasure, Stage
from amont.enrolment.domain.export import Export
from amont.enrolment.domain.feed import SOON, Feed
from amont.enrolment.domain.history import Stamp
from amont.enrolment.domain.invitation import Invitations
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.scim_name import ScimName
from amont.enrolment.domain.scim_user import ScimUser
from amont.enrolment.domain.seats import Seats, Standing, seats_for
from amont.enrolment.domain.staff import Understood, understand_left, understand_recorded
from amont.enrolment.domain.subsidiary import Subsidiary, UnknownTenant
from amont.enrolment.domain.tokens import FeedTokens

D = TypeVar("D", Programme, Charter, FeedTokens, Invitations)
"""What keeps who decided something."""
NOBODYS = "unknown"
"""The metrics label of records for tenants that do not exist: names from outside must not become labels."""


async def on_staff_recorded(event: StaffRecorded, work: Work) -> None:
    """Raises UnknownTenant, UnknownGrade, UnknownZone, TooFarAhead, TooManyHeld."""
    subsidiary = await _subsidiary(event, work)
    try:
        understood = understand_recorded(event, subsidiary, _event_id(work))
    except DomainError:
        _count(event.tenant, Outcome.REFUSED)
        raise
    entry = await without_erased(understood.entry, event.person, work)
    await _take(event, replace(understood, entry=entry), subsidiary, work)


async def on_staff_left(event: StaffLeft, work: Work) -> None:
    """Raises UnknownTenant, UnknownZone, TooFarAhead, TooManyHeld."""
    subsidiary = await _subsidiary(event, work)
    if await _take(event, understand_left(event, subsidiary, _event_id(work)), subsidiary, work) is Outcome.HELD and not subsidiary.paused:
        await ask_breaker(work, subsidiary, event.person)


async def on_round_published(event: RoundPublished, work: Work) -> None:
    """The first published round sets the programme going. Raises NotFound."""
    programme = await work.get(Programme, event.programme)
    work.save(programme.run(Stamp(by=event.published_by, at=event.published_at)))


async def on_exported(event: ExportFact, work: Work) -> None:
    """A service has answered what it holds of somebody. Raises NotFound."""
    export = await work.get(Export, event.reference)
    work.save(export.hear(event))


async def on_export_due(export: Export, work: Work) -> None:
    """Its time is over."""
    work.save(export.forget())


async def on_erased(event: ErasureFact, work: Work) -> None:
    """A service has erased somebody. Raises NotFound."""
    erasure = await work.get(Erasure, event.reference)
    decision = erasure.hear(event)
    if work.save(decision).stage is Stage.CLEARED and erasure.stage is not Stage.CLEARED:
        work.afterwards(_count_cleared)


async def _count_cleared() -> None:
    metrics.ERASURES.labels("cleared").inc()


async def on_seat_requested(event: SeatRequested, work: Work) -> None:
    """Somebody has enrolled where seats are counted: into the line, which is looked at once that is written."""
    seats = await work.get_or_new(Seats, Seats.id_of(event.programme, event.role))
    _save_changed(work, seats, seats.ask(event, work.now))


async def on_employee_withdrawn(event: EmployeeWithdrawn, work: Work) -> None:
    """What somebody held is free for the next one, where seats are counted."""
    seats = await work.peek(Seats, Seats.id_of(event.programme, event.role))
    if seats is not None:
        _save_changed(work, seats, seats.release(event, work.now))


async def on_programme_changed(event: ProgrammeChanged, work: Work) -> None:
    """There may be more seats now, or fewer."""
    for role in Role:
        seats = await work.peek(Seats, Seats.id_of(event.programme, role))
        if seats is not None:
            _save_changed(work, seats, seats.wake(work.now))


async def on_seats_due(seats: Seats, work: Work) -> None:
    """Somebody asked, left, or was granted a seat: give out what is free, by the programme as it is now."""
    programme = await work.peek(Programme, seats.programme)
    limit = seats_for(programme.policy, seats.role) if programme is not None and programme.takes_people else 0
    people = await work.get_many(Employee, [one.person for one in seats.concerned])
    standing = {one.enrolment: _standing(people.get(one.person), seats) for one in seats.concerned}
    settled = seats.settle(limit, standing, work.now)
    for place in settled.admit:
        work.save(people[place.person].admit(place.enrolment))
    for place in settled.tell:
        work.save(people[place.person].wait(place.enrolment, place.asked_at))
    work.save(Decision(settled.seats))


def _standing(employee: Employee | None, seats: Seats) -> Standing:
    held = employee.seat(seats.programme, seats.role) if employee is not None else None
    return Standing(held.status, held.asked, held.told_to_wait) if held is not None else Standing()


def _save_changed(work: Work, before: Seats, after: Seats) -> None:
    """Each of these is idempotent by itself, so a document of many seats need not remember what it has heard of each."""
    if after is not before:
        work.save(Decision(after))


async def on_employee_due(employee: Employee, work: Work) -> None:
    """What lay ahead for the employee has become true, or what is held is to be looked at."""
    await settle(work, employee)


async def on_scim_user_due(user: ScimUser, work: Work) -> None:
    """They have been inactive for as long as what is known of a leaver is kept."""
    await let_go_of_user(work, user)


async def on_scim_name_due(name: ScimName, work: Work) -> None:
    """Whoever took it bears it by now, or never will."""
    work.remove(name)


async def on_subsidiary_due(subsidiary: Subsidiary, work: Work) -> None:
    """The feed was resumed: everybody of whom something is held is looked at. Asked for until it is known to be written. Or a decision's year is over."""
    feed = await work.get_or_new(Feed, subsidiary.id)
    if subsidiary.paused or feed.swept_since(subsidiary.pauses[-1].at):
        after = work.save(subsidiary.goes_on(work.now))
        if after.pauses != subsidiary.pauses:
            count(work, "decisions")
    else:
        work.save(feed.swept(work.now))
        work.save(subsidiary.becomes(due_at=work.now + SOON))


async def on_feed_due(feed: Feed, work: Work) -> None:
    """Everybody of whom something is held is looked at, a page at a time; an open breaker says that it is open."""
    tell_of_open_breaker(work, feed)
    following = await sweep(work, feed) if feed.sweep else None
    now = await work.get(Feed, feed.id)
    after = work.save(now.goes_on(following, work.now))
    if after.rulings != now.rulings:
        count(work, "decisions")


async def on_decision_due(decided: D, work: Work) -> None:
    """The year of a decision is over."""
    work.save(decided.aged(work.now))
    count(work, "decisions")


async def _subsidiary(event: StaffFact, work: Work) -> Subsidiary:
    subsidiary = await work.peek(Subsidiary, event.tenant)
    if subsidiary is None or subsidiary.removed:
        _count(NOBODYS, Outcome.REFUSED)
        raise UnknownTenant(event.tenant)
    return subsidiary


async def _take(event: StaffFact, understood: Understood, subsidiary: Subsidiary, work: Work) -> Outcome:
    erased = await door_of(event.person, work)
    if erased is not None and not erased.readmitted:
        _count(event.tenant, Outcome.ERASED)
        return Outcome.ERASED
    employee = await work.peek(Employee, event.person) or _new(event.person, erased, work)
    decision, outcome = (employee.hold if subsidiary.paused else employee.take)(understood.entry, work.now)
    work.save(decision)
    _count(event.tenant, outcome)
    for field in understood.dropped:
        metrics.HRIS_FIELDS_DROPPED.labels(field).inc()
    return outcome


def _new(person: str, erased: Erased | None, work: Work) -> Employee:
    """Somebody we have not heard of; who was erased and let in again goes on counting."""
    if erased is None:
        return Employee(id=person)
    work.counts_on(Employee, person, erased.version)
    work.counts_on(Invitations, person, erased.version)
    work.save(Invitations(id=person, seq=erased.counted).becomes())
    return Employee(id=person, seq=erased.counted)


def _event_id(work: Work) -> str:
    return work.cause.id if work.cause else ""


def _count(tenant: str, outcome: Outcome) -> None:
    """One record was handled; one handled again after a lost compare-and-set counts again."""
    _counter(tenant, outcome).inc()


@cache
def _counter(tenant: str, outcome: Outcome) -> Counter:
    """Looked up once: tenants are bounded, records are not."""
    return metrics.HRIS_RECORDS.labels(tenant, outcome)


def _needs(event: StaffFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return ((Employee, event.person), (Subsidiary, event.tenant), (Doors, event.tenant))


def _needs_of_recorded(event: StaffRecorded, envelope: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    elsewhere = (
        text
        for text in (event.manager_id, *event.dotted_manager_ids, event.former_id)
        if text and ":" in text and person_id(text, event.tenant)
    )
    return (*_needs(event, envelope), *((Doors, tenant_of(text)) for text in elsewhere))


def _export(event: ExportFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Export, event.reference)]


def _erasure(event: ErasureFact, _: Envelope) -> Iterable[tuple[type[Aggregate], str]]:
    return [(Erasure, event.reference)]


CONSUMES: Reactions = {
    StaffRecorded: Reaction(on_staff_recorded, needs=_needs_of_recorded),
    StaffLeft: Reaction(on_staff_left, needs=_needs),
    RoundPublished: Reaction(on_round_published, needs=lambda event, _: [(Programme, event.programme)]),
    SeatRequested: Reaction(on_seat_requested, needs=lambda event, _: [(Seats, Seats.id_of(event.programme, event.role))]),
    EmployeeWithdrawn: Reaction(on_employee_withdrawn, needs=lambda event, _: [(Seats, Seats.id_of(event.programme, event.role))]),
    ProgrammeChanged: on_programme_changed,
    ExportedFromMatching: Reaction(on_exported, needs=_export),
    ExportedFromScheduling: Reaction(on_exported, needs=_export),
    ExportedFromNotifications: Reaction(on_exported, needs=_export),
    ErasedFromMatching: Reaction(on_erased, needs=_erasure),
    ErasedFromScheduling: Reaction(on_erased, needs=_erasure),
    ErasedFromNotifications: Reaction(on_erased, needs=_erasure),
}

DUE: Due = {
    Subsidiary: on_subsidiary_due,
    Feed: on_feed_due,
    Employee: on_employee_due,
    ScimUser: on_scim_user_due,
    ScimName: on_scim_name_due,
    Export: on_export_due,
    Seats: on_seats_due,
    Programme: on_decision_due,
    Charter: on_decision_due,
    FeedTokens: on_decision_due,
    Invitations: on_decision_due,
}
