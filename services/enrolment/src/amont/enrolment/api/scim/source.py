"""A user as somebody else's SCIM service shows it, read as this door would take it: the same schemas, the same mapping, the same refusals.

For `amont contracts check --scim` (entry point `amont.scim`), which holds a source against the contracts and sends nothing. What only the subsidiary knows,
its grade table, is the checker's.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from scim2_models import SCIMException

from amont.common.feeds.findings import Finding, found
from amont.common.feeds.roster import leaving
from amont.common.feeds.scim import SourceUser
from amont.enrolment.api.scim.quirks import mended
from amont.enrolment.api.scim.service import TenantService
from amont.enrolment.api.scim.storage import USERS, attributes_of
from amont.enrolment.api.scim.wording import worded
from amont.enrolment.commands.scim import person_in
from amont.enrolment.domain.scim_record import EMPLOYEE, BadAttribute, employee_id_in, missing, must_have_a_name, path_of, staff_record

JSON = "application/scim+json"
LONGEST_DETAIL = 300


class Reader:
    """Reads the users of one subsidiary's source. `now` stands in for when they were sent."""

    def __init__(self, tenant: str, now: datetime) -> None:
        self._tenant, self._now = tenant, now
        self._service = TenantService(())
        self._type = next(one for one in self._service.provider.resource_types if one.name == USERS)

    def __call__(self, number: int, given: Mapping[str, Any]) -> SourceUser:
        """One user; everything that is wrong with it is among its findings."""
        body, dropped = mended(to_json(given))
        findings = [found(number, "dropped-field", "", f"a {what}, which Amont never stores") for what in dict.fromkeys(dropped)]
        try:
            with self._service.provider:
                resource = self._service.read_creation(self._type, body, JSON)
        except SCIMException as error:
            return SourceUser(findings=(*findings, found(number, "bad-value", "", worded(error).detail[:LONGEST_DETAIL])))
        return self._read(number, attributes_of(resource), findings)

    def placed(self, field: str) -> str:
        """The SCIM attribute that a field of the staff record comes from."""
        return path_of(field)

    def _read(self, number: int, attributes: Mapping[str, Any], findings: list[Finding]) -> SourceUser:
        try:
            must_have_a_name(attributes)
        except BadAttribute as error:
            return SourceUser(findings=(*findings, *(found(number, "bad-value", one.pointer, one.detail) for one in error.faults)))
        name = str(attributes["userName"]).casefold()
        person = person_in(self._tenant, attributes)
        if employee_id_in(attributes) is None:
            what = "neither an employeeNumber nor an externalId that can be an id: the id is made from the userName"
            findings.append(found(number, "made-up-id", "", what))
        if attributes.get("active") is False:
            return SourceUser(name=name, person=person, findings=tuple(findings), value=leaving(person, self._now))
        graded, lacks = attributes, missing(attributes)
        for path in lacks:  # what else is wrong is said in the same look
            findings.append(found(number, "missing-field", path, "missing; without it the person waits, and nobody sees them"))
            graded = {**attributes, EMPLOYEE: {**attributes.get(EMPLOYEE, {}), "grade": "?"}}
        try:
            record = staff_record(person, graded, effective_at=self._now, occurred_at=self._now)
        except BadAttribute as error:
            findings += [found(number, "bad-value", one.pointer, one.detail) for one in error.faults]
            return SourceUser(name=name, person=person, findings=tuple(findings))
        return SourceUser(name=name, person=person, value=None if lacks else record.model_dump_json().encode(), findings=tuple(findings))
