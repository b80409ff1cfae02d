"""Commands and questions of the SCIM door. Who asks is a feed with a token of its subsidiary's: it reads and writes that subsidiary's users and groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from amont.common.aggregate import Aggregate, Decision
from amont.common.documents.collection import Query
from amont.common.erasing import Look
from amont.common.errors import NotFound, Unavailable
from amont.common.events.values import tenant_of
from amont.common.ids import derived
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.domain.employee import HERE, Employee
from amont.enrolment.domain.erasure import Erased, digest_of
from amont.enrolment.domain.scim_name import ScimName
from amont.enrolment.domain.scim_record import employee_id_in, employee_id_of, scim_id_of
from amont.enrolment.domain.scim_user import PersonErased, ScimGroup, ScimUser, UserTaken
from amont.enrolment.domain.subsidiary import Subsidiary
from amont.enrolment.domain.tokens import FeedToken, FeedTokens
from amont.enrolment.settings import Retention

Attributes = Mapping[str, Any]
A = TypeVar("A", bound=Aggregate)


async def feed_of(work: Work, tenant: str, secret: str) -> tuple[Subsidiary, FeedToken] | None:
    """The subsidiary whose feed has this token; None when the token opens nothing there, whether there is such a subsidiary or not."""
    tokens = await work.peek(FeedTokens, tenant)
    token = tokens.opens(secret) if tokens else None
    subsidiary = await work.peek(Subsidiary, tenant) if token else None
    return (subsidiary, token) if token and subsidiary and not subsidiary.removed else None


def person_in(tenant: str, attributes: Attributes) -> str:
    """Whom a user that is made is about: by the HR system's own id, or by one that follows from the `userName`."""
    return f"{tenant}:{employee_id_in(attributes) or derived('scim', tenant, str(attributes['userName']).casefold())}"


async def take_name(work: Work, tenant: str, attributes: Attributes, scim_id: str | None = None) -> None:
    """Before a user is made, or changed under `scim_id`: have the `userName` for them, unless they bear it. A command by itself, as it has to be in the store
    before the user is. Raises UserTaken.
    """
    name = str(attributes["userName"])
    person = person_in(tenant, attributes) if scim_id is None else f"{tenant}:{employee_id_of(scim_id)}"
    user = await work.peek(ScimUser, person)
    if user is not None and not user.removed and _name_of(user) == name.casefold():
        return
    await _must_be_free(work, tenant, name, person)
    taken = await work.get_or_new(ScimName, ScimName.id_of(tenant, name))
    if taken.is_kept_from(person, work.now):
        raise UserTaken("userName", name)
    work.save(taken.take(person, work.now))


async def make_user(work: Work, tenant: str, attributes: Attributes) -> tuple[ScimUser, int]:
    """A new user, or one that was deleted, back under the same id; the name is taken (`take_name`). Raises UserTaken, BadAttribute."""
    name = str(attributes["userName"])
    person = person_in(tenant, attributes)
    await _must_not_be_erased(work, person)
    existing = await work.get_or_new(ScimUser, person)
    if existing.made_at is not None and not existing.removed:
        if employee_id_in(existing.attributes) == existing.employee_id or _name_of(existing) == name.casefold():
            raise UserTaken("userName" if _name_of(existing) == name.casefold() else "employeeNumber or externalId", name)
        existing = await work.get_or_new(ScimUser, f"{tenant}:{work.new_id('scim', name)}")
    await _must_be_free(work, tenant, name, existing.id)
    await _must_be_held(work, tenant, name, person)
    still_here = await _still_here(work, existing)
    made = work.save(existing.write(attributes, await work.get(Subsidiary, tenant), work.now, until=_until(work), still_here=still_here))
    return made, work.version_of(made)


async def forget_user(look: Look, managers: Sequence[str]) -> None:
    """An erased person's user goes, and those whom they managed or who share a group with them name them no more. Raises nothing."""
    work, person = look.work, look.person
    user = await work.peek(ScimUser, person)
    if user is not None and user != user.erased():
        look.change(documents.SCIM_USERS, Decision(user.erased()))
    elif user is not None and work.all_said(user):
        work.remove(user, heard=True)  # nobody counts what is said to the inbound topic
        look.removed[documents.SCIM_USERS.name] += 1
    elif user is not None:
        look.waits = True
    async for report in work.find(documents.scim_users_under(person)):
        if not look.full and report.id != person:
            look.change(documents.SCIM_USERS, report.moved_up(person, next(iter(managers), None)))
    member = scim_id_of(person.partition(":")[2])
    async for group in work.find(documents.scim_groups_with(member)):
        if not look.full and group.tenant == tenant_of(person):
            look.change(documents.SCIM_GROUPS, group.without(member))


async def write_user(
    work: Work, tenant: str, scim_id: str, attributes: Attributes, version: int | None, *, says_active: bool = True
) -> tuple[ScimUser, int]:
    """All of a user's attributes anew, knowing which version one has read, and whether the change is about `active`, too.

    Raises NotFound, Stale, UserTaken, BadAttribute.
    """
    user, _ = await scim_user(work, tenant, scim_id, version)
    name = str(attributes["userName"])
    if name.casefold() != _name_of(user):
        await _must_be_free(work, tenant, name, user.id)
        await _must_be_held(work, tenant, name, user.id)
        await _give_up_name(work, user)
    still_here = await _still_here(work, user) if says_active else None
    written = work.save(user.write(attributes, await work.get(Subsidiary, tenant), work.now, until=_until(work), still_here=still_here))
    return written, work.version_of(written)


