"""P10: schemathesis asks enrolment over real HTTP whatever its OpenAPI document allows and forbids, one answer feeding the next question, SCIM included.

Nothing may be answered by a defect of ours (5xx), and what is refused is told in the interface's own words. `make test` plays a short form;
`AMONT_API_CASES=5000` before `pytest` plays the 10,000 of P10 (5,000 of each).
"""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from tests.services.enrolment.scim.door import CORE, EMPLOYEE, ENTERPRISE, PATCH, scene
from tests.services.enrolment.scim.serving import served
from tests.services.enrolment.staffing import programme, recorded

from amont.common.testing.hearing import AnyToken
from amont.common.web import app

CASES = int(os.environ.get("AMONT_API_CASES", "200"))
"""Requests for each of the two interfaces."""
STEPS = 20
PROBLEM, SCIM = "application/problem+json", "application/scim+json"
ROLES = (
    *["group:boss|group-coordinator,ops,participant"] * 15,
    "fr:coord|coordinator",
    "fr:lea|participant",
    "group:aud|auditor",
    "de:op|ops",
    "nobody",
)

TEXT = {"type": "string", "maxLength": 40}
USER = {
    "type": "object",
    "required": ["userName"],
    "properties": {
        "schemas": {"const": [CORE, ENTERPRISE, EMPLOYEE]},
        "userName": TEXT,
        "externalId": TEXT,
        "active": {"type": ["boolean", "string", "null"]},
        "title": TEXT,
        "timezone": {"enum": ["Europe/Paris", "Paris", ""]},
        "name": {"type": ["object", "string"], "properties": {"givenName": TEXT, "familyName": TEXT}},
        "emails": {
            "type": "array",
            "maxItems": 3,
            "items": {"type": "object", "properties": {"value": TEXT, "type": TEXT, "primary": {"type": "boolean"}}},
        },
        ENTERPRISE: {
            "type": "object",
            "properties": {"employeeNumber": TEXT, "manager": {"type": ["object", "string", "null"], "properties": {"value": TEXT}}},
        },
        EMPLOYEE: {
            "type": "object",
            "properties": {"grade": {"enum": ["C1", "DIR", "X", ""]}, "joinedOn": TEXT, "onLeave": {"type": "boolean"}},
        },
    },
}
OPERATION = {
    "type": "object",
    "required": ["op"],
    "properties": {
        "op": {"enum": ["add", "Replace", "remove", "move"]},
        "path": {
            "enum": ["title", "name.familyName", "active", 'emails[type eq "work"].value', f"{EMPLOYEE}:grade", "grade", "members", "", "]"]
        },
        "value": {},
    },
}
GROUP_BODY = {
    "type": "object",
    "required": ["displayName"],
    "properties": {
        "displayName": TEXT,
        "members": {"type": "array", "maxItems": 3, "items": {"type": "object", "properties": {"value": TEXT}}},
    },
}
CHANGES = {
    "type": "object",
    "required": ["schemas", "Operations"],
    "properties": {"schemas": {"const": [PATCH]}, "Operations": {"type": "array", "items": OPERATION}},
}


def scim_document() -> dict[str, Any]:
    """The SCIM door as an OpenAPI document, as far as a tool needs it to ask: the door has none of its own, since SCIM has `/Schemas`."""
    one = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    query = [{"name": "filter", "in": "query", "schema": {"enum": ["userName pr", 'title eq "x"', f"{EMPLOYEE}:missing pr", "(", "a eq"]}}]
    query += [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in ("startIndex", "count")]
    paths: dict[str, Any] = {
        "/ServiceProviderConfig": {"get": {"responses": {"200": {"description": ""}}}},
        "/Schemas": {"get": {"responses": {"200": {"description": ""}}}},
    }
    for name, body in (("Users", USER), ("Groups", GROUP_BODY)):
        links = {
            f"{verb} it": {"operationId": f"{verb}{name}", "parameters": {"id": "$response.body#/id"}}
            for verb in ("get", "put", "patch", "delete")
        }
        paths[f"/{name}"] = {
            "get": {"operationId": f"list{name}", "parameters": query, "responses": {"200": {"description": ""}}},
            "post": {"operationId": f"post{name}", "requestBody": _body(body), "responses": {"201": {"description": "", "links": links}}},
        }
        verbs = {"get": None, "put": body, "patch": CHANGES, "delete": None}
        paths[f"/{name}/{{id}}"] = {
            verb: {
                "operationId": f"{verb}{name}",
                "parameters": one,
                "responses": {"200": {"description": "", "links": links}},
                **({"requestBody": _body(what)} if what else {}),
            }
            for verb, what in verbs.items()
        }
    return {"openapi": "3.0.3", "info": {"title": "SCIM", "version": "1"}, "paths": paths}


def _body(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {SCIM: {"schema": schema}}}


@dataclass
class Played:
    """How often each status was answered, and what should never have been."""

    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def heard(self, response: Any, case: Any, refused: str) -> None:
        self.statuses[response.status_code] += 1
        (media_type,) = response.headers.get("content-type") or [""]
        if response.status_code >= 500 or (response.status_code >= 400 and media_type != refused):
            self.broken.append(f"{response.status_code} {media_type} {response.text[:300]}\n{case.as_curl_command()}")


def played(document: Mapping[str, Any], address: str, tokens: Iterator[str], refused: str) -> Played:
    """Ask until there were enough questions. `refused` is the media type of every refusal."""
    found = Played()
    schema = schemathesis.openapi.from_dict(dict(document))
    schema.config.update(base_url=address)

    class Machine(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            """Whatever the tool makes up as a token, most questions are to be let in."""
            made_up = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
            case.headers = {**made_up, "Authorization": f"Bearer {next(tokens)}"}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            found.heard(response, case, refused)

    how = settings(
        max_examples=max(1, CASES // STEPS),
        stateful_step_count=STEPS,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    while found.statuses.total() < CASES and not found.broken:
        # what the service holds by now changes what can be asked next, which Hypothesis takes for a fault of the test: then it begins anew
        with contextlib.suppress(Flaky):
            Machine.run(settings=how)
    return found


@pytest.mark.parametrize("interface", ["api", "scim"])
async def test_no_question_is_answered_by_a_defect(tmp_path: Path, interface: str) -> None:
    async with scene(tmp_path) as one:
        await one.hearing.given(programme())
        await one.hearing.hears(recorded("lea"), recorded("bob", grade="DIR"))
        service = one.hearing.service
        async with served(service, AnyToken()) as address:
            if interface == "api":
                document = app([service], title="test").openapi()
                found = await asyncio.to_thread(played, document, address, cycle(ROLES), PROBLEM)
            else:
                tokens = cycle([one.fr.token] * 9 + [one.de.token, "nobody"])
                found = await asyncio.to_thread(played, scim_document(), f"{address}/scim/fr/v2", tokens, SCIM)
    print(f"{interface}: {found.statuses.total():,} requests: {dict(sorted(found.statuses.items()))}")
    assert not found.broken, found.broken[0]
    assert {200, 404} <= found.statuses.keys()
