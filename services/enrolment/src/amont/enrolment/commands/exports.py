"""Exporting what is held of somebody: asked for by themselves or on their behalf, answered by all four services, fetched as one archive."""

import json
from collections.abc import Mapping
from typing import Any

from amont.common.erasing import letters_of
from amont.common.errors import NotFound
from amont.common.events.values import instant_text, tenant_of
from amont.common.exporting import Key, plain, unsealed
from amont.common.identity import Action, Actor, Resource, authorize
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.commands.archive import packed
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.export import Export
from amont.enrolment.domain.invitation import Invitations
from amont.enrolment.domain.scim_user import ScimUser
from amont.enrolment.domain.seats import Seats


async def request_export(work: Work, person: str, actor: Actor, *, private: bool | None = None) -> Export:
    """Ask all services for what they hold. What the person said for nobody else to read is in it when they ask themselves (or `private` says so).

    Raises NotFound, NotAllowed.
    """
    authorize(actor, Action.EXPORT, Resource("employee", person, frozenset({tenant_of(person)}), frozenset({person})))
    employee = await work.peek(Employee, person)
    letters = await letters_of(work, person)  # others' may name the person, and are not theirs
    user, invitations = await work.peek(ScimUser, person), await work.peek(Invitations, person)
    if (employee is None or employee.erased) and not letters and not (user is not None and user.attributes):
        raise NotFound("employee", person)
    own = actor.person == person if private is None else private
    key = Key.new()
    export = Export(
        id=work.new_id("export", person),
        person=person,
        tenant=tenant_of(person),
        requested_by=actor.person,
        requested_at=work.now,
        private=own,
        public=key.public,
        secret=key.secret,
        own={
            **_held(employee, private=own),
            "seats": await _seats(work, employee),
            "invitations": plain(documents.INVITATIONS, [invitations] if invitations else []),
            "what an identity provider wrote": [dict(user.attributes)] if user is not None and user.attributes else [],
            "records that could not be taken": [_said(one.content.raw_value) for one in letters],
        },
    )
    if (before := await work.peek(Export, export.id)) is not None:
        return before
    return work.save(export.ask())


async def export(work: Work, reference: str, actor: Actor) -> Export:
    """One export. Raises NotFound, also once its time is over; NotAllowed."""
    found = await work.get(Export, reference)
    if not found.person:
        raise NotFound("export", reference)
    authorize(actor, Action.EXPORT, found.resource)
    return found


async def archive(work: Work, reference: str, actor: Actor) -> bytes:
    """The archive, a ZIP file. Raises NotFound, NotAllowed, ExportIsPersonal, ExportNotReady."""
    found = await export(work, reference, actor)
    found.must_be_readable(actor.person)
    key = Key(found.public, found.secret)
    holdings = {"enrolment": found.own, **{name: unsealed(sealed, key) for name, sealed in found.sealed.items()}}
    records = found.own.get("record") or [{}]
    language = (records[0].get("profile") or {}).get("preferred_language")
    return packed(found.person, holdings, language=language, private=found.private, at=found.requested_at)


def _held(employee: Employee | None, *, private: bool) -> Mapping[str, list[Any]]:
    """What enrolment holds of somebody, by kind."""
    if employee is None:
        return {}
    (found,) = plain(documents.EMPLOYEES, [employee])
    enrolments = [{name: value for name, value in one.items() if private or name != "private_reason"} for one in found["enrolments"]]
    return {
        "record": [found["last"]] if found["last"] else [],
        "records that lie ahead": found["future"],
        "records that are held": found["held"],
        "enrolments": enrolments,
        "moves between subsidiaries": [found["move"]] if employee.elsewhere or employee.move.handed_over else [],
        "place in the line of management": [found["place"]] if employee.ever_managers else [],
    }


async def _seats(work: Work, employee: Employee | None) -> list[Mapping[str, Any]]:
    """The seats that are counted which the person has or waits for, since when, and how many are served before them; nobody else's."""
    counted = [one for one in employee.enrolments if one.counted] if employee is not None else []
    seats = await work.get_many(Seats, [Seats.id_of(one.programme, one.role) for one in counted])
    return [
        {
            "programme": of.programme,
            "role": of.role.value,
            "asked_at": instant_text(place.asked_at),
            "waits": waits,
            "line": of.line(place.enrolment),
        }
        for of in seats.values()
        for waits, places in ((False, (*of.taken, *of.granted)), (True, of.waiting))
        for place in places
        if employee is not None and place.person == employee.id
    ]


def _said(value: bytes | None) -> Any:
    """What a record that could not be taken says, as far as it can be read."""
    try:
        return json.loads(value or b"null")
    except ValueError:
        return (value or b"").decode(errors="replace")
