"""Commands and questions about employees and their enrolments."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from amont.common.errors import NotFound, Stale
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Meeting, Role, tenant_of
from amont.common.identity import Action, Actor, Resource, authorize, sees
from amont.common.ids import derived
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.commands.programmes import participants, seen_programme
from amont.enrolment.domain.charter import Charter
from amont.enrolment.domain.eligibility import Case, NotEligible, charter_faults, faults_in_form, line_faults, reasons_against
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import CharterIsPersonal, Enrolment, EnrolmentOver, Form
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.reasons import Reason, reason
from amont.enrolment.domain.seats import Seats, seats_for


class Held(NamedTuple):
    """An enrolment, whose it is, the version of the programme's charter now, and where in the line for a seat it is: 1 is the next one."""

    person: str
    enrolment: Enrolment
    charter: int = 0
    line: int | None = None

    @property
    def to_sign(self) -> int | None:
        """The edition of the charter that the person has not signed and that counts by now; None when there is none, or they take part no more."""
        return self.charter if self.enrolment.open and self.enrolment.charter_version < self.charter else None


class Filled(NamedTuple):
    """The seats of a role: how many there are, None where they are not counted, how many have one, how many wait."""

    role: Role
    limit: int | None
    taken: int | None
    waiting: int | None


class FormEdit(NamedTuple):
    """What to change of a form; None leaves it as it is."""

    topics: Mapping[str, int] | None = None
    languages: Sequence[str] | None = None
    availability: Sequence[str] | None = None
    meeting: Meeting | None = None
    capacity: int | None = None


def enrolment_id(programme: str, person: str, role: Role) -> str:
    """The id of a person's one seat in a role: whoever enrols again takes the same one up."""
    return derived("enrolment", programme, person, role)


async def employee(work: Work, person: str, actor: Actor) -> Employee:
    """One employee. Raises NotFound, also while everything known of them lies ahead."""
    return await _known(work, person, actor, Action.READ_EMPLOYEE)


async def employees(
    work: Work, tenant: str, actor: Actor, status: EmployeeStatus | None, after: tuple[Any, ...] | None, limit: int
) -> list[Employee]:
    """A subsidiary's people; those who work there when no status is asked for. Raises NotFound, NotAllowed."""
    authorize(actor, Action.READ_EMPLOYEE, Resource("subsidiary", tenant, frozenset({tenant})))
    return await work.page(documents.employees_of(tenant, status), after=after, limit=limit)


async def enrol(
    work: Work,
    person: str,
    programme: str,
    role: Role,
    actor: Actor,
    *,
    form: Form,
    charter_accepted: bool,
    charter_version: int | None = None,
) -> Held:
    """Take a seat oneself, or wait for one where they are counted. Languages left empty are the employee's own; `charter_version` is the edition that
    the person was shown.

    Raises NotFound, CharterIsPersonal, NotAllowed, AlreadyEnrolled, NotEligible with every reason.
    """
    _only_oneself(person, actor)
    someone = await _known(work, person, actor, Action.ENROL)
    campaign = await seen_programme(work, programme, actor)
    charter = (await work.get_or_new(Charter, programme)).version
    counted = seats_for(campaign.policy, role) > 0
    id_ = enrolment_id(programme, person, role)
    profile = someone.profile
    if not form.languages and profile is not None:
        form = _changed(form, FormEdit(languages=profile.languages))
    wanted = Enrolment(
        id=id_,
        programme=programme,
        role=role,
        status=EnrolmentStatus.WAITING if counted else EnrolmentStatus.ENROLLED,
        form=form,
        charter_accepted_at=work.now,
        charter_version=charter,
        request=work.new_id("enrolment", id_),
    )
    if not someone.holds(wanted):
        line = len((await work.get_or_new(Seats, Seats.id_of(programme, role))).waiting) if counted else 0
        reasons = [*reasons_against(Case(employee=someone, programme=campaign, role=role, now=work.now)), *line_faults(line)]
        if profile is not None:  # whoever is gone has no form to correct
            reasons += [*faults_in_form(form, campaign, role), *charter_faults(charter_accepted, charter_version, charter)]
        if reasons:
            raise NotEligible(programme, role, reasons)
    return await _held(work, work.save(someone.enrol(wanted)), id_)


async def sign_charter(work: Work, id_: str, actor: Actor, version: int) -> Held:
    """Accept the current edition of the charter, oneself; a second time changes nothing. Raises NotFound, CharterIsPersonal, EnrolmentOver, NotEligible."""
    holder = await _holder(work, id_, actor, Action.READ_ENROLMENT)
    _only_oneself(holder.id, actor)
    authorize(actor, Action.ENROL, _about(holder.id))
    before = holder.enrolment(id_)
    current = (await work.get_or_new(Charter, before.programme)).version
    if faults := charter_faults(True, version, current):
        raise NotEligible(before.programme, before.role, faults)
    return await _held(work, work.save(holder.sign(id_, current, work.now)), id_)


