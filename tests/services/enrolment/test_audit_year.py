"""Who decided what, and why, is known for a year. After that a decision stays where something needs it, in nobody's name, and goes where nothing does."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.services.enrolment.asking import API, coordinator, good, group
from tests.services.enrolment.staffing import COORDINATOR, LEA, fr, left, recorded, settled

from amont.common.kept import DECISIONS_KEPT
from amont.common.metrics import RETENTION
from amont.common.testing.hearing import Hearing, hearing, record_of
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.invitation import Invitations

SECOND = timedelta(seconds=1)
HALF = DECISIONS_KEPT / 2
FEED = f"{API}/subsidiaries/fr"


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        yield await settled(one)


def counted() -> float:
    return RETENTION.labels("decisions")._value.get()


async def test_a_programme_s_changes_and_its_charter_stay_in_nobody_s_name(enrolment: Hearing) -> None:
    before = counted()
    new = {"programme": "new", "name": "New", "tenants": ["fr"], "topics": ["ai"], "policy": {"sessions": 4}, "why": "a trial"}
    async with coordinator(enrolment) as client:
        good(await client.post(f"{API}/programmes", json=new))
        good(await client.put(f"{API}/programmes/new/charter", json={"texts": {"en": "Voluntary."}, "why": "agreed"}))
        await enrolment.passes(HALF)
        good(await client.patch(f"{API}/programmes/new", json={"policy": {"sessions": 5}, "why": "longer"}))

        async def known() -> tuple[list[tuple[str | None, str | None]], tuple[str | None, str | None, str]]:
            history = good(await client.get(f"{API}/programmes/new/history"))
            charter = good(await client.get(f"{API}/programmes/new/charter"))
            return [(one["by"], one["why"]) for one in history], (charter["by"], charter["why"], charter["text"])

        await enrolment.passes(HALF - SECOND)
        me = "fr:coord"
        assert await known() == ([(me, "a trial"), (me, "longer")], (me, "agreed", "Voluntary."))
        await enrolment.passes(SECOND)
        assert await known() == ([(None, None), (me, "longer")], (None, None, "Voluntary."))
        await enrolment.passes(HALF)
        assert await known() == ([(None, None), (None, None)], (None, None, "Voluntary."))
        policy = good(await client.get(f"{API}/programmes/new/policies/1"))
    assert (policy["policy"]["sessions"], policy["revision"]["by"]) == (4, None)
    assert counted() == before + 3


async def test_of_what_was_decided_about_a_feed_the_newest_word_goes_on_to_count_and_the_others_go(enrolment: Hearing) -> None:
    await enrolment.given(fr(leaver_share=0))
    await enrolment.passes(timedelta(hours=2))
    await enrolment.hears(record_of(left("lea", at=enrolment.clock.now(), wrote=enrolment.clock.now())))
    for decide in (commands.drop_leavers, commands.pause_feed, commands.resume_feed, commands.pause_feed):
        await enrolment.asked(decide, "fr", COORDINATOR, "a test")
        await enrolment.passes(SECOND)
    await enrolment.passes(HALF)
    async with coordinator(enrolment) as client:
        assert [one["verb"] for one in good(await client.get(f"{FEED}/feed"))["decisions"]] == ["drop", "pause", "resume", "pause"]
        await enrolment.passes(HALF)
        state = good(await client.get(f"{FEED}/feed"))
        assert [(one["verb"], one["by"], one["why"]) for one in state["decisions"]] == [("drop", None, None), ("pause", None, None)]
        assert (state["paused"]["by"], state["settling"]) == (None, False)
        await enrolment.hears(recorded("tom"))
        assert good(await client.get(f"{FEED}/feed"))["people_with_held_records"] == 1, "it is paused as before"
        assert [(one["by"]) for one in good(await client.post(f"{FEED}/resume", json={"why": "done"}))["decisions"]] == [
            None,
            None,
            "fr:coord",
        ]
        await enrolment.passes(SECOND)
        assert good(await client.get(f"{FEED}/feed"))["people_with_held_records"] == 0


async def test_a_token_goes_on_to_open_the_door_and_a_revoked_one_is_listed_no_more(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        made = [good(await client.post(f"{FEED}/tokens", json={})) for _ in range(2)]
        good(await client.post(f"{FEED}/tokens/{made[1]['id']}/revoke"))
        await enrolment.passes(DECISIONS_KEPT - SECOND)
        assert [one["made_by"] for one in good(await client.get(f"{FEED}/tokens"))["items"]] == ["fr:boss", "fr:boss"]
        await enrolment.passes(SECOND)
        assert [(one["id"], one["made_by"]) for one in good(await client.get(f"{FEED}/tokens"))["items"]] == [(made[0]["id"], None)]
    async with enrolment.client("nobody") as door:
        door.headers["Authorization"] = f"Bearer {made[0]['token']}"
        assert (await door.get("/scim/fr/v2/Users")).status_code == 200


async def test_that_somebody_was_invited_stays_and_who_invited_them_does_not(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("lea", at=enrolment.clock.now(), email="lea@example.org"))
    async with coordinator(enrolment) as client:
        good(await client.post(f"{API}/programmes/digital/invitations", json={"people": [LEA]}))
        assert [one.by for one in (await enrolment.look(Invitations, LEA)).sent] == ["fr:coord"]
        await enrolment.passes(DECISIONS_KEPT)
        again = good(await client.post(f"{API}/programmes/digital/invitations", json={"people": [LEA]}))
    after = await enrolment.look(Invitations, LEA)
    assert ([(one.by, one.number) for one in after.sent], after.due_at) == ([(None, 1)], None)
    assert [one["outcome"] for one in again["items"]] == ["invited-before"]
