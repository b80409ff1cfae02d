"""Four processes under SIGKILL at random moments, under load: nothing lost, nothing applied twice, order kept; and redeliveries were seen.

Each staff record of a person changes one field to its own number, so that the end state and the events said can be counted: a person with n records
must have said n `EmployeeChanged` with `seq` 1 to n, each reader must know the last one, and nobody may have applied any of them twice. Meanwhile a
round is published and people answer, so that pairs, plans and mails are made under the kills as well. The seed is printed; set AMONT_CHAOS_SEED to
play it again.
"""

import asyncio
import json
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from tests.support.house import House
from tests.support.programme import GRADES, GROUP, PROGRAMME, ZONES, staff
from tests.support.programme import TOPICS as SUBJECTS

from amont.common.events.topics import SERVICES, TOPICS
from amont.common.log.sqlite import SqliteLog
from amont.native.stack import Stack, available, speed_up

KILLS = int(os.environ.get("AMONT_CHAOS_KILLS", "30"))
VERSIONS, PEOPLE = 12, 260
"""3,120 staff records."""


def version_of(person: int, version: int) -> Any:
    """The record that says `version` of a person; the first mentees and mentors keep what the rules look at."""
    tenant = tuple(ZONES)[person % 3]
    grade = "D" if person < 40 else "J"
    day = f"2024-01-{version:02d}"
    return staff(tenant, person, grade=grade, function=f"f{version}", effective_at=day, occurred_at=f"{day}T08:00:00Z")


def person_id(person: int) -> str:
    return f"{tuple(ZONES)[person % 3]}:e{person}"


@asynccontextmanager
async def house(footing: str, folder: Path) -> AsyncIterator[House]:
    environment = {"AMONT_TEST_LOGS": "INFO", "AMONT_TEST_TICK": "0.2", "AMONT_TEST_SEED": ""}
    if footing == "sqlite":
        url = f"sqlite://{folder}/data?sync=normal"
        made = House(folder, log_url=url, store_url=url, frozen=False, environment=environment)
        try:
            yield await made.start()
        finally:
            await made.stop()
        return
    if reason := available():
        pytest.skip(reason)
    with Stack() as stack:
        made = House(folder, log_url=stack.kafka.url, store_url=stack.store.url, frozen=False, environment=environment)
        for service, collections in (await made.collections()).items():
            speed_up(stack.store.url, f"amont_{service}", collections)
        try:
            yield await made.start()
        finally:
            await made.stop()


