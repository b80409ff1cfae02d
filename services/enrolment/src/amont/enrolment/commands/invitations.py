"""Inviting many people at once: who would get an invitation, who not and why, and the invitations themselves. Nobody is enrolled by it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from amont.common.errors import Fault, Invalid
from amont.common.events.values import Role, tenant_of
from amont.common.identity import Action, Actor, Scope, authorize, reach_of
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.invitation import SENDS, Answer, Invitations, Outcome, answer
from amont.enrolment.domain.programme import Programme

MOST_AT_ONCE = 200


class Whom(NamedTuple):
    """Some people by id or address, or all who work in these places: None is anywhere."""

    people: Sequence[str] | None = None
    tenants: Sequence[str] | None = None
    bands: tuple[int, int] = (1, 20)
    functions: Sequence[str] | None = None
    business_units: Sequence[str] | None = None
    sites: Sequence[str] | None = None

    def holds(self, employee: Employee) -> bool:
        profile = employee.profile
        if profile is None:
            return False
        places = ((self.functions, profile.function), (self.business_units, profile.business_unit), (self.sites, profile.site))
        return self.bands[0] <= profile.band <= self.bands[1] and all(wanted is None or has in wanted for wanted, has in places)


class Invited(NamedTuple):
    """What came of it for one page of people; `last` is whom the next page comes after, None at the end."""

    answers: list[Answer]
    last: str | None


async def invite(
    work: Work,
    programme_id: str,
    actor: Actor,
    whom: Whom,
    after: tuple[Any, ...] | None,
    limit: int,
    *,
    role: Role | None = None,
    remind: bool = False,
    dry_run: bool = False,
) -> Invited:
    """Invite those among `limit` people who may enrol and have not been asked, or, to `remind`, who have been. A dry run only says who that is.

    Raises NotFound, NotAllowed, Invalid for more people or other subsidiaries than one may name.
    """
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.INVITE, programme.resource)
    own = reach_of(actor, Action.INVITE) is not Scope.GROUP
    reachable = [one for one in programme.tenants if not own or one == actor.tenant]
    found, unknown, last = await _people(work, whom, reachable, after, limit)
    sent = await work.get_many(Invitations, [one.id for one in found])
    answers = [Answer(person=one, outcome=Outcome.UNKNOWN) for one in unknown]
    for one in found:
        history, request = sent.get(one.id) or Invitations(id=one.id), work.new_id("invitation", programme_id, one.id)
        roles = [role] if role else [Role.MENTEE, Role.MENTOR]
        said = answer(one, programme, history, work.now, roles=roles, remind=remind, request=request)
        answers.append(said)
        again = said.last is not None and said.last.request == request
        if said.outcome in SENDS and said.role is not None and not dry_run and not again:
            work.save(history.send(programme_id, said.role, at=work.now, by=actor.person, request=request))
    return Invited(answers, last)


async def _people(
    work: Work, whom: Whom, tenants: Sequence[str], after: tuple[Any, ...] | None, limit: int
) -> tuple[list[Employee], list[str], str | None]:
    """The people, what was named and is nobody's within reach, and whom the next page comes after."""
    if whom.people is not None:
        return *await _named(work, whom.people, tenants), None
    strangers = [at for at, one in enumerate(whom.tenants or ()) if one not in tenants]
    if strangers:
        faults = [Fault(f"/where/tenants/{at}", "takes no part in the programme, or is not yours to invite") for at in strangers]
        raise Invalid("Some of these subsidiaries have nobody to invite.", faults)
    page = await work.page(documents.at_work_in(whom.tenants or tenants), after=after, limit=limit)
    return [one for one in page if whom.holds(one)], [], page[-1].id if len(page) == limit else None


async def _named(work: Work, names: Sequence[str], tenants: Sequence[str]) -> tuple[list[Employee], list[str]]:
    if len(names) > MOST_AT_ONCE:
        raise Invalid(
            f"{len(names)} people are more than go at once.", [Fault("/people", f"at most {MOST_AT_ONCE}; send the others after")]
        )
    names = list(dict.fromkeys(name.strip() for name in names))
    found = await work.get_many(Employee, names)
    addresses = [one.casefold() for one in names if one not in found and "@" in one]
    by_address: dict[str, list[Employee]] = {}
    for one in await work.page(documents.with_addresses(addresses), after=None, limit=MOST_AT_ONCE) if addresses else ():
        by_address.setdefault(documents.address_of(one) or "", []).append(one)
    people: dict[str, Employee] = {}
    unknown = []
    for name in names:
        known = [found[name]] if name in found else by_address.get(name.casefold(), [])
        within = {one.id: one for one in known if one.status is not None and tenant_of(one.id) in tenants}
        people |= within
        if not within:
            unknown.append(name)
    return list(people.values()), unknown
