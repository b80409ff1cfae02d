"""One subsidiary's users and groups as the SCIM library stores them: by enrolment's own commands, so by its outbox, its versions and its rules.

The library speaks the protocol and calls this; a rule that says no is told in SCIM's words (RFC 7644, section 3.12).
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from scim2_models import (
    ConflictException,
    ForbiddenException,
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimFilter,
    SearchRequest,
    UniquenessException,
)
from scim2_models.path import CompareOperator, Comparison, LogicalExpr, LogicalOperator
from scim2_server.storage import AsyncScimStorage, SearchPage

from amont.common.errors import Conflict, NotFound, Stale
from amont.enrolment import commands, documents
from amont.enrolment.api.scim.schemas import PROVIDER, User
from amont.enrolment.domain.scim_record import EMPLOYEE, ENTERPRISE, BadAttribute, missing
from amont.enrolment.domain.scim_user import PersonErased, ScimGroup, ScimUser, UserTaken

Run = Callable[..., Awaitable[Any]]
"""Does a command of enrolment's."""
OURS = {"schemas", "id", "meta"}
"""Attributes that are made anew for each answer."""
READ_ONLY = {"employeeId", "missing"}
INDEXED = {"username": "user_name", "externalid": "external_id", "employeenumber": "employee_number"}
USERS, GROUPS = "User", "Group"


