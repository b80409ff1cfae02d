"""What a SCIM user says as a staff record: which attribute is which field, and which person it is about.

Attributes are JSON as RFC 7643 writes it, with the two extensions of `/Schemas`. The HR system's own id for life is the user's `employeeNumber`, else
its `externalId`, else follows from the `userName` it was made with; never an e-mail address, since ids travel where addresses must not. It is
decided when the user is made and does not change, whatever the attributes become. What is not here: what changes of a user do (`scim_user`).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from amont.common.errors import Fault, Invalid
from amont.common.events import StaffRecorded
from amont.common.events.wording import in_words
from amont.common.events.words import is_address, person_id
from amont.enrolment.domain.words import is_language

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EMPLOYEE = "urn:amont:params:scim:schemas:extension:employee:1.0:User"

Attributes = Mapping[str, Any]
_PLAIN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,63}")
_ENCODED = "="
_PATHS = {
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "email": "emails.value",
    "grade": f"{EMPLOYEE}:grade",
    "job_title": "title",
    "function": f"{EMPLOYEE}:function",
    "business_unit": f"{EMPLOYEE}:businessUnit",
    "team": f"{EMPLOYEE}:team",
    "site": f"{EMPLOYEE}:site",
    "zone": "timezone",
    "languages": f"{EMPLOYEE}:languages",
    "manager_id": f"{ENTERPRISE}:manager.value",
    "dotted_manager_ids": f"{EMPLOYEE}:dottedManagers",
    "joined_on": f"{EMPLOYEE}:joinedOn",
}
"""Where a field of the staff record comes from, as SCIM writes an attribute's name."""


class BadAttribute(Invalid):
    """An attribute that a staff record cannot take."""

    code = "bad-attribute"

    def __init__(self, attribute: str, detail: str) -> None:
        super().__init__(f"{attribute}: {detail}", [Fault(attribute, detail)])


def path_of(field: str) -> str:
    """The SCIM attribute that a field of the staff record comes from."""
    return _PATHS.get(field, field)


def must_have_a_name(attributes: Attributes) -> None:
    """Every user has a `userName`, and it is not blank (RFC 7643, section 4.1.1). Raises BadAttribute."""
    if not str(attributes.get("userName", "")).strip():
        raise BadAttribute("userName", "it is empty: write the name that your provider knows the user by")


def employee_id_in(attributes: Attributes) -> str | None:
    """The HR system's own id, if the attributes say one that can be used: 1 to 64 printable characters, and no e-mail address."""
    for text in (attributes.get(ENTERPRISE, {}).get("employeeNumber"), attributes.get("externalId")):
        candidate = (text or "").strip()
        if candidate and not is_address(candidate) and person_id(candidate, "t") == f"t:{candidate}":
            return candidate
    return None


def scim_id_of(employee_id: str) -> str:
    """The id of an employee's user: their own, or an encoding of it where a URL would not bear it."""
    if _PLAIN.fullmatch(employee_id):
        return employee_id
    return _ENCODED + base64.urlsafe_b64encode(employee_id.encode()).decode().rstrip("=")


def employee_id_of(scim_id: str) -> str:
    """The employee that a user's id stands for; any other text is an employee's id as it is."""
    if not scim_id.startswith(_ENCODED):
        return scim_id
    text = scim_id.removeprefix(_ENCODED)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return scim_id


def managers_in(attributes: Attributes, tenant: str) -> tuple[str, ...]:
    """The people whom the attributes name as managers, the one in the line first."""
    named = (attributes.get(ENTERPRISE, {}).get("manager", {}).get("value"), *_several(attributes.get(EMPLOYEE, {}).get("dottedManagers")))
    found = (person_id(employee_id_of(one), tenant) for one in named if one)
    return tuple(dict.fromkeys(one for one in found if one))


