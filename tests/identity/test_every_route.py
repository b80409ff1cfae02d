"""Every route, every role, two tenants: what is another subsidiary's does not exist, and nobody does what the table does not say.

A programme of the tenant `fr` is played up to a scheduled session; then each route is asked, with the ids of that programme, as every role of `fr`, of
another tenant, and as nobody. A route that is added without an entry below fails the test.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from tests.support.programme import staff
from tests.support.together import Together, together

from amont.common.identity import Privilege

GROUP = "group:ada|group-coordinator"
WITHIN = {Privilege.PARTICIPANT, Privilege.COORDINATOR, Privilege.HRIS}
"""Roles that see one subsidiary; the others see the group."""
REFUSED = {401, 403, 404, 405, 422}
FORM = {
    "programme": "one",
    "topics": {"ai": 3},
    "availability": ["mon 09:00-12:00"],
    "meeting": "remote",
    "charter_accepted": True,
}


@dataclass
class Scene:
    """What there is to be seen, by path parameter."""

    all_four: Together
    ids: dict[str, str] = field(default_factory=dict)
    mentee: str = "fr:e1"
    mentor: str = "fr:e2"


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with together(tmp_path_factory.mktemp("routes")) as all_four:
        yield await played(Scene(all_four))


async def played(scene: Scene) -> Scene:
    """One pair of `fr` alone, with a proposed session and its mails."""
    ask = scene.all_four.done
    for tenant in ("fr", "de"):
        body = {"name": tenant, "zone": "Europe/Paris", "languages": ["en"], "grades": {"J": 4, "D": 16}}
        await ask("PUT", f"/enrolment/subsidiaries/{tenant}", GROUP, body)
    await scene.all_four.hears(
        [staff("fr", 1, grade="D", function="a"), staff("fr", 2, function="b"), staff("fr", 3), staff("de", 1, grade="D"), staff("de", 2)]
    )
    programme = {"programme": "one", "name": "One", "tenants": ["fr"], "topics": ["ai"], "policy": {"across": "none"}}
    await ask("POST", "/enrolment/programmes", GROUP, programme)
    await ask("POST", "/enrolment/programmes/one/open", GROUP)
    scene.ids["enrolment_id"] = (await ask("POST", "/enrolment/enrolments", scene.mentee, {**FORM, "role": "mentee"}))["enrolment"]
    await ask("POST", "/enrolment/enrolments", scene.mentor, {**FORM, "role": "mentor"})
    await scene.all_four.settle()
    scene.ids["round_id"] = (await ask("POST", "/matching/programmes/one/rounds", GROUP, {}))["id"]
    await ask("POST", f"/matching/rounds/{scene.ids['round_id']}/publish", GROUP, {})
    for _ in range(4):
        await scene.all_four.passes(timedelta(seconds=2))
    (pair,) = await scene.all_four.every("/matching/pairs?programme=one", GROUP)
    for person in (scene.mentee, scene.mentor):
        await ask("POST", f"/matching/pairs/{pair['id']}/accept", person)
    await scene.all_four.settle()
    plan = await ask("GET", f"/scheduling/plans/{pair['id']}", scene.mentee)
    deliveries = await scene.all_four.every("/notifications/deliveries", scene.mentee)
    scene.ids |= {
        "pair_id": pair["id"],
        "pair": pair["id"],
        "session": plan["sessions"][0]["id"],
        "delivery_id": deliveries[0]["id"],
        "programme_id": "one",
        "subsidiary_id": "fr",
        "person": scene.mentee,
        "person:path": scene.mentee,
    }
    return scene


def routes(all_four: Together) -> list[tuple[str, str]]:
    """(method, path as the services wrote it) of every route that is not for operations."""
    found = [
        (method, route.path)
        for service in all_four.services.values()
        for router in service.routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    ]
    return sorted((method, path) for method, path in found)


def filled(path: str, ids: dict[str, str]) -> str:
    """The path with the scene's ids; a parameter that the scene does not know fails."""
    short = path.replace("/api/", "/", 1).replace("/v1/", "/", 1)
    while "{" in short:
        before, _, rest = short.partition("{")
        name, _, after = rest.partition("}")
        short = f"{before}{ids[name]}{after}"
    return short