class People:
    """What people do over HTTP while processes die: they try again, as people do."""

    def __init__(self, made: House) -> None:
        self.house = made

    async def ask(self, method: str, service: str, path: str, who: tuple[str, ...], body: Any = None, *, key: str = "") -> httpx.Response:
        """Until there is an answer that is not about being away."""
        deadline = time.monotonic() + 120
        while True:
            try:
                async with self.house.client(service, *who) as client:
                    answer = await client.request(method, path, json=body, headers={"Idempotency-Key": key} if key else {})
                if answer.status_code != 503:
                    return answer
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, f"{method} {path} never answered"
            await asyncio.sleep(0.1)

    async def prepare(self) -> None:
        """Subsidiaries, the first record of everybody, a programme, forty enrolments."""
        for tenant, zone in ZONES.items():
            body = {"name": tenant, "zone": zone, "languages": ["en"], "grades": GRADES}
            assert (await self.ask("PUT", "enrolment", f"/subsidiaries/{tenant}", GROUP, body)).is_success
        await self.house.append(version_of(person, 1) for person in range(PEOPLE))
        await self.house.settled()
        programme = {"programme": PROGRAMME, "name": "Digital", "tenants": list(ZONES), "topics": list(SUBJECTS), "policy": {"sessions": 1}}
        assert (await self.ask("POST", "enrolment", "/programmes", GROUP, programme)).is_success
        assert (await self.ask("POST", "enrolment", f"/programmes/{PROGRAMME}/open", GROUP, {})).is_success
        for person in range(20, 60):
            form = {
                "programme": PROGRAMME,
                "role": "mentee" if person < 40 else "mentor",
                "topics": {"ai": 3, "data": 1 + person % 3},
                "availability": ["mon 09:00-12:00", "wed 14:00-18:00"],
                "meeting": "remote",
                "charter_accepted": True,
            }
            answer = await self.ask("POST", "enrolment", "/enrolments", (person_id(person),), form)
            assert answer.is_success, answer.text
        await self.house.settled()

    async def answer_everything(self) -> None:
        """A round is solved and published; mentees, then mentors, say yes as soon as they are asked."""
        solved = (await self.ask("POST", "matching", f"/programmes/{PROGRAMME}/rounds", GROUP, {"seed": "chaos"}, key="round")).json()
        answer = await self.ask("POST", "matching", f"/rounds/{solved['id']}/publish", GROUP, {})
        assert answer.is_success or "not-open" in answer.text, answer.text
        deadline = time.monotonic() + 200
        while True:
            pairs = (await self.ask("GET", "matching", f"/pairs?programme={PROGRAMME}&limit=200", GROUP)).json()["items"]
            if pairs and all(pair["status"] == "confirmed" for pair in pairs):
                return
            for pair in pairs:
                whose = {"proposed": pair["mentee"], "accepted": pair["mentor"]}.get(pair["status"])
                if whose:
                    answer = await self.ask("POST", "matching", f"/pairs/{pair['id']}/accept", (whose,))
                    assert answer.status_code in {200, 409}, answer.text
            assert time.monotonic() < deadline, f"still {Counter(pair['status'] for pair in pairs)}"
            await asyncio.sleep(0.2)


async def emit(made: House, done: asyncio.Event) -> None:
    """The other versions of everybody, in small bursts, everybody's in order."""
    records = [version_of(person, version) for version in range(2, VERSIONS + 1) for person in range(PEOPLE)]
    for start in range(0, len(records), 40):
        await made.append(records[start : start + 40])
        await asyncio.sleep(0 if done.is_set() else 0.4)


async def kill(made: House, chance: random.Random, done: asyncio.Event) -> Counter[str]:
    """Kill one that is ready, at a random moment, start it again, thirty times."""
    killed: Counter[str] = Counter()
    for _ in range(KILLS):
        victim = chance.choice(SERVICES)
        await made.is_ready(victim)
        await asyncio.sleep(chance.uniform(0.0, 0.7))
        made.kill(victim)
        killed[victim] += 1
        made.launch(victim)
    done.set()
    return killed


async def everything_on(made: House, topic: str) -> list[tuple[str, dict[str, str], Any]]:
    """(key, headers, body) of every record of a topic; in order within a key."""
    if isinstance(made.log, SqliteLog):
        records = [(one.key, one.headers, one.value) for one in await made.log.read("chaos-observer", topic, 1_000_000)]
    else:
        records = await _kafka_records(made.log_url.removeprefix("kafka://"), topic)
    return [(key.decode(), {name: value.decode() for name, value in headers}, json.loads(value)) for key, headers, value in records]


