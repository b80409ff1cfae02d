"""Four processes under SIGKILL, under load: nothing lost, nothing applied twice, order kept; and redeliveries were seen.

Every other kill comes from outside at a random moment; the others a process does to itself at a chosen point (between a save and its events, between
its events and the note of them, between a batch and its positions), since on an idle machine random moments hit nothing.

Each staff record of a person changes one field to its own number, so that the end state and the events said can be counted: a person with n records
must have said n `EmployeeChanged` with `seq` 1 to n, each reader must know the last one, and nobody may have applied any of them twice. Meanwhile a
round is published and people answer, so that pairs, plans and mails are made under the kills as well; mails go to an SMTP server in this process,
which no kill reaches. One record in a hundred is poison and must end as a dead letter. The seed is printed; set AMONT_CHAOS_SEED to play it again.
"""

import asyncio
import json
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as Post
from tests.support.house import House, free_port, until
from tests.support.programme import GRADES, GROUP, PROGRAMME, ZONES, staff
from tests.support.programme import TOPICS as SUBJECTS

from amont.common.events import StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.events.topics import SERVICES, TOPICS, dead_letters_of
from amont.common.log import Record
from amont.common.log.sqlite import SqliteLog
from amont.common.testing.dying import POINTS, read_ledger
from amont.common.testing.hearing import START
from amont.native.stack import Stack, available, speed_up
from amont.notifications.domain.delivery import LEASE

KILLS = int(os.environ.get("AMONT_CHAOS_KILLS", "30"))
VERSIONS, PEOPLE = 12, 260
"""3,120 staff records."""
POISON_EVERY = 100
SENDS_AT_ONCE = 8
"""How many mails one process of notifications hands over at a time, so how many one kill can cause to be sent again."""
ANSWER_SECONDS = 0.4
"""How long the mail server thinks before it says that it took a mail."""

OWNERS = {
    "enrolment-subsidiaries": ("enrolment", "subsidiaries", "subsidiary"),
    "enrolment-employees": ("enrolment", "employees", "person"),
    "enrolment-enrolments": ("enrolment", "employees", "person"),
    "enrolment-programmes": ("enrolment", "programmes", "programme"),
    "matching-rounds": ("matching", "rounds", "round"),
    "matching-pairs": ("matching", "pairs", "pair"),
    "scheduling-sessions": ("scheduling", "plans", "pair"),
    "notifications-deliveries": ("notifications", "deliveries", "delivery"),
}
"""Whose `seq` numbers a topic's events: service, collection, and the field that names the document. An employee owns its enrolments."""


def version_of(person: int, version: int) -> Any:
    """The record that says `version` of a person; the first mentees and mentors keep what the rules look at."""
    tenant = tuple(ZONES)[person % 3]
    grade = "D" if person < 40 else "J"
    day = f"2024-01-{version:02d}"
    return staff(tenant, person, grade=grade, function=f"f{version}", effective_at=day, occurred_at=f"{day}T08:00:00Z")


def person_id(person: int) -> str:
    return f"{tuple(ZONES)[person % 3]}:e{person}"


def poison(number: int) -> tuple[Record, str]:
    """A record that nobody can take, and why: bytes cut off or not text under a key in use, or a grade that the table does not have."""
    good = version_of(number % PEOPLE, VERSIONS)
    match number % 3:
        case 0:
            return replace(good, value=b"\xff\xfe\x00" + str(number).encode(), headers=_headers(number, good.key)), "invalid-payload"
        case 1:
            return replace(good, value=(good.value or b"")[:-9], headers=_headers(number, good.key)), "invalid-payload"
        case _:
            nobody = staff("fr", 9000 + number, grade="not-a-grade")
            return replace(nobody, headers=_headers(number, nobody.key)), "unknown-grade"


def _headers(number: int, key: str) -> Any:
    return Envelope(id=f"poison-{number}", type=StaffRecorded.type_name(), source="/hris", subject=key, time=START).headers()


