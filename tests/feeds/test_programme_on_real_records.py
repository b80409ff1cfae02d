"""A programme across the 114 subsidiaries of a real feed, up to held sessions: the lower bands mentor the upper ones, who enrols is drawn with a seed."""

import json
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support import feeds as real
from tests.support.together import Together, together

FEED, SEED, SEATS = "uk_organograms_2013", 2013, 60
GROUP = "group:ada|group-coordinator"
TOPICS = ("ai", "data", "cyber", "social-media")
POLICY = {"mentee_min_band": 16, "mentor_max_band": 15, "min_grade_gap": 1, "mentor_min_months": 0, "sessions": 1}
WINDOWS = ("mon 09:00-12:00", "tue 13:00-17:00", "wed 09:30-11:30", "thu 14:00-18:00", "fri 09:00-12:30")


async def the_group_joins(all_four: Together, folder: Path) -> list[dict[str, Any]]:
    """Everybody in the feed who is an employee now."""
    tables = real.grades(folder, FEED)
    assert len(tables) == 114
    for tenant, table in tables.items():
        body = {"name": tenant, "zone": "Europe/London", "languages": ["en"], "grades": table}
        await all_four.done("PUT", f"/enrolment/subsidiaries/{tenant}", GROUP, body)
    await all_four.hears(real.records(folder, FEED))
    people: list[dict[str, Any]] = []
    for tenant in tables:
        people += await all_four.every(f"/enrolment/employees?tenant={tenant}&limit=200", GROUP)
    return people


async def enrol(all_four: Together, people: list[dict[str, Any]]) -> Counter[int]:
    """Sixty a side, and some who may not; what the API answered."""
    chance = random.Random(SEED)
    upper = sorted(one["person"] for one in people if one["profile"]["band"] >= 16)
    lower = sorted(one["person"] for one in people if one["profile"]["band"] <= 15)
    chosen = [(person, "mentee") for person in chance.sample(upper, SEATS)] + [(person, "mentor") for person in chance.sample(lower, SEATS)]
    chosen += [(person, "mentee") for person in chance.sample(lower, 5)]
    answers: Counter[int] = Counter()
    for person, role in chosen:
        form = {
            "programme": "civil-service",
            "role": role,
            "topics": {topic: chance.randint(1, 3) for topic in chance.sample(TOPICS, 2)},
            "availability": chance.sample(WINDOWS, 3),
            "meeting": "remote",
            "charter_accepted": True,
        }
        answers[(await all_four.ask("POST", "/enrolment/enrolments", person, form)).status_code] += 1
    await all_four.settle()
    return answers


async def test_a_programme_runs_across_the_subsidiaries_of_a_real_feed(feeds: Path, tmp_path: Path) -> None:
    async with together(tmp_path) as all_four:
        people = await the_group_joins(all_four, feeds)
        programme = {"programme": "civil-service", "name": "Reverse mentoring", "topics": list(TOPICS), "policy": POLICY}
        tenants = sorted({one["tenant"] for one in people})
        await all_four.done("POST", "/enrolment/programmes", GROUP, {**programme, "tenants": tenants})
        await all_four.done("POST", "/enrolment/programmes/civil-service/open", GROUP)
        answers = await enrol(all_four, people)
        assert answers == {201: 2 * SEATS, 422: 5}

        solved = await all_four.done("POST", "/matching/programmes/civil-service/rounds", GROUP, {"seed": "real"})
        await all_four.settle()
        path = f"/matching/rounds/{solved['id']}"
        made = len(await all_four.every(f"{path}/pairs?limit=200", GROUP))
        assert made >= SEATS * 3 // 4
        assert made + len([one for one in await all_four.every(f"{path}/unmatched?limit=200", GROUP) if one["role"] == "mentee"]) == SEATS
        objective = (await all_four.done("GET", path, GROUP))["answer"]["objective"]
        await all_four.done("POST", f"/matching/rounds/{solved['id']}/publish", GROUP, {})
        for _ in range(5):
            await all_four.passes(timedelta(seconds=2))

        for side in ("mentee", "mentor"):
            for pair in await all_four.every("/matching/pairs?programme=civil-service&limit=200", GROUP):
                await all_four.done("POST", f"/matching/pairs/{pair['id']}/accept", pair[side])
        await all_four.settle()

        for _ in range(10):
            plans = await all_four.every("/scheduling/plans?programme=civil-service&limit=200", GROUP)
            for plan in plans:
                await hold(all_four, plan)
            await all_four.passes(timedelta(days=3))
            if plans and all(plan["status"] == "over" for plan in plans):
                break
        plans = await all_four.every("/scheduling/plans?programme=civil-service&limit=200", GROUP)
        assert len(plans) == made
        assert {plan["held"] for plan in plans} == {1}
        pairs = await all_four.every("/matching/pairs?programme=civil-service&limit=200", GROUP)
        assert {pair["status"] for pair in pairs} == {"ended"}
        parked = Counter(
            dict(one.headers)["amont_dlq_reason"].decode() for one in await all_four.log.read("observer", "dlq-enrolment", 10_000)
        )
        print(json.dumps({"people": len(people), "pairs": made, "objective": objective, "parked": parked}))
        assert parked == {"unknown-grade": 4}


async def hold(all_four: Together, plan: dict[str, Any]) -> None:
    """Choose a time for what is proposed, complete what has been held."""
    for session in plan["sessions"]:
        path = f"/scheduling/plans/{plan['pair']}/sessions/{session['id']}"
        if session["status"] == "proposed":
            slots = (await all_four.done("GET", f"/scheduling/plans/{plan['pair']}/slots", plan["mentee"]))["slots"]
            await all_four.done("POST", f"{path}/schedule", plan["mentee"], {"starts_at": slots[0]["starts_at"]})
        elif session["status"] == "scheduled" and session["slot"]["ends_at"] <= all_four.clock.now().isoformat().replace("+00:00", "Z"):
            await all_four.done("POST", f"{path}/complete", plan["mentor"])
