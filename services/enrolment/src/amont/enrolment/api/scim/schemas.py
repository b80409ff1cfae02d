"""What the SCIM door understands: users with two extensions, and groups. An attribute that is not here is accepted and dropped, never kept.

The core schemas are RFC 7643's (sections 4.1 to 4.3), without what Amont has no use for: no addresses, telephone numbers, photos, passwords or
certificates. So `/Schemas` says what is kept. What SCIM has no word for is in an extension of ours.
"""

from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Returned,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.attributes import ExtensibleStringEnum
from scim2_models.urn import URN

MAX_RESULTS = 200


class Name(ComplexAttribute):
    """What people are called."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Email(ComplexAttribute):
    """An address; one that cannot be an address is left out of the staff record, as by the other feeds."""

    class Type(ExtensibleStringEnum):
        """What it is for."""

        work = "work"
        home = "home"
        other = "other"

    value: str | None = None
    display: str | None = None
    type: Type | None = None
    primary: bool | None = None


class User(Resource[AnyExtension]):
    """A person. `active` false is somebody who has left; true again, somebody who has come back."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    nick_name: str | None = None
    title: str | None = None
    user_type: str | None = None
    preferred_language: Annotated[str | None, Field(examples=["fr", "en-US"])] = None
    locale: Annotated[str | None, Field(examples=["fr-FR", "en-US"])] = None
    timezone: Annotated[str | None, CaseExact.true, Field(examples=["Europe/Paris", "America/New_York"])] = None
    active: bool | None = None
    emails: list[Email] | None = None


class Manager(ComplexAttribute):
    """The manager in the line: the SCIM id of their user, or their id in the HR system."""

    value: Annotated[str | None, CaseExact.true] = None
    ref: Reference[User[Any]] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")
    display_name: Annotated[str | None, Mutability.read_only] = None


class EnterpriseUser(Extension):
    """RFC 7643, section 4.3. `employeeNumber` is the person's id in the HR system, for life."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    employee_number: str | None = None
    cost_center: str | None = None
    organization: str | None = None
    division: str | None = None
    department: str | None = None
    manager: Manager | None = None


class AmontEmployee(Extension):
    """What a staff record needs and SCIM has no word for."""

    __schema__ = URN("urn:amont:params:scim:schemas:extension:employee:1.0:User")

    grade: Annotated[str | None, CaseExact.true] = None
    function: str | None = None
    business_unit: str | None = None
    team: str | None = None
    site: str | None = None
    languages: Annotated[str | None, Field(examples=["fr", "fr, en"])] = None
    """Several with commas: identity providers map single values with ease, and lists hardly."""
    dotted_managers: Annotated[str | None, CaseExact.true] = None
    """As `manager.value`, several with commas."""
    joined_on: Annotated[str | None, Field(examples=["2024-09-01"])] = None
    on_leave: bool | None = None
    employee_id: Annotated[str | None, Mutability.read_only, Returned.request, CaseExact.true] = None
    """Who it is to the other feeds."""
    missing: Annotated[list[str] | None, Mutability.read_only, Returned.request, CaseExact.true] = None
    """Attributes without which the person waits: `filter=<this extension>:missing pr` finds whoever does."""


class GroupMember(ComplexAttribute):
    """A member, by the id of its user."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User[Any]] | None, Mutability.immutable] = Field(None, serialization_alias="$ref", validation_alias="$ref")
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Any]):
    """A group, kept so that an identity provider finds what it wrote; it has no effect on anything in Amont."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[GroupMember] | None = None


CONFIG = ServiceProviderConfig(
    documentation_uri=None,
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MAX_RESULTS),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="A token of the subsidiary's feed: amont subsidiaries token new",
            primary=True,
        )
    ],
)
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER = ScimProvider(
    models=[User, EnterpriseUser, AmontEmployee, Group],
    resource_types=[ResourceType.from_resource(User[EnterpriseUser | AmontEmployee]), ResourceType.from_resource(Group)],
    config=CONFIG,
    policy=POLICY,
)
