"""Every route, every role, three tenants: what is granted is what the table of rights says, and what is another subsidiary's does not exist.

A programme of `fr` and `de` is played up to a proposed session between a mentee of `fr` and a mentor of `de`; a third subsidiary, `es`, takes no part.
Then each route is asked as every role of each of them, as the two, as colleagues of theirs, and as nobody. What must come of it is worked out from
`RIGHTS` by what `ROUTES` says a route needs; a route without an entry there fails.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from tests.support.programme import staff
from tests.support.together import Together, together

from amont.common.errors import NotAllowed, NotFound
from amont.common.events.values import tenant_of
from amont.common.identity import RIGHTS, Action, Actor, Privilege, Resource, authorize
from amont.common.log import Received
from amont.common.service.letters.letter import letter_id
from amont.common.service.letters.parking import Parked, park
from amont.common.web.letters import letters_router

GROUP = "group:ada|group-coordinator"
OPS = "group:otto|ops"
TENANTS = ("fr", "de", "es")
MENTEE, MENTOR, COLLEAGUE = "fr:e1", "de:e1", "fr:e3"
FORM = {
    "programme": "one",
    "topics": {"ai": 3},
    "availability": ["mon 09:00-12:00"],
    "meeting": "remote",
    "charter_accepted": True,
}
GRADES = {"J": 4, "D": 16}
NOT_OVER_HTTP = {Action.FEED_STAFF}
"""Rights that no route of a service asks for."""


def about(kind: str, *tenants: str, people: tuple[str, ...] = ()) -> Resource:
    return Resource(kind, kind, frozenset(tenants), frozenset(people))


RESOURCES = {
    one.kind: one
    for one in (
        about("subsidiary", "fr"),
        about("staff", "fr"),
        about("programme", "fr", "de"),
        about("new programme", "fr"),
        about("mentee", "fr", people=(MENTEE,)),
        about("colleague", "fr", people=(COLLEAGUE,)),
        about("pair", "fr", "de", people=(MENTEE, MENTOR)),
        about("cycle", "fr"),
        about("erasure", "fr"),
        about("dead letter"),
    )
}
"""Whom each thing in the scene concerns: written down here, not taken from the code."""


def body_of_a_subsidiary(_: "Scene") -> Any:
    return {"name": "fr", "zone": "Europe/Paris", "languages": ["en"], "grades": GRADES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a route needs, one right after the other; for a list also which thing is in it for whom. `body` makes a request that can be granted."""

    needs: tuple[tuple[Action, str], ...] = ()
    lists: tuple[Action, str, str] | None = None
    """The action, the resource, and the id of the thing in the scene."""
    anywhere: Action | None = None
    """What one must have the right to somewhere: a list or many at once, of which it is no secret that there are such things."""
    query: str = ""
    body: Callable[["Scene"], Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def needs(action: Action, resource: str, *, query: str = "", body: Callable[["Scene"], Any] | None = None) -> Asks:
    return Asks(needs=((action, resource),), query=query, body=body)


APART = {"kind": "forbidden", "mentee": COLLEAGUE, "mentor": MENTOR}
ENROLMENT, MATCHING, SCHEDULING, NOTIFICATIONS = (f"/api/{name}/v1" for name in ("enrolment", "matching", "scheduling", "notifications"))
SESSION = f"{SCHEDULING}/plans/{{pair}}/sessions/{{session}}"
IN_PROGRAMME = (Action.READ_PROGRAMME, "programme")
ROUTES: dict[tuple[str, str], Asks] = {
    ("GET", f"{ENROLMENT}/subsidiaries"): Asks(lists=(Action.READ_SUBSIDIARY, "subsidiary", "subsidiary_id")),
    ("GET", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}"): needs(Action.READ_SUBSIDIARY, "subsidiary"),
    ("GET", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/feed"): needs(Action.READ_FEED, "subsidiary"),
    ("GET", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/held"): needs(Action.READ_FEED, "subsidiary"),
    ("POST", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/pause"): needs(
        Action.MANAGE_FEED, "subsidiary", body=lambda _: {"why": "a test"}
    ),
    ("POST", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/resume"): needs(
        Action.MANAGE_FEED, "subsidiary", body=lambda _: {"why": "a test"}
    ),
    **{
        ("POST", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/held/{verb}"): Asks(
            needs=((Action.MANAGE_FEED, "subsidiary"),), body=lambda _: {"why": "a test"}
        )
        for verb in ("release", "drop")
    },
    ("GET", f"{ENROLMENT}/programmes"): Asks(lists=(Action.READ_PROGRAMME, "programme", "programme_id")),
    ("GET", f"{ENROLMENT}/programmes/{{programme_id}}"): needs(Action.READ_PROGRAMME, "programme"),
    ("GET", f"{ENROLMENT}/templates"): Asks(anywhere=Action.READ_PROGRAMME),
    ("GET", f"{ENROLMENT}/programmes/{{programme_id}}/history"): needs(*IN_PROGRAMME),
    ("GET", f"{ENROLMENT}/programmes/{{programme_id}}/policies/{{policy_version}}"): needs(*IN_PROGRAMME),
    ("GET", f"{ENROLMENT}/programmes/{{programme_id}}/charter"): needs(*IN_PROGRAMME),
    ("POST", f"{ENROLMENT}/programmes/{{programme_id}}/preview"): Asks(
        needs=(IN_PROGRAMME,),
        lists=(Action.READ_ENROLMENT, "mentee", "enrolment_id"),
        body=lambda _: {"policy": {"mentee_min_band": 20}},
    ),
    ("GET", f"{ENROLMENT}/programmes/{{programme_id}}/seats"): needs(*IN_PROGRAMME),
    ("POST", f"{ENROLMENT}/programmes/{{programme_id}}/invitations/preview"): needs(
        Action.INVITE, "programme", body=lambda _: {"people": [COLLEAGUE]}
    ),
    ("POST", f"{ENROLMENT}/programmes/{{programme_id}}/invitations"): needs(
        Action.INVITE, "programme", body=lambda _: {"people": [COLLEAGUE]}
    ),
    ("GET", f"{ENROLMENT}/programmes/{{programme_id}}/eligibility"): Asks(
        needs=((Action.READ_ENROLMENT, "colleague"), IN_PROGRAMME), query=f"?role=mentor&person={COLLEAGUE}"
    ),
    ("GET", f"{ENROLMENT}/employees"): needs(Action.READ_EMPLOYEE, "staff", query="?tenant=fr"),
    ("GET", f"{ENROLMENT}/employees/{{person:path}}"): needs(Action.READ_EMPLOYEE, "mentee"),
    ("GET", f"{ENROLMENT}/enrolments"): Asks(
        needs=(IN_PROGRAMME,), lists=(Action.READ_ENROLMENT, "mentee", "enrolment_id"), query="?programme=one"
    ),
    ("GET", f"{ENROLMENT}/enrolments/{{enrolment_id}}"): needs(Action.READ_ENROLMENT, "mentee"),
    ("GET", f"{MATCHING}/cycles"): Asks(lists=(Action.READ_FEED, "cycle", "cycle_id")),
    ("GET", f"{ENROLMENT}/exports/{{export_id}}"): needs(Action.EXPORT, "mentee"),
    ("GET", f"{ENROLMENT}/exports/{{export_id}}/archive"): needs(Action.EXPORT, "mentee"),
    ("GET", f"{ENROLMENT}/erasures"): Asks(lists=(Action.READ_ERASURE, "erasure", "reference")),
    ("GET", f"{ENROLMENT}/erasures/{{reference}}"): needs(Action.READ_ERASURE, "erasure"),
    ("GET", f"{MATCHING}/programmes/{{programme_id}}/rounds"): needs(Action.READ_ROUND, "programme"),
    ("GET", f"{MATCHING}/rounds/{{round_id}}"): needs(Action.READ_ROUND, "programme"),
    **{
        ("GET", f"{MATCHING}/rounds/{{round_id}}/{part}"): needs(Action.READ_ROUND, "programme")
        for part in ("pairs", "unmatched", "left-out", "dropped-links", "certificate", "fairness", "unpinned", "pool", "policy", "result")
    },
    ("GET", f"{MATCHING}/programmes/{{programme_id}}/rulings"): needs(Action.READ_ROUND, "programme"),
    ("GET", f"{MATCHING}/rulings/{{ruling_id}}"): needs(Action.READ_ROUND, "programme"),
    ("POST", f"{MATCHING}/programmes/{{programme_id}}/rulings"): needs(Action.RUN_ROUND, "programme", body=lambda _: APART),
    ("POST", f"{MATCHING}/rulings/{{ruling_id}}/release"): needs(Action.RUN_ROUND, "programme"),
    ("GET", f"{MATCHING}/programmes/{{programme_id}}/simulations"): needs(Action.READ_ROUND, "programme"),
    ("GET", f"{MATCHING}/simulations/{{simulation_id}}"): needs(Action.READ_ROUND, "programme"),
    ("POST", f"{MATCHING}/programmes/{{programme_id}}/simulations"): needs(Action.RUN_ROUND, "programme"),
    ("GET", f"{MATCHING}/pairs"): Asks(lists=(Action.READ_PAIR, "pair", "pair_id"), query="?programme=one"),
    ("GET", f"{MATCHING}/pairs/{{pair_id}}"): needs(Action.READ_PAIR, "pair"),
    ("GET", f"{SCHEDULING}/plans"): Asks(lists=(Action.READ_SESSION, "pair", "pair_id"), query="?programme=one"),
    ("GET", f"{SCHEDULING}/plans/{{pair}}"): needs(Action.READ_SESSION, "pair"),
    ("GET", f"{SCHEDULING}/plans/{{pair}}/slots"): needs(Action.BOOK_SESSION, "pair"),
    ("GET", f"{NOTIFICATIONS}/deliveries"): Asks(lists=(Action.READ_DELIVERY, "mentee", "delivery_id")),
    ("GET", f"{NOTIFICATIONS}/deliveries/{{delivery_id}}"): needs(Action.READ_DELIVERY, "mentee"),
    ("GET", f"{NOTIFICATIONS}/preferences"): Asks(anywhere=Action.SET_PREFERENCES),
    ("PUT", f"{NOTIFICATIONS}/preferences"): Asks(anywhere=Action.SET_PREFERENCES, body=lambda _: {"muted": ["invitations"]}),
    ("PUT", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}"): needs(Action.MANAGE_SUBSIDIARY, "subsidiary", body=body_of_a_subsidiary),
    ("PUT", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/grades"): Asks(
        needs=((Action.GRADE_SUBSIDIARY, "subsidiary"),), body=lambda _: GRADES, headers={"If-Match": "*"}
    ),
    ("GET", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/tokens"): needs(Action.MANAGE_SUBSIDIARY, "subsidiary"),
    ("POST", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/tokens"): needs(Action.MANAGE_SUBSIDIARY, "subsidiary"),
    ("POST", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}/tokens/{{token_id}}/revoke"): needs(Action.MANAGE_SUBSIDIARY, "subsidiary"),
    ("DELETE", f"{ENROLMENT}/subsidiaries/{{subsidiary_id}}"): needs(Action.MANAGE_SUBSIDIARY, "subsidiary"),
    ("POST", f"{ENROLMENT}/programmes"): needs(
        Action.MANAGE_PROGRAMME, "new programme", body=lambda _: {"programme": "two", "name": "Two", "tenants": ["fr"], "topics": ["ai"]}
    ),
    ("POST", f"{ENROLMENT}/enrolments"): Asks(
        needs=((Action.ENROL, "colleague"), IN_PROGRAMME), body=lambda _: {**FORM, "role": "mentor", "person": COLLEAGUE}
    ),
    ("PUT", f"{ENROLMENT}/programmes/{{programme_id}}/charter"): needs(
        Action.MANAGE_PROGRAMME, "programme", body=lambda _: {"texts": {"en": "voluntary"}}
    ),
    ("POST", f"{ENROLMENT}/enrolments/{{enrolment_id}}/sign"): Asks(
        needs=((Action.READ_ENROLMENT, "mentee"), (Action.ENROL, "mentee")), body=lambda _: {"charter_version": 1}
    ),
    ("PATCH", f"{ENROLMENT}/enrolments/{{enrolment_id}}"): needs(Action.EDIT_ENROLMENT, "mentee", body=lambda _: {"meeting": "either"}),
    ("POST", f"{ENROLMENT}/programmes/{{programme_id}}/open"): needs(Action.MANAGE_PROGRAMME, "programme"),
    ("PATCH", f"{ENROLMENT}/programmes/{{programme_id}}"): needs(Action.MANAGE_PROGRAMME, "programme", body=lambda _: {"name": "renamed"}),
    ("POST", f"{MATCHING}/programmes/{{programme_id}}/rounds"): needs(Action.RUN_ROUND, "programme"),
    ("POST", f"{MATCHING}/rounds/{{round_id}}/publish"): needs(Action.RUN_ROUND, "programme"),
    ("POST", f"{MATCHING}/rounds/{{round_id}}/discard"): needs(Action.RUN_ROUND, "programme"),
    ("POST", f"{SESSION}/schedule"): needs(Action.BOOK_SESSION, "pair", body=lambda scene: {"starts_at": scene.slots[0]}),
    ("POST", f"{SESSION}/reschedule"): needs(Action.BOOK_SESSION, "pair", body=lambda scene: {"starts_at": scene.slots[-1]}),
    ("POST", f"{SESSION}/complete"): needs(Action.BOOK_SESSION, "pair"),
    ("POST", f"{SESSION}/cancel"): needs(Action.BOOK_SESSION, "pair"),
    ("POST", f"{MATCHING}/pairs/{{pair_id}}/accept"): needs(Action.ANSWER_PROPOSAL, "pair"),
    ("POST", f"{MATCHING}/pairs/{{pair_id}}/decline"): needs(Action.ANSWER_PROPOSAL, "pair"),
    ("POST", f"{MATCHING}/pairs/{{pair_id}}/end"): needs(Action.END_PAIR, "pair"),
    ("POST", f"{ENROLMENT}/enrolments/{{enrolment_id}}/withdraw"): needs(Action.WITHDRAW, "mentee"),
    ("POST", f"{ENROLMENT}/programmes/{{programme_id}}/close"): needs(Action.MANAGE_PROGRAMME, "programme"),
    ("POST", f"{ENROLMENT}/employees/{{person:path}}/exports"): needs(Action.EXPORT, "mentee"),
    ("POST", f"{ENROLMENT}/employees/{{person:path}}/erase"): needs(Action.ERASE, "mentee", body=lambda _: {"reason": "a test"}),
    ("POST", f"{ENROLMENT}/employees/{{person:path}}/readmit"): needs(Action.ERASE, "mentee"),
}
"""In the order in which what is granted is asked for: questions first, what ends something last."""
LETTER = "dead-letters/{letter_id}"
for _api in (ENROLMENT, MATCHING, SCHEDULING, NOTIFICATIONS):  # the same in every service
    ROUTES |= {
        ("GET", f"{_api}/dead-letters"): Asks(lists=(Action.OPERATE, "dead letter", "letter_id")),
        ("GET", f"{_api}/{LETTER}"): needs(Action.OPERATE, "dead letter"),
        ("PATCH", f"{_api}/{LETTER}"): needs(Action.OPERATE, "dead letter", body=lambda _: {"why": "a test"}),
        ("POST", f"{_api}/dead-letters/replay"): Asks(anywhere=Action.OPERATE, body=lambda _: {"key": "nobody"}),
        ("POST", f"{_api}/dead-letters/take-back"): Asks(anywhere=Action.OPERATE, body=lambda _: {"key": "nobody"}),
        ("POST", f"{_api}/{LETTER}/replay"): needs(Action.OPERATE, "dead letter"),
        ("POST", f"{_api}/{LETTER}/take-back"): needs(Action.OPERATE, "dead letter"),
        ("POST", f"{_api}/{LETTER}/drop"): needs(Action.OPERATE, "dead letter", body=lambda _: {"why": "a test"}),
    }


@dataclass
class Scene:
    """What there is to be seen, by path parameter."""

    all_four: Together
    ids: dict[str, str] = field(default_factory=dict)
    slots: list[str] = field(default_factory=list)


def everybody() -> Iterator[Actor]:
    """Every role of every tenant, as somebody whom nothing is about; then the people whom something is about, without and with another role."""
    for tenant in TENANTS:
        for privilege in Privilege:
            yield Actor(f"{tenant}:somebody", tenant, frozenset({privilege}))
    for person in (MENTEE, MENTOR, COLLEAGUE):
        for more in (set(), {Privilege.COORDINATOR}, {Privilege.AUDITOR}):
            yield Actor(person, tenant_of(person), frozenset({Privilege.PARTICIPANT, *more}))
    yield Actor("fr:nobody", "fr", frozenset())


def expected(actor: Actor, asked: Asks) -> int | None:
    """None when it is granted; otherwise how it is refused. Whoever has an action nowhere gets no list of it, and is told so."""
    for action, resource in asked.needs:
        refusal = refused_with(actor, action, RESOURCES[resource])
        if refusal:
            return refusal
    somewhere = asked.lists[0] if asked.lists else asked.anywhere
    if somewhere and not actor.privileges & RIGHTS[somewhere].keys():
        return 403
    return None


def refused_with(actor: Actor, action: Action, resource: Resource) -> int | None:
    try:
        authorize(actor, action, resource)
    except NotFound:
        return 404
    except NotAllowed:
        return 403
    return None


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with together(tmp_path_factory.mktemp("routes")) as all_four:
        all_four.app.state.verifier = AnyRoles()
        yield await played(Scene(all_four))


class AnyRoles:
    """The token is the actor, `person|role,role`; unlike with `AnyToken`, no roles are no roles."""

    async def actor(self, token: str) -> Actor:
        person, _, roles = token.partition("|")
        return Actor(person, tenant_of(person), frozenset(Privilege(role) for role in roles.split(",") if role))


async def played(scene: Scene) -> Scene:
    """One pair across two subsidiaries, with a proposed session and its mails."""
    ask = scene.all_four.done
    for tenant in TENANTS:
        body = {"name": tenant, "zone": "Europe/Paris", "languages": ["en"], "grades": GRADES}
        await ask("PUT", f"/enrolment/subsidiaries/{tenant}", GROUP, body)
    await scene.all_four.hears(
        [
            staff("fr", 1, grade="D", function="a"),
            staff("fr", 3),
            staff("fr", 4),
            staff("de", 1, function="b"),
            staff("es", 1, grade="D"),
            staff("es", 2),
        ]
    )
    token = await ask("POST", "/enrolment/subsidiaries/fr/tokens", GROUP)
    await scene.all_four.hears([staff("fr", 8, manager_id="e9"), staff("fr", 9, manager_id="e8")])
    programme = {"programme": "one", "name": "One", "tenants": ["fr", "de"], "topics": ["ai"]}
    await ask("POST", "/enrolment/programmes", GROUP, programme)
    await ask("PUT", "/enrolment/programmes/one/charter", GROUP, {"texts": {"en": "voluntary"}})
    await ask("POST", "/enrolment/programmes/one/open", GROUP)
    mentee, mentor = f"{MENTEE}|participant", f"{MENTOR}|participant"
    enrolment = await ask("POST", "/enrolment/enrolments", mentee, {**FORM, "role": "mentee"})
    await ask("POST", "/enrolment/enrolments", mentor, {**FORM, "role": "mentor"})
    await scene.all_four.settle()
    round_ = await ask("POST", "/matching/programmes/one/rounds", GROUP, {})
    simulation = await ask("POST", "/matching/programmes/one/simulations", GROUP, {})
    erasure = await ask("POST", "/enrolment/employees/fr:e4/erase", GROUP, {"reason": "a test"})
    ruling = await ask("POST", "/matching/programmes/one/rulings", GROUP, APART)
    await scene.all_four.settle()
    await ask("POST", f"/matching/rounds/{round_['id']}/publish", GROUP, {})
    for _ in range(4):
        await scene.all_four.passes(timedelta(seconds=2))
    (pair,) = await scene.all_four.every("/matching/pairs?programme=one", GROUP)
    for person in (mentee, mentor):
        await ask("POST", f"/matching/pairs/{pair['id']}/accept", person)
    export = await ask("POST", f"/enrolment/employees/{MENTEE}/exports", GROUP)
    await scene.all_four.settle()
    plan = await ask("GET", f"/scheduling/plans/{pair['id']}", mentee)
    slots = await ask("GET", f"/scheduling/plans/{pair['id']}/slots", mentee)
    deliveries = await scene.all_four.every("/notifications/deliveries", mentee)
    (cycle,) = await scene.all_four.every("/matching/cycles", GROUP)
    broken = Received(topic="matching-pairs", partition=0, offset=7, key=b"p", value=b"{")
    for service in scene.all_four.services.values():
        await service.run(park, [Parked(broken, "missing-headers", "a test")])
    scene.slots = [slot["starts_at"] for slot in slots["slots"]]
    scene.ids |= {
        "pair_id": pair["id"],
        "pair": pair["id"],
        "session": plan["sessions"][0]["id"],
        "cycle_id": cycle["id"],
        "round_id": round_["id"],
        "simulation_id": simulation["id"],
        "reference": erasure["reference"],
        "export_id": export["reference"],
        "ruling_id": ruling["id"],
        "enrolment_id": enrolment["enrolment"],
        "delivery_id": deliveries[0]["id"],
        "programme_id": "one",
        "policy_version": "1",
        "subsidiary_id": "fr",
        "token_id": token["id"],
        "person:path": MENTEE,
        "letter_id": letter_id(broken),
    }
    return scene


def served(all_four: Together) -> set[tuple[str, str]]:
    """(method, path as the services wrote it) of every route that is not for operations."""
    return {
        (method, route.path)
        for service in all_four.services.values()
        for router in (*service.routers, letters_router(service.name))
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }


async def asked_as(scene: Scene, who: str | None, route: tuple[str, str], more: str = "") -> httpx.Response:
    method, path = route
    short = path.replace("/api/", "/", 1).replace("/v1/", "/", 1)
    for name, id_ in scene.ids.items():
        short = short.replace(f"{{{name}}}", id_)
    assert "{" not in short, short
    asked = ROUTES[route]
    return await scene.all_four.ask(
        method, short + asked.query + more, who, asked.body(scene) if asked.body else None, headers=asked.headers
    )


def token_of(actor: Actor) -> str:
    return f"{actor.person}|{','.join(sorted(actor.privileges))}"


def test_every_route_says_what_it_needs(scene: Scene) -> None:
    assert served(scene.all_four) == set(ROUTES)


def test_every_right_is_asked_for_by_a_route() -> None:
    used = {action for asked in ROUTES.values() for action, *_ in (*asked.needs, *([asked.lists] if asked.lists else []))}
    used |= {asked.anywhere for asked in ROUTES.values() if asked.anywhere}
    assert used == set(Action) - NOT_OVER_HTTP


async def test_nobody_without_a_token_gets_anything(scene: Scene) -> None:
    for route in ROUTES:
        answer = await asked_as(scene, None, route)
        assert answer.status_code == 401, (route, answer.text)


async def test_what_the_table_does_not_grant_is_refused_and_changes_nothing(scene: Scene) -> None:
    before, refusals = await picture(scene), 0
    for route, asked in ROUTES.items():
        for actor in everybody():
            refusal = expected(actor, asked)
            if refusal:
                answer = await asked_as(scene, token_of(actor), route)
                assert answer.status_code == refusal, (route, token_of(actor), answer.status_code, answer.text)
                refusals += 1
    assert refusals > 500
    assert await picture(scene) == before


async def test_what_the_table_grants_is_granted_and_a_list_holds_what_one_may_read(scene: Scene) -> None:
    granted = 0
    for route, asked in ROUTES.items():
        allowed = [actor for actor in everybody() if expected(actor, asked) is None]
        assert allowed, route
        for actor in allowed:
            answer = await asked_as(scene, token_of(actor), route)
            assert answer.is_success or answer.status_code == 409, (route, token_of(actor), answer.status_code, answer.text)
            assert answer.is_success or route[0] != "GET", (route, token_of(actor), answer.text)
            if asked.lists:
                action, resource, name = asked.lists
                shown = any(scene.ids[name] in item.values() for item in answer.json()["items"])
                assert shown == (refused_with(actor, action, RESOURCES[resource]) is None), (route, token_of(actor), answer.text)
            granted += 1
    assert granted > 100


async def test_a_query_parameter_that_a_route_does_not_have_is_refused_with_those_it_has(scene: Scene) -> None:
    for method, path in ROUTES:
        if method != "GET":
            continue
        asked = ROUTES[method, path].query
        answer = await asked_as(scene, GROUP, (method, path), more=f"{'&' if asked else '?'}resaon=x")
        assert answer.status_code == 422, (path, answer.text)
        assert answer.json()["errors"][0]["pointer"] == "query:/resaon", path
    answer = await asked_as(scene, OPS, ("GET", f"{ENROLMENT}/dead-letters"), more="?resaon=x&limit=1")
    [fault] = answer.json()["errors"]
    assert fault["detail"] == "no such parameter; there is after, key, limit, reason, since, status, tenant, topic, until"
    answer = await asked_as(scene, None, ("GET", f"{ENROLMENT}/dead-letters"), more="?resaon=x")
    assert answer.status_code == 401


async def picture(scene: Scene) -> list[Any]:
    """What the group's coordinator and operations see: all that a change would show in."""
    lists = (
        "/enrolment/subsidiaries",
        "/enrolment/programmes",
        "/enrolment/enrolments?programme=one",
        "/enrolment/erasures",
        "/matching/programmes/one/rounds",
        "/matching/programmes/one/simulations",
        "/matching/programmes/one/rulings",
        "/matching/pairs?programme=one",
        "/scheduling/plans?programme=one",
    )
    letters = [f"/{name}/dead-letters" for name in scene.all_four.services]
    return [await scene.all_four.every(path, who) for paths, who in ((lists, GROUP), (letters, OPS)) for path in paths]
