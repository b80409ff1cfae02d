"""What all four services keep of a leaver once their time is over: ids where others have a part in it, nothing of what they told; and the log says the same."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.privacy.planted import GROUP, PARTNER, PERSON, hits, lived
from tests.support.programme import record
from tests.support.together import Together, together

from amont.common import hosting
from amont.common.documents import Find
from amont.common.events import StaffLeft
from amont.common.events.topics import TOPICS
from amont.common.testing.promises import PROJECTIONS
from amont.common.testing.replay import replay
from amont.notifications.sending import FolderSender, MailSender

LEAVING = {"tenant": "de", "employee_id": "e1", "effective_at": "2027-02-01", "occurred_at": "2027-02-01T08:00:00Z"}


async def documents(all_four: Together) -> dict[str, dict[str, list[dict[str, Any]]]]:
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, service in all_four.services.items():
        house = service.unit.house
        every = house.collections.values()
        found[name] = {one.name: list(await house.store.find(Find(collection=one.name, limit=10_000))) for one in every}
    return found


async def test_a_month_after_leaving_nothing_is_kept_but_ids_where_others_have_a_part(tmp_path: Path) -> None:
    async with together(tmp_path) as all_four:
        story = await lived(all_four)
        await all_four.hears([record(StaffLeft, LEAVING)])
        await all_four.done("POST", "/enrolment/subsidiaries/de/held/release", GROUP, {"why": "a test"})
        await all_four.passes(timedelta(minutes=1))
        await all_four.passes(timedelta(days=29))
        before = await documents(all_four)
        await all_four.passes(timedelta(days=2))
        await all_four.passes(timedelta(minutes=1))
        after = await documents(all_four)
        log = {topic: await all_four.log.since(topic, 0, 100_000) for topic in TOPICS}
        again = await replay(log, hosting.service_builders(), given=after, tools={MailSender: FolderSender(tmp_path / "again")})

    def of(found: Any, service: str, collection: str, person: str = PARTNER) -> list[dict[str, Any]]:
        return [one for one in found[service].get(collection, ()) if person in {one["_id"], one.get("person")}]

    (enrolment,) = of(before, "matching", "enrolments")
    assert enrolment["topics"] == {"ai": 3}
    (enrolment,) = of(after, "matching", "enrolments")
    assert (enrolment["topics"], enrolment["languages"], enrolment["availability"]) == ({}, [], [])
    (place,) = of(after, "matching", "people")
    assert (place["status"], place["band"], place["site"], place["managers"]) == ("left", 0, "", [])
    assert [one["zone"] for one in of(after, "scheduling", "people")] == [None]
    assert [one["availability"] for one in of(after, "scheduling", "enrolments")] == [[]]
    assert [one["enrolments"] for one in of(after, "enrolment", "employees")] == [[]]
    assert hits({"stores": json.dumps(after, ensure_ascii=False).encode()}, ["e1@de.example"]) == []
    (pair,) = [one for one in after["matching"]["pairs"] if one["_id"] == story.pair]
    assert (pair["mentee"], pair["mentor"], pair["status"]) == (PERSON, PARTNER, "ended")
    copies = [(service, collection, of_it) for (service, collection), of_it in PROJECTIONS.items() if service != "enrolment"]
    for service, collection, copy in copies:
        kept, replayed = ([copy.of(one) for one in of(which, service, collection)] for which in (after, again))
        assert kept == replayed, (service, collection)
