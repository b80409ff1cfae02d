"""Matching over HTTP: who sees what, what is refused and how, and what never leaves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.services.matching.matching_facts import (
    ERIC,
    EVE,
    JIM,
    JULE,
    PROGRAMME,
    Office,
    a_confirmed_pair,
    a_proposal,
    accept,
    finish,
    solve,
)

from amont.common.events.values import EndReason, PairStatus, SuspendReason
from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing

API = "/api/matching/v1"
ENGLISH = {"kind": "language", "opens": 1, "half_hours": 0, "window": "", "language": "en"}
GROUP, LOCAL = Privilege.GROUP_COORDINATOR, Privilege.COORDINATOR


async def test_a_round_from_request_to_published_pairs(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(),
        *office.mentee(EVE),
        *office.mentor(JIM),
        *office.mentor(JULE, topics={"ai": 1}),
        *office.mentor("de:far", languages=()),
    )
    async with matching.client("fr:anne", GROUP) as anne:
        asked = await anne.post(f"{API}/programmes/{PROGRAMME}/rounds", json={"seed": "spring"})
        body = asked.json()
        assert (asked.status_code, asked.headers["ETag"], body["status"], body["kind"]) == (202, '"1"', "requested", "full")
        assert (asked.headers["Location"], body["answer"]) == (f"{API}/rounds/{body['id']}", None)
        early = await anne.get(f"{asked.headers['Location']}/pairs")
        assert (early.status_code, early.json()["type"]) == (409, "urn:amont:problem:no-answer")
        await matching.settle()
        solved = (await anne.get(asked.headers["Location"])).json()
        assert (solved["status"], solved["progress"]) == ("solved", None)
        assert solved["answer"]["objective"] == {"pairs": 1, "worst": 900, "total": 900}
        [pair] = (await anne.get(f"{API}/rounds/{body['id']}/pairs")).json()["items"]
        unmatched = (await anne.get(f"{API}/rounds/{body['id']}/unmatched")).json()["items"]
        assert pair["points"] == {"topics": 600, "function": 120, "hours": 60, "grade_gap": 40, "meeting": 80}
        assert (pair["score"], pair["next_best"]) == (900, {"mentor": JULE, "score": 500})
        jule = {"person": JULE, "role": "mentor", "removed": {}, "left": 1, "change": None}
        far = {"person": "de:far", "role": "mentor", "removed": {"shared_language": 1}, "left": 0, "change": ENGLISH}
        assert {
            **jule,
            "words": [
                "1 mentee was possible, and is in another pair: but for pairs decided beforehand, no exchange makes the whole better"
            ],
        } in unmatched
        words = ["1 mentee has no language in common", "no mentee was left", "speaking English would open 1 candidate"]
        assert {**far, "words": words} in unmatched

        publishing = await anne.post(f"{API}/rounds/{body['id']}/publish", json={})
        assert (publishing.status_code, publishing.json()["publishing"], publishing.json()["status"]) == (202, True, "solved")
        assert (await anne.get(f"{API}/rounds/{body['id']}")).json()["publishing"] is True
        await finish(matching)
        published = (await anne.get(f"{API}/rounds/{body['id']}")).json()
        assert (published["status"], published["publishing"], published["made"], published["published_by"]) == (
            "published",
            False,
            1,
            "fr:anne",
        )

        listed = (await anne.get(f"{API}/programmes/{PROGRAMME}/rounds")).json()
        assert [one["id"] for one in listed["items"]] == [body["id"]]
        assert listed["items"][0]["answer"]["pairs"] == 1


async def test_both_say_yes(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    async with matching.client(EVE) as eve, matching.client(JIM) as jim:
        early = await jim.post(f"{API}/pairs/{pair.id}/accept")
        assert (early.status_code, early.json()["type"]) == (404, "urn:amont:problem:not-found")
        seen = await eve.get(f"{API}/pairs/{pair.id}")
        assert (seen.json()["waits_for"], seen.headers["ETag"]) == ("mentee", '"1"')
        accepted = await eve.post(f"{API}/pairs/{pair.id}/accept", headers={"If-Match": seen.headers["ETag"]})
        assert (accepted.status_code, accepted.json()["status"], accepted.headers["ETag"]) == (200, "accepted", '"2"')
        stale = await jim.post(f"{API}/pairs/{pair.id}/accept", headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["type"], stale.json()["current_version"]) == (409, "urn:amont:problem:stale-version", 2)
        confirmed = await jim.post(f"{API}/pairs/{pair.id}/accept")
        assert (confirmed.json()["status"], confirmed.json()["accepted_by"]) == ("confirmed", ["mentee", "mentor"])


async def test_nobody_is_scored_and_a_private_reason_is_never_given_back(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    async with matching.client(EVE) as eve, matching.client(JIM) as jim, matching.client("fr:anne", GROUP) as anne:
        answers = [await eve.post(f"{API}/pairs/{pair.id}/decline", json={"reason": "an old quarrel"})]
        answers += [await who.get(f"{API}/pairs/{pair.id}") for who in (eve, anne)]
        answers += [await who.get(f"{API}/pairs") for who in (eve, jim, anne)]
    for answer in answers:
        assert answer.status_code == 200
        assert "quarrel" not in answer.text
        assert "score" not in answer.text
    assert answers[0].json()["accepted_by"] == []
    assert answers[0].json()["ended"] == "declined"


async def test_everybody_sees_their_own_pairs_only(matching: Hearing, office: Office) -> None:
    everybody = (*office.mentee(EVE), *office.mentee(ERIC), *office.mentor(JIM), *office.mentor(JULE))
    await matching.hears(office.programme(), *everybody)
    async with matching.client("fr:anne", GROUP) as anne:
        round_ = await solve(matching)
        await anne.post(f"{API}/rounds/{round_.id}/publish", json={})
        await finish(matching)
        both = (await anne.get(f"{API}/pairs", params={"programme": PROGRAMME})).json()["items"]
        assert len(both) == 2
        first = (await anne.get(f"{API}/pairs", params={"limit": 1})).json()
        second = (await anne.get(first["next"])).json()
        assert [one["id"] for one in (*first["items"], *second["items"])] == sorted(one["id"] for one in both)
        assert len((await anne.get(f"{API}/pairs", params={"person": EVE})).json()["items"]) == 1
        assert (await anne.get(f"{API}/pairs", params={"programme": "other"})).json()["items"] == []
    [eves] = [one for one in both if one["mentee"] == EVE]
    [erics] = [one for one in both if one["mentee"] == ERIC]
    async with matching.client(EVE) as eve:
        assert [one["id"] for one in (await eve.get(f"{API}/pairs")).json()["items"]] == [eves["id"]]
        assert (await eve.get(f"{API}/pairs", params={"person": ERIC})).json()["items"] == []
        assert (await eve.get(f"{API}/pairs/{erics['id']}")).status_code == 404
    for tenant, seen in (("fr", 2), ("de", 2), ("it", 0)):
        async with matching.client(f"{tenant}:coordinator", LOCAL) as coordinator:
            assert len((await coordinator.get(f"{API}/pairs")).json()["items"]) == seen
            assert (await coordinator.get(f"{API}/pairs/{eves['id']}")).status_code == (200 if seen else 404)
    async with matching.client("fr:machine", Privilege.HRIS) as machine:
        assert (await machine.get(f"{API}/pairs")).status_code == 403


@pytest.mark.parametrize("path", ["publish", "discard"])
async def test_another_tenants_round_does_not_exist(matching: Hearing, office: Office, path: str) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    async with matching.client("it:aldo", LOCAL) as aldo, matching.client("fr:anne", LOCAL) as anne:
        for who, status in ((aldo, 404), (anne, 403)):
            assert (await who.post(f"{API}/programmes/{PROGRAMME}/rounds", json={})).status_code == status
            assert (await who.get(f"{API}/programmes/{PROGRAMME}/rounds")).status_code == status
            assert (await who.get(f"{API}/rounds/{round_.id}")).status_code == status
            assert (await who.post(f"{API}/rounds/{round_.id}/{path}", json={})).status_code == status


async def test_a_coordinator_alone_in_a_programme_runs_it(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(tenants=("fr",)))
    async with matching.client("fr:anne", LOCAL) as anne:
        solved = await anne.post(f"{API}/programmes/{PROGRAMME}/rounds", json={})
        assert solved.status_code == 202
        assert (await anne.post(f"{API}/rounds/{solved.json()['id']}/discard")).json()["status"] == "discarded"


async def test_unknown_fields_and_wrong_values_are_refused_with_their_place(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    async with matching.client("fr:anne", GROUP) as anne, matching.client(EVE) as eve:
        refused = await anne.post(f"{API}/programmes/{PROGRAMME}/rounds", json={"sede": "x"})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/sede")
        blank = await anne.post(f"{API}/rounds/{pair.round}/publish", json={"override_reason": "  "})
        assert (blank.status_code, blank.json()["errors"][0]["pointer"]) == (422, "/override_reason")
        stray = await eve.post(f"{API}/pairs/{pair.id}/decline", json={"why": "x"})
        assert (stray.status_code, stray.json()["errors"][0]["pointer"]) == (422, "/why")
        assert (await anne.get(f"{API}/rounds/nowhere")).status_code == 404


async def test_a_body_that_says_nothing_may_be_left_out(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    async with matching.client("fr:anne", GROUP) as anne, matching.client(EVE) as eve:
        assert (await eve.post(f"{API}/pairs/{pair.id}/decline")).status_code == 200
        solved = await anne.post(f"{API}/programmes/{PROGRAMME}/rounds")
        await matching.settle()
        assert (await anne.post(f"{API}/rounds/{solved.json()['id']}/publish")).status_code == 202


async def test_the_guard_answers_with_its_figures(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(min_matched_percent=50), *office.mentee(EVE, languages=()), *office.mentor(JIM))
    round_ = await solve(matching)
    async with matching.client("fr:anne", GROUP) as anne:
        guarded = await anne.post(f"{API}/rounds/{round_.id}/publish", json={})
        assert (guarded.status_code, guarded.json()["type"]) == (409, "urn:amont:problem:below-matched-share")
        assert (guarded.json()["matched_percent"], guarded.json()["min_matched_percent"]) == (0, 50)
        overridden = await anne.post(f"{API}/rounds/{round_.id}/publish", json={"override_reason": "A test."})
        assert overridden.status_code == 202


async def test_a_participant_ends_their_pair(matching: Hearing, office: Office) -> None:
    pair = await a_confirmed_pair(matching, office)
    async with matching.client(JIM) as jim:
        ended = await jim.post(f"{API}/pairs/{pair.id}/end")
        assert (ended.status_code, ended.json()["status"], ended.json()["ended"]) == (200, "ended", "other")
        again = await jim.post(f"{API}/pairs/{pair.id}/end")
        assert (again.status_code, again.json()["type"]) == (409, "urn:amont:problem:pair-not-open")


async def seen_by(matching: Hearing, person: str, pair: str) -> list[dict[str, Any]]:
    """What a participant sees of a pair, alone and in their list: both, or neither."""
    async with matching.client(person) as one:
        single, listed = await one.get(f"{API}/pairs/{pair}"), (await one.get(f"{API}/pairs")).json()["items"]
    if not listed:
        assert (single.status_code, single.json()["type"]) == (404, "urn:amont:problem:not-found")
        return []
    assert listed == [single.json()]
    return [single.json()]


async def test_a_mentor_who_was_not_asked_yet_can_neither_see_nor_touch_the_pair(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    assert await seen_by(matching, JIM, pair.id) == []
    async with matching.client(JIM) as jim:
        for verb in ("accept", "decline", "end"):
            for headers in ({}, {"If-Match": '"9"'}):
                answer = await jim.post(f"{API}/pairs/{pair.id}/{verb}", headers=headers)
                assert (answer.status_code, answer.json()["type"]) == (404, "urn:amont:problem:not-found")
        assert (await jim.get(f"{API}/pairs", params={"person": JIM, "programme": PROGRAMME})).json()["items"] == []
    await accept(matching, pair, EVE)
    [asked] = await seen_by(matching, JIM, pair.id)
    assert (asked["status"], asked["accepted_by"], asked["waits_for"]) == ("accepted", ["mentee"], "mentor")


@pytest.mark.parametrize("end", ["decline", "expire", "end", "leave"])
async def test_a_mentor_never_hears_of_a_pair_that_was_over_before_the_mentees_yes(matching: Hearing, office: Office, end: str) -> None:
    pair = await a_proposal(matching, office)
    async with matching.client(EVE) as eve, matching.client("de:anna", LOCAL) as anna:
        match end:
            case "expire":
                await matching.passes(timedelta(days=8))
            case "leave":
                await matching.hears(office.left(EVE))
            case _:
                assert (await eve.post(f"{API}/pairs/{pair.id}/{end}")).status_code == 200
        assert await seen_by(matching, JIM, pair.id) == []
        [seen] = await seen_by(matching, EVE, pair.id)
        assert (seen["status"], seen["accepted_by"]) == ("ended", [])
        assert seen["ended"] == {"decline": "declined", "expire": "expired"}.get(end, "other")
        whole = (await anna.get(f"{API}/pairs/{pair.id}")).json()
        assert whole["ended"] == {"decline": "declined", "expire": "expired", "end": "no-fault", "leave": "left"}[end]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (EndReason.COMPLETED, "completed"),
        (EndReason.DECLINED, "declined"),
        (EndReason.EXPIRED, "expired"),
        (EndReason.LINE_CONFLICT, "line-of-management"),
        (EndReason.RULE_BROKEN, "other"),
        (EndReason.NO_FAULT, "other"),
        (EndReason.WITHDRAWN, "other"),
        (EndReason.LEFT, "other"),
    ],
)
async def test_the_two_read_of_an_end_what_their_mails_say_and_a_coordinator_why(
    matching: Hearing, office: Office, reason: EndReason, said: str
) -> None:
    pair = await a_confirmed_pair(matching, office)
    await matching.given(replace(pair, status=PairStatus.ENDED, ended=reason, ended_at=matching.clock.now()))
    for person in (EVE, JIM):
        [seen] = await seen_by(matching, person, pair.id)
        assert (seen["ended"], seen["accepted_by"]) == (said, [])
    async with matching.client("fr:anne", LOCAL) as anne:
        whole = (await anne.get(f"{API}/pairs/{pair.id}")).json()
    assert (whole["ended"], whole["accepted_by"]) == (reason.value, ["mentee", "mentor"])


@pytest.mark.parametrize(
    ("reason", "said"),
    [(SuspendReason.ON_LEAVE, "leave"), (SuspendReason.LINE_CONFLICT, "line-of-management"), (SuspendReason.RULE_BROKEN, "other")],
)
async def test_the_two_read_of_a_rest_what_their_mails_say(matching: Hearing, office: Office, reason: SuspendReason, said: str) -> None:
    pair = await a_confirmed_pair(matching, office)
    await matching.given(replace(pair, status=PairStatus.SUSPENDED, suspended=reason))
    for person in (EVE, JIM):
        [seen] = await seen_by(matching, person, pair.id)
        assert (seen["suspended"], seen["accepted_by"]) == (said, ["mentee", "mentor"])
    async with matching.client("fr:anne", LOCAL) as anne:
        assert (await anne.get(f"{API}/pairs/{pair.id}")).json()["suspended"] == reason.value
