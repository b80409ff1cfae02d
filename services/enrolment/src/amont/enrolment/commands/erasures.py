"""Erasing people: a coordinator asks, and the clock does it, one look after the other (`amont.common.erasing`).

Before the others are told, the person's reports are moved up to the person's own managers and the door is shut, so that nothing the HR system says of
them, or of their reports, brings the id back. The tombstone comes last, when every service has answered and no topic holds what was said before.
"""

from typing import Any

from amont.common import metrics
from amont.common.erasing import Look, goes, letters_about, made_up
from amont.common.errors import NotFound
from amont.common.events.values import tenant_of
from amont.common.identity import Action, Actor, Resource, Scope, authorize, reach_of
from amont.common.work import Due, Work
from amont.enrolment import documents
from amont.enrolment.commands.scim import forget_user
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.erasure import SOON, Doors, Erased, Erasure, Stage, StillErasing, digest_of
from amont.enrolment.domain.invitation import Invitations
from amont.enrolment.domain.scim_user import ScimUser


async def erase(work: Work, person: str, actor: Actor, reason: str) -> Erasure:
    """Have somebody erased; asked for twice, it is one erasure. Raises NotFound, NotAllowed."""
    authorize(actor, Action.ERASE, _about(person))
    for under_way in await work.page(documents.erasures_of(person), after=None, limit=1):
        return under_way
    if await work.peek(Employee, person) is None and await work.peek(ScimUser, person) is None and not await _is_in_a_letter(work, person):
        raise NotFound("employee", person)
    erasure = Erasure(
        id=work.new_id("erasure", person),
        person=person,
        tenant=tenant_of(person),
        reason=reason,
        requested_by=actor.person,
        requested_at=work.now,
        due_at=work.now,
    )
    return work.save(erasure.becomes())


async def readmit(work: Work, person: str, actor: Actor) -> None:
    """Let the HR system bring somebody again whose erasure is done. Raises NotFound, NotAllowed, StillErasing."""
    authorize(actor, Action.ERASE, _about(person))
    for under_way in await work.page(documents.erasures_of(person), after=None, limit=1):
        raise StillErasing(under_way.id)
    erased = await work.peek(Erased, digest_of(person))
    if erased is None:
        raise NotFound("erased person", person)
    work.save(erased.readmit())


async def erasure(work: Work, reference: str, actor: Actor) -> Erasure:
    """One erasure: when it is done, its certificate. Raises NotFound, NotAllowed."""
    found = await work.get(Erasure, reference)
    authorize(actor, Action.READ_ERASURE, found.resource)
    return found


async def erasures(work: Work, actor: Actor, after: tuple[Any, ...] | None, limit: int) -> list[Erasure]:
    """Those of the actor's subsidiary, or all. Raises NotAllowed."""
    reach = reach_of(actor, Action.READ_ERASURE)
    return await work.page(documents.every_erasure(None if reach is Scope.GROUP else actor.tenant), after=after, limit=limit)


async def holdings(work: Work, person: str, actor: Actor) -> dict[str, int]:
    """How much is here of somebody, by kind: what an erasure would begin with. Raises NotFound, NotAllowed."""
    authorize(actor, Action.ERASE, _about(person))
    employee = await work.peek(Employee, person)
    letters = [letter async for letter in letters_about(work, person)]
    user = await work.peek(ScimUser, person)
    if employee is None and user is None and not letters:
        raise NotFound("employee", person)
    here = employee or Employee(id=person)
    reports = [one async for one in work.find(documents.reports_of(person))]
    own = sum(goes(letter, person) for letter in letters)
    return {
        "record": int(here.last is not None),
        "records that lie ahead": len(here.future),
        "enrolments": len(here.enrolments),
        "reports": len(reports),
        "SCIM users": int(user is not None),
        "dead letters": own,
        "dead letters of others": len(letters) - own,
    }


async def wake_erasure(erasure: Erasure, work: Work) -> None:
    """Go one step on."""
    if erasure.person is None:
        work.save(erasure.close())
    elif not erasure.names:
        await _shut_the_door(erasure, erasure.person, work)
    elif not await _swept(erasure, erasure.person, work):
        await _go_on(erasure, erasure.person, work)