QUERIES = {
    "/enrolment/enrolments": "?programme=one",
    "/enrolment/employees": "?tenant=fr",
    "/enrolment/programmes/one/eligibility": "?role=mentor&person=fr:e3",
    "/matching/pairs": "?programme=one",
    "/scheduling/plans": "?programme=one",
    "/notifications/deliveries": "?person=fr:e1",
}
BODIES: dict[str, Any] = {
    "/enrolment/enrolments": {**FORM, "role": "mentor", "person": "fr:e3"},
    "/enrolment/programmes": {"programme": "two", "name": "Two", "tenants": ["fr"], "topics": ["ai"]},
    "/enrolment/subsidiaries/fr": {"name": "x", "zone": "Europe/Paris", "languages": ["en"], "grades": {"J": 1}},
    "/enrolment/subsidiaries/fr/grades": {"J": 1},
}


def body_for(method: str, path: str, ids: dict[str, str]) -> Any:
    if method in {"GET", "DELETE"}:
        return None
    if path == "/enrolment/programmes/one":
        return {"name": "renamed"}
    if path == f"/enrolment/enrolments/{ids['enrolment_id']}":
        return {"meeting": "either"}
    if path.endswith(("/schedule", "/reschedule")):
        return {"starts_at": "2027-01-11T08:00:00Z"}
    return BODIES.get(path, {})


async def test_nobody_without_a_token_gets_anything(scene: Scene) -> None:
    for method, path in routes(scene.all_four):
        answer = await scene.all_four.ask(method, filled(path, scene.ids), None, body_for(method, filled(path, scene.ids), scene.ids))
        assert answer.status_code == 401, (method, path, answer.text)


@pytest.mark.parametrize("role", sorted(WITHIN))
async def test_another_subsidiary_sees_and_changes_nothing(role: Privilege, scene: Scene) -> None:
    before = await picture(scene)
    asked = 0
    for method, path in routes(scene.all_four):
        short = filled(path, scene.ids)
        answer = await scene.all_four.ask(
            method, short + (QUERIES.get(short, "") if method == "GET" else ""), f"de:e2|{role}", body_for(method, short, scene.ids)
        )
        asked += 1
        assert answer.status_code < 500, (method, short, answer.text)
        if answer.status_code not in REFUSED:
            assert method == "GET", (method, short, answer.text)
            assert '"fr' not in answer.text, (short, answer.text)
            assert all(scene.ids[name] not in answer.text for name in ("enrolment_id", "round_id", "pair_id", "session", "delivery_id"))
    assert asked > 30
    assert await picture(scene) == before


async def test_a_colleague_who_takes_no_part_sees_nobodys_pair_plan_enrolment_or_mail(scene: Scene) -> None:
    before = await picture(scene)
    for method, path in routes(scene.all_four):
        short = filled(path, scene.ids)
        if any(word in short for word in ("/pairs", "/plans", "/rounds", "/deliveries", "/employees", scene.ids["enrolment_id"])):
            query = QUERIES.get(short, "") if method == "GET" else ""
            answer = await scene.all_four.ask(method, short + query, "fr:e3|participant", body_for(method, short, scene.ids))
            assert answer.status_code in REFUSED or answer.json().get("items") == [], (method, short, answer.status_code, answer.text)
    assert await picture(scene) == before


@pytest.mark.parametrize("role", [Privilege.AUDITOR, Privilege.OPS, Privilege.HRIS])
async def test_those_who_only_look_change_nothing(role: Privilege, scene: Scene) -> None:
    before = await picture(scene)
    for method, path in routes(scene.all_four):
        short = filled(path, scene.ids)
        if method != "GET":
            answer = await scene.all_four.ask(method, short, f"fr:robot|{role}", body_for(method, short, scene.ids))
            assert answer.status_code in REFUSED, (method, short, answer.status_code, answer.text)
    assert await picture(scene) == before


async def picture(scene: Scene) -> list[Any]:
    """What the group's coordinator sees: all that a change would show in."""
    lists = (
        "/enrolment/subsidiaries",
        "/enrolment/programmes",
        "/enrolment/enrolments?programme=one",
        "/matching/pairs?programme=one",
        "/scheduling/plans?programme=one",
    )
    return [await scene.all_four.every(path, GROUP) for path in lists]
