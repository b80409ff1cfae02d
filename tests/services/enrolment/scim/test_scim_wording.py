"""What the SCIM door refuses is told in words that say what to write: no sentence of pydantic's and none of a parser's."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.services.enrolment.scim.door import CORE, EMPLOYEE, PATCH, Scene, lea, patch, scene

FOREIGN = re.compile(r"Input should|validation error|Value error|valid (string|array|boolean|integer)|pydantic|invalid syntax|EOF while")
BODIES: list[tuple[str, Any, str]] = [
    ("POST", lea(userName="z", active="perhaps", title=3), "title: write a text, in quotes; active: write true or false"),
    ("POST", lea(emails=["x"]), "emails[0]: write an object, in braces"),
    ("POST", lea(**{EMPLOYEE: {"grade": "C1", "joinedOn": 3}}), f"{EMPLOYEE}:joinedOn: write a text, in quotes"),
    ("POST", {"schemas": [CORE]}, "Field 'userName' is required but value is missing, null or empty"),
    ("POST", b"[]", "The body: write an object, in braces"),
    (
        "POST",
        b'{"userName": ',
        "The body is not JSON from character 13 on; look there for a comma, a quote or a bracket too many or too few.",
    ),
    ("PATCH", patch({"op": "replace", "path": "active", "value": "perhaps"}), "active: write true or false"),
    ("PATCH", patch({"op": "replace", "value": {"name": "x"}}), "name: write an object, in braces"),
    ("PATCH", patch({"op": "add", "path": "emails[type eq work]", "value": "x"}), 'at character 16: type eq "work".'),
    ("PATCH", patch({"op": "add", "path": "name..x", "value": "x"}), "Write an attribute, as in name.givenName"),
    ("PATCH", {"schemas": [PATCH], "Operations": "x"}, "Operations: write a list, in square brackets"),
]
FILTERS = [
    ("userName eq lea@example.org", 'Put the value in double quotes, at character 13: userName eq "lea@example.org".'),
    ("userName eq 'lea'", 'Put the value in double quotes, at character 13: userName eq "lea".'),
    ("active eq true and title co a b", 'Put the value in double quotes, at character 29: title co "a".'),
    ('userName eq "lea', "The quote that opens at character 13 is never closed."),
    ('(userName eq "x"', "and close what you open"),
    (
        'userName == "x"',
        "It cannot be read from character 10 on ('== \"x\"'). Write an attribute, an operator and a value in double quotes",
    ),
    ("", "It cannot be read from character 1 on"),
]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as one:
        yield one


@pytest.mark.parametrize(("method", "body", "said"), BODIES)
async def test_what_a_body_gets_wrong_is_told_with_what_to_write(method: str, body: Any, said: str, door: Scene) -> None:
    await door.fr.made()
    answer = await door.fr(method, "/Users" if method == "POST" else "/Users/e1", body)
    detail = answer.json()["detail"]
    assert (answer.status_code, said in detail) == (400, True), detail
    assert not FOREIGN.search(detail)
    assert answer.json()["scimType"]


@pytest.mark.parametrize(("text", "said"), FILTERS)
async def test_where_a_filter_cannot_be_read_is_told_with_what_to_write(text: str, said: str, door: Scene) -> None:
    answers = [
        await door.fr("GET", f"/Users?filter={quote(text)}"),
        await door.fr("POST", "/Users/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")
        assert said in answer.json()["detail"]