class TenantStorage(AsyncScimStorage):
    """See the module."""

    def __init__(self, run: Run, tenant: str) -> None:
        self._run, self._tenant = run, tenant
        self.says_active = True
        """Whether the change is about `active`, too: every POST, PUT and DELETE is."""

    async def get(
        self, resource_type: ResourceType, resource_id: str, *, response_parameters: ResponseParameters[Any] | None = None
    ) -> Resource[Any]:
        """Raises NotFoundException."""
        del response_parameters  # a resource is one document: leaving parts out saves nothing
        command = commands.scim_user if resource_type.name == USERS else commands.scim_group
        with in_scim():
            return _resource(*await self._run(command, self._tenant, resource_id))

    async def search(self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None) -> SearchPage:
        """One page. What compares an indexed attribute is looked up, everything else is a walk through all of the type."""
        del position
        first, count = search_request.start_index_0 or 0, search_request.count or 0
        total = 0
        page: list[Resource[Any]] = []
        for resource_type in resource_types:
            query: Any = documents.scim_users(self._tenant) if resource_type.name == USERS else documents.scim_groups(self._tenant)
            meets = None
            if search_request.filter is not None:
                bound = _bound(search_request.filter, resource_type)
                if resource_type.name == USERS:
                    query = documents.scim_users(self._tenant, **_named(bound.ast))
                meets = _Meets(bound)
            found = await self._run(commands.look_for, query, meets, max(first - total, 0), max(count - len(page), 0))
            total += found.total
            page += [_resource(*one) for one in found.page]
        return SearchPage(total, page)

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Raises UniquenessException, InvalidValueException."""
        attributes, user = attributes_of(resource), resource_type.name == USERS
        with in_scim():
            if user:
                await self._run(commands.take_name, self._tenant, attributes)
            return _resource(*await self._run(commands.make_user if user else commands.make_group, self._tenant, attributes))

    async def update(self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None) -> Resource[Any]:
        """Raises NotFoundException, PreconditionFailedException, UniquenessException, InvalidValueException."""
        scim_id, attributes, version = cast("str", resource.id), attributes_of(resource), _number(expected_version)
        with in_scim():
            if resource_type.name != USERS:
                return _resource(*await self._run(commands.write_group, self._tenant, scim_id, attributes, version))
            await self._run(commands.take_name, self._tenant, attributes, scim_id)
            return _resource(
                *await self._run(commands.write_user, self._tenant, scim_id, attributes, version, says_active=self.says_active)
            )

    async def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """Raises NotFoundException, PreconditionFailedException."""
        command = commands.delete_user if resource_type.name == USERS else commands.delete_group
        with in_scim():
            await self._run(command, self._tenant, resource_id, _number(expected_version))


@contextmanager
def in_scim() -> Iterator[None]:
    """What enrolment refuses, as SCIM says it."""
    try:
        yield
    except NotFound as error:
        raise NotFoundException(detail=str(error)) from error
    except Stale as error:
        raise PreconditionFailedException(detail=str(error)) from error
    except UserTaken as error:
        raise UniquenessException(detail=str(error), attribute=error.attribute) from error
    except Conflict as error:
        raise ConflictException(detail=str(error)) from error
    except PersonErased as error:
        raise ForbiddenException(detail=str(error)) from error
    except BadAttribute as error:
        raise InvalidValueException(detail=str(error)) from error


class _Meets:
    """Whether what is kept meets a filter."""

    def __init__(self, bound: ScimFilter[Any]) -> None:
        self._bound = bound

    def __call__(self, one: ScimUser | ScimGroup) -> bool:
        resource = _resource(one, 0)
        if isinstance(resource, User) and resource.active is None:
            resource.active = True  # whoever is not said to be inactive is there
        return self._bound.match(resource)


def _bound(given: ScimFilter[Any], resource_type: ResourceType) -> ScimFilter[Any]:
    """A filter on one type: a search at the root is about several."""
    return cast("ScimFilter[Any]", cast("Any", ScimFilter)[PROVIDER.model_for(resource_type)](str(given)))


def _named(node: Any) -> dict[str, str]:
    """What of a filter the store can look up: the first comparison of an indexed attribute with `eq` that must hold."""
    match node:
        case LogicalExpr(op=LogicalOperator.and_):
            return next((named for term in node.terms if (named := _named(term))), {})
        case Comparison(op=CompareOperator.eq) if isinstance(node.value, str):
            name = INDEXED.get(node.attr_path.attr.casefold())
            if name is None or node.attr_path.sub_attr:
                return {}
            return {name: node.value if name == "external_id" else node.value.casefold()}
    return {}


def attributes_of(resource: Resource[Any]) -> dict[str, Any]:
    """What is kept of a resource: its JSON, without what is made anew for each answer."""
    kept = {name: value for name, value in resource.model_dump(mode="json").items() if name not in OURS}
    enterprise, employee = kept.get(ENTERPRISE), kept.get(EMPLOYEE)
    if employee:
        kept[EMPLOYEE] = {name: value for name, value in employee.items() if name not in READ_ONLY}
    if enterprise and (manager := enterprise.get("manager")) is not None:
        value = manager.get("value") or str(manager.get("$ref") or "").rstrip("/").rpartition("/")[2]
        enterprise["manager"] = {"value": value} if value else {}
    if "members" in kept:
        members = [one.get("value") or str(one.get("$ref") or "").rstrip("/").rpartition("/")[2] for one in kept["members"]]
        kept["members"] = [{"value": value} for value in dict.fromkeys(members) if value]
    return {name: value for name, value in kept.items() if value not in ({}, [])}


def _resource(one: ScimUser | ScimGroup, version: int) -> Resource[Any]:
    """What is kept, as a resource."""
    kept: dict[str, Any] = dict(one.attributes)
    name = USERS if isinstance(one, ScimUser) else GROUPS
    if isinstance(one, ScimUser):
        kept[EMPLOYEE] = {**kept.get(EMPLOYEE, {}), "employeeId": one.employee_id, "missing": missing(one.attributes) or None}
        if manager := kept.get(ENTERPRISE, {}).get("manager", {}).get("value"):
            kept[ENTERPRISE] = {**kept[ENTERPRISE], "manager": {"value": manager, "$ref": f"Users/{manager}"}}
    elif "members" in kept:
        kept["members"] = [{**member, "$ref": f"Users/{member['value']}", "type": USERS} for member in kept["members"]]
    meta = {"resourceType": name, "created": one.made_at, "lastModified": one.changed_at, "version": f'W/"{version}"'}
    model = cast("Any", PROVIDER.model_for(name))
    return cast("Resource[Any]", model.model_validate({**kept, "id": one.scim_id, "meta": meta}))


def _number(version: str | None) -> int | None:
    """The version that an ETag of ours says."""
    return int(version.removeprefix('W/"').removesuffix('"')) if version else None
