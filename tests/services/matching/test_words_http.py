"""Explanations over HTTP in the reader's language."""

import pytest
from tests.services.matching.matching_facts import EVE, JIM, JULE, PROGRAMME, Office, solve

from amont.common.events.values import EmployeeStatus, Role
from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing

API = "/api/matching/v1"
FRENCH = "le meilleur autre mentor était de:jule, avec 500 points"
ENGLISH = "the next best mentor was de:jule, with 500 points"


@pytest.mark.parametrize(
    ("query", "accepts", "language"),
    [
        ("?language=fr", None, "fr"),
        ("?language=en", "fr", "en"),
        ("", "fr-CA, en;q=0.8", "fr"),
        ("", "en;q=0.4, fr;q=0.9", "fr"),
        ("", "de, fr;q=0, en;q=0", "en"),
        ("", "fr;q=x, en", "en"),
        ("", "de", "en"),
        ("", None, "en"),
    ],
)
async def test_words_come_in_the_language_that_is_asked_for(
    matching: Hearing, office: Office, query: str, accepts: str | None, language: str
) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM), *office.mentor(JULE, topics={"ai": 1}))
    round_ = await solve(matching)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        answer = await anne.get(f"{API}/rounds/{round_.id}/pairs{query}", headers={"Accept-Language": accepts} if accepts else {})
    [pair] = answer.json()["items"]
    assert pair["words"][1] == (FRENCH if language == "fr" else ENGLISH)
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (language, "Accept-Language")


async def test_a_language_that_we_do_not_speak_is_refused_in_the_query_and_the_next_page_keeps_the_language(
    matching: Hearing, office: Office
) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        refused = await anne.get(f"{API}/rounds/{round_.id}/unmatched?language=de")
        first = await anne.get(f"{API}/rounds/{round_.id}/pairs?language=fr&limit=1")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "query:/language")
    assert "language=fr" in first.json()["next"]


async def test_a_simulation_speaks_too(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        body = {"policy": {"min_common_hours": 5}, "rules": True}
        asked = await anne.post(f"{API}/programmes/{PROGRAMME}/simulations", json=body)
        await matching.settle()
        found = (await anne.get(f"{asked.headers['Location']}?language=fr")).json()
    assert found["difference"]["words"] == ["1 binôme de moins", "0 binôme est le même"]
    assert "la règle « heures libres en commun » coûte 1 binôme" in [one["words"] for one in found["columns"][1]["rules"]]


async def test_who_was_left_out_is_told_in_words_and_figures_are_asked_for_alike(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    await matching.hears(office.employee(JULE, status=EmployeeStatus.ON_LEAVE), office.enrolled(JULE, Role.MENTOR))
    round_ = await solve(matching)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        [out] = (await anne.get(f"{API}/rounds/{round_.id}/left-out?language=fr")).json()["items"]
        assert (out["reason"], out["words"]) == ("person-on-leave", ["est en congé"])
        assert (await anne.get(f"{API}/rounds/{round_.id}/fairness?language=fr")).status_code == 200
        assert (await anne.get(f"{API}/rounds/{round_.id}/fairness?language=de")).status_code == 422
