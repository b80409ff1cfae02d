"""What enrolment keeps, and the named queries over it. An employee's enrolments are inside the employee, so they are found by derived keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from amont.common.documents import AnyOf, Index
from amont.common.documents.collection import Collection, Query
from amont.common.events.values import EmployeeStatus
from amont.enrolment.domain.charter import Charter
from amont.enrolment.domain.employee import HERE, Employee
from amont.enrolment.domain.erasure import Doors, Erased, Erasure
from amont.enrolment.domain.export import Export
from amont.enrolment.domain.feed import Feed
from amont.enrolment.domain.invitation import Invitations
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.scim_name import ScimName
from amont.enrolment.domain.scim_record import ENTERPRISE
from amont.enrolment.domain.scim_user import ScimGroup, ScimUser
from amont.enrolment.domain.seats import Seats
from amont.enrolment.domain.subsidiary import Subsidiary
from amont.enrolment.domain.tokens import FeedTokens

ERASED_STATUS = "erased"
"""By which no list finds anybody: of whom nothing is known any more is not expected, either."""


def address_of(employee: Employee) -> str | None:
    """The address that an employee is found by: as it is written, but for upper and lower case."""
    return employee.profile.email.casefold() if employee.profile is not None and employee.profile.email else None


def _keys_of(employee: Employee) -> Mapping[str, Any]:
    keys = {
        "tenant": employee.tenant,
        "status": ERASED_STATUS if employee.erased else employee.status and employee.status.value,
        "programmes": sorted({one.programme for one in employee.enrolments}),
        "enrolment_ids": [one.id for one in employee.enrolments],
        "managers": [*employee.ever_managers, *employee.elsewhere],
        "address": address_of(employee),
    }
    return {**keys, "waits_in": employee.tenant} if employee.held else keys


def _keys_of_user(user: ScimUser) -> Mapping[str, Any]:
    """What identity providers look users up by; a deleted one is found by nobody."""
    return {
        "listed_in": None if user.removed else user.tenant,
        "user_name": str(user.attributes.get("userName", "")).casefold(),
        "external_id": user.attributes.get("externalId"),
        "employee_number": str(user.attributes.get(ENTERPRISE, {}).get("employeeNumber", "")).casefold(),
        "managers": list(user.managers),
    }


def _keys_of_group(group: ScimGroup) -> Mapping[str, Any]:
    members = [one["value"] for one in group.attributes.get("members", ()) if one.get("value")]
    return {"listed_in": group.id.partition(":")[0], "members": members}


SUBSIDIARIES = Collection(Subsidiary, "subsidiaries", due=True)
FEEDS = Collection(Feed, "feeds", due=True)
TOKENS = Collection(FeedTokens, "feed_tokens", due=True)
EMPLOYEES = Collection(
    Employee,
    "employees",
    indexes=[
        Index(("tenant", "status")),
        Index(("programmes",), many=True),
        Index(("enrolment_ids",), many=True),
        Index(("waits_in",), sparse=True),
        Index(("managers",), many=True),
        Index(("address",)),
    ],
    keys=_keys_of,
    due=True,
)
PROGRAMMES = Collection(Programme, "programmes", indexes=[Index(("tenants",), many=True)], due=True)
CHARTERS = Collection(Charter, "charters", due=True)
SCIM_USERS = Collection(
    ScimUser,
    "scim_users",
    indexes=[*(Index(("listed_in", name)) for name in ("user_name", "external_id", "employee_number")), Index(("managers",), many=True)],
    keys=_keys_of_user,
    due=True,
)
SCIM_NAMES = Collection(ScimName, "scim_names", due=True)
SCIM_GROUPS = Collection(ScimGroup, "scim_groups", indexes=[Index(("listed_in",)), Index(("members",), many=True)], keys=_keys_of_group)

EXPORTS = Collection(Export, "exports", indexes=[Index(("person",)), Index(("requested_by",))], due=True)
ERASURES = Collection(Erasure, "erasures", indexes=[Index(("tenant",)), Index(("person",)), Index(("requested_by",))], due=True)
DOORS = Collection(Doors, "doors")
ERASED = Collection(Erased, "erased", indexes=[Index(("managers",), many=True)])
SEATS = Collection(Seats, "seats", due=True)
INVITATIONS = Collection(
    Invitations,
    "invitations",
    indexes=[Index(("invited_by",), many=True)],
    keys=lambda of: {"invited_by": sorted({one.by for one in of.sent if one.by is not None})},
    due=True,
)

COLLECTIONS = (
    SUBSIDIARIES,
    TOKENS,
    FEEDS,
    EMPLOYEES,
    PROGRAMMES,
    CHARTERS,
    SCIM_USERS,
    SCIM_NAMES,
    SCIM_GROUPS,
    EXPORTS,
    ERASURES,
    DOORS,
    ERASED,
    SEATS,
    INVITATIONS,
)


def every_subsidiary() -> Query[Subsidiary]:
    return SUBSIDIARIES.where(removed=AnyOf((False, None)))


def every_programme() -> Query[Programme]:
    return PROGRAMMES.where()


def programmes_with(tenant: str) -> Query[Programme]:
    return PROGRAMMES.where(tenants=tenant)


def employees_of(tenant: str, status: EmployeeStatus | None) -> Query[Employee]:
    """A subsidiary's people; those who work there when no status is asked for."""
    return EMPLOYEES.where(tenant=tenant, status=status or AnyOf(tuple(sorted(HERE))))


