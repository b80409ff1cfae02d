"""Inviting many at once: who would be invited and who not, each once, nobody too often, and only by whom they are to be invited."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.services.enrolment.asking import API, coordinator, good, group, pointers, problem
from tests.services.enrolment.staffing import BOB, FORM, LEA, left, programme, recorded, settled

from amont.common.events import EmployeeInvited, StaffRecorded
from amont.common.events.values import ProgrammeStatus, Role
from amont.common.testing.hearing import Hearing, hearing
from amont.enrolment.app import build
from amont.enrolment.domain.invitation import MAX_LATELY, MAX_NUMBER, REMIND_AFTER

INVITATIONS = f"{API}/programmes/digital/invitations"
PREVIEW = f"{INVITATIONS}/preview"


def with_mail(employee: str, **more: Any) -> StaffRecorded:
    return recorded(employee, **{"email": f"{employee}@example.org", **more})


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    """Juniors lea, tom and ann, director bob, all with an address; mute has none."""
    async with hearing(build, tmp_path) as one:
        await settled(one)
        later = one.clock.now()
        await one.hears(with_mail("lea", at=later), with_mail("bob", at=later, grade="DIR"), recorded("mute"))
        await one.hears(with_mail("tom", site="Lyon", function="data"), with_mail("ann", site="Paris", function="data", grade="C2"))
        await one.said()
        yield one


def outcomes(answer: httpx.Response) -> dict[str, str]:
    return {one["person"]: one["outcome"] for one in good(answer)["items"]}


async def test_a_preview_says_who_would_be_invited_and_who_not_and_why(enrolment: Hearing) -> None:
    async with enrolment.client("fr:tom") as client:
        good(await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM}))
    await enrolment.said()
    named = [LEA, "TOM@example.org", BOB, "fr:mute", "fr:ghost", "nobody@example.org"]
    async with coordinator(enrolment) as client:
        shown = await client.post(PREVIEW, json={"people": named, "role": "mentor"})
    assert outcomes(shown) == {
        LEA: "invite",
        "fr:tom": "takes-part",
        BOB: "not-eligible",
        "fr:mute": "no-address",
        "fr:ghost": "unknown",
        "nobody@example.org": "unknown",
    }
    reasons = {one["person"]: [reason["code"] for reason in one["reasons"]] for one in good(shown)["items"]}
    assert reasons[BOB] == ["band-too-high"]
    assert await enrolment.said() == []


async def test_each_is_invited_once_to_the_role_that_they_may_take(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        first = await client.post(INVITATIONS, json={"people": [LEA, BOB, LEA, "lea@example.org"]})
        assert first.status_code == 202
        assert outcomes(first) == {LEA: "invite", BOB: "invite"}
        again = await client.post(INVITATIONS, json={"people": [LEA, BOB]})
    assert [(one["outcome"], one["role"], one["number"]) for one in good(again)["items"]] == [
        ("invited-before", "mentor", 1),
        ("invited-before", "mentee", 1),
    ]
    said = [one for one in await enrolment.said() if isinstance(one, EmployeeInvited)]
    assert [(one.person, one.role, one.number) for one in said] == [(LEA, Role.MENTOR, 1), (BOB, Role.MENTEE, 1)]


async def test_the_same_request_again_comes_to_the_same_and_sends_nothing_more(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        for _ in range(2):
            answer = await client.post(INVITATIONS, json={"people": [LEA]}, headers={"Idempotency-Key": "k"})
            assert outcomes(answer) == {LEA: "invite"}
    assert len(await enrolment.said()) == 1


async def test_a_reminder_waits_a_week_and_two_are_the_most(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        body = {"people": [LEA], "remind": True}
        assert outcomes(await client.post(INVITATIONS, json=body)) == {LEA: "invite"}
        assert outcomes(await client.post(INVITATIONS, json=body)) == {LEA: "too-soon"}
        for _ in range(MAX_NUMBER - 1):
            enrolment.clock.advance(REMIND_AFTER)
            assert outcomes(await client.post(INVITATIONS, json=body)) == {LEA: "remind"}
        enrolment.clock.advance(timedelta(days=60))
        assert outcomes(await client.post(INVITATIONS, json=body)) == {LEA: "invited-before"}
    assert [one.number for one in await enrolment.said() if isinstance(one, EmployeeInvited)] == [1, 2, 3]


async def test_nobody_is_flooded_by_many_programmes(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        for number in range(MAX_LATELY + 1):
            await enrolment.given(programme(id=f"p{number}", tenants=("fr",)))
            answer = await client.post(f"{API}/programmes/p{number}/invitations", json={"people": [LEA]})
            assert outcomes(answer) == {LEA: "invite" if number < MAX_LATELY else "too-many"}
        enrolment.clock.advance(timedelta(days=31))
        assert outcomes(await client.post(f"{API}/programmes/p{MAX_LATELY}/invitations", json={"people": [LEA]})) == {LEA: "invite"}


async def test_whoever_withdrew_is_left_alone_and_who_has_left_is_not_there(enrolment: Hearing) -> None:
    async with enrolment.client(LEA) as client:
        held = good(await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM}))
        good(await client.post(f"{API}/enrolments/{held['enrolment']}/withdraw", json={"reason": "my own affair"}))
    await enrolment.hears(left("tom", at=enrolment.clock.now()))
    async with coordinator(enrolment) as client:
        shown = await client.post(PREVIEW, json={"people": [LEA, "fr:tom"], "role": "mentor", "remind": True})
        assert outcomes(shown) == {LEA: "left-alone", "fr:tom": "not-eligible"}
        assert "my own affair" not in shown.text


async def test_a_filter_is_gone_through_page_by_page(enrolment: Hearing) -> None:
    async with coordinator(enrolment) as client:
        page, found, pages = f"{INVITATIONS}?limit=2", {}, 0
        while page:
            answer = await client.post(page, json={"where": {"functions": ["data"], "bands": [1, 6]}, "role": "mentor"})
            found |= outcomes(answer)
            page, pages = good(answer)["next"], pages + 1
        assert found == {"fr:ann": "invite", "fr:tom": "invite"}
        assert pages == 3
        shown = await client.post(PREVIEW, json={"where": {"sites": ["Lyon"], "tenants": ["fr"]}})
        assert outcomes(shown) == {"fr:tom": "invited-before"}
        assert outcomes(await client.post(PREVIEW, json={"where": {"bands": [14, 20]}})) == {BOB: "invite"}
        assert outcomes(await client.post(PREVIEW, json={"where": {"business_units": ["retail"]}})) == {}


async def test_a_coordinator_invites_their_own_people_only_and_a_participant_nobody(enrolment: Hearing) -> None:
    async with coordinator(enrolment, "de") as client:
        assert outcomes(await client.post(INVITATIONS, json={"people": [LEA, "lea@example.org"]})) == {
            LEA: "unknown",
            "lea@example.org": "unknown",
        }
        assert outcomes(await client.post(INVITATIONS, json={"where": {}})) == {}
        strangers = await client.post(INVITATIONS, json={"where": {"tenants": ["de", "fr", "xx"]}})
        assert pointers(strangers) == ["/where/tenants/1", "/where/tenants/2"]
    async with enrolment.client(LEA) as client:
        problem(await client.post(PREVIEW, json={"people": [LEA]}), 403, "not-allowed")
    async with coordinator(enrolment, "es") as client:
        problem(await client.post(PREVIEW, json={"people": [LEA]}), 404, "not-found")
    assert await enrolment.said() == []


async def test_a_draft_invites_nobody_and_too_many_names_are_refused(enrolment: Hearing) -> None:
    await enrolment.given(programme(status=ProgrammeStatus.DRAFT))
    async with group(enrolment) as client:
        shown = good(await client.post(INVITATIONS, json={"people": [LEA]}))["items"]
        assert {reason["code"] for reason in shown[0]["reasons"]} == {"programme-not-open", "band-too-low"}
        many = await client.post(INVITATIONS, json={"people": [f"fr:e{number}" for number in range(201)]})
        assert pointers(many) == ["/people"]
        assert pointers(await client.post(INVITATIONS, json={})) == [""]
        assert pointers(await client.post(INVITATIONS, json={"people": [], "where": {}})) == [""]