async def delete_user(work: Work, tenant: str, scim_id: str, version: int | None) -> None:
    """The person leaves, and the user is gone. Raises NotFound, Stale."""
    user, _ = await scim_user(work, tenant, scim_id, version)
    await _give_up_name(work, user)
    work.save(user.remove(work.now, still_here=await _still_here(work, user)))


async def scim_user(work: Work, tenant: str, scim_id: str, version: int | None = None) -> tuple[ScimUser, int]:
    """One user. Raises NotFound, Stale."""
    person = f"{tenant}:{employee_id_of(scim_id)}"
    found = await work.peek(ScimUser, person)
    if found is None or found.removed or found.scim_id != scim_id:
        raise NotFound("user", scim_id)
    found = await work.get(ScimUser, person, version=version)
    return found, work.version_of(found)


async def make_group(work: Work, tenant: str, attributes: Attributes) -> tuple[ScimGroup, int]:
    """A new group. Raises BadAttribute."""
    made = work.save(ScimGroup(id=f"{tenant}:{work.new_id('group', tenant)}").write(attributes, work.now))
    return made, work.version_of(made)


async def write_group(work: Work, tenant: str, scim_id: str, attributes: Attributes, version: int | None) -> tuple[ScimGroup, int]:
    """All of a group's attributes anew. Raises NotFound, Stale, BadAttribute."""
    group = await work.get(ScimGroup, f"{tenant}:{scim_id}", version=version)
    written = work.save(group.write(attributes, work.now))
    return written, work.version_of(written)


async def delete_group(work: Work, tenant: str, scim_id: str, version: int | None) -> None:
    """The group is gone; its members are not. Raises NotFound, Stale."""
    work.remove(await work.get(ScimGroup, f"{tenant}:{scim_id}", version=version))


async def scim_group(work: Work, tenant: str, scim_id: str) -> tuple[ScimGroup, int]:
    """One group. Raises NotFound."""
    found = await work.get(ScimGroup, f"{tenant}:{scim_id}")
    return found, work.version_of(found)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was looked for, with versions, and how many there are in all."""

    total: int
    page: list[tuple[Any, int]]


async def look_for(work: Work, query: Query[A], meets: Callable[[A], bool] | None, first: int, count: int) -> Found:
    """Those that the query finds and that `meets` accepts (all of them when None), `count` of them from number `first` on, in the order of their ids.

    Without `meets` the store counts; with it everything the query finds is looked at, a page at a time and kept by nobody.
    """
    total = None if meets else sum((await work.count_by(query, "listed_in")).values())
    seen, ids = 0, []
    async for some in work.pages(query):
        for one in some:
            if meets is None or meets(one):
                if first <= seen < first + count:
                    ids.append(one.id)
                seen += 1
        if total is not None and (seen >= first + count or not count):
            break
    kept = await work.get_many(query.collection.kind, ids)
    page = [(kept[id_], work.version_of(kept[id_])) for id_ in ids if id_ in kept]
    return Found(seen if total is None else total, page)


async def _must_not_be_erased(work: Work, person: str) -> None:
    erased = await work.peek(Erased, digest_of(person))
    if erased is not None and not erased.readmitted:
        raise PersonErased(person.partition(":")[2])


def _until(work: Work) -> datetime:
    """Until when a user is kept who becomes inactive now."""
    return work.now + work.tool(Retention).leavers


async def _still_here(work: Work, user: ScimUser) -> datetime | None:
    """From when the record is by which enrolment has somebody here who has left by what the user said last, and of whom no leaving is held. None of others."""
    employee = None if user.present else await work.peek(Employee, user.id)
    if employee is None or employee.last is None or employee.status not in HERE or any(one.entry.profile is None for one in employee.held):
        return None
    return employee.last.position.effective_at


async def _must_be_free(work: Work, tenant: str, name: str, person: str) -> None:
    async for one in work.find(documents.scim_users(tenant, user_name=name.casefold())):
        if one.id != person:
            raise UserTaken("userName", name)


async def _must_be_held(work: Work, tenant: str, name: str, person: str) -> None:
    """Whoever took so long that the name may be somebody else's by now begins anew."""
    taken = await work.peek(ScimName, ScimName.id_of(tenant, name))
    if taken is None or not taken.is_held_by(person, work.now):
        raise Unavailable("It took too long to have the userName for this user. Nothing has changed: send it again.")


async def _give_up_name(work: Work, user: ScimUser) -> None:
    """Whoever bore the name bears it no more: it is free at once."""
    taken = await work.peek(ScimName, ScimName.id_of(user.tenant, _name_of(user)))
    if taken is not None and taken.is_held_by(user.id, work.now):
        work.remove(taken)


def _name_of(user: ScimUser) -> str:
    return str(user.attributes.get("userName", "")).casefold()
