"""Commands and questions about programmes: their life, their history, their charter, and whom a change would shut out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from amont.common.errors import Fault, Invalid, Stale
from amont.common.events import Policy
from amont.common.identity import Action, Actor, Resource, Scope, authorize, reach_of
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.domain.charter import Charter
from amont.enrolment.domain.eligibility import newly_against
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Enrolment
from amont.enrolment.domain.history import Change, Stamp
from amont.enrolment.domain.programme import Programme, ProgrammeClosed, ProgrammeExists
from amont.enrolment.domain.reasons import Reason
from amont.enrolment.domain.subsidiary import Subsidiary
from amont.enrolment.domain.templates import TEMPLATES, Template

Versioned = tuple[Programme, int]


class Edit(NamedTuple):
    """What to change of a programme; None leaves it as it is."""

    name: str | None = None
    tenants: Sequence[str] | None = None
    topics: Sequence[str] | None = None
    policy: Policy | None = None


class Affected(NamedTuple):
    """An enrolment that a change would shut out, whose it is, and every reason."""

    person: str
    enrolment: Enrolment
    reasons: list[Reason]


async def create_programme(
    work: Work,
    id_: str,
    actor: Actor,
    *,
    name: str,
    tenants: Sequence[str],
    topics: Sequence[str] | None,
    policy: Policy,
    template: str | None = None,
    why: str | None = None,
) -> Versioned:
    """Make a draft. The same request twice makes it once. Raises ProgrammeExists, Invalid with every fault.

    What `topics` and `policy` leave open is the template's, whose charter becomes the programme's first edition.
    """
    authorize(actor, Action.MANAGE_PROGRAMME, Resource("programme", id_, frozenset(tenants or (actor.tenant,))))
    request = work.new_id("programme", id_)
    existing = await work.peek(Programme, id_)
    if existing is not None:
        if existing.request != request:
            raise ProgrammeExists(id_)
        return existing, work.version_of(existing)
    model, stamp = _template(template), _stamp(work, actor, why)
    decision = Programme.created(
        id_,
        name=name,
        tenants=tenants,
        topics=(model.topics if model else ()) if topics is None else topics,
        policy=model.policy.model_copy(update={field: getattr(policy, field) for field in policy.model_fields_set}) if model else policy,
        known=await _known(work, tenants),
        request=request,
        stamp=stamp,
        template=template,
    )
    if model is not None:
        charter = await work.get_or_new(Charter, id_)
        work.save(charter.publish(model.charter, stamp))
    made = work.save(decision)
    return made, work.version_of(made)


async def edit_programme(work: Work, id_: str, actor: Actor, edit: Edit, version: int | None, why: str | None = None) -> Versioned:
    """Change a programme; another policy is its next version.

    Raises NotFound, Stale, ProgrammeClosed, TooManyRevisions, Invalid with every fault.
    """
    programme = await _managed(work, id_, actor, version)
    changed = await _changed(work, programme, edit)
    authorize(actor, Action.MANAGE_PROGRAMME, Resource("programme", id_, frozenset(changed["tenants"] or programme.tenants)))
    edited = work.save(programme.edit(**changed, stamp=_stamp(work, actor, why)))
    return edited, work.version_of(edited)


async def open_programme(work: Work, id_: str, actor: Actor, version: int | None = None, why: str | None = None) -> Versioned:
    """Let people enrol; opening an open one changes nothing. Raises NotFound, Stale, ProgrammeClosed."""
    opened = work.save((await _managed(work, id_, actor, version)).open(_stamp(work, actor, why)))
    return opened, work.version_of(opened)


async def close_programme(work: Work, id_: str, actor: Actor, version: int | None = None, why: str | None = None) -> Versioned:
    """Let nobody enrol any more, for good; closing twice changes nothing. Raises NotFound, Stale."""
    closed = work.save((await _managed(work, id_, actor, version)).close(_stamp(work, actor, why)))
    return closed, work.version_of(closed)


async def preview(
    work: Work, id_: str, actor: Actor, edit: Edit, after: tuple[Any, ...] | None, limit: int
) -> tuple[list[Employee], list[Affected]]:
    """Whom a change would make ineligible, among `limit` people with a seat that the actor sees; nothing is changed.

    Raises NotFound, ProgrammeClosed, Invalid with every fault of the change.
    """
    now = await seen_programme(work, id_, actor)
    reach_of(actor, Action.READ_ENROLMENT)
    then = now.proposed(**await _changed(work, now, edit))
    people = await participants(work, id_, actor, after, limit)
    affected = [
        Affected(one.id, enrolment, reasons)
        for one in people
        for enrolment in one.enrolments
        if enrolment.programme == id_ and enrolment.open and (reasons := newly_against(one, enrolment, now, then, work.now))
    ]
    return people, affected


async def proposal(work: Work, id_: str, actor: Actor, edit: Edit) -> Mapping[str, Change]:
    """What a change would change, field by field; nothing is changed. Raises NotFound, ProgrammeClosed, Invalid with every fault of the change."""
    now = await seen_programme(work, id_, actor)
    return now.changed_to(now.proposed(**await _changed(work, now, edit)))


async def publish_charter(
    work: Work, id_: str, actor: Actor, texts: Mapping[str, str], version: int | None, why: str | None = None
) -> Charter:
    """Another text is the charter's next edition; `version` is the edition that one has read. Raises NotFound, Stale, ProgrammeClosed, Invalid."""
    programme = await _managed(work, id_, actor, None)
    if not programme.editable:
        raise ProgrammeClosed(id_)
    charter = await work.get_or_new(Charter, id_)
    if version is not None and version != charter.version:
        raise Stale("charter", id_, given=version, current=charter.version)
    return work.save(charter.publish(texts, _stamp(work, actor, why)))


