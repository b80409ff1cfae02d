"""Matching and notifications as readers of what enrolment says, against a bare loop over the same topic.

EmployeeChanged for 10,000 people twice over, and EmployeeEnrolled. Reading alone is measured: what the clock brings afterwards (a look at the pairs of
whoever moved, the mails) waits until the last record is in.
"""

import statistics
from collections.abc import Iterator

from tests.bench.arena import RECORDS, ROUNDS, arena

from amont.common.events import EmployeeChanged, EmployeeEnrolled
from amont.common.events.envelope import Event
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Meeting, Role
from amont.common.testing.hearing import START, record_of

PEOPLE = 10_000
READERS = (
    (EmployeeChanged, "matching"),
    (EmployeeChanged, "notifications"),
    (EmployeeEnrolled, "matching"),
    (EmployeeEnrolled, "notifications"),
)


def employees(count: int) -> Iterator[EmployeeChanged]:
    for number in range(count):
        person = number % PEOPLE
        yield EmployeeChanged(
            seq=1 + number // PEOPLE,
            person=f"fr:e{person}",
            status=EmployeeStatus.ACTIVE,
            given_name="Camille",
            family_name=f"Martin{person}",
            email=f"camille.martin{person}@group.example",
            preferred_language=None,
            band=5,
            job_title=f"Analyst, revision {number // PEOPLE}, of the retail data office",
            function="data",
            business_unit="retail",
            team=f"team-{person % 300}",
            site="Paris",
            zone="Europe/Paris",
            languages=("fr", "en"),
            managers=(f"fr:e{person // 8}",) if person else (),
            effective_at=START,
            joined_on=None,
        )


def enrolments(count: int) -> Iterator[EmployeeEnrolled]:
    for number in range(count):
        yield EmployeeEnrolled(
            seq=1,
            enrolment=f"enrolment-{number}",
            person=f"fr:e{number}",
            programme="digital",
            role=Role.MENTEE if number % 2 else Role.MENTOR,
            status=EnrolmentStatus.ENROLLED,
            capacity=1,
            topics={"cloud": 3, "data": 2, "video": 1},
            languages=("fr", "en"),
            availability=("mon 09:00-12:00", "wed 14:00-17:30"),
            meeting=Meeting.EITHER,
        )


async def main() -> None:
    async with arena() as servers:
        for made in (employees, enrolments):
            await servers.fill(record_of(event) for event in made(RECORDS))
        for kind, reader in READERS:
            kinds: dict[str, type[Event]] = {kind.type_name(): kind}
            rounds = []
            for number in range(ROUNDS + 1):
                bare = await servers.bare(kind.topic, kinds, RECORDS)
                ours = await servers.run(reader, RECORDS, timers=False, only=kind.topic)
                if number:  # the first round warms the servers
                    rounds.append((ours.rate / bare.rate, ours.rate, bare.rate, ours.cpu, bare.cpu))
            ratio, rate, loop, cpu, loop_cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(
                f"{kind.__name__:16} {reader:13} {rate:7,.0f}/s ({cpu:3.0f} µs of Python each)   bare loop {loop:7,.0f}/s ({loop_cpu:3.0f} µs)   "
                f"ratio {ratio:.0%}",
                flush=True,
            )
