"""Scheduling's JSON over HTTP, as the two of a pair, coordinators and strangers see it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.services.scheduling.scheduling_facts import (
    EVERYBODY,
    MENTEE,
    MENTOR,
    NEXT_THURSDAY,
    OTHER_MENTEE,
    OTHER_PAIR,
    PAIR,
    THURSDAY,
    TUESDAY,
    confirmed,
    utc,
)

from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing, hearing
from amont.common.web import app
from amont.scheduling.api import Choice, PlanView, SessionView, SlotsView
from amont.scheduling.app import build

PLANS = "/api/scheduling/v1/plans"
COORDINATOR, GROUP, AUDITOR = Privilege.COORDINATOR, Privilege.GROUP_COORDINATOR, Privilege.AUDITOR


@pytest.fixture
async def scheduling(tmp_path: Path) -> AsyncIterator[Hearing]:
    """Two pairs of one mentor, each with a first session proposed."""
    async with hearing(build, tmp_path) as service:
        await service.hears(*EVERYBODY, confirmed(), confirmed(pair=OTHER_PAIR, mentee=OTHER_MENTEE))
        yield service


async def get(service: Hearing, path: str, person: str = MENTEE, *privileges: Privilege, status: int = 200) -> Any:
    async with service.client(person, *privileges) as client:
        answer = await client.get(f"{PLANS}{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def post(service: Hearing, path: str, body: Any = None, person: str = MENTEE, *, status: int = 200, **headers: str) -> Any:
    async with service.client(person) as client:
        answer = await client.post(f"{PLANS}{path}", json=body, headers={name.replace("_", "-"): text for name, text in headers.items()})
    assert answer.status_code == status, answer.text
    return answer.json()


async def session_path(service: Hearing, verb: str, pair: str = PAIR) -> str:
    plan = await get(service, f"/{pair}", MENTOR)
    return f"/{pair}/sessions/{plan['sessions'][-1]['id']}/{verb}"


async def test_a_session_from_its_proposal_to_its_completion(scheduling: Hearing) -> None:
    plan = await get(scheduling, f"/{PAIR}")
    assert (plan["pair"], plan["status"], plan["held"], plan["sessions"][0]["status"]) == (PAIR, "active", 0, "proposed")
    assert [option["starts_at"][:16] for option in plan["sessions"][0]["options"]] == [THURSDAY, TUESDAY, NEXT_THURSDAY]

    plan = await post(scheduling, await session_path(scheduling, "schedule"), {"starts_at": "2027-01-07T14:00:00+01:00"})
    assert plan["sessions"][0]["slot"] == {"starts_at": "2027-01-07T13:00:00.000000Z", "ends_at": "2027-01-07T14:00:00.000000Z"}
    assert (plan["sessions"][0]["mentee_local"], plan["sessions"][0]["mentor_local"]) == ("2027-01-07T14:00", "2027-01-07T13:00")

    plan = await post(scheduling, await session_path(scheduling, "reschedule"), {"starts_at": "2027-01-12T09:00:00Z"}, MENTOR)
    assert plan["sessions"][0]["invitation_sequence"] == 1

    refused = await post(scheduling, await session_path(scheduling, "complete"), {}, status=409)
    assert refused["type"] == "urn:amont:problem:session-not-begun"
    await scheduling.passes(utc(TUESDAY) - scheduling.clock.now())
    plan = await post(scheduling, await session_path(scheduling, "complete"), {})
    assert (plan["held"], plan["sessions"][0]["status"], plan["next_proposal_at"]) == (1, "completed", "2027-02-04T09:00:00.000000Z")


async def test_a_session_is_cancelled_with_or_without_a_body(scheduling: Hearing) -> None:
    assert (await post(scheduling, await session_path(scheduling, "cancel")))["sessions"][-1]["status"] == "cancelled"
    await scheduling.settle()
    plan = await post(scheduling, await session_path(scheduling, "cancel"), {})
    assert [session["number"] for session in plan["sessions"]] == [1, 1]


async def test_the_two_see_what_both_can_make(scheduling: Hearing) -> None:
    answer = await get(scheduling, f"/{PAIR}/slots?from=2027-01-05T00:00:00Z&until=2027-01-06T00:00:00Z", MENTOR)
    assert [slot["starts_at"][11:16] for slot in answer["slots"]] == ["09:00", "09:30", "10:00"]
    assert len((await get(scheduling, f"/{PAIR}/slots?limit=2"))["slots"]) == 2
    assert len((await get(scheduling, f"/{PAIR}/slots"))["slots"]) > 2


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("until=2027-01-04T08:00:00Z", "query:/until"),
        ("until=2027-05-01T08:00:00Z", "query:/until"),
        ("from=2027-02-04T08:00:00Z&until=2027-02-01T08:00:00Z", "query:/until"),
        ("from=9999-12-31T08:00:00Z", "query:/from"),
        ("from=2027-01-05T08:00:00", "query:/from"),
        ("limit=201", "query:/limit"),
    ],
)
async def test_slots_are_not_looked_for_just_anywhere(scheduling: Hearing, query: str, pointer: str) -> None:
    refused = await get(scheduling, f"/{PAIR}/slots?{query}", status=422)
    assert [fault["pointer"] for fault in refused["errors"]] == [pointer]


async def test_free_hours_are_not_for_coordinators(scheduling: Hearing) -> None:
    assert (await get(scheduling, f"/{PAIR}/slots", "fr:e1", COORDINATOR, status=403))["type"] == "urn:amont:problem:not-allowed"


@pytest.mark.parametrize("stranger", [OTHER_MENTEE, "fr:e1", "us:e1"])
async def test_somebody_elses_plan_does_not_exist(scheduling: Hearing, stranger: str) -> None:
    for path in (f"/{PAIR}", f"/{PAIR}/slots"):
        assert (await get(scheduling, path, stranger, status=404))["detail"] == "There is no plan 'pair-1' here."
    for verb in ("schedule", "reschedule"):
        await post(scheduling, await session_path(scheduling, verb), {"starts_at": f"{THURSDAY}:00Z"}, stranger, status=404)
    for verb in ("cancel", "complete"):
        await post(scheduling, await session_path(scheduling, verb), {}, stranger, status=404)


async def test_a_coordinator_of_another_subsidiary_sees_nothing(scheduling: Hearing) -> None:
    await get(scheduling, f"/{PAIR}", "de:e1", COORDINATOR, status=404)
    assert (await get(scheduling, "", "us:e1", COORDINATOR))["items"] == []


@pytest.mark.parametrize(
    ("query", "who", "privileges", "seen"),
    [
        ("", MENTEE, (), [PAIR]),
        ("", MENTOR, (), [PAIR, OTHER_PAIR]),
        ("", "fr:e1", (), []),
        (f"?person={MENTOR}", MENTOR, (), [PAIR, OTHER_PAIR]),
        ("?programme=digital", OTHER_MENTEE, (), [OTHER_PAIR]),
        ("?programme=inclusion", MENTOR, (), []),
        ("?programme=digital", "fr:e1", (COORDINATOR,), [PAIR]),
        ("?programme=digital", "uk:e1", (COORDINATOR,), [PAIR, OTHER_PAIR]),
        (f"?person={OTHER_MENTEE}", "de:e1", (COORDINATOR,), [OTHER_PAIR]),
        ("?programme=digital", "hq:e1", (GROUP,), [PAIR, OTHER_PAIR]),
        (f"?person={MENTEE}&programme=digital", "hq:e1", (GROUP,), [PAIR]),
    ],
)
async def test_everybody_lists_what_they_may_see(
    scheduling: Hearing, query: str, who: str, privileges: tuple[Privilege, ...], seen: list[str]
) -> None:
    assert [plan["pair"] for plan in (await get(scheduling, query, who, *privileges))["items"]] == seen


async def test_other_peoples_plans_are_not_listed(scheduling: Hearing) -> None:
    await get(scheduling, f"?person={MENTOR}", MENTEE, status=404)
    await get(scheduling, f"?person={MENTEE}", "de:e1", COORDINATOR, status=404)
    await get(scheduling, "", "hq:e1", AUDITOR, status=403)


async def test_a_list_comes_in_pages(scheduling: Hearing) -> None:
    first = await get(scheduling, "?limit=1", MENTOR)
    assert [plan["pair"] for plan in first["items"]] == [PAIR]
    second = await get(scheduling, first["next"].removeprefix(PLANS), MENTOR)
    assert [plan["pair"] for plan in second["items"]] == [OTHER_PAIR]


@pytest.mark.parametrize("verb", ["schedule", "reschedule", "cancel", "complete"])
async def test_an_unknown_field_is_refused_by_name(scheduling: Hearing, verb: str) -> None:
    body = {"starts_at": f"{THURSDAY}:00Z"} if verb.endswith("schedule") else {}
    refused = await post(scheduling, await session_path(scheduling, verb), {**body, "notes": "what we said"}, status=422)
    assert refused["errors"] == [{"pointer": "/notes", "detail": "there is no such field"}]


async def test_a_time_without_an_offset_is_refused(scheduling: Hearing) -> None:
    refused = await post(scheduling, await session_path(scheduling, "schedule"), {"starts_at": "2027-01-07T13:00:00"}, status=422)
    assert [fault["pointer"] for fault in refused["errors"]] == ["/starts_at"]


@pytest.mark.parametrize("starts_at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1969-01-01T00:00:00Z"])
async def test_no_instant_is_too_strange_to_be_refused_politely(scheduling: Hearing, starts_at: str) -> None:
    await post(scheduling, await session_path(scheduling, "schedule"), {"starts_at": starts_at}, status=422)
    plan = f"/{PAIR}/slots?from={starts_at.replace('+', '%2B')}"
    await get(scheduling, plan, status=422 if starts_at.startswith("9999") else 200)


async def test_a_time_that_does_not_suit_both_says_where_the_fault_is(scheduling: Hearing) -> None:
    refused = await post(scheduling, await session_path(scheduling, "schedule"), {"starts_at": "2027-01-08T13:00:00Z"}, status=422)
    assert refused["type"] == "urn:amont:problem:slot-refused"
    assert refused["errors"] == [{"pointer": "/starts_at", "detail": "it is not a time that both can make"}]


async def test_the_other_pair_cannot_take_the_mentors_time(scheduling: Hearing) -> None:
    await post(scheduling, await session_path(scheduling, "schedule"), {"starts_at": f"{THURSDAY}:00Z"})
    path = await session_path(scheduling, "schedule", OTHER_PAIR)
    refused = await post(scheduling, path, {"starts_at": f"{THURSDAY}:00Z"}, OTHER_MENTEE, status=409)
    assert refused["type"] == "urn:amont:problem:slot-taken"


@pytest.mark.parametrize("verb", ["schedule", "reschedule", "cancel", "complete"])
async def test_a_stale_decision_is_answered_with_the_current_version(scheduling: Hearing, verb: str) -> None:
    body = {"starts_at": f"{THURSDAY}:00Z"} if verb.endswith("schedule") else {}
    current = (await get(scheduling, f"/{PAIR}"))["version"]
    refused = await post(scheduling, await session_path(scheduling, verb), body, status=409, If_Match=f'"{current - 1}"')
    assert (refused["type"], refused["current_version"]) == ("urn:amont:problem:stale-version", current)


async def test_the_etag_is_the_version_that_the_next_decision_names(scheduling: Hearing) -> None:
    async with scheduling.client(MENTEE) as client:
        read = await client.get(f"{PLANS}/{PAIR}")
        assert read.headers["ETag"] == f'"{read.json()["version"]}"'
        path = f"{PLANS}{await session_path(scheduling, 'schedule')}"
        booked = await client.post(path, json={"starts_at": f"{THURSDAY}:00Z"}, headers={"If-Match": read.headers["ETag"]})
        assert (booked.status_code, booked.json()["version"]) == (200, read.json()["version"] + 1)
        assert booked.headers["ETag"] == f'"{booked.json()["version"]}"'


async def test_the_same_request_twice_books_once(scheduling: Hearing) -> None:
    await scheduling.said()
    path = await session_path(scheduling, "schedule")
    once = await post(scheduling, path, {"starts_at": f"{THURSDAY}:00Z"}, Idempotency_Key="k1")
    again = await post(scheduling, path, {"starts_at": f"{THURSDAY}:00Z"}, Idempotency_Key="k1")
    assert again == once
    assert len(await scheduling.said()) == 1


async def test_nothing_of_a_session_but_its_time_is_kept_or_shown(scheduling: Hearing) -> None:
    await scheduling.passes(timedelta(days=1))
    view = (await get(scheduling, f"/{PAIR}"))["sessions"][0]
    assert set(view) == set(SessionView.model_fields)
    assert not {"notes", "feedback", "topics", "content", "cancelled_by"} & set(view)


@pytest.mark.parametrize("view", [PlanView, SessionView, SlotsView, Choice])
def test_the_examples_in_the_documentation_are_valid(view: Any) -> None:
    for example in view.model_config["json_schema_extra"]["examples"]:
        assert set(view.model_validate(example).model_dump(mode="json")) == set(example)


def test_every_route_says_what_it_does_and_what_it_may_refuse(scheduling: Hearing) -> None:
    paths = app([scheduling.service], title="test").openapi()["paths"]
    ours = {path: verbs for path, verbs in paths.items() if path.startswith(PLANS)}
    assert {verb for verbs in ours.values() for verb in verbs} == {"get", "post"}
    assert len(ours) == 7
    for verbs in ours.values():
        for operation in verbs.values():
            assert operation["description"]
            assert {"200", "403", "404", "422"} <= set(operation["responses"])