POISON = [poison(number) for number in range(-(-PEOPLE * VERSIONS // POISON_EVERY))]


class Postbox:
    """The mail server: notes the Message-ID of what it takes, and answers a little later, so that a kill can fall in between."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.last = 0.0

    async def handle_DATA(self, _server: SMTP, _session: Session, post: Post) -> str:  # noqa: N802 - the name is aiosmtpd's
        self.received[message_from_bytes(post.content or b"")["Message-ID"]] += 1  # type: ignore[arg-type]  # bytes unless asked otherwise
        self.last = time.monotonic()
        await asyncio.sleep(ANSWER_SECONDS)
        return "250 taken"


@asynccontextmanager
async def house(footing: str, folder: Path, mail_port: int) -> AsyncIterator[House]:
    environment = {
        "AMONT_TEST_LOGS": "INFO",
        "AMONT_TEST_TICK": "0.2",
        "AMONT_TEST_SEED": "",
        "AMONT_MAIL_URL": f"smtp://127.0.0.1:{mail_port}",
    }
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


class Campaign:
    """Kills, and the records of everybody in step with them: each kill begins by letting its share out, so that it finds somebody at work."""

    def __init__(self, made: House, chance: random.Random, postbox: Postbox) -> None:
        self._house, self._chance, self._postbox = made, chance, postbox
        self._begun = 0
        self.killed: Counter[str] = Counter()

    async def emit(self) -> None:
        """The other versions of everybody, in small bursts, everybody's in order, with poison strewn in."""
        records = [version_of(person, version) for version in range(2, VERSIONS + 1) for person in range(PEOPLE)]
        step = len(records) // len(POISON)
        for number, (bad, _) in enumerate(POISON):
            records.insert(number * (step + 1), bad)
        for start in range(0, len(records), 40):
            while start * KILLS >= len(records) * self._begun:  # noqa: ASYNC110 - a count tells nobody
                await asyncio.sleep(0.05)
            await self._house.append(records[start : start + 40])
            await asyncio.sleep(0.2)

    async def kill(self) -> None:
        """Kill one that is ready and start it again, thirty times, by turns at random and aimed.

        Two are sure to hit: the first while mails are on their way, the second behind a batch of staff records that was saved and not yet committed.
        """
        for number in range(KILLS):
            victim = {0: "notifications", 1: "enrolment"}.get(number) or self._chance.choice(SERVICES)
            await self._house.is_ready(victim)
            self._begun += 1
            if number == 0:
                await until(self._mail_on_its_way, within=150, what="a mail on its way")
                self._house.kill(victim)
            elif number == 1:
                assert await self._house.dies(victim, "after-batch", 1, within=60), "no batch of staff records came"
            elif number % 2 == 0:
                await asyncio.sleep(self._chance.uniform(0.0, 0.7))
                self._house.kill(victim)
            elif not await self._house.dies(victim, self._chance.choice(POINTS), self._chance.randint(1, 3), within=2):
                self._house.kill(victim)
            self.killed[victim] += 1
            self._house.launch(victim)

    async def _mail_on_its_way(self) -> bool:
        return time.monotonic() - self._postbox.last < ANSWER_SECONDS / 2


class Seen(NamedTuple):
    """A record as an observer finds it."""

    key: bytes
    headers: dict[str, str]
    value: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.value)


async def everything_on(made: House, topic: str) -> list[Seen]:
    """Every record of a topic; in order within a key."""
    if isinstance(made.log, SqliteLog):
        records = [(one.key, one.headers, one.value) for one in await made.log.read("chaos-observer", topic, 1_000_000)]
    else:
        records = await _kafka_records(made.log_url.removeprefix("kafka://"), topic)
    return [Seen(key, {name: value.decode() for name, value in headers}, value) for key, headers, value in records]


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


def first_seen(records: Iterable[Seen]) -> list[Seen]:
    """Without repetitions: what comes again under the same id is the same event."""
    found: dict[str, Seen] = {}
    for one in records:
        same = found.setdefault(one.headers["ce_id"], one)
        assert same.value == one.value, f"{one.headers['ce_id']} says two things"
    return list(found.values())


async def in_order_and_whole(made: House) -> tuple[int, int]:
    """Each aggregate's events, at their first appearance, are numbered 1, 2, 3, … up to the `seq` that its document holds.

    Two topics that one aggregate numbers are each in order and whole together; nothing orders one against the other. Returns (events, repetitions).
    """
    assert set(OWNERS) == {topic.name for topic in TOPICS.values() if topic.types and topic.name != "hris-staff"}
    events = repeated = 0
    said: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for topic, (service, collection, field) in OWNERS.items():
        records = await everything_on(made, topic)
        first = first_seen(records)
        events, repeated = events + len(first), repeated + len(records) - len(first)
        here: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for one in first:
            here[service, collection, one.body[field]].append(one.body["seq"])
        wrong = {owner: numbers for owner, numbers in here.items() if numbers != sorted(set(numbers))}
        assert not wrong, f"{topic} out of order: {list(wrong.items())[:3]}"
        for owner, numbers in here.items():
            said[owner] += numbers
    saved = {
        (service, collection, one["_id"]): one["seq"]
        for service, collection in {(service, collection) for service, collection, _ in OWNERS.values()}
        for one in await made.everything(service, collection)
        if one["seq"]
    }
    wrong = {
        owner: (saved.get(owner), said.get(owner))
        for owner in saved.keys() | said.keys()
        if sorted(said.get(owner, ())) != list(range(1, saved.get(owner, 0) + 1))
    }
    assert not wrong, f"saved up to, and said: {list(wrong.items())[:3]}"
    return events, repeated


async def only_poison_is_parked(made: House) -> int:
    """Dead letters are the poison and nothing else, as it came and with its reason; how often one was parked again."""
    for service in SERVICES:
        if service != "enrolment":
            assert not await everything_on(made, dead_letters_of(service)), f"{service} parked something"
    letters = await everything_on(made, dead_letters_of("enrolment"))
    parked = {(one.key, one.value, one.headers["ce_id"], one.headers["amont_dlq_reason"]) for one in letters}
    expected = {(bad.key.encode(), bad.value, f"poison-{number}", reason) for number, (bad, reason) in enumerate(POISON)}
    assert not expected - parked, f"poison that nobody parked: {sorted(one[2] for one in expected - parked)}"
    assert not parked - expected, f"parked, and no poison: {list(parked - expected)[:3]}"
    return len(letters) - len(expected)


@pytest.mark.parametrize("footing", ["sqlite", "kafka"])
async def test_thirty_kills_lose_nothing_and_repeat_nothing(footing: str, tmp_path: Path) -> None:
    seed = os.environ.get("AMONT_CHAOS_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"\nAMONT_CHAOS_SEED={seed} footing={footing}")
    postbox = Postbox()
    mail_server = Controller(postbox, hostname="127.0.0.1", port=free_port())
    mail_server.start()
    try:
        async with house(footing, tmp_path, mail_server.port) as made:
            people = People(made)
            await people.prepare()
            campaign = Campaign(made, random.Random(seed), postbox)
            await asyncio.gather(campaign.kill(), campaign.emit(), people.answer_everything())
            killed = campaign.killed
            await made.ready()
            await made.settled(180)
            await made.begins_again(LEASE + timedelta(minutes=1))  # what was killed between claim and outcome is taken up again
            await made.settled(180)
            await no_claim_is_open(made)
            await made.settled(180)
            figures = await check(made) | {"kills": sum(killed.values()), "killed": dict(killed), "ignored": ignored(made)}
            figures |= await mails(made, postbox, killed["notifications"])
            seen = read_ledger(made.ledger)
            figures |= {"aimed kills": seen.died.total(), "redelivered": seen.redelivered.total()}
            print(json.dumps(figures, indent=1))
    finally:
        mail_server.stop()
    assert sum(killed.values()) == KILLS
    assert figures["redelivered"] > 0, "no record was handed over twice: the kills did not hit anything"
    assert figures["ignored"] > 0, "nothing that was handed over twice had been applied before: the kills did not hit anything"


async def no_claim_is_open(made: House) -> None:
    """Wait for the mails that are being handed over: a claim is not due, so `settled` does not look at it."""

    async def none_open() -> bool:
        return all(one["status"] != "sending" for one in await made.everything("notifications", "deliveries"))

    await until(none_open, within=120, what="every claim has its outcome")


async def mails(made: House, postbox: Postbox, kills: int) -> dict[str, int]:
    """Everybody was told everything, and as little twice as a claim allows: what was on its way when notifications was killed."""
    deliveries = await made.everything("notifications", "deliveries")
    assert Counter(one["status"] for one in deliveries) == {"sent": len(deliveries)}
    assert Counter((one["person"], one["kind"], one["about"]) for one in deliveries).most_common(1)[0][1] == 1
    expected = {f"<{one['_id']}@group.example>" for one in deliveries}
    received = postbox.received
    assert not expected - received.keys(), f"said to be sent, never received: {list(expected - received.keys())[:3]}"
    assert not received.keys() - expected, f"received, and nobody meant to send it: {list(received.keys() - expected)[:3]}"
    again = received.total() - len(received)
    assert again, "no mail came twice, though one was on its way at the first kill"
    assert again <= SENDS_AT_ONCE * kills, f"{again} mails came twice in {kills} kills: {received.most_common(3)}"
    taken_up_again = sum(one["attempts"] > 1 for one in deliveries)
    return {"mails": len(received), "mails taken up again": taken_up_again, "mails received again": again}


def ignored(made: House) -> int:
    """Saves that readers dropped because they had applied the event before, as far as logs tell."""
    return sum(int(count) for count in re.findall(r'"saves": (\d+)[^}]*"event": "events_ignored"', made.said()))


async def check(made: House) -> dict[str, Any]:
    """Every promise, by the store and the log alone."""
    last = f"f{VERSIONS}"
    employees = {one["_id"]: one for one in await made.everything("enrolment", "employees")}
    assert len(employees) == PEOPLE
    assert {one["last"]["profile"]["function"] for one in employees.values()} == {last}, "a staff record was lost"

    by_person: dict[str, list[str]] = defaultdict(list)
    for one in first_seen(await everything_on(made, "enrolment-employees")):
        by_person[one.key.decode()].append(one.body["function"])
    expected = [f"f{version}" for version in range(1, VERSIONS + 1)]
    wrong = {key: said for key, said in by_person.items() if said != expected}
    assert not wrong, f"lost, twice or out of order: {list(wrong.items())[:3]}"
    assert by_person.keys() == employees.keys()
    events, repeated = await in_order_and_whole(made)

    for service, collection in (("matching", "people"), ("notifications", "recipients")):
        copies = await made.everything(service, collection)
        assert {one["_id"]: one["function"] for one in copies} == dict.fromkeys(employees, last), f"{service} missed a fact"

    pairs = await made.everything("matching", "pairs")
    seats = Counter(person for pair in pairs for person in (pair["mentee"], pair["mentor"]))
    assert pairs
    assert max(seats.values()) == 1, "somebody has two pairs"
    plans = await made.everything("scheduling", "plans")
    assert {plan["_id"] for plan in plans} == {pair["_id"] for pair in pairs}
    for name, collections in (await made.collections()).items():
        for collection in collections:
            assert not [one["_id"] for one in await made.everything(name, collection) if one.get("_out")], (
                f"{name}/{collection} holds unsaid events"
            )
    return {
        "staff records": PEOPLE * VERSIONS,
        "events": events,
        "repeated on the log": repeated,
        "pairs": len(pairs),
        "plans": len(plans),
        "poison": len(POISON),
        "poison parked again": await only_poison_is_parked(made),
    }
