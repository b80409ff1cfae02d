"""Somebody asks for what is held of them: the archive has it all, from all four services, and nothing that is another's; on the topics nobody can read it."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.privacy.planted import BOSS, COORDINATOR, EMPLOYEE_ID, FORMER, GROUP, NAMES, PARTNER, PERSON, hits, lived
from tests.support.together import Together, together

from amont.enrolment.commands.archive import page
from amont.enrolment.domain.export import KEPT

ME = f"{PERSON}|participant"
EXPORTS = ("enrolment-exports", "matching-exports", "scheduling-exports", "notifications-exports")


@pytest.fixture(scope="module")
async def all_four(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Together]:
    async with together(tmp_path_factory.mktemp("export")) as made:
        await lived(made)
        yield made


async def exported(all_four: Together, who: str, person: str = PERSON) -> dict[str, str]:
    """The archive's files, as `who` gets them."""
    reference = (await all_four.done("POST", f"/enrolment/employees/{person}/exports", who))["reference"]
    await all_four.settle()
    answer = await all_four.ask("GET", f"/enrolment/exports/{reference}/archive", who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def services_of(all_four: Together, who: str, person: str = PERSON) -> dict[str, Any]:
    return dict(json.loads((await exported(all_four, who, person))["export.json"])["services"])


async def test_the_archive_has_what_each_of_the_four_services_holds(all_four: Together) -> None:
    found = await services_of(all_four, ME)
    assert found["enrolment"]["record"][0]["profile"]["family_name"] == NAMES[1]
    assert len(found["enrolment"]["records that lie ahead"]) == 1
    assert found["enrolment"]["records that could not be taken"][0]["grade"] == "unheard-of"
    assert len(found["enrolment"]["records that could not be taken"]) == 1  # her report's names her, and is theirs
    topics = {one["programme"]: one["form"]["topics"] for one in found["enrolment"]["enrolments"]}
    assert topics == {programme: {"ai": 3} for programme in ("one", "two", "three", "four")}
    assert [(one["programme"], one["waits"], one["line"]) for one in found["enrolment"]["seats"]] == [
        ("four", True, 1),
        ("three", False, None),
    ]
    assert found["enrolment"]["place in the line of management"][0]["line"]["managers"] == [BOSS]
    assert found["enrolment"]["moves between subsidiaries"][0]["former"] == FORMER
    assert [pair["mentor"] for pair in found["matching"]["pairs"]] == [PARTNER]
    assert found["matching"]["place"][0]["id"] == PERSON
    assert [plan["sessions"][0]["status"] for plan in found["scheduling"]["plans"]] == ["completed"]
    assert found["notifications"]["recipient"][0]["email"] == NAMES[2]
    assert {one["kind"] for one in found["notifications"]["messages"]} >= {"enrolled", "withdrawn", "proposal", "session-completed"}


async def test_who_asks_themselves_gets_their_private_reasons_and_who_asks_for_them_does_not(all_four: Together) -> None:
    assert NAMES[5] in json.dumps(await services_of(all_four, ME))
    for coordinator in (COORDINATOR, GROUP):
        files = await exported(all_four, coordinator)
        assert not any(NAMES[5] in text for text in files.values())
        assert "ce que vous avez dit pour que personne d" in files["index.html"]


async def test_a_coordinator_may_not_fetch_what_the_person_asked_for_themselves(all_four: Together) -> None:
    reference = (await all_four.done("POST", f"/enrolment/employees/{PERSON}/exports", ME))["reference"]
    await all_four.settle()
    answer = await all_four.ask("GET", f"/enrolment/exports/{reference}/archive", GROUP)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:amont:problem:export-is-personal")


async def test_the_partner_s_export_holds_nothing_of_hers_but_her_id_where_the_two_met(all_four: Together) -> None:
    theirs = json.dumps(await services_of(all_four, f"{PARTNER}|participant", PARTNER), ensure_ascii=False)
    assert hits({"theirs": theirs.encode()}, [*NAMES[:3], *NAMES[4:]]) == []
    assert PERSON in theirs


async def test_what_travels_is_sealed_and_nobody_s_names_are_on_any_topic_of_exports(all_four: Together) -> None:
    await exported(all_four, ME)
    for topic in EXPORTS:
        records = await all_four.log.since(topic, 0, 1000)
        assert records
        said = {topic: b"\n".join(one.value or b"" for one in records)}
        assert hits(said, [*NAMES[:3], *NAMES[4:]]) == []
        assert hits(said, [PERSON]) == ([(topic, PERSON)] if topic == "enrolment-exports" else [])


async def test_an_export_that_a_service_has_not_answered_is_not_ready(all_four: Together) -> None:
    asked = await all_four.done("POST", f"/enrolment/employees/{PERSON}/exports", ME)
    assert asked["awaits"] == ["matching", "scheduling", "notifications"]
    answer = await all_four.ask("GET", f"/enrolment/exports/{asked['reference']}/archive", ME)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:amont:problem:export-not-ready")
    await all_four.settle()
    assert (await all_four.done("GET", f"/enrolment/exports/{asked['reference']}", ME))["awaits"] == []


async def test_nobody_else_may_ask(all_four: Together) -> None:
    for who, expected in ((f"{PARTNER}|participant", 404), ("de:coord|coordinator", 404), ("fr:otto|hris", 403)):
        answer = await all_four.ask("POST", f"/enrolment/employees/{PERSON}/exports", who)
        assert answer.status_code == expected, (who, answer.text)
    assert (await all_four.ask("POST", "/enrolment/employees/fr:nobody/exports", GROUP)).status_code == 404


async def test_after_a_week_the_archive_and_its_key_are_gone(tmp_path: Path) -> None:
    async with together(tmp_path) as fresh:
        await lived(fresh)
        reference = (await fresh.done("POST", f"/enrolment/employees/{PERSON}/exports", ME))["reference"]
        await fresh.settle()
        await fresh.passes(KEPT + timedelta(minutes=1))
        assert (await fresh.ask("GET", f"/enrolment/exports/{reference}", ME)).status_code == 404
        for name, service in fresh.services.items():
            kept = await service.unit.house.store.get("exports" if name == "enrolment" else "export_answers", [reference])
            assert hits({name: json.dumps(list(kept.values()), ensure_ascii=False).encode()}, [*NAMES, EMPLOYEE_ID]) == []
            assert not kept[reference].get("secret")


def test_the_page_escapes_what_others_wrote_and_needs_nothing_from_elsewhere() -> None:
    evil = {"enrolment": {"record": [{"job_title": "<script>alert(1)</script>", "<b>": ['"><img src=x>']}]}}

    shown = page("fr:<i>", evil, language="de", private=True, at=datetime(2027, 1, 4, 8, tzinfo=UTC))
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown
    assert 'lang="en"' in shown
    assert "http://" not in shown
    assert "https://" not in shown
