"""Enrolment over HTTP: what each route answers, to whom, and how it refuses."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.services.enrolment.asking import API, coordinator, group, pointers, problem
from tests.services.enrolment.staffing import BOB, FORM, LEA, recorded, settled

from amont.common.events import Policy, ProgrammeChanged, RoundPublished, SubsidiaryChanged
from amont.common.identity import Privilege
from amont.common.testing.hearing import START, Hearing, hearing
from amont.enrolment.app import build

SUBSIDIARY = {"name": "España", "zone": "Europe/Madrid", "languages": ["es"], "grades": {"T1": 4, "D/1": 15}}
DEFAULTS = {"leaver_share": 0.05, "holidays": None, "coordinators": [], "sender_name": None, "kafka_principal": None}
HALF = "\ud800"
PROGRAMME = {"programme": "inclusion", "name": "Inclusion", "tenants": ["fr", "de"], "topics": ["listening"]}


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        yield await settled(one)


async def enrolled(enrolment: Hearing, person: str = LEA, role: str = "mentor") -> dict[str, Any]:
    async with enrolment.client(person) as client:
        answer = await client.post(f"{API}/enrolments", json={"programme": "digital", "role": role, **FORM})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_subsidiary_plugs_in(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        first = await client.put(f"{API}/subsidiaries/es", json=SUBSIDIARY)
        again = await client.put(f"{API}/subsidiaries/es", json=SUBSIDIARY)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json() == {"subsidiary": "es", **SUBSIDIARY, **DEFAULTS, "version": 1}
    assert first.headers["ETag"] == '"1"'
    (said,) = await enrolment.said()
    assert said == SubsidiaryChanged(seq=1, subsidiary="es", **SUBSIDIARY)


async def test_a_subsidiary_is_changed_only_by_who_knows_its_version(enrolment: Hearing) -> None:
    other = {**SUBSIDIARY, "name": "Iberia"}
    async with group(enrolment) as client:
        await client.put(f"{API}/subsidiaries/es", json=SUBSIDIARY)
        problem(await client.put(f"{API}/subsidiaries/es", json=other), 409, "subsidiary-exists")
        changed = await client.put(f"{API}/subsidiaries/es", json=other, headers={"If-Match": '"1"'})
        assert (changed.json()["name"], changed.headers["ETag"]) == ("Iberia", '"2"')
        stale = problem(await client.put(f"{API}/subsidiaries/es", json=SUBSIDIARY, headers={"If-Match": '"1"'}), 409, "stale-version")
        assert stale["current_version"] == 2
        problem(await client.put(f"{API}/subsidiaries/it", json=SUBSIDIARY, headers={"If-Match": '"1"'}), 404, "not-found")


async def test_what_may_be_left_out_of_a_subsidiary_stays_as_it_is(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        await client.put(f"{API}/subsidiaries/es", json={**SUBSIDIARY, "leaver_share": 0.2})
        assert (await client.put(f"{API}/subsidiaries/es", json=SUBSIDIARY)).json()["leaver_share"] == 0.2
        changed = await client.put(f"{API}/subsidiaries/es", json={**SUBSIDIARY, "name": "Iberia"}, headers={"If-Match": '"1"'})
        assert (changed.json()["name"], changed.json()["leaver_share"]) == ("Iberia", 0.2)
        refused = await client.put(f"{API}/subsidiaries/es", json={**SUBSIDIARY, "leaver_share": 5}, headers={"If-Match": '"2"'})
    problem(refused, 422, "invalid")
    assert pointers(refused) == ["/leaver_share"]


async def test_every_fault_of_a_subsidiary_is_listed(enrolment: Hearing) -> None:
    bad = {
        "name": " ",
        "zone": "Europe/Atlantis",
        "languages": ["fr", "French!"],
        "grades": {"A/B": 21, "": 3, "C": "x", "D": True, "E": 2},
    }
    async with group(enrolment) as client:
        answer = await client.put(f"{API}/subsidiaries/Not-Good", json=bad)
    problem(answer, 422, "invalid")
    faults = ["path:/subsidiary_id", "/name", "/zone", "/languages/1", "/grades/A~1B", "/grades/", "/grades/C", "/grades/D"]
    assert pointers(answer) == faults


async def test_a_grade_table_is_imported_whole_or_not_at_all(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        whatever = {"If-Match": "*"}
        answer = await client.put(f"{API}/subsidiaries/fr/grades", json={"N1": 1, "N2": 0, "N3": 2.5, "N4": 20}, headers=whatever)
        problem(answer, 422, "invalid")
        assert pointers(answer) == ["/N2", "/N3"]
        answer = await client.put(f"{API}/subsidiaries/fr/grades", json={"N1": 1}, headers={"If-Match": '"7"'})
        assert problem(answer, 409, "stale-version")["current_version"] == 1
        taken = await client.put(f"{API}/subsidiaries/fr/grades", json={"N1": 1, "N4": 20}, headers={"If-Match": '"1"'})
        again = await client.put(f"{API}/subsidiaries/fr/grades", json={"N1": 1, "N4": 20}, headers=whatever)
        assert again.json()["version"] == taken.json()["version"]
    assert taken.json()["grades"] == {"N1": 1, "N4": 20}
    await enrolment.hears(recorded("new", grade="N4"), recorded("old", grade="C1"))
    assert [reason for reason, _ in await enrolment.parked()] == ["unknown-grade"]


async def test_a_grade_table_is_replaced_by_who_has_read_it_and_the_answer_says_what_that_did(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        await client.put(f"{API}/subsidiaries/es", json=SUBSIDIARY)
        table = {"T1": 5, "T2": 6}
        blind = problem(await client.put(f"{API}/subsidiaries/es/grades", json=table), 428, "version-needed")
        assert (blind["current_version"], "If-Match" in blind["detail"]) == (1, True)
        read = await client.get(f"{API}/subsidiaries/es")
        assert read.json()["grades"] == SUBSIDIARY["grades"]
        done = await client.put(f"{API}/subsidiaries/es/grades", json=table, headers={"If-Match": read.headers["ETag"]})
        assert {name: done.json()[name] for name in ("added", "changed", "removed")} == {
            "added": ["T2"],
            "changed": ["T1"],
            "removed": ["D/1"],
        }
        assert done.headers["ETag"] == '"2"'
        problem(await client.put(f"{API}/subsidiaries/it/grades", json=table), 404, "not-found")


async def test_only_the_group_manages_subsidiaries(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        problem(await client.put(f"{API}/subsidiaries/fr", json=SUBSIDIARY), 403, "not-allowed")
        problem(await client.put(f"{API}/subsidiaries/de", json=SUBSIDIARY), 404, "not-found")
        problem(await client.get(f"{API}/subsidiaries/de"), 404, "not-found")
        assert (await client.get(f"{API}/subsidiaries/fr")).json()["grades"]["DIR"] == 14
        assert [one["subsidiary"] for one in (await client.get(f"{API}/subsidiaries")).json()["items"]] == ["fr"]
    async with group(enrolment) as client:
        page = (await client.get(f"{API}/subsidiaries", params={"limit": 1})).json()
        assert [one["subsidiary"] for one in page["items"]] == ["de"]
        page = (await client.get(page["next"])).json()
        assert [one["subsidiary"] for one in page["items"]] == ["fr"]


async def test_unknown_fields_are_refused_by_name(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        answer = await client.put(f"{API}/subsidiaries/es", json={**SUBSIDIARY, "logo": "x"})
        problem(answer, 422, "invalid")
        assert pointers(answer) == ["/logo"]
        answer = await client.post(f"{API}/programmes", json={**PROGRAMME, "policy": {"salary": 1}})
        assert pointers(answer) == ["/policy/salary"]
        answer = await client.post(f"{API}/programmes", json={**PROGRAMME, "policy": {"min_grad_gap": 1}, "topic": []})
        assert [one["detail"].partition("; ")[2] for one in answer.json()["errors"]] == [
            "did you mean 'min_grade_gap'?",
            "did you mean 'topics'?",
        ]
        answer = await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM, "status": "ended"})
        assert pointers(answer) == ["/status"]
        answer = await client.patch(f"{API}/enrolments/x", json={})
        problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "body", "place"),
    [
        ("PUT", "/subsidiaries/es", {**SUBSIDIARY, "name": HALF}, "/name"),
        ("PUT", "/subsidiaries/es", {**SUBSIDIARY, "grades": {HALF: 1}}, r"/grades/\ud800"),
        ("PUT", "/subsidiaries/fr/grades", {HALF: 1}, r"/\ud800"),
        ("POST", "/programmes", {**PROGRAMME, "programme": HALF}, "/programme"),
        ("POST", "/programmes", {**PROGRAMME, "name": HALF}, "/name"),
        ("POST", "/programmes", {**PROGRAMME, "tenants": ["fr", HALF]}, "/tenants/1"),
        ("PATCH", "/programmes/digital", {"name": HALF}, "/name"),
        ("POST", "/programmes/digital/invitations", {"people": [HALF]}, "/people/0"),
        ("POST", "/enrolments", {"programme": HALF, "role": "mentor", **FORM}, "/programme"),
        ("POST", "/enrolments", {"programme": "digital", "role": "mentor", **FORM, "topics": {HALF: 1}}, r"/topics/\ud800"),
    ],
)
async def test_half_a_surrogate_pair_is_refused_of_every_body(
    enrolment: Hearing, method: str, path: str, body: dict[str, Any], place: str
) -> None:
    async with group(enrolment) as client:
        written = {"Content-Type": "application/json", "If-Match": "*"}
        answer = await client.request(method, f"{API}{path}", content=json.dumps(body), headers=written)
    problem(answer, 422, "invalid")
    assert pointers(answer) == [place]


async def test_a_programme_from_draft_to_closed(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        made = await client.post(f"{API}/programmes", json=PROGRAMME)
        assert made.status_code == 201
        assert (made.json()["status"], made.json()["policy"]) == ("draft", Policy().model_dump(mode="json"))
        problem(await client.post(f"{API}/programmes", json=PROGRAMME), 409, "programme-exists")
        for _ in range(2):
            opened = await client.post(f"{API}/programmes/inclusion/open")
            assert (opened.json()["status"], opened.headers["ETag"]) == ("open", '"2"')
        for kind in ("full", "replacement"):
            await enrolment.hears(published(kind))
        assert (await client.get(f"{API}/programmes/inclusion")).json()["status"] == "running"
        assert (await client.post(f"{API}/programmes/inclusion/open")).json()["status"] == "running"
        for _ in range(2):
            assert (await client.post(f"{API}/programmes/inclusion/close")).json()["status"] == "closed"
        problem(await client.post(f"{API}/programmes/inclusion/open"), 409, "programme-closed")
        problem(await client.patch(f"{API}/programmes/inclusion", json={"name": "x"}), 409, "programme-closed")
    said = [event.status for event in await enrolment.said() if isinstance(event, ProgrammeChanged)]
    assert said == ["draft", "open", "running", "closed"]


def published(kind: str, seq: int = 1) -> RoundPublished:
    return RoundPublished.model_validate(
        {
            "seq": seq,
            "round": f"round-{kind}",
            "programme": "inclusion",
            "kind": kind,
            "published_by": "fr:coord",
            "published_at": START,
            "pairs": 1,
            "unmatched": 0,
            "override_reason": None,
        }
    )


async def test_the_same_request_makes_a_programme_once(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        answers = [await client.post(f"{API}/programmes", json=PROGRAMME, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        problem(await client.post(f"{API}/programmes", json=PROGRAMME, headers={"Idempotency-Key": "k2"}), 409, "programme-exists")
    assert len(await enrolment.said()) == 1


async def test_every_fault_of_a_programme_is_listed(enrolment: Hearing) -> None:
    bad = {"programme": "No Slug", "name": "", "tenants": ["fr", "xx", "fr"], "topics": ["ai", "A I", "ai"]}
    async with group(enrolment) as client:
        answer = await client.post(f"{API}/programmes", json=bad)
        problem(answer, 422, "invalid")
        assert pointers(answer) == ["/programme", "/name", "/tenants/1", "/tenants/2", "/topics/1", "/topics/2"]
        answer = await client.post(f"{API}/programmes", json={**PROGRAMME, "policy": {"sessions": 0, "weights": {"topics": 1}}})
        assert pointers(answer) == ["/policy/weights", "/policy/sessions"]
        answer = await client.patch(f"{API}/programmes/digital", json={"tenants": [], "topics": []})
        assert pointers(answer) == ["/tenants", "/topics"]


async def test_another_policy_is_the_next_version_of_it(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        renamed = await client.patch(f"{API}/programmes/digital", json={"name": "Digital 2"}, headers={"If-Match": '"1"'})
        assert (renamed.json()["policy_version"], renamed.json()["version"]) == (1, 2)
        stale = await client.patch(f"{API}/programmes/digital", json={"name": "Digital 3"}, headers={"If-Match": '"1"'})
        assert problem(stale, 409, "stale-version")["current_version"] == 2
        changed = await client.patch(f"{API}/programmes/digital", json={"policy": {"min_grade_gap": 3}, "why": "too close"})
        same = await client.patch(f"{API}/programmes/digital", json={"policy": {"min_grade_gap": 3}})
        assert changed.json()["policy_version"] == same.json()["policy_version"] == 2
    assert [event.policy_version for event in await enrolment.said() if isinstance(event, ProgrammeChanged)] == [1, 2]


async def test_a_coordinator_manages_what_is_theirs_alone(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        problem(await client.post(f"{API}/programmes", json=PROGRAMME), 403, "not-allowed")
        problem(await client.post(f"{API}/programmes", json={**PROGRAMME, "tenants": ["de"]}), 404, "not-found")
        problem(await client.post(f"{API}/programmes", json={**PROGRAMME, "tenants": []}), 422, "invalid")
        assert (await client.post(f"{API}/programmes", json={**PROGRAMME, "tenants": ["fr"]})).status_code == 201
        problem(await client.patch(f"{API}/programmes/inclusion", json={"tenants": ["fr", "de"]}), 403, "not-allowed")
        assert (await client.post(f"{API}/programmes/inclusion/open")).status_code == 200
        problem(await client.post(f"{API}/programmes/digital/close"), 403, "not-allowed")
        assert [one["programme"] for one in (await client.get(f"{API}/programmes")).json()["items"]] == ["digital", "inclusion"]
    async with coordinator(enrolment, "de") as client:
        problem(await client.get(f"{API}/programmes/inclusion"), 404, "not-found")
        problem(await client.post(f"{API}/programmes/inclusion/close"), 404, "not-found")
        assert [one["programme"] for one in (await client.get(f"{API}/programmes")).json()["items"]] == ["digital"]
    async with enrolment.client(LEA) as client:
        problem(await client.post(f"{API}/programmes/inclusion/close"), 403, "not-allowed")


async def test_people_read_themselves_and_coordinators_their_subsidiary(enrolment: Hearing) -> None:
    async with enrolment.client(LEA) as client:
        own = (await client.get(f"{API}/employees/{LEA}")).json()
        assert (own["status"], own["profile"]["given_name"], own["profile"]["band"]) == ("active", "Lea", 5)
        problem(await client.get(f"{API}/employees/{BOB}"), 404, "not-found")
        problem(await client.get(f"{API}/employees"), 403, "not-allowed")
        problem(await client.get(f"{API}/employees?tenant=de"), 404, "not-found")
    await enrolment.hears(recorded("ann", status="on_leave"), recorded("a/b"))
    async with coordinator(enrolment) as client:
        page = (await client.get(f"{API}/employees", params={"limit": 3})).json()
        assert [one["person"] for one in page["items"]] == ["fr:a/b", "fr:ann", "fr:bob"]
        page = (await client.get(page["next"])).json()
        assert [one["person"] for one in page["items"]] == ["fr:lea"]
        away = (await client.get(f"{API}/employees", params={"tenant": "fr", "status": "on_leave"})).json()
        assert [one["person"] for one in away["items"]] == ["fr:ann"]
        assert (await client.get(f"{API}/employees/fr:a/b")).json()["person"] == "fr:a/b"
        problem(await client.get(f"{API}/employees/fr:nobody"), 404, "not-found")
    async with coordinator(enrolment, "de") as client:
        problem(await client.get(f"{API}/employees/{LEA}"), 404, "not-found")
        problem(await client.get(f"{API}/employees?tenant=fr"), 404, "not-found")
        assert (await client.get(f"{API}/employees")).json()["items"] == []


async def test_enrolling_over_http(enrolment: Hearing) -> None:
    seat = await enrolled(enrolment)
    assert {key: seat[key] for key in ("person", "programme", "role", "status", "languages", "capacity", "version")} == {
        "person": LEA,
        "programme": "digital",
        "role": "mentor",
        "status": "enrolled",
        "languages": ["fr"],
        "capacity": 1,
        "version": 1,
    }
    async with enrolment.client(LEA) as client:
        answer = await client.get(f"{API}/enrolments/{seat['enrolment']}")
        assert (answer.json(), answer.headers["ETag"]) == (seat, '"1"')
        again = await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM})
        problem(again, 409, "already-enrolled")


async def test_the_same_request_enrols_once(enrolment: Hearing) -> None:
    async with enrolment.client(LEA) as client:
        body = {"programme": "digital", "role": "mentor", **FORM}
        answers = [await client.post(f"{API}/enrolments", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(await enrolment.said()) == 1


async def test_why_somebody_is_not_eligible(enrolment: Hearing) -> None:
    async with enrolment.client(LEA) as client:
        body = {"programme": "digital", "role": "mentee", "topics": {}, "availability": ["x"], "charter_accepted": False}
        answer = await client.post(f"{API}/enrolments", json=body)
        problem(answer, 422, "not-eligible")
        assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [
            ("band-too-low", "/role"),
            ("topics-count", "/topics"),
            ("window", "/availability/0"),
            ("charter-not-accepted", "/charter_accepted"),
        ]
        asked = await client.get(f"{API}/programmes/digital/eligibility", params={"person": LEA, "role": "mentee"})
        assert asked.json()["eligible"] is False
        assert asked.json()["reasons"] == answer.json()["errors"][:1]
        asked = await client.get(f"{API}/programmes/digital/eligibility", params={"role": "mentor"})
        assert asked.json() == {"programme": "digital", "person": LEA, "role": "mentor", "eligible": True, "reasons": []}
        problem(await client.get(f"{API}/programmes/digital/eligibility?role=mentee&person={BOB}"), 404, "not-found")
        problem(await client.get(f"{API}/programmes/none/eligibility?role=mentee"), 404, "not-found")


async def test_changing_and_withdrawing_over_http(enrolment: Hearing) -> None:
    seat = await enrolled(enrolment)
    where = f"{API}/enrolments/{seat['enrolment']}"
    async with enrolment.client(LEA) as client:
        changed = await client.patch(where, json={"capacity": 2, "meeting": "remote"}, headers={"If-Match": '"1"'})
        assert (changed.json()["capacity"], changed.json()["meeting"], changed.headers["ETag"]) == (2, "remote", '"2"')
        stale = await client.patch(where, json={"capacity": 1}, headers={"If-Match": '"1"'})
        assert problem(stale, 409, "stale-version")["current_version"] == 2
        for body in ({"reason": "a private matter"}, None):
            over = await client.post(f"{where}/withdraw", json=body) if body else await client.post(f"{where}/withdraw")
            assert over.json()["status"] == "withdrawn"
            assert "private" not in over.text
        problem(await client.patch(where, json={"capacity": 1}), 409, "enrolment-over")
        assert "private" not in (await client.get(where)).text


async def test_a_programmes_enrolments_are_listed_as_far_as_one_sees_them(enrolment: Hearing) -> None:
    mentor, mentee = await enrolled(enrolment), await enrolled(enrolment, BOB, "mentee")
    await enrolment.hears(recorded("uwe", tenant="de", grade="AT"))
    german = await enrolled(enrolment, "de:uwe")
    where = f"{API}/enrolments?programme=digital"

    async def listed(client: httpx.AsyncClient, more: str = "") -> list[str]:
        return [one["enrolment"] for one in (await client.get(where + more)).json()["items"]]

    async with enrolment.client(LEA) as client:
        assert await listed(client) == [mentor["enrolment"]]
        problem(await client.get(f"{API}/enrolments/{mentee['enrolment']}"), 404, "not-found")
        problem(await client.post(f"{API}/enrolments/{mentee['enrolment']}/withdraw"), 404, "not-found")
    async with enrolment.client("fr:stranger") as client:
        assert await listed(client) == []
    async with coordinator(enrolment) as client:
        assert await listed(client) == [mentee["enrolment"], mentor["enrolment"]]
        assert await listed(client, "&role=mentor&status=enrolled") == [mentor["enrolment"]]
        problem(await client.get(f"{API}/enrolments/{german['enrolment']}"), 404, "not-found")
        assert (await client.post(f"{API}/enrolments/{mentor['enrolment']}/withdraw")).json()["status"] == "withdrawn"
    async with group(enrolment) as client:
        page = (await client.get(f"{where}&limit=2")).json()
        assert [one["enrolment"] for one in page["items"]] == [german["enrolment"], mentee["enrolment"]]
        page = (await client.get(page["next"])).json()
        assert [(one["enrolment"], one["status"]) for one in page["items"]] == [(mentor["enrolment"], "withdrawn")]
    async with enrolment.client("es:x", Privilege.COORDINATOR) as client:
        problem(await client.get(where), 404, "not-found")
    async with enrolment.client("fr:feed", Privilege.HRIS) as client:
        problem(await client.get(where), 403, "not-allowed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/subsidiaries/de"),
        ("PUT", "/subsidiaries/de/grades"),
        ("GET", "/programmes/digital"),
        ("PATCH", "/programmes/digital"),
        ("POST", "/programmes/digital/open"),
        ("POST", "/programmes/digital/close"),
        ("GET", "/programmes/digital/eligibility?role=mentor&person=fr:lea"),
        ("GET", "/employees/fr:lea"),
        ("GET", "/employees?tenant=fr"),
        ("GET", "/enrolments?programme=digital"),
        ("GET", "/enrolments/{seat}"),
        ("PATCH", "/enrolments/{seat}"),
        ("POST", "/enrolments/{seat}/withdraw"),
    ],
)
async def test_to_another_tenant_nothing_of_ours_exists(enrolment: Hearing, method: str, path: str) -> None:
    seat = await enrolled(enrolment)
    bodies = {"PUT": {"N1": 1}, "PATCH": {"capacity": 1} if "enrolments" in path else {"name": "x"}}
    for privilege in (Privilege.PARTICIPANT, Privilege.COORDINATOR):
        async with enrolment.client("es:x", privilege) as client:
            answer = await client.request(method, API + path.format(seat=seat["enrolment"]), json=bodies.get(method))
        problem(answer, 404, "not-found")


async def test_nobody_asks_without_a_token(enrolment: Hearing) -> None:
    async with enrolment.client("fr:x") as client:
        del client.headers["Authorization"]
        for path in ("/subsidiaries", "/programmes", "/employees", "/enrolments?programme=digital"):
            problem(await client.get(API + path), 401, "not-authenticated")


async def test_the_published_interface_has_examples_and_summaries(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        described = (await client.get("/openapi.json")).json()
    ours = {path: routes for path, routes in described["paths"].items() if path.startswith(API)}
    assert len(ours) == 44  # seven of them are the shell's: dead letters
    for routes in ours.values():
        assert all(route.get("description") for route in routes.values())
    bodies = (
        "SubsidiaryBody",
        "ProgrammeBody",
        "ProgrammePatch",
        "EnrolmentBody",
        "EnrolmentPatch",
        "EnrolmentView",
        "EmployeeView",
        "EraseBody",
        "ErasureView",
    )
    assert all(described["components"]["schemas"][name].get("examples") for name in bodies)


async def test_a_round_of_an_unknown_programme_is_parked(enrolment: Hearing) -> None:
    await enrolment.hears(published("full"))
    assert await enrolment.parked() == [("not-found", "There is no programme 'inclusion' here.")]


async def test_a_coordinator_cannot_sign_somebody_elses_charter(enrolment: Hearing) -> None:
    form = {"programme": "digital", "role": "mentor", "person": LEA, **FORM}
    for client_of in (coordinator, group):
        async with client_of(enrolment) as client:
            refused = problem(await client.post(f"{API}/enrolments", json=form), 403, "charter-is-personal")
            assert "must accept the charter themselves" in refused["detail"]
    async with coordinator(enrolment, "de") as client:
        problem(await client.post(f"{API}/enrolments", json=form), 404, "not-found")
    assert await enrolment.said() == []
    async with enrolment.client(LEA) as client:
        assert (await client.post(f"{API}/enrolments", json=form)).status_code == 201
