"""Filters as a grammar makes them, against a plain evaluator of ours over the same users (RFC 7644, section 3.4.2.2); and what a PATCH leaves behind."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.enrolment.scim.door import EMPLOYEE, ENTERPRISE, Scene, lea, patch, scene

EXAMPLES = int(os.environ.get("AMONT_SCIM_FILTERS", "300"))
Meets = Callable[[dict[str, Any]], bool]

TITLES = ["Analyste", "analyste", "Directrice", "", 'a"b', None]
USERS = [
    lea(
        userName=f"P{number}@Example.org",
        externalId=f"X-{number % 3}{number}",
        title=TITLES[number % len(TITLES)],
        active=number % 4 != 0,
        emails=[{"value": f"p{number}@example.org", "type": "work", "primary": True}, {"value": f"h{number}@home.example", "type": "home"}][
            : number % 3
        ],
        **{
            ENTERPRISE: {"employeeNumber": f"e{number}", "department": ["Pricing", None, "IT"][number % 3]},
            EMPLOYEE: {"grade": ["C1", "DIR"][number % 2]},
        },
    )
    for number in range(7)
]
STRINGS: dict[str, tuple[Callable[[dict[str, Any]], Any], bool]] = {
    "userName": (lambda user: user["userName"], False),
    "USERNAME": (lambda user: user["userName"], False),
    "externalId": (lambda user: user["externalId"], True),
    "title": (lambda user: user["title"], False),
    "name.familyName": (lambda user: user["name"]["familyName"], False),
    f"{ENTERPRISE}:employeeNumber": (lambda user: user[ENTERPRISE]["employeeNumber"], False),
    f"{ENTERPRISE}:department": (lambda user: user[ENTERPRISE]["department"], False),
    f"{EMPLOYEE}:grade": (lambda user: user[EMPLOYEE]["grade"], True),
}
"""Attributes with one value: how a user has it, and whether case counts."""
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda one, other: one == other,
    "co": lambda one, other: other in one,
    "sw": lambda one, other: one.startswith(other),
    "ew": lambda one, other: one.endswith(other),
    "gt": lambda one, other: one > other,
    "ge": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
}
VALUES = st.sampled_from(
    [
        "p1@example.org",
        "P3@EXAMPLE.ORG",
        "X-11",
        "x-11",
        "analyste",
        "Analyste",
        "e2",
        "E2",
        "pricing",
        "C1",
        "c1",
        "a",
        "m",
        'a"b',
        "Martin",
    ]
)


def quoted(text: str) -> str:
    return json.dumps(text)


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Meets]:
    path = draw(st.sampled_from(sorted(STRINGS)))
    value, exact = STRINGS[path]
    if draw(st.integers(0, 5)) == 0:
        return f"{path} pr", lambda user: bool(value(user))  # an empty text is a value, and not one that is present
    operator, other = draw(st.sampled_from(sorted(OPERATORS))), draw(VALUES)
    holds = OPERATORS[operator]

    def meets(user: dict[str, Any]) -> bool:
        one = value(user)
        return one is not None and (holds(one, other) if exact else holds(one.casefold(), other.casefold()))

    return f"{path} {draw(st.sampled_from([operator, operator.upper()]))} {quoted(other)}", meets


@st.composite
def others(draw: st.DrawFn) -> tuple[str, Meets]:
    """What is neither one string nor a combination: a boolean, and values of a list."""
    kind = draw(st.sampled_from(["work", "home", "other"]))
    other = draw(st.sampled_from(["p1", "home", "example", "H2@"]))
    wanted = draw(st.booleans())
    several: list[tuple[str, Meets]] = [
        (f"active eq {str(wanted).lower()}", lambda user: user["active"] is wanted),
        ("emails pr", lambda user: bool(user["emails"])),
        (f"emails.value co {quoted(other)}", lambda user: any(other.casefold() in one["value"] for one in user["emails"])),
        (f"emails[type eq {quoted(kind)}]", lambda user: any(one["type"] == kind for one in user["emails"])),
        (
            f"emails[type eq {quoted(kind)} and value co {quoted(other)}]",
            lambda user: any(one["type"] == kind and other.casefold() in one["value"] for one in user["emails"]),
        ),
    ]
    return draw(st.sampled_from(several))


def combined(inner: st.SearchStrategy[tuple[str, Meets]]) -> st.SearchStrategy[tuple[str, Meets]]:
    def both(pair: tuple[tuple[str, Meets], tuple[str, Meets], str]) -> tuple[str, Meets]:
        (one, meets_one), (other, meets_other), word = pair
        if word == "and":
            return f"({one}) and ({other})", lambda user: meets_one(user) and meets_other(user)
        return f"({one}) or ({other})", lambda user: meets_one(user) or meets_other(user)

    def negated(one: tuple[str, Meets]) -> tuple[str, Meets]:
        return f"not ({one[0]})", lambda user: not one[1](user)

    return st.one_of(st.tuples(inner, inner, st.sampled_from(["and", "or"])).map(both), inner.map(negated))


FILTERS = st.recursive(st.one_of(comparisons(), others()), combined, max_leaves=6)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as one:
        for user in USERS:
            answer = await one.fr("POST", "/Users", {name: value for name, value in user.items() if value is not None})
            assert answer.status_code == 201, answer.text
        yield one


async def test_a_filter_finds_whom_a_plain_evaluator_finds(door: Scene) -> None:
    loop = asyncio.get_running_loop()
    sizes: set[int] = set()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(FILTERS)
    def ask(made: tuple[str, Meets]) -> None:
        text, meets = made
        search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text, "attributes": ["userName"]}
        answer = asyncio.run_coroutine_threadsafe(door.fr("POST", "/Users/.search", search), loop).result()
        assert answer.status_code == 200, (text, answer.text)
        found = sorted(one["userName"] for one in answer.json().get("Resources", []))
        assert found == sorted(user["userName"] for user in USERS if meets(user)), text
        sizes.add(len(found))

    await asyncio.to_thread(ask)
    assert len(sizes) > 3


PATHS = st.one_of(
    st.sampled_from(["title", "name", "name.givenName", "emails", "active", "userName", "externalId", "nickName", f"{EMPLOYEE}:grade"]),
    st.sampled_from(
        [
            f"{ENTERPRISE}:manager",
            f"{ENTERPRISE}:employeeNumber",
            'emails[type eq "work"]',
            'emails[type eq "x"].value',
            "meta",
            "id",
            "grade",
        ]
    ),
    st.text(max_size=20),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.sampled_from(["False", "C1", "DIR", "e7"])
)
ANY_VALUE = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PATHS, inner, max_size=3)), max_leaves=5
)
OPERATIONS = st.lists(
    st.fixed_dictionaries({"op": st.sampled_from(["add", "Replace", "remove", "move"])}, optional={"path": PATHS, "value": ANY_VALUE}),
    max_size=3,
)


async def test_whatever_a_patch_says_the_user_stays_one_that_can_be_read(door: Scene) -> None:
    loop = asyncio.get_running_loop()
    statuses: set[int] = set()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(OPERATIONS)
    def ask(operations: list[dict[str, Any]]) -> None:
        async def both() -> tuple[Any, Any]:
            changed = await door.fr("PATCH", "/Users/e1", patch(*operations))
            return changed, await door.fr("GET", "/Users/e1")

        changed, read = asyncio.run_coroutine_threadsafe(both(), loop).result()
        statuses.add(changed.status_code)
        assert changed.status_code in {200, 204, 400, 409}, (operations, changed.text)
        assert read.status_code == 200, (operations, read.text)
        assert read.json()["id"] == "e1"

    await asyncio.to_thread(ask)
    assert {204, 400} <= statuses
    await door.told()
    assert await door.hearing.parked() == []


async def test_whoever_was_never_said_to_be_inactive_is_active(door: Scene) -> None:
    unsaid = {name: value for name, value in lea(userName="unsaid", **{ENTERPRISE: {"employeeNumber": "e99"}}).items() if name != "active"}
    assert (await door.fr("POST", "/Users", unsaid)).status_code == 201
    found = {}
    for text in ("active eq true", "active ne false", "active eq false", "not (active eq true)"):
        answer = await door.fr("GET", f"/Users?filter={quote(text)}")
        found[text] = {one["userName"] for one in answer.json().get("Resources", [])}
    active = {user["userName"] for user in USERS if user["active"]} | {"unsaid"}
    inactive = {user["userName"] for user in USERS if not user["active"]}
    assert list(found.values()) == [active, active, inactive, inactive]
