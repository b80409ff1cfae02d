"""Commands and questions about subsidiaries: their data, their grade tables, their going."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amont.common.errors import NotFound, VersionNeeded
from amont.common.events.values import ProgrammeStatus
from amont.common.identity import Action, Actor, Resource, Scope, authorize, reach_of
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.domain.subsidiary import Subsidiary, SubsidiaryExists
from amont.enrolment.domain.tokens import FeedTokens

Versioned = tuple[Subsidiary, int]


async def add_subsidiary(work: Work, /, id_: str, actor: Actor, **given: Any) -> Versioned:
    """Add a tenant; adding the same again changes nothing. What may be left out of `given` begins with its default.

    Raises SubsidiaryExists, Invalid with every fault.
    """
    authorize(actor, Action.MANAGE_SUBSIDIARY, _resource(id_))
    decision = Subsidiary.added(id_, **given)
    existing = await work.peek(Subsidiary, id_)
    if existing is None or existing.removed:
        added = work.save(existing.added_again(**given) if existing else decision)
        return added, work.version_of(added)
    if existing.change(**given).state != existing:
        raise SubsidiaryExists(id_)
    return existing, work.version_of(existing)


async def change_subsidiary(work: Work, /, id_: str, actor: Actor, version: int | None, **given: Any) -> Versioned:
    """Change a tenant's data, knowing which version one has read (None: whatever it is); what may be left out of `given` stays as it is.

    Raises NotFound, Stale, Invalid with every fault.
    """
    authorize(actor, Action.MANAGE_SUBSIDIARY, _resource(id_))
    found = await present(work, id_, version)
    changed = work.save(found.change(**given))
    return changed, work.version_of(changed)


async def remove_subsidiary(work: Work, id_: str, actor: Actor, version: int | None = None) -> None:
    """Have a tenant go that has no people and takes part in nothing; its feed's tokens are revoked first. Raises NotFound, Stale, StillInUse."""
    authorize(actor, Action.MANAGE_SUBSIDIARY, _resource(id_))
    found = await present(work, id_, version)
    people = sum((await work.count_by(documents.employees_of(id_, None), "status")).values())
    people += sum((await work.count_by(documents.expected_in(id_), "tenant")).values())
    programmes = [one.id async for one in work.find(documents.programmes_with(id_)) if one.status is not ProgrammeStatus.CLOSED]
    gone = found.remove(people, programmes)
    tokens = await work.get_or_new(FeedTokens, id_)
    work.save(tokens.revoke_all(work.now, actor.person))
    work.save(gone)


@dataclass(frozen=True, slots=True)
class Regraded:
    """A subsidiary with its new grade table, and what it did to the old one: codes."""

    subsidiary: Subsidiary
    version: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


async def import_grades(
    work: Work, id_: str, actor: Actor, grades: Mapping[str, Any], version: int | None, *, any_version: bool = False
) -> Regraded:
    """Put a grade table in place of the present one, which the caller has read, or wants away whatever it is (`any_version`).

    Raises NotFound, VersionNeeded, Stale, Invalid with every fault.
    """
    authorize(actor, Action.GRADE_SUBSIDIARY, _resource(id_))
    found = await present(work, id_, version)
    if version is None and not any_version:
        raise VersionNeeded("subsidiary", id_, current=work.version_of(found))
    before = found.grades
    after = work.save(found.take_grades(grades))
    return Regraded(
        after,
        work.version_of(after),
        added=tuple(sorted(after.grades.keys() - before.keys())),
        changed=tuple(sorted(code for code in after.grades.keys() & before.keys() if after.grades[code] != before[code])),
        removed=tuple(sorted(before.keys() - after.grades.keys())),
    )


async def subsidiary(work: Work, id_: str, actor: Actor) -> Versioned:
    """One subsidiary. Raises NotFound."""
    authorize(actor, Action.READ_SUBSIDIARY, _resource(id_))
    found = await present(work, id_)
    return found, work.version_of(found)


async def subsidiaries(work: Work, actor: Actor, after: tuple[Any, ...] | None, limit: int) -> list[Versioned]:
    """The subsidiaries the actor sees: all of them, or their own."""
    if reach_of(actor, Action.READ_SUBSIDIARY) is Scope.GROUP:
        page = await work.page(documents.every_subsidiary(), after=after, limit=limit)
        return [(one, work.version_of(one)) for one in page]
    try:
        return [] if after else [await subsidiary(work, actor.tenant, actor)]
    except NotFound:
        return []


async def present(work: Work, id_: str, version: int | None = None) -> Subsidiary:
    """A subsidiary that has not been removed. Raises NotFound, Stale."""
    found = await work.peek(Subsidiary, id_)
    if found is None or found.removed:
        raise NotFound("subsidiary", id_)
    return await work.get(Subsidiary, id_, version=version)


def _resource(id_: str) -> Resource:
    return Resource("subsidiary", id_, frozenset({id_}))
