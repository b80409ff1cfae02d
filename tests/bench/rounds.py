"""One round of the service on SQLite, stage by stage: what it takes, and how long it keeps everything else waiting.

A programme's people are planted in the store; then a round is asked for, claimed, gathered, solved with every explanation, written page by page, as in
production. Beside it the loop beats every ten milliseconds: a beat that comes late is a gap, in which no health check, no renewal of a claim and no
heartbeat of a Kafka session would have come through. The peak of memory is the kernel's (VmHWM), begun anew with each stage. Then all but a hundred of
the pairs are planted as proposed, and a second round fills the seats that are left, as a replacement does. The baseline is the engine alone on the same
pool, in the same run. `BENCH_SIDES=5000` says how many mentees and as many mentors.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.bench.pools import made_up

from amont.common.documents import Put
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Meeting, ProgrammeStatus, Role
from amont.common.identity import Actor, Privilege
from amont.common.memory import settle
from amont.common.testing.hearing import START, Hearing, hearing
from amont.matching import commands
from amont.matching.app import build
from amont.matching.documents import ENROLMENTS, PAIRS, PEOPLE, PROGRAMMES
from amont.matching.domain.answer import Part
from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.person import Person
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.programme import Programme
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.round import Round, proposal
from amont.matching.domain.solver import Solution, Solver

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "5000").split(",")]
BEAT = 0.01
FREE = 100
"""How many pairs are declined before the second round."""
COORDINATOR = Actor("fr:coordinator", "fr", frozenset({Privilege.GROUP_COORDINATOR}))


async def main() -> None:
    warm()
    settle()  # as a service does
    for side in SIDES:
        await _round(side)


async def _round(side: int) -> None:
    stages, again = Stages(), Stages()
    with tempfile.TemporaryDirectory() as folder:
        told = Told(stages)
        async with hearing(build, Path(folder), tools={Solver: told}) as matching:
            await _plant(matching, side)
            solved = await _measured(matching, told, stages)
            _print(f"{side:,} mentees and {side:,} mentors: {solved.rows().pairs:,} pairs", stages)
            await _propose(matching, solved, but=FREE)
            solved = await _measured(matching, told, again)
            _print(f"the same, all but {FREE} pairs proposed: {solved.rows().pairs:,} pairs", again)
    alone = time.process_time()
    Engine().solve(made_up(side), Policy(), explain=True)
    alone = time.process_time() - alone
    print(f"the engine alone takes {alone:.2f} s of processor: the whole round {stages.processor / alone:.2f} times that")


async def _measured(matching: Hearing, told: "Told", stages: "Stages") -> Round:
    """Have a round solved, and see what its stages take."""
    told.stages = stages
    _tell_commands(matching, stages)
    async with stages.watched():
        asked = await matching.asked(commands.request_round, "made-up", COORDINATOR, "bench")
        await matching.settle()
    return await matching.look(Round, asked.round.id)


def _print(title: str, stages: "Stages") -> None:
    print(title)
    for name, stage in stages.seen.items():
        print(
            f"  {name:16} {stage.seconds:7.2f} s  processor {stage.processor:7.2f} s  longest gap {stage.gap:6.3f} s  {stage.peak:6,.0f} MB"
        )
    seconds = sum(stage.seconds for stage in stages.seen.values())
    gap, peak = (max(getattr(stage, name) for stage in stages.seen.values()) for name in ("gap", "peak"))
    print(f"  {'all':16} {seconds:7.2f} s  processor {stages.processor:7.2f} s  longest gap {gap:6.3f} s  {peak:6,.0f} MB", flush=True)


@dataclass(slots=True)
class Stage:
    """Sums of one stage: seconds, seconds of processor, the longest gap of the loop, and the most memory in MB."""

    seconds: float = 0.0
    processor: float = 0.0
    gap: float = 0.0
    peak: float = 0.0


class Stages:
    """Which stage a round is in, and what each has taken."""

    def __init__(self) -> None:
        self.seen: dict[str, Stage] = {}
        self._now = Stage()
        self._began = (0.0, 0.0)

    @property
    def processor(self) -> float:
        """Seconds of processor of all stages."""
        return sum(stage.processor for stage in self.seen.values())

    def begins(self, name: str) -> None:
        """From now on this is the stage; again the one there is, is nothing new."""
        if self.seen.get(name) is self._now:
            return
        self._ends()
        self._now = self.seen.setdefault(name, Stage())

    def _ends(self) -> None:
        now = (time.perf_counter(), time.process_time())
        self._now.seconds += now[0] - self._began[0]
        self._now.processor += now[1] - self._began[1]
        self._now.peak = max(self._now.peak, _peak())
        Path("/proc/self/clear_refs").write_text("5")
        self._began = now

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Measure what happens inside."""
        self._ends()
        self._now = self.seen.setdefault("ask and claim", Stage())
        beats = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beats.cancel()
            self._ends()

    async def _beat(self) -> None:
        last = time.perf_counter()
        while True:
            stage = self._now
            await asyncio.sleep(BEAT)
            now = time.perf_counter()
            stage.gap = max(stage.gap, now - last - BEAT)
            last = now


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Told:
    """The engine, whose words of progress are stages."""

    def __init__(self, stages: Stages) -> None:
        self._engine, self.stages = Engine(), stages

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        def told(stage: str, done: int, total: int | None = None, detail: str = "") -> None:
            self.stages.begins(stage)
            progress(stage, done, total, detail)

        solution = self._engine.solve(pool, policy, told, explain=explain)
        self.stages.begins("page")
        return solution


