"""What all four services keep two years after everything has ended: nothing that says who met whom, and nobody who decided anything."""

import json
from datetime import timedelta
from pathlib import Path

from tests.privacy.planted import GROUP, PERSON, files_under, hits, lived
from tests.privacy.test_leavers_are_let_go import documents
from tests.support.together import together

from amont.common.events.topics import TOPICS
from amont.common.kept import DECISIONS_KEPT, HISTORY_KEPT
from amont.common.log import Record
from amont.common.testing.simulation.world import FURTHEST

MINUTE = timedelta(minutes=1)
COORDINATOR = GROUP.partition("|")[0]
HERSELF = {
    "enrolment/employees",
    "matching/people",
    "matching/enrolments",
    "scheduling/people",
    "scheduling/enrolments",
    "notifications/recipients",
}
"""What is kept of somebody while they work here."""


async def test_two_years_on_nothing_says_who_met_whom_and_a_year_on_nobody_who_decided_what(tmp_path: Path) -> None:
    async with together(tmp_path) as all_four:
        story = await lived(all_four)
        before = await documents(all_four)
        for programme in ("one", "two", "three", "four"):
            await all_four.done("POST", f"/enrolment/programmes/{programme}/close", GROUP, {"why": "a test"})
        await all_four.done("POST", f"/matching/pairs/{story.pair}/end", f"{PERSON}|participant")
        for _ in range(3):
            await all_four.passes(MINUTE)
        await all_four.passes(DECISIONS_KEPT)
        for _ in range(3):
            await all_four.passes(timedelta(hours=1))
        a_year_on = await documents(all_four)
        await all_four.passes(HISTORY_KEPT - DECISIONS_KEPT)
        for _ in range(9):
            await all_four.passes(timedelta(hours=1))
        after = await documents(all_four)
        told = [
            record
            for topic in TOPICS
            if topic.startswith(("matching", "scheduling"))
            for record in await all_four.log.since(topic, 0, 100_000)
        ]
        await all_four.hears(Record(topic=one.topic, key=one.key.decode(), value=one.value, headers=one.headers) for one in told)
        again = await documents(all_four)
        mails = files_under(all_four.mails)

    def naming(found: dict[str, dict[str, list[dict[str, object]]]], who: str) -> set[str]:
        return {
            f"{service}/{collection}"
            for service, collections in found.items()
            for collection, every in collections.items()
            if hits({"": json.dumps(every, ensure_ascii=False).encode()}, [who])
        }

    assert naming(before, COORDINATOR) >= {
        "enrolment/programmes",
        "enrolment/feed_tokens",
        "matching/rounds",
        "matching/rulings",
        "matching/programmes",
    }
    assert naming(a_year_on, COORDINATOR) == set()
    assert naming(before, PERSON) >= HERSELF | {"matching/pairs", "matching/round_pages", "scheduling/plans", "notifications/deliveries"}
    assert naming(after, PERSON) == HERSELF | {"enrolment/scim_users", "enrolment/seats", "matching/rulings"}, (
        "whom she is forbidden to stays so"
    )
    for found in (after, again):
        assert [found["matching"]["pairs"], found["scheduling"]["plans"], found["notifications"]["deliveries"]] == [[], [], []]
    assert mails == {}


def test_no_storm_lasts_until_something_goes_that_a_replay_of_its_log_would_bring_back() -> None:
    assert min(HISTORY_KEPT, DECISIONS_KEPT) > FURTHEST