async def _shut_the_door(erasure: Erasure, person: str, work: Work) -> None:
    doors = await work.get_or_new(Doors, erasure.tenant)
    if not doors.may_hide(person):  # first, and by itself: records are looked up among the erased by it
        work.save(doors.shut(person))
        work.save(erasure.becomes(due_at=work.now + SOON))
        return
    employee = await work.get_or_new(Employee, person)
    enrolments = tuple(one.id for one in employee.enrolments)
    work.save(Erased.instead_of(person, await work.peek(Erased, digest_of(person)), employee.managers))
    work.save(erasure.named(made_up(work, person, enrolments), enrolments, work.now))


async def _swept(erasure: Erasure, person: str, work: Work) -> bool:
    """Whether a look found something: then there is another one."""
    door = await work.get(Erased, digest_of(person))
    look = Look(work, person, erasure.enrolments, erasure.names, last=False)
    async for report in work.find(documents.reports_of(person)):
        if not look.full and report.id != person:
            look.change(documents.EMPLOYEES, report.moved_up(person, door.managers))
    async for other in work.find(documents.erased_under(person)):
        managers = tuple(dict.fromkeys(new for one in other.managers for new in ((one,) if one != person else door.managers)))
        look.change(documents.ERASED, other.becomes(managers=managers))
    async for subsidiary in work.find(documents.every_subsidiary()):
        if person in subsidiary.coordinators and not look.full:
            others = tuple(one for one in subsidiary.coordinators if one != person)
            look.change(documents.SUBSIDIARIES, subsidiary.change(coordinators=others))
    async for export in work.find(documents.exports_of(person)):
        if not look.full:
            look.change(documents.EXPORTS, export.forget())
    await forget_user(look, door.managers)
    await _seats_and_invitations(erasure, look)
    await _decisions(look)
    await look.letters()
    if look.touched:
        work.save(erasure.counted(look.removed, look.changed, work.now))
    return look.touched > 0 or look.waits


async def _seats_and_invitations(erasure: Erasure, look: Look) -> None:
    """Until the others are told, a seat is given back under the person's own id."""
    invitations = await look.work.peek(Invitations, look.person)
    if invitations is not None and invitations.sent:
        look.change(documents.INVITATIONS, invitations.becomes(sent=()))
    if erasure.stage is not Stage.REQUESTED:
        await look.search(documents.SEATS.where())


async def _decisions(look: Look) -> None:
    """What the person decided about others stays, and names nobody."""
    for query in documents.decided_by(look.person):
        await look.rename_all(query)
    for query in documents.may_name_somebody():
        await look.search(query)


async def _go_on(erasure: Erasure, person: str, work: Work) -> None:
    """Nothing is left but the record itself: tell the others, wait for them, then forget the id."""
    employee = await work.get_or_new(Employee, person)
    if erasure.stage is Stage.REQUESTED:
        work.save(employee.erase(erasure.id, work.now))
        work.save(erasure.order(work.now, {documents.EMPLOYEES.name: 1}))
        work.afterwards(_counted("ordered"))
    elif not erasure.may_forget(work.now):
        if erasure.is_late(work.now):
            work.afterwards(_counted("late"))
        work.save(erasure.wait(work.now))
    elif await work.peek(Employee, person) is not None:
        await _bury(erasure, employee, work)
    else:
        done = work.save(erasure.forgotten(work.now))
        if done.stage is Stage.FORGOTTEN:
            work.afterwards(_counted("forgotten"))


async def _bury(erasure: Erasure, employee: Employee, work: Work) -> None:
    """Say the tombstone; once it is on the log, remove the record, whose count has been written down by then."""
    door = await work.get(Erased, digest_of(employee.id))
    invitations = await work.peek(Invitations, employee.id)
    if not employee.forgotten:
        work.save(employee.forget())
    elif door.counted < employee.seq:
        both = [employee, *([invitations] if invitations else [])]
        work.save(door.end_at(max(one.seq for one in both), max(work.version_of(one) for one in both)))
    elif invitations is not None and work.all_said(invitations):
        work.remove(invitations, heard=True)
    elif invitations is None and work.all_said(employee):
        work.remove(employee, heard=True)
    work.save(erasure.becomes(due_at=work.now + SOON))


def _about(person: str) -> Resource:
    return Resource("employee", person, frozenset({tenant_of(person)}), frozenset({person}))


async def _is_in_a_letter(work: Work, person: str) -> bool:
    return bool([letter async for letter in letters_about(work, person)])


def _counted(outcome: str) -> Any:
    async def count() -> None:
        metrics.ERASURES.labels(outcome).inc()

    return count


JOBS: Due = {Erasure: wake_erasure}
"""What looks through the whole store: nothing else waits for it."""
