"""A subsidiary's own data, its going, and its feed's tokens: over HTTP, as coordinators meet them."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.services.enrolment.staffing import left, programme, recorded, settled

from amont.common.events import SubsidiaryChanged, SubsidiaryRemoved
from amont.common.events.values import ProgrammeStatus
from amont.common.identity import Privilege
from amont.common.testing.hearing import START, Hearing, hearing
from amont.enrolment.app import build
from amont.enrolment.domain.subsidiary_faults import calendars
from amont.enrolment.domain.tokens import MOST_REVOKED, MOST_VALID, FeedTokens

API = "/api/enrolment/v1/subsidiaries"
SPAIN: dict[str, Any] = {"name": "España", "zone": "Europe/Madrid", "languages": ["es"], "grades": {"T1": 4, "D/1": 15}}
OWN = {
    "leaver_share": 0.1,
    "holidays": "ES-MD",
    "coordinators": ["es:c1", "fr:lea"],
    "sender_name": "Mentoría inversa",
    "kafka_principal": "User:hris-es",
}


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        yield await settled(one)


def group(enrolment: Hearing) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return enrolment.client("fr:boss", Privilege.GROUP_COORDINATOR)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:amont:problem:{code}"), answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_what_a_subsidiary_owns_is_kept_and_what_others_need_of_it_is_told(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        added = (await client.put(f"{API}/es", json={**SPAIN, **OWN})).json()
    assert added == {"subsidiary": "es", **SPAIN, **OWN, "version": 1}
    (said,) = await enrolment.said()
    assert isinstance(said, SubsidiaryChanged)
    assert (said.holidays, said.coordinators, said.sender_name) == ("ES-MD", ("es:c1", "fr:lea"), "Mentoría inversa")
    assert b"hris-es" not in said.encode()


async def test_a_table_with_too_many_codes_is_told_how_many_they_are_and_how_many_may_be(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        answer = await client.put(f"{API}/es", json={**SPAIN, "grades": {f"C{number}": 5 for number in range(2_005)}})
    (fault,) = refused(answer, 422, "invalid")["errors"]
    assert (fault["pointer"], fault["detail"].partition(";")[0]) == ("/grades", "2,005 codes, and there are to be 1 to 2,000")


async def test_every_fault_of_what_a_subsidiary_owns_is_listed(enrolment: Hearing) -> None:
    bad = {"leaver_share": -1, "holidays": "FR-ZZ", "coordinators": ["es:c1", "c2"], "sender_name": "a\nb", "kafka_principal": "hris'es"}
    async with group(enrolment) as client:
        answer = refused(await client.put(f"{API}/es", json={**SPAIN, **bad}), 422, "invalid")
    pointers = [fault["pointer"] for fault in answer["errors"]]
    assert pointers == ["/leaver_share", "/holidays", "/coordinators/1", "/sender_name", "/kafka_principal"]


def test_holiday_calendars_are_countries_and_their_parts() -> None:
    assert {"FR", "DE", "DE-BY", "US-CA", "GB-SCT"} <= calendars()
    assert not {"", "France", "BY-DE", "fr"} & calendars()


async def test_a_coordinator_changes_the_grades_of_their_own_subsidiary_and_nothing_else(enrolment: Hearing) -> None:
    async with enrolment.client("fr:coord", Privilege.COORDINATOR) as client:
        done = await client.put(f"{API}/fr/grades", json={"C1": 5, "C9": 7}, headers={"If-Match": "*"})
        assert done.json()["added"] == ["C9"], done.text
        refused(await client.put(f"{API}/fr", json=SPAIN), 403, "not-allowed")
        refused(await client.put(f"{API}/de/grades", json={"C1": 5}, headers={"If-Match": "*"}), 404, "not-found")
        refused(await client.post(f"{API}/fr/tokens"), 403, "not-allowed")
        refused(await client.delete(f"{API}/fr"), 403, "not-allowed")


async def test_a_subsidiary_with_people_or_programmes_is_not_removed_and_it_is_said_what_to_do(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        why = refused(await client.delete(f"{API}/fr"), 409, "subsidiary-in-use")["detail"]
        assert "has 2 people" in why
        assert "takes part in digital" in why
        assert "StaffLeft" in why
        assert "close the programme" in why


async def test_a_removed_subsidiary_is_gone_and_its_id_may_be_taken_again(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        await client.put(f"{API}/es", json=SPAIN)
        await enrolment.hears(recorded("e1", tenant="es", grade="T1"), left("e1", tenant="es"))
        secret = (await client.post(f"{API}/es/tokens")).json()["token"]
        await enrolment.said()
        assert (await client.delete(f"{API}/es", headers={"If-Match": '"1"'})).status_code == 204
        assert await enrolment.said() == [SubsidiaryRemoved(seq=2, subsidiary="es")]
        refused(await client.get(f"{API}/es"), 404, "not-found")
        refused(await client.delete(f"{API}/es"), 404, "not-found")
        refused(await client.get(f"{API}/es/tokens"), 404, "not-found")
        assert [one["subsidiary"] for one in (await client.get(API)).json()["items"]] == ["de", "fr"]
        assert (await enrolment.look(FeedTokens, "es")).opens(secret) is None
        await enrolment.hears(recorded("e2", tenant="es", grade="T1"))
        assert [reason for reason, _ in await enrolment.parked()] == ["unknown-tenant"]
        programme = {"programme": "p", "name": "P", "tenants": ["fr", "es"]}
        why = refused(await client.post("/api/enrolment/v1/programmes", json=programme), 422, "invalid")
        assert "'es'" in json.dumps(why)
        again = (await client.put(f"{API}/es", json={**SPAIN, "name": "Iberia"})).json()
    assert (again["name"], again["version"]) == ("Iberia", 3)
    (said,) = await enrolment.said()
    assert isinstance(said, SubsidiaryChanged)
    assert (said.name, said.seq) == ("Iberia", 3)


async def test_one_of_whom_everything_lies_ahead_keeps_a_subsidiary_from_being_removed(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        await client.put(f"{API}/es", json=SPAIN)
        await enrolment.hears(recorded("e1", tenant="es", grade="T1", at=START.replace(year=2030)))
        refused(await client.delete(f"{API}/es"), 409, "subsidiary-in-use")


async def test_a_closed_programme_keeps_nobody(enrolment: Hearing) -> None:
    await enrolment.given(programme(status=ProgrammeStatus.CLOSED))
    async with group(enrolment) as client:
        assert (await client.delete(f"{API}/de")).status_code == 204


async def test_a_token_is_shown_once_and_kept_as_a_digest(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        answer = await client.post(f"{API}/fr/tokens")
        listed = (await client.get(f"{API}/fr/tokens")).json()["items"]
    made = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert made["token"].startswith("amont_scim_")
    assert len(made["token"]) >= 54
    assert made["last_four"] == made["token"][-4:]
    assert listed == [{name: value for name, value in made.items() if name != "token"}]
    assert listed[0]["made_by"] == "fr:boss"
    kept = await enrolment.look(FeedTokens, "fr")
    assert made["token"] not in repr(kept)
    assert kept.opens(made["token"])
    assert kept.opens(made["token"] + "x") is None


async def test_a_token_is_changed_without_a_gap(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        old, new = [(await client.post(f"{API}/fr/tokens")).json() for _ in range(2)]
        both = await enrolment.look(FeedTokens, "fr")
        assert both.opens(old["token"])
        assert both.opens(new["token"])
        gone = (await client.post(f"{API}/fr/tokens/{old['id']}/revoke")).json()
        again = (await client.post(f"{API}/fr/tokens/{old['id']}/revoke")).json()
        refused(await client.post(f"{API}/fr/tokens/nothing/revoke"), 404, "not-found")
    assert gone == again
    assert gone["revoked_by"] == "fr:boss"
    kept = await enrolment.look(FeedTokens, "fr")
    assert kept.opens(old["token"]) is None
    assert kept.opens(new["token"])


async def test_a_feed_has_few_valid_tokens_and_few_revoked_ones_are_listed(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        made = [(await client.post(f"{API}/fr/tokens")).json()["id"] for _ in range(MOST_VALID)]
        refused(await client.post(f"{API}/fr/tokens"), 409, "too-many-tokens")
        for _ in range(MOST_REVOKED + 3):
            await client.post(f"{API}/fr/tokens/{made.pop(0)}/revoke")
            made.append((await client.post(f"{API}/fr/tokens")).json()["id"])
        listed = (await client.get(f"{API}/fr/tokens")).json()["items"]
    assert len(listed) == MOST_VALID + MOST_REVOKED
    assert [one["id"] for one in listed if one["revoked_at"] is None] == made


async def test_the_same_request_makes_one_token_and_shows_it_no_second_time(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        first = await client.post(f"{API}/fr/tokens", headers={"Idempotency-Key": "k1"})
        refused(await client.post(f"{API}/fr/tokens", headers={"Idempotency-Key": "k1"}), 409, "token-made")
        assert len((await client.get(f"{API}/fr/tokens")).json()["items"]) == 1
    assert first.status_code == 201