async def charter(work: Work, id_: str, actor: Actor) -> Charter:
    """The charter of a programme, with all its editions. Raises NotFound."""
    await seen_programme(work, id_, actor)
    return await work.get_or_new(Charter, id_)


async def programme(work: Work, id_: str, actor: Actor) -> Versioned:
    """One programme. Raises NotFound."""
    found = await seen_programme(work, id_, actor)
    return found, work.version_of(found)


async def programmes(work: Work, actor: Actor, after: tuple[Any, ...] | None, limit: int) -> list[Versioned]:
    """The programmes the actor sees: all, or those in which their subsidiary takes part."""
    everywhere = reach_of(actor, Action.READ_PROGRAMME) is Scope.GROUP
    query = documents.every_programme() if everywhere else documents.programmes_with(actor.tenant)
    return [(one, work.version_of(one)) for one in await work.page(query, after=after, limit=limit)]


async def templates(_: Work, actor: Actor) -> Collection[Template]:
    """What a programme can be made from. Raises NotAllowed for who sees no programmes."""
    reach_of(actor, Action.READ_PROGRAMME)
    return TEMPLATES.values()


async def seen_programme(work: Work, id_: str, actor: Actor) -> Programme:
    """A programme that the actor may read. Raises NotFound."""
    found = await work.get(Programme, id_)
    authorize(actor, Action.READ_PROGRAMME, found.resource)
    return found


async def participants(work: Work, id_: str, actor: Actor, after: tuple[Any, ...] | None, limit: int) -> list[Employee]:
    """The people who have or had a seat in a programme, as far as the actor sees them: all, their subsidiary's, or themselves."""
    reach = reach_of(actor, Action.READ_ENROLMENT)
    if reach is Scope.OWN:
        own = None if after else await work.peek(Employee, actor.person)
        return [own] if own is not None and any(one.programme == id_ for one in own.enrolments) else []
    query = documents.enrolled_in(id_, None if reach is Scope.GROUP else actor.tenant)
    return await work.page(query, after=after, limit=limit)


async def _managed(work: Work, id_: str, actor: Actor, version: int | None) -> Programme:
    found = await work.get(Programme, id_)
    authorize(actor, Action.MANAGE_PROGRAMME, found.resource)
    return await work.get(Programme, id_, version=version)


async def _changed(work: Work, programme: Programme, edit: Edit) -> dict[str, Any]:
    """A programme's data with an edit on top, and the subsidiaries among its tenants that there are."""
    tenants = programme.tenants if edit.tenants is None else tuple(edit.tenants)
    return {
        "name": programme.name if edit.name is None else edit.name,
        "tenants": tenants,
        "topics": programme.topics if edit.topics is None else edit.topics,
        "policy": programme.policy if edit.policy is None else edit.policy,
        "known": await _known(work, tenants),
    }


async def _known(work: Work, tenants: Sequence[str]) -> dict[str, Subsidiary]:
    """Those subsidiaries that there are: one that was removed is none."""
    return {id_: one for id_, one in (await work.get_many(Subsidiary, tenants)).items() if not one.removed}


def _template(id_: str | None) -> Template | None:
    if id_ is not None and id_ not in TEMPLATES:
        raise Invalid(f"There is no template {id_[:64]!r}.", [Fault("/template", f"one of {', '.join(TEMPLATES)}")])
    return TEMPLATES[id_] if id_ is not None else None


def _stamp(work: Work, actor: Actor, why: str | None) -> Stamp:
    return Stamp(by=actor.person, at=work.now, why=(why or "").strip() or None)