def _tell_commands(matching: Hearing, stages: Stages) -> None:
    """Have what a round does on the loop be stages, too; renewing its claim is none."""
    names = {"gather_for": "gather", "write_page": "write", "record_solved": "write"}
    run = matching.service.unit.run

    async def told(command: Any, *args: Any) -> Any:
        if command.__name__ in names:
            stages.begins(names[command.__name__])
        return await run(command, *args)

    matching.service.run = told  # type: ignore[method-assign,assignment]


async def _plant(matching: Hearing, side: int) -> None:
    """Write people, enrolments and the programme as documents, without the events that would bring them."""
    pool, store = made_up(side), matching.service.unit.house.store
    programme = Programme(id=pool.programme, status=ProgrammeStatus.OPEN, tenants=("fr",), policy_version=1)
    await store.commit([Put(PROGRAMMES.name, {**PROGRAMMES.dump(programme), "v": 1}, None)])
    for first in range(0, len(pool.people), 1000):
        some = pool.people[first : first + 1000]
        people = [{**PEOPLE.dump(_staff(pool, one)), "v": 1} for one in some]
        enrolments = [{**ENROLMENTS.dump(_enrolled(pool, one)), "v": 1} for one in some]
        await store.commit([Put(PEOPLE.name, one, None) for one in people] + [Put(ENROLMENTS.name, one, None) for one in enrolments])


async def _propose(matching: Hearing, solved: Round, *, but: int) -> None:
    """Write the pairs of a round as proposed ones."""
    store, count = matching.service.unit.house.store, solved.rows().pairs - but
    for first in range(0, count, 1000):
        some = await matching.asked(commands.read_rows, solved.id, COORDINATOR, Part.PAIRS, first, min(1000, count - first))
        pairs = [
            proposal(solved, match, id_=f"pair-{match.mentee}", at=START, expires_at=START + timedelta(days=7)).propose().state
            for match in some
        ]
        await store.commit([Put(PAIRS.name, {**PAIRS.dump(pair), "v": 1}, None) for pair in pairs])


def _staff(pool: Pool, one: PoolPerson) -> Person:
    return Person(
        id=one.id,
        status=EmployeeStatus.ACTIVE,
        band=one.grade,
        business_unit=one.business_unit,
        team=one.team,
        function=one.function,
        site=one.site,
        zone=one.zone,
        managers=pool.managers.get(one.id, ()),
        managers_since=START,
    )


def _enrolled(pool: Pool, one: PoolPerson) -> Enrolment:
    return Enrolment(
        id=f"{one.role}-{one.id}",
        person=one.id,
        programme=pool.programme,
        role=Role(one.role),
        status=EnrolmentStatus.ENROLLED,
        capacity=one.capacity,
        topics=dict(one.topics),
        languages=tuple(sorted(one.languages)),
        availability=one.availability,
        meeting=Meeting(one.meeting),
    )
