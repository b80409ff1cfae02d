"""How long a staff event takes to the suspended pair, through two services on real servers: from the HR system's append to the event on the log.

A mentor goes on leave, or is moved below the executive; every other record does the one or the other. Beside it the first hop as the baseline: from the
same append to the person's change on the log.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from math import ceil

from aiokafka import AIOKafkaConsumer
from tests.bench.arena import Arena, arena
from tests.bench.staff import GROUP

from amont.common.aggregate import Decision
from amont.common.events import EmployeeChanged, PairSuspended, Policy, StaffRecorded
from amont.common.events.envelope import Envelope, Event
from amont.common.events.values import EnrolmentStatus, Meeting, PairStatus, Role
from amont.common.ids import derived
from amont.common.log import Record
from amont.common.log.kafka import KafkaLog
from amont.common.service import Service
from amont.common.testing.hearing import START
from amont.common.work import Work
from amont.enrolment import commands
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person
from amont.matching.domain.points import Points

PAIRS = int(os.environ.get("BENCH_PAIRS", "200"))
A_SECOND = float(os.environ.get("BENCH_RATE", "10"))
PATIENCE_SECONDS = 120.0
PROGRAMME = "digital"


def record(tenant: str, number: int, day: int, **more: object) -> Record:
    """What HR says of somebody from a day on: executives in `fr`, juniors in `de`."""
    senior = tenant == "fr"
    body = {
        "tenant": tenant,
        "employee_id": f"e{number}",
        "given_name": "Camille",
        "family_name": f"Martin{number}",
        "grade": "DIR" if senior else "AT",
        "team": f"{tenant}-{number}",
        "zone": "Europe/Paris",
        "languages": ["en"],
        "joined_on": "2020-01-01",
        "effective_at": f"2024-01-{day:02d}",
        "occurred_at": f"2024-01-{day:02d}T08:00:00Z",
        **more,
    }
    value, key = json.dumps(body).encode(), f"{tenant}:e{number}"
    envelope = Envelope(id=derived("bench", value.decode()), type=StaffRecorded.type_name(), source="/hris", subject=key, time=START)
    return Record(topic="hris-staff", key=key, value=value, headers=envelope.headers())


async def prepare(enrolment: Service) -> None:
    for tenant, grades in (("fr", {"DIR": 14}), ("de", {"AT": 5})):
        await enrolment.run(commands.add_subsidiary, tenant, GROUP, name=tenant, zone="Europe/Paris", languages=("en",), grades=grades)
    given = {"name": "Digital", "tenants": ("de", "fr"), "topics": ("ai",), "policy": Policy()}
    await enrolment.run(commands.create_programme, PROGRAMME, GROUP, **given)
    await enrolment.run(commands.open_programme, PROGRAMME, GROUP)


async def plant(work: Work) -> None:
    """A confirmed pair of each executive and each junior of the same number."""
    for number in range(PAIRS):
        people = {Role.MENTEE: f"fr:e{number}", Role.MENTOR: f"de:e{number}"}
        for role, person in people.items():
            seat = Enrolment(
                id=f"{role}-{number}",
                person=person,
                programme=PROGRAMME,
                role=role,
                status=EnrolmentStatus.ENROLLED,
                topics={"ai": 3},
                languages=("en",),
                availability=("mon 08:00-12:00",),
                meeting=Meeting.EITHER,
            )
            work.save(Decision(seat))
        pair = Pair(
            id=f"pair-{number}",
            programme=PROGRAMME,
            round="planted",
            mentee=people[Role.MENTEE],
            mentor=people[Role.MENTOR],
            mentee_enrolment=f"{Role.MENTEE}-{number}",
            mentor_enrolment=f"{Role.MENTOR}-{number}",
            status=PairStatus.CONFIRMED,
            accepted_by=(Role.MENTEE, Role.MENTOR),
            score=0,
            points=Points(0, 0, 0, 0, 0),
            topics=("ai",),
            week_of=START.date(),
            proposed_at=START,
            expires_at=None,
            line=tuple(people.values()),
        )
        work.save(Decision(pair))


async def is_quiet(work: Work) -> bool:
    """Whether everybody is known, and the marks that the load has left are worked off."""
    ids = [f"{tenant}:e{number}" for number in range(PAIRS) for tenant in ("fr", "de")]
    people = await work.get_many(Person, ids)
    return len(people) == len(ids) and not any(person.due_at for person in people.values())


async def at_the_end(servers: Arena, topic: str) -> AIOKafkaConsumer:
    """A consumer that is given what comes from now on."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers.kafka, auto_offset_reset="latest", fetch_max_wait_ms=20)
    await consumer.start()
    for partition in consumer.assignment():
        await consumer.position(partition)
    return consumer


async def note(consumer: AIOKafkaConsumer, kind: type[Event], seen: dict[str, float]) -> None:
    """Note when each event of a kind is first read from the log, by the junior it is about, until cancelled."""
    try:
        async for one in consumer:
            if dict(one.headers)["ce_type"].decode() == kind.type_name():
                body = json.loads(one.value)
                seen.setdefault(body.get("mentor") or body["person"], time.perf_counter())
    finally:
        await consumer.stop()


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await done():  # noqa: ASYNC110 - what a store and a log hold tells nobody
            await asyncio.sleep(0.1)


def share(sorted_values: list[float], percent: int) -> float:
    return sorted_values[ceil(percent / 100 * len(sorted_values)) - 1]


async def main() -> None:
    suspended: dict[str, float] = {}
    changed: dict[str, float] = {}
    sent: list[float] = []
    async with arena() as servers, servers.service("enrolment") as enrolment, servers.service("matching") as matching:
        await prepare(enrolment)
        await matching.run(plant)
        await servers.fill(record(tenant, number, 1) for number in range(PAIRS) for tenant in ("fr", "de"))
        await enrolment.start()
        await matching.start()

        await until(lambda: matching.run(is_quiet))
        listeners = [
            asyncio.create_task(note(await at_the_end(servers, PairSuspended.topic), PairSuspended, suspended)),
            asyncio.create_task(note(await at_the_end(servers, EmployeeChanged.topic), EmployeeChanged, changed)),
        ]
        log = KafkaLog(servers.kafka, client_id="hris")
        for number in range(PAIRS):
            says: dict[str, object] = {"status": "on_leave"} if number % 2 else {"manager_id": f"fr:e{number}"}
            sent.append(time.perf_counter())
            await log.append([record("de", number, 2, **says)])
            await asyncio.sleep(max(0.0, sent[0] + (number + 1) / A_SECOND - time.perf_counter()))

        async def all_rest() -> bool:
            return len(suspended) >= PAIRS

        await until(all_rest)
        await log.close()
        for one in listeners:
            one.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    first = sorted(changed[f"de:e{number}"] - at for number, at in enumerate(sent))
    whole = sorted(suspended[f"de:e{number}"] - at for number, at in enumerate(sent))
    print(f"{PAIRS} staff events, {A_SECOND:g} a second, half leave and half a move into the line:")
    for name, some in (("to the person's change on the log", first), ("to the suspended pair on the log", whole)):
        print(f"  {name:36}p50 {share(some, 50):.3f} s   p99 {share(some, 99):.3f} s")
    print(f"  the pair takes {share(whole, 50) / share(first, 50):.1f} times the first hop (p50)")