def with_managers(attributes: Attributes, tenant: str, instead: Mapping[str, str | None]) -> dict[str, Any]:
    """The same with other people in place of some managers, or with nobody."""

    def as_named(text: str) -> str | None:
        person = person_id(employee_id_of(text), tenant)
        if person is None or person not in instead:
            return text
        whose, _, employee_id = (instead[person] or "").partition(":")
        return scim_id_of(employee_id) if whose == tenant else instead[person]

    changed = dict(attributes)
    if (value := attributes.get(ENTERPRISE, {}).get("manager", {}).get("value")) is not None:
        other = as_named(value)
        kept = {name: one for name, one in attributes[ENTERPRISE].items() if name != "manager"}
        changed[ENTERPRISE] = {**kept, "manager": {"value": other}} if other else kept
    if dotted := _several(attributes.get(EMPLOYEE, {}).get("dottedManagers")):
        others = [other for one in dotted if (other := as_named(one))]
        changed[EMPLOYEE] = {**attributes[EMPLOYEE], "dottedManagers": ", ".join(others)}
    return changed


def missing(attributes: Attributes) -> list[str]:
    """The attributes without which there is no staff record: the person is kept, and waits for them."""
    return [] if attributes.get(EMPLOYEE, {}).get("grade") else [path_of("grade")]


def staff_record(person: str, attributes: Attributes, *, effective_at: datetime, occurred_at: datetime) -> StaffRecorded:
    """The staff record that these attributes are; they miss nothing. Raises BadAttribute."""
    tenant, _, employee_id = person.partition(":")
    fields = {name: value for name, value in _fields(attributes) if value not in (None, "", [])}
    try:
        return StaffRecorded.model_validate(
            {"tenant": tenant, "employee_id": employee_id, "effective_at": effective_at, "occurred_at": occurred_at, **fields}, strict=False
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadAttribute(path_of(str(first["loc"][0])), in_words(first)) from None


def _fields(attributes: Attributes) -> Iterator[tuple[str, Any]]:
    name, enterprise, ours = attributes.get("name", {}), attributes.get(ENTERPRISE, {}), attributes.get(EMPLOYEE, {})
    given, family = name.get("givenName"), name.get("familyName")
    yield "given_name", given or (None if family else attributes.get("displayName") or name.get("formatted"))
    yield "family_name", family
    yield "email", _address(attributes.get("emails", []))
    yield "preferred_language", _language(attributes.get("preferredLanguage")) or _language(attributes.get("locale"))
    yield "status", "on_leave" if ours.get("onLeave") else "active"
    yield "grade", ours.get("grade")
    yield "job_title", attributes.get("title")
    yield "function", ours.get("function")
    yield "business_unit", ours.get("businessUnit") or enterprise.get("division")
    yield "team", ours.get("team") or enterprise.get("department")
    yield "site", ours.get("site")
    yield "zone", attributes.get("timezone")
    yield "languages", _several(ours.get("languages"))
    manager = enterprise.get("manager", {}).get("value")
    yield "manager_id", employee_id_of(manager) if manager else None
    yield "dotted_manager_ids", [employee_id_of(one) for one in _several(ours.get("dottedManagers"))]
    yield "joined_on", _day(ours.get("joinedOn"))


def _address(emails: list[Mapping[str, Any]]) -> str | None:
    """The primary one, else the first for work, else the first."""
    ranked = sorted(emails, key=lambda one: (not one.get("primary"), one.get("type") != "work"))
    return next((one["value"] for one in ranked if one.get("value")), None)


def _language(text: str | None) -> str | None:
    """A BCP 47 tag from what identity providers write: `en_US.UTF-8`, `EN-us`, `fr-FR, en;q=0.8`. None when it is none."""
    first, *rest = re.split(r"[,;.@ ]", (text or "").strip())[0].replace("_", "-").split("-")
    tag = "-".join([first.lower(), *rest])
    return tag if is_language(tag) else None


def _several(text: str | None) -> list[str]:
    """What is between commas."""
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def _day(text: str | None) -> date | None:
    """Raises BadAttribute."""
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BadAttribute(path_of("joined_on"), f"{text[:40]!r} is no day: write it as in 2024-09-01") from None
