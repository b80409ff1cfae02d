"""Programmes from template to closing: who changed what and why, the policy of each version, whom a change would shut out, and the charter."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.enrolment.asking import API, coordinator, good, group, pointers, problem
from tests.services.enrolment.staffing import BOB, FORM, LEA, programme, recorded, settled

from amont.common.events import Policy, RoundPublished
from amont.common.events.values import ProgrammeStatus
from amont.common.identity import Privilege
from amont.common.testing.hearing import START, Hearing, hearing
from amont.enrolment.app import build
from amont.enrolment.domain.charter import MAX_TEXT, Charter
from amont.enrolment.domain.history import Stamp
from amont.enrolment.domain.programme import MAX_REVISIONS, Programme
from amont.enrolment.domain.templates import TEMPLATES

DOCS = Path(__file__).parents[3] / "docs"
DIGITAL = f"{API}/programmes/digital"
TEXTS = {"fr": "La participation est volontaire.", "en": "Taking part is voluntary."}
STAMP = Stamp(by="fr:boss", at=START, why="because")


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        yield await settled(one)


async def enrolled(enrolment: Hearing, person: str, role: str, **more: Any) -> dict[str, Any]:
    async with enrolment.client(person) as client:
        body: dict[str, Any] = good(await client.post(f"{API}/enrolments", json={"programme": "digital", "role": role, **FORM, **more}))
        return body


async def test_a_programme_s_history_says_who_changed_what_when_and_why(enrolment: Hearing) -> None:
    new = {"programme": "new", "name": "New", "tenants": ["fr"], "topics": ["ai"], "why": "a trial"}
    async with coordinator(enrolment) as client:
        good(await client.post(f"{API}/programmes", json=new))
        enrolment.clock.advance(timedelta(days=1))
        good(await client.post(f"{API}/programmes/new/open", json={"why": "agreed"}))
        good(await client.patch(f"{API}/programmes/new", json={"topics": ["ai", "data"], "policy": {"sessions": 4}, "why": "  shorter "}))
        same = await client.patch(f"{API}/programmes/new", json={"topics": ["ai", "data"], "why": "again"})
        assert same.json()["version"] == 3
    await enrolment.hears(published("new", by="group:ada"))
    async with coordinator(enrolment) as client:
        good(await client.post(f"{API}/programmes/new/close"))
        history = good(await client.get(f"{API}/programmes/new/history"))
    assert [(one["number"], one["by"], one["why"], one["policy_version"], one["changed"]) for one in history] == [
        (1, "fr:coord", "a trial", 1, {}),
        (2, "fr:coord", "agreed", 1, {"/status": {"before": "draft", "after": "open"}}),
        (
            3,
            "fr:coord",
            "shorter",
            2,
            {"/policy/sessions": {"before": 6, "after": 4}, "/topics": {"before": ["ai"], "after": ["ai", "data"]}},
        ),
        (4, "group:ada", None, 2, {"/status": {"before": "open", "after": "running"}}),
        (5, "fr:coord", None, 2, {"/status": {"before": "running", "after": "closed"}}),
    ]
    assert history[0]["at"] < history[1]["at"]
    async with coordinator(enrolment, "de") as client:
        problem(await client.get(f"{API}/programmes/new/history"), 404, "not-found")
        problem(await client.get(f"{API}/programmes/new/policies/1"), 404, "not-found")


def published(name: str, *, by: str) -> RoundPublished:
    told = {"kind": "full", "published_at": START, "pairs": 1, "unmatched": 0, "override_reason": None}
    return RoundPublished(seq=1, round="r1", programme=name, published_by=by, **told)


async def test_the_policy_of_an_open_programme_is_changed_for_a_reason(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        for why in ({}, {"why": " "}):
            refused = await client.patch(DIGITAL, json={"policy": {"min_grade_gap": 3}, **why})
            problem(refused, 422, "invalid")
            assert pointers(refused) == ["/why"]
        assert good(await client.patch(DIGITAL, json={"policy": {"min_grade_gap": 3}, "why": "as agreed"}))["policy_version"] == 2
        assert pointers(await client.patch(DIGITAL, json={"why": "nothing else"})) == [""]
        assert pointers(await client.patch(DIGITAL, json={"name": "x", "why": "y" * 501})) == ["/why"]


async def test_a_draft_s_policy_needs_no_reason(enrolment: Hearing) -> None:
    await enrolment.given(programme(status=ProgrammeStatus.DRAFT))
    async with group(enrolment) as client:
        assert good(await client.patch(DIGITAL, json={"policy": {"min_grade_gap": 3}}))["policy_version"] == 2


async def test_each_version_of_a_policy_can_be_read_with_who_made_it(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        for gap in (3, 4):
            good(await client.patch(DIGITAL, json={"policy": {"min_grade_gap": gap}, "why": f"gap {gap}"}))
            good(await client.patch(DIGITAL, json={"name": f"Digital {gap}"}))
        read = [good(await client.get(f"{DIGITAL}/policies/{version}")) for version in (1, 2, 3)]
        assert [one["policy"]["min_grade_gap"] for one in read] == [2, 3, 4]
        assert [one["revision"] and one["revision"]["why"] for one in read] == [None, "gap 3", "gap 4"]
        problem(await client.get(f"{DIGITAL}/policies/4"), 404, "not-found")


policies = st.builds(Policy, min_grade_gap=st.integers(-19, 19), sessions=st.integers(1, 24), both_roles=st.booleans())


@given(st.lists(policies, max_size=12))
def test_undoing_the_history_gives_every_policy_that_there_was(changes: list[Policy]) -> None:
    one, were = programme(), {1: Policy()}
    for policy in changes:
        one = one.edit(name=one.name, tenants=one.tenants, topics=one.topics, policy=policy, known=one.tenants, stamp=STAMP).state
        were[one.policy_version] = policy
    assert {version: one.policy_of(version) for version in were} == were


async def test_a_programme_that_is_changed_without_end_is_refused_and_can_still_be_closed(enrolment: Hearing) -> None:
    one = await enrolment.look(Programme, "digital")
    for number in range(MAX_REVISIONS):
        edited = one.edit(name=str(number), tenants=one.tenants, topics=one.topics, policy=one.policy, known=one.tenants, stamp=STAMP)
        one = edited.state
    await enrolment.given(one)
    async with group(enrolment) as client:
        problem(await client.patch(DIGITAL, json={"name": "once more"}), 409, "too-many-revisions")
        assert good(await client.post(f"{DIGITAL}/close"))["status"] == "closed"


async def test_the_three_templates_are_there_with_their_policy_topics_and_charter(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        listed = good(await client.get(f"{API}/templates"))
    assert [one["template"] for one in listed] == ["digital", "inclusion", "new-ways-of-working"]
    for one in listed:
        assert one["names"].keys() == one["charter"].keys() == {"en", "fr"}
        assert 1 <= len(one["topics"]) <= 8
    async with enrolment.client("fr:ops", Privilege.OPS) as client:
        problem(await client.get(f"{API}/templates"), 403, "not-allowed")


def test_the_page_of_policies_shows_what_the_templates_hold() -> None:
    page = (DOCS / "matching" / "policy.md").read_text(encoding="utf-8")
    shown = {name: json.loads(text) for name, text in re.findall(r"```json template=([a-z-]+)\n(.*?)```", page, re.DOTALL)}
    assert list(shown) == list(TEMPLATES)
    for name, fields in shown.items():
        held = TEMPLATES[name].policy.model_dump(mode="json")
        assert {field: value for field, value in fields.items() if field not in {"amont", "pins_override"}} == {
            field: held[field] for field in fields if field in held
        }


async def test_a_programme_is_made_from_a_template_and_what_is_said_counts_more(enrolment: Hearing) -> None:
    body = {"programme": "inc", "name": "Inclusion", "tenants": ["fr"], "template": "inclusion", "policy": {"sessions": 3}}
    async with coordinator(enrolment) as client:
        made = good(await client.post(f"{API}/programmes", json=body, headers={"Idempotency-Key": "k"}))
        assert good(await client.post(f"{API}/programmes", json=body, headers={"Idempotency-Key": "k"})) == made
        charter = good(await client.get(f"{API}/programmes/inc/charter", params={"language": "fr"}))
        unknown = await client.post(f"{API}/programmes", json={**body, "programme": "x", "template": "golf"})
        bare = await client.post(f"{API}/programmes", json={"programme": "x", "name": "X", "tenants": ["fr"]})
    template = TEMPLATES["inclusion"]
    assert (made["template"], made["topics"], made["status"]) == ("inclusion", list(template.topics), "draft")
    assert Policy(**made["policy"]) == template.policy.model_copy(update={"sessions": 3})
    assert (charter["version"], charter["text"]) == (1, template.charter["fr"])
    assert (pointers(unknown), pointers(bare)) == (["/template"], ["/topics"])


async def test_a_preview_lists_whom_a_change_would_shut_out_with_every_reason(enrolment: Hearing) -> None:
    mentor = await enrolled(enrolment, LEA, "mentor")
    await enrolled(enrolment, BOB, "mentee", availability=["mon 09:00-17:00"], topics={"data": 2})
    change = {"policy": {"mentor_max_band": 4, "min_common_hours": 3}, "topics": ["data"]}
    async with group(enrolment) as client:
        before = good(await client.get(DIGITAL))
        shown = good(await client.post(f"{DIGITAL}/preview", json=change))
        assert good(await client.get(DIGITAL)) == before
        assert good(await client.post(f"{DIGITAL}/preview", json={"name": "Other"}))["items"] == []
        assert pointers(await client.post(f"{DIGITAL}/preview", json={"topics": [], "tenants": ["xx"]})) == ["/tenants/0", "/topics"]
        good(await client.post(f"{DIGITAL}/close"))
        problem(await client.post(f"{DIGITAL}/preview", json=change), 409, "programme-closed")
    [one] = shown["items"]
    assert (one["enrolment"], one["person"], one["role"]) == (mentor["enrolment"], LEA, "mentor")
    assert [reason["code"] for reason in one["reasons"]] == ["band-too-high", "unknown-topic", "too-few-hours"]
    assert shown["next"] is None


async def test_a_preview_tells_nothing_of_who_is_ineligible_already_withdrawn_or_elsewhere(enrolment: Hearing) -> None:
    await enrolled(enrolment, BOB, "mentee")
    mentor = await enrolled(enrolment, LEA, "mentor")
    await enrolment.hears(recorded(at=START, grade="DIR"))  # promoted since: too senior by the policy as it is
    change = {"policy": {"mentor_max_band": 4}}
    async with group(enrolment) as client:
        assert good(await client.post(f"{DIGITAL}/preview", json=change))["items"] == []
    await enrolment.hears(recorded(at=START + timedelta(seconds=1), grade="C1"))
    enrolment.clock.advance(timedelta(minutes=1))
    await enrolment.settle()
    async with coordinator(enrolment) as client:
        assert [one["person"] for one in good(await client.post(f"{DIGITAL}/preview", json=change))["items"]] == [LEA]
    async with coordinator(enrolment, "de") as client:
        assert good(await client.post(f"{DIGITAL}/preview", json=change))["items"] == []
    async with enrolment.client(LEA) as client:
        good(await client.post(f"{API}/enrolments/{mentor['enrolment']}/withdraw"))
    async with group(enrolment) as client:
        assert good(await client.post(f"{DIGITAL}/preview", json=change))["items"] == []


async def test_a_preview_goes_through_everybody_page_by_page(enrolment: Hearing) -> None:
    names = [f"e{number}" for number in range(5)]
    await enrolment.hears(*[recorded(name) for name in names])
    for name in names:
        await enrolled(enrolment, f"fr:{name}", "mentor")
    async with group(enrolment) as client:
        page, found = f"{DIGITAL}/preview?limit=2", []
        while page:
            shown = good(await client.post(page, json={"policy": {"mentor_max_band": 4}}))
            found += [one["person"] for one in shown["items"]]
            page = shown["next"]
    assert found == [f"fr:{name}" for name in names]


async def test_a_charter_is_kept_edition_by_edition_in_its_languages(enrolment: Hearing) -> None:
    charter = f"{DIGITAL}/charter"
    async with enrolment.client(LEA) as client:
        problem(await client.get(charter), 404, "not-found")
        problem(await client.put(charter, json={"texts": TEXTS}), 403, "not-allowed")
    async with group(enrolment) as client:
        first = await client.put(charter, json={"texts": TEXTS, "why": "to begin with"})
        assert (good(first)["version"], first.headers["ETag"]) == (1, '"1"')
        assert good(await client.put(charter, json={"texts": TEXTS}))["version"] == 1
        other = {**TEXTS, "de": "Die Teilnahme ist freiwillig."}
        stale = await client.put(charter, json={"texts": other}, headers={"If-Match": '"0"'})
        assert problem(stale, 409, "stale-version")["current_version"] == 1
        assert good(await client.put(charter, json={"texts": other}, headers={"If-Match": '"1"'}))["version"] == 2
    async with enrolment.client(LEA) as client:
        by_language = {asked: good(await client.get(charter, params={"language": asked})) for asked in ("de", "en-GB", "it")}
        assert {asked: one["language"] for asked, one in by_language.items()} == {"de": "de", "en-GB": "en", "it": "fr"}
        old = good(await client.get(charter, params={"version": 1}))
        assert (old["texts"], old["current"], old["by"], old["why"]) == (TEXTS, False, "fr:boss", "to begin with")
        problem(await client.get(charter, params={"version": 3}), 404, "not-found")


async def test_every_fault_of_a_charter_is_listed_and_a_closed_programme_keeps_its_own(enrolment: Hearing) -> None:
    charter = f"{DIGITAL}/charter"
    async with group(enrolment) as client:
        bad = await client.put(charter, json={"texts": {"French!": "x", "en": " ", "fr": "x" * (MAX_TEXT + 1)}})
        problem(bad, 422, "invalid")
        assert pointers(bad) == ["/texts/French!", "/texts/en", "/texts/fr"]
        assert pointers(await client.put(charter, json={"texts": {}})) == ["/texts"]
        good(await client.post(f"{DIGITAL}/close"))
        problem(await client.put(charter, json={"texts": TEXTS}), 409, "programme-closed")


async def test_editions_together_stay_a_document_of_a_size_that_can_be_read(enrolment: Hearing) -> None:
    one = Charter(id="digital")
    for number in range(50):
        one = one.publish({"en": f"{number:02}" + "x" * (MAX_TEXT - 2)}, STAMP).state
    await enrolment.given(one)
    async with group(enrolment) as client:
        assert pointers(await client.put(f"{DIGITAL}/charter", json={"texts": TEXTS})) == ["/texts"]


async def test_it_is_known_who_signed_which_edition_and_a_new_one_asks_again(enrolment: Hearing) -> None:
    charter = f"{DIGITAL}/charter"
    before = await enrolled(enrolment, BOB, "mentee")
    assert (before["charter_version"], before["charter_to_sign"]) == (0, None)
    async with group(enrolment) as client:
        good(await client.put(charter, json={"texts": TEXTS}))
    mentor = await enrolled(enrolment, LEA, "mentor", charter_version=1)
    assert (mentor["charter_version"], mentor["charter_to_sign"]) == (1, None)
    async with group(enrolment) as client:
        good(await client.put(charter, json={"texts": {"fr": "Autre texte."}}))
    await enrolment.said()
    enrolment.clock.advance(timedelta(days=1))
    where = f"{API}/enrolments/{mentor['enrolment']}"
    async with enrolment.client(LEA) as client:
        asked = good(await client.get(where))
        assert (asked["status"], asked["charter_version"], asked["charter_to_sign"]) == ("enrolled", 1, 2)
        outdated = await client.post(f"{where}/sign", json={"charter_version": 1})
        assert problem(outdated, 422, "not-eligible")["errors"][0]["code"] == "charter-outdated"
        signed = good(await client.post(f"{where}/sign", json={"charter_version": 2}))
        assert good(await client.post(f"{where}/sign", json={"charter_version": 2})) == signed
    assert (signed["charter_version"], signed["charter_to_sign"], signed["version"]) == (2, None, 2)
    assert signed["charter_accepted_at"] > mentor["charter_accepted_at"]
    assert await enrolment.said() == []
    async with group(enrolment) as client:
        problem(await client.post(f"{where}/sign", json={"charter_version": 2}), 403, "charter-is-personal")
        listed = good(await client.get(f"{API}/enrolments", params={"programme": "digital", "charter_version": 0}))["items"]
        assert [(one["person"], one["charter_to_sign"]) for one in listed] == [(BOB, 2)]


async def test_who_was_shown_an_older_edition_is_asked_to_read_the_current_one(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        for text in ("one", "two"):
            good(await client.put(f"{DIGITAL}/charter", json={"texts": {"en": text}}))
    async with enrolment.client(LEA) as client:
        answer = await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM, "charter_version": 1})
        [reason] = problem(answer, 422, "not-eligible")["errors"]
        assert (reason["code"], reason["pointer"]) == ("charter-outdated", "/charter_version")
        assert reason["words"] == {
            "en": "version 2 of the charter is the current one; read it, then accept it",
            "fr": "la version 2 de la charte est celle en vigueur\u00a0; lisez-la, puis acceptez-la",
        }
        taken = good(await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM}))
        assert taken["charter_version"] == 2
        good(await client.post(f"{API}/enrolments/{taken['enrolment']}/withdraw"))
        over = await client.post(f"{API}/enrolments/{taken['enrolment']}/sign", json={"charter_version": 2})
        problem(over, 409, "enrolment-over")
