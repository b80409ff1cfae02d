"""Commands and questions about programmes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from amont.common.events import Policy
from amont.common.identity import Action, Actor, Resource, Scope, authorize, reach_of
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.domain.programme import Programme, ProgrammeExists
from amont.enrolment.domain.subsidiary import Subsidiary

Versioned = tuple[Programme, int]


class Edit(NamedTuple):
    """What to change of a programme; None leaves it as it is."""

    name: str | None = None
    tenants: Sequence[str] | None = None
    topics: Sequence[str] | None = None
    policy: Policy | None = None


async def create_programme(
    work: Work, id_: str, actor: Actor, *, name: str, tenants: Sequence[str], topics: Sequence[str], policy: Policy
) -> Versioned:
    """Make a draft. The same request twice makes it once. Raises ProgrammeExists, Invalid with every fault."""
    authorize(actor, Action.MANAGE_PROGRAMME, Resource("programme", id_, frozenset(tenants or (actor.tenant,))))
    request = work.new_id("programme", id_)
    existing = await work.peek(Programme, id_)
    if existing is not None:
        if existing.request != request:
            raise ProgrammeExists(id_)
        return existing, work.version_of(existing)
    known = await work.get_many(Subsidiary, tenants)
    made = work.save(Programme.created(id_, name=name, tenants=tenants, topics=topics, policy=policy, known=known, request=request))
    return made, work.version_of(made)


async def edit_programme(work: Work, id_: str, actor: Actor, edit: Edit, version: int | None) -> Versioned:
    """Change a programme; another policy is its next version. Raises NotFound, Stale, ProgrammeClosed, Invalid with every fault."""
    programme = await _managed(work, id_, actor, version)
    tenants = programme.tenants if edit.tenants is None else tuple(edit.tenants)
    authorize(actor, Action.MANAGE_PROGRAMME, Resource("programme", id_, frozenset(tenants or programme.tenants)))
    decision = programme.edit(
        name=programme.name if edit.name is None else edit.name,
        tenants=tenants,
        topics=programme.topics if edit.topics is None else edit.topics,
        policy=programme.policy if edit.policy is None else edit.policy,
        known=await work.get_many(Subsidiary, tenants),
    )
    edited = work.save(decision)
    return edited, work.version_of(edited)


async def open_programme(work: Work, id_: str, actor: Actor, version: int | None = None) -> Versioned:
    """Let people enrol; opening an open one changes nothing. Raises NotFound, Stale, ProgrammeClosed."""
    opened = work.save((await _managed(work, id_, actor, version)).open())
    return opened, work.version_of(opened)


async def close_programme(work: Work, id_: str, actor: Actor, version: int | None = None) -> Versioned:
    """Let nobody enrol any more, for good; closing twice changes nothing. Raises NotFound, Stale."""
    closed = work.save((await _managed(work, id_, actor, version)).close())
    return closed, work.version_of(closed)


async def programme(work: Work, id_: str, actor: Actor) -> Versioned:
    """One programme. Raises NotFound."""
    found = await seen_programme(work, id_, actor)
    return found, work.version_of(found)


async def programmes(work: Work, actor: Actor, after: tuple[Any, ...] | None, limit: int) -> list[Versioned]:
    """The programmes the actor sees: all, or those in which their subsidiary takes part."""
    everywhere = reach_of(actor, Action.READ_PROGRAMME) is Scope.GROUP
    query = documents.every_programme() if everywhere else documents.programmes_with(actor.tenant)
    return [(one, work.version_of(one)) for one in await work.page(query, after=after, limit=limit)]


async def seen_programme(work: Work, id_: str, actor: Actor) -> Programme:
    """A programme that the actor may read. Raises NotFound."""
    found = await work.get(Programme, id_)
    authorize(actor, Action.READ_PROGRAMME, found.resource)
    return found


async def _managed(work: Work, id_: str, actor: Actor, version: int | None) -> Programme:
    found = await work.get(Programme, id_)
    authorize(actor, Action.MANAGE_PROGRAMME, found.resource)
    return await work.get(Programme, id_, version=version)