def everybody() -> Query[Employee]:
    """All people of all subsidiaries by their ids, so that those of one stand together, the first of them after `tenant:`."""
    return EMPLOYEES.where()


def held_in(tenant: str) -> Query[Employee]:
    """The people of a subsidiary of whom records are held."""
    return EMPLOYEES.where(waits_in=tenant)


def expected_in(tenant: str) -> Query[Employee]:
    """A subsidiary's people of whom everything that is known lies ahead."""
    return EMPLOYEES.where(tenant=tenant, status=None)


def at_work_in(tenants: Sequence[str]) -> Query[Employee]:
    """The people of some subsidiaries who are at work now."""
    return EMPLOYEES.where(tenant=AnyOf(tuple(tenants)), status=EmployeeStatus.ACTIVE)


def with_addresses(addresses: Sequence[str]) -> Query[Employee]:
    """Who has one of these addresses, written as `address_of` does."""
    return EMPLOYEES.where(address=AnyOf(tuple(addresses)))


def holder_of(enrolment: str) -> Query[Employee]:
    """The one employee whose enrolment it is."""
    return EMPLOYEES.where(enrolment_ids=enrolment)


def enrolled_in(programme: str, tenant: str | None) -> Query[Employee]:
    """Everybody who has or had a seat in a programme, of one subsidiary or of all."""
    return EMPLOYEES.where(programmes=programme, **({} if tenant is None else {"tenant": tenant}))


def reports_of(person: str) -> Query[Employee]:
    """Those whose record, or one that lies ahead, names the person as a manager, or as who they are or were in another subsidiary."""
    return EMPLOYEES.where(managers=person)


def erasures_of(person: str) -> Query[Erasure]:
    """The erasure of the person that is under way."""
    return ERASURES.where(person=person)


def every_erasure(tenant: str | None) -> Query[Erasure]:
    """Of one subsidiary or of all."""
    return ERASURES.where(**({} if tenant is None else {"tenant": tenant}))


def erased_under(person: str) -> Query[Erased]:
    """Those who were erased before and reported to the person."""
    return ERASED.where(managers=person)


def decided_by(person: str) -> tuple[Query[Any], ...]:
    """What is about somebody else and names the person as who asked for it: invitations, erasures, exports."""
    return (INVITATIONS.where(invited_by=person), ERASURES.where(requested_by=person), EXPORTS.where(requested_by=person))


def may_name_somebody() -> tuple[Query[Any], ...]:
    """What is about nobody in particular and may name somebody: who made, edited or decided it, or left within the hour."""
    return (TOKENS.where(), FEEDS.where(), PROGRAMMES.where(), CHARTERS.where(), SUBSIDIARIES.where())


def scim_users(tenant: str, **named: str) -> Query[ScimUser]:
    """A subsidiary's SCIM users; those of a `user_name` (folded), an `external_id` or an `employee_number`."""
    return SCIM_USERS.where(listed_in=tenant, **named)


def scim_users_under(person: str) -> Query[ScimUser]:
    """The SCIM users that name a person as a manager of theirs."""
    return SCIM_USERS.where(managers=person)


def scim_groups(tenant: str) -> Query[ScimGroup]:
    """A subsidiary's SCIM groups."""
    return SCIM_GROUPS.where(listed_in=tenant)


def scim_groups_with(user: str) -> Query[ScimGroup]:
    """The SCIM groups that have a user among their members, by its SCIM id."""
    return SCIM_GROUPS.where(members=user)


def exports_of(person: str) -> Query[Export]:
    """What was gathered of the person and can still be fetched."""
    return EXPORTS.where(person=person)