async def _kafka_records(bootstrap: str, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(4)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            batches = await consumer.getmany(timeout_ms=500)
            found += [(record.key, record.headers, record.value) for batch in batches.values() for record in batch]
        return found
    finally:
        await consumer.stop()


def in_order_and_whole(records: list[tuple[str, dict[str, str], Any]]) -> tuple[int, int]:
    """Each aggregate's events, at their first appearance, are numbered 1, 2, 3, … without a gap; returns (events, repetitions)."""
    first: dict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for _, headers, body in records:
        if headers["ce_id"] not in seen:
            seen.add(headers["ce_id"])
            first[headers["ce_subject"]].append(body["seq"])
    wrong = {subject: seqs for subject, seqs in first.items() if seqs != sorted(seqs)}
    assert not wrong, f"out of order: {list(wrong.items())[:3]}"
    return len(seen), len(records) - len(seen)


@pytest.mark.parametrize("footing", ["sqlite", "kafka"])
async def test_thirty_kills_lose_nothing_and_repeat_nothing(footing: str, tmp_path: Path) -> None:
    seed = os.environ.get("AMONT_CHAOS_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"\nAMONT_CHAOS_SEED={seed} footing={footing}")
    async with house(footing, tmp_path) as made:
        people = People(made)
        await people.prepare()
        done = asyncio.Event()
        killed, _, _ = await asyncio.gather(kill(made, random.Random(seed), done), emit(made, done), people.answer_everything())
        await made.ready()
        await made.settled(180)
        figures = await check(made)
        figures |= {"kills": sum(killed.values()), "killed": dict(killed), "ignored": ignored(made)}
        print(json.dumps(figures, indent=1))
        assert sum(killed.values()) == KILLS
        assert figures["repeated on the log"] + figures["ignored"] > 0, "no redelivery was seen: the kills did not hit anything"


def ignored(made: House) -> int:
    """Saves that readers dropped because they had applied the event before, as far as logs tell."""
    return sum(int(count) for count in re.findall(r'"saves": (\d+)[^}]*"event": "events_ignored"', made.said()))


async def check(made: House) -> dict[str, Any]:
    """Every promise, by the store and the log alone."""
    last = f"f{VERSIONS}"
    employees = {one["_id"]: one for one in await made.everything("enrolment", "employees")}
    assert len(employees) == PEOPLE
    assert {one["last"]["profile"]["function"] for one in employees.values()} == {last}, "a staff record was lost"

    changed = await everything_on(made, "enrolment-employees")
    by_person: dict[str, list[str]] = defaultdict(list)
    known: set[str] = set()
    for key, headers, body in changed:
        if headers["ce_id"] not in known:
            known.add(headers["ce_id"])
            by_person[key].append(body["function"])
    expected = [f"f{version}" for version in range(1, VERSIONS + 1)]
    wrong = {key: said for key, said in by_person.items() if said != expected}
    assert not wrong, f"lost, twice or out of order: {list(wrong.items())[:3]}"

    events = repeated = 0
    for topic in TOPICS.values():
        if topic.types and topic.name != "hris-staff":
            new, again = in_order_and_whole(await everything_on(made, topic.name))
            events, repeated = events + new, repeated + again

    for service, collection in (("matching", "people"), ("notifications", "recipients")):
        copies = await made.everything(service, collection)
        assert {one["_id"]: one["function"] for one in copies} == dict.fromkeys(employees, last), f"{service} missed a fact"

    pairs = await made.everything("matching", "pairs")
    seats = Counter(person for pair in pairs for person in (pair["mentee"], pair["mentor"]))
    assert pairs
    assert max(seats.values()) == 1, "somebody has two pairs"
    plans = await made.everything("scheduling", "plans")
    assert {plan["_id"] for plan in plans} == {pair["_id"] for pair in pairs}
    deliveries = await made.everything("notifications", "deliveries")
    claimed = [one for one in deliveries if one["status"] == "sending"]  # killed between claim and send: taken up again when the lease ends
    assert all(one["due_at"] for one in claimed)
    assert {one["status"] for one in deliveries} <= {"sent", "sending"}
    assert len(deliveries) - len(claimed) <= len(list(made.mails.glob("*.eml"))) <= len(deliveries)
    assert Counter((one["person"], one["kind"], one["about"]) for one in deliveries).most_common(1)[0][1] == 1
    for name, collections in (await made.collections()).items():
        for collection in collections:
            assert not [one["_id"] for one in await made.everything(name, collection) if one.get("_out")], (
                f"{name}/{collection} holds unsaid events"
            )
    letters = [body for service in SERVICES for body in await everything_on(made, f"dlq-{service}")]
    assert not letters
    return {
        "staff records": PEOPLE * VERSIONS,
        "events": events,
        "repeated on the log": repeated,
        "pairs": len(pairs),
        "plans": len(plans),
        "mails": len(deliveries),
        "mails whose lease still runs": len(claimed),
    }