async def edit_enrolment(work: Work, id_: str, actor: Actor, edit: FormEdit, version: int | None) -> Held:
    """Change what somebody offers, wishes or can make. Raises NotFound, Stale, EnrolmentOver, NotEligible with every reason."""
    holder = await _holder(work, id_, actor, Action.EDIT_ENROLMENT)
    before = holder.enrolment(id_)
    if version is not None and version != before.version:
        raise Stale("enrolment", id_, given=version, current=before.version)
    if not before.open:
        raise EnrolmentOver(id_, before.status)
    campaign = await work.get(Programme, before.programme)
    form = _changed(before.form, edit)
    reasons = faults_in_form(form, campaign, before.role)
    if not campaign.takes_people:
        reasons.insert(0, reason("programme-not-open.form", "", status=campaign.status))
    if reasons:
        raise NotEligible(campaign.id, before.role, reasons)
    return await _held(work, work.save(holder.edit(id_, form)), id_)


async def withdraw(work: Work, id_: str, actor: Actor, private_reason: str | None = None) -> Held:
    """Take part no more; a second time changes nothing. The reason stays here and is never returned. Raises NotFound."""
    holder = await _holder(work, id_, actor, Action.WITHDRAW)
    return await _held(work, work.save(holder.withdraw(id_, private_reason)), id_)


async def enrolment(work: Work, id_: str, actor: Actor) -> Held:
    """One enrolment. Raises NotFound."""
    holder = await _holder(work, id_, actor, Action.READ_ENROLMENT)
    return await _held(work, holder, id_)


async def enrolments_in(
    work: Work, programme: str, actor: Actor, after: tuple[Any, ...] | None, limit: int
) -> tuple[list[Employee], list[Held]]:
    """`limit` people who have or had a seat in a programme, as far as the actor sees them, and their enrolments in it. Raises NotFound."""
    await seen_programme(work, programme, actor)
    people = await participants(work, programme, actor, after, limit)
    charter = (await work.get_or_new(Charter, programme)).version
    seats = {role: await work.get_or_new(Seats, Seats.id_of(programme, role)) for role in Role}
    held = [(one.id, enrolment) for one in people for enrolment in one.enrolments if enrolment.programme == programme]
    return people, [Held(person, one, charter, seats[one.role].line(one.id) if one.waits else None) for person, one in held]


async def seats(work: Work, programme: str, actor: Actor) -> list[Filled]:
    """How the seats of a programme are filled, role by role. Raises NotFound."""
    campaign = await seen_programme(work, programme, actor)
    return [await _filled(work, campaign, role) for role in Role]


async def _filled(work: Work, programme: Programme, role: Role) -> Filled:
    limit = seats_for(programme.policy, role)
    if not limit:
        return Filled(role, None, None, None)
    found = await work.get_or_new(Seats, Seats.id_of(programme.id, role))
    return Filled(role, limit, len(found.taken) + len(found.granted), len(found.waiting))


async def eligibility(work: Work, programme: str, person: str, role: Role, actor: Actor) -> list[Reason]:
    """Why this person may not enrol in this role; nothing stands against it when empty. Raises NotFound."""
    someone = await _known(work, person, actor, Action.READ_ENROLMENT)
    campaign = await seen_programme(work, programme, actor)
    reasons = reasons_against(Case(employee=someone, programme=campaign, role=role, now=work.now))
    seat = someone.seat(programme, role)
    if seat is not None and seat.open:
        reasons.append(reason("already-enrolled", "/role", role=role))
    return reasons


async def _known(work: Work, person: str, actor: Actor, action: Action) -> Employee:
    """An employee whom the HR system has told us about. What the actor has no relation to looks the same as what there is not."""
    authorize(actor, action, _about(person))
    found = await work.get(Employee, person)
    if found.status is None:
        raise NotFound("employee", person)
    return found


async def _held(work: Work, holder: Employee, id_: str) -> Held:
    held = holder.enrolment(id_)
    charter = await work.get_or_new(Charter, held.programme)
    line = (await work.get_or_new(Seats, Seats.id_of(held.programme, held.role))).line(id_) if held.waits else None
    return Held(holder.id, held, charter.version, line)


def _only_oneself(person: str, actor: Actor) -> None:
    """Whoever sees that there is such a person is told why not; anybody else learns nothing. Raises CharterIsPersonal."""
    if actor.person != person and sees(actor, _about(person)):
        raise CharterIsPersonal(person)


def _about(person: str) -> Resource:
    return Resource("employee", person, frozenset({tenant_of(person)}), frozenset({person}))


async def _holder(work: Work, id_: str, actor: Actor, action: Action) -> Employee:
    for found in await work.page(documents.holder_of(id_), after=None, limit=1):
        authorize(actor, action, Resource("enrolment", id_, found.resource.tenants, found.resource.people))
        return found
    raise NotFound("enrolment", id_)


def _changed(form: Form, edit: FormEdit) -> Form:
    languages = form.languages if edit.languages is None else tuple(dict.fromkeys(edit.languages))
    return Form(
        topics=form.topics if edit.topics is None else edit.topics,
        languages=languages,
        availability=form.availability if edit.availability is None else tuple(edit.availability),
        meeting=form.meeting if edit.meeting is None else edit.meeting,
        capacity=form.capacity if edit.capacity is None else edit.capacity,
    )
