"""Anything in any order: people enrol, withdraw, leave, move, answer, publish, and time passes. What must hold, holds after every step.

The rules are checked here by plain code of the test's own on what the test itself has told, not by the service's.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.services.matching.matching_facts import COORDINATOR, SECOND, Office, actor, finish, pairs, solve

from amont.common.errors import DomainError
from amont.common.events.envelope import Event
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, PairStatus, Role
from amont.common.testing.hearing import Hearing, hearing
from amont.matching import commands
from amont.matching.app import build
from amont.matching.domain.pair import Pair

MENTEES = [f"fr:e{n}" for n in range(5)]
MENTORS = [f"de:j{n}" for n in range(4)]
ABOVE = ["de:a", "de:b", "fr:c"]
RANKED = [*MENTORS, *ABOVE, *MENTEES]
"""Managers are picked from further right, so that there are no cycles."""
CAPACITY = {person: 2 if person == MENTORS[0] else 1 for person in RANKED}
ROLES = {**dict.fromkeys(MENTEES, Role.MENTEE), **dict.fromkeys(MENTORS, Role.MENTOR)}
STEPS = 25


@dataclass
class Known:
    """What the test has told of somebody."""

    facts: dict[str, Any] = field(
        default_factory=lambda: {"band": None, "team": None, "managers": (), "status": EmployeeStatus.ACTIVE},
    )
    enrolment: EnrolmentStatus | None = None
    left: bool = False
    availability: tuple[str, ...] = ("mon 08:00-12:00",)

    @property
    def gone(self) -> bool:
        return self.left or self.enrolment is not EnrolmentStatus.ENROLLED

    @property
    def away(self) -> bool:
        return self.enrolment is EnrolmentStatus.SUSPENDED


class World:
    """Draws what happens next, tells it, and remembers."""

    def __init__(self, matching: Hearing, seed: int, *, twice: bool) -> None:
        self.matching, self.random, self.twice = matching, Random(seed), twice
        self.office = Office()
        self.known = {person: Known() for person in RANKED}
        self.told: list[Event] = []

    async def begin(self) -> None:
        await self.tell(self.office.programme(proposal_days=3, suspension_days=4), *(self.office.employee(one) for one in RANKED))
        for person in (*MENTEES, *MENTORS):
            await self.enrol(person)
        await self.publish("")

    async def tell(self, *events: Event) -> None:
        """What is told twice, or again long after, must make no difference."""
        again = self.told[:: max(1, len(self.told) // 3)] if self.twice else []
        self.told.extend(events)
        await self.matching.hears(*events, *(events if self.twice else ()), *again)

    async def enrol(self, person: str) -> None:
        known = self.known[person]
        if known.left or known.enrolment in {EnrolmentStatus.ENROLLED, EnrolmentStatus.SUSPENDED}:
            return
        known.enrolment = EnrolmentStatus.ENROLLED
        await self.tell(self.office.enrolled(person, ROLES[person], capacity=CAPACITY[person]))

    async def withdraw(self, person: str) -> None:
        if self.known[person].gone:
            return
        self.known[person].enrolment = EnrolmentStatus.WITHDRAWN
        await self.tell(self.office.withdrawn(person, ROLES[person]))

    async def leave(self, person: str) -> None:
        known = self.known[person]
        if known.left or self.random.random() < 0.7:
            return
        known.left = True
        facts: list[Event] = [self.office.left(person)]
        if known.enrolment in {EnrolmentStatus.ENROLLED, EnrolmentStatus.SUSPENDED}:
            known.enrolment = EnrolmentStatus.ENDED
            facts.append(self.office.withdrawn(person, ROLES[person], EnrolmentStatus.ENDED))
        await self.tell(*facts)

    async def rest(self, person: str) -> None:
        known = self.known[person]
        if known.gone:
            return
        known.enrolment = EnrolmentStatus.SUSPENDED
        known.facts["status"] = EmployeeStatus.ON_LEAVE
        await self.tell(self.office.employee(person, status=EmployeeStatus.ON_LEAVE), self.office.on_leave(person, ROLES[person]))

    async def come_back(self, person: str) -> None:
        known = self.known[person]
        if not known.away:
            return
        known.enrolment = EnrolmentStatus.ENROLLED
        known.facts["status"] = EmployeeStatus.ACTIVE
        await self.tell(self.office.back(person, ROLES[person]), self.office.employee(person, status=EmployeeStatus.ACTIVE))

    async def move(self, _: str) -> None:
        person = self.random.choice([*MENTORS, *ABOVE, *RANKED])
        known = self.known[person]
        if known.left:
            return
        above = RANKED[RANKED.index(person) + 1 :]
        move = self.random.choice(
            [
                {"band": self.random.choice([6, 8, 10, 11, 12])},
                {"team": self.random.choice(["t1", "t2"])},
                {"managers": tuple(self.random.sample(above, min(len(above), self.random.randint(0, 2))))},
                {"managers": tuple(self.random.sample(above, min(len(above), self.random.randint(0, 1))))},
            ],
        )
        known.facts |= move
        await self.tell(self.office.employee(person, **move))

    async def change_hours(self, person: str) -> None:
        known = self.known[person]
        if known.gone:
            return
        known.availability = self.random.choice([("mon 08:00-12:00",), ("mon 08:00-10:00",), ("mon 11:00-13:00",)])
        await self.tell(self.office.edited(person, ROLES[person], availability=known.availability))

    async def publish(self, _: str) -> None:
        round_ = await solve(self.matching)
        if self.random.random() < 0.3:
            await self.move("")
        await self.matching.asked(commands.publish_round, round_.id, COORDINATOR)
        if self.random.random() < 0.5:
            await self.matching.settle()
            await self.move("")
        await finish(self.matching)

    async def answer(self, _: str) -> None:
        waiting = [pair for pair in await pairs(self.matching, live=True) if pair.waits_for]
        for pair in self.random.sample(waiting, min(len(waiting), 3)):
            person = pair.mentee if pair.waits_for is Role.MENTEE else pair.mentor
            command = commands.decline_pair if self.random.random() < 0.2 else commands.accept_pair
            await self.matching.asked(command, pair.id, actor(person))
        await self.matching.settle()

    async def end(self, _: str) -> None:
        live = await pairs(self.matching, live=True)
        if live:
            pair = self.random.choice(live)
            if pair.status is PairStatus.CONFIRMED and self.random.random() < 0.5:
                await self.tell(self.office.session(pair, 6))
            else:
                await self.matching.asked(commands.end_pair, pair.id, actor(pair.mentor))
                await self.matching.settle()

    async def wait(self, _: str) -> None:
        for _ in range(3):
            await self.matching.passes(self.random.choice([timedelta(minutes=20), timedelta(hours=2), timedelta(days=1)]))

    async def step(self) -> None:
        weights: dict[Callable[[str], Awaitable[None]], int] = {
            self.answer: 10,
            self.move: 8,
            self.publish: 4,
            self.wait: 4,
            self.change_hours: 3,
            self.come_back: 3,
            self.enrol: 2,
            self.withdraw: 1,
            self.leave: 1,
            self.rest: 2,
            self.end: 1,
        }
        [what] = self.random.choices(list(weights), weights=list(weights.values()))
        try:
            await what(self.random.choice([*MENTEES, *MENTORS]))
        except DomainError:
            await self.matching.settle()

    async def quiet(self) -> None:
        """A few seconds in which nobody does anything."""
        for _ in range(5):
            await self.matching.passes(SECOND)

    def nobody_has_more_pairs_than_seats(self, found: list[Pair]) -> None:
        taken = Counter(one for pair in found if pair.live for one in (pair.mentee_enrolment, pair.mentor_enrolment))
        assert not {one: n for one, n in taken.items() if n > CAPACITY[one.partition("-")[2]]}

    def every_live_pair_keeps_the_rules_or_rests(self, found: list[Pair]) -> None:
        for pair in found:
            if pair.live:
                wrong = self.wrong_with(pair)
                assert bool(wrong) == (pair.status is PairStatus.SUSPENDED), (pair, wrong)

    def wrong_with(self, pair: Pair) -> list[str]:
        mentee, mentor = self.known[pair.mentee], self.known[pair.mentor]
        assert EnrolmentStatus.WITHDRAWN not in {mentee.enrolment, mentor.enrolment}
        assert not any(side.left for side in (mentee, mentor))
        holds = {
            "grades": (mentee.facts["band"] or 12) - (mentor.facts["band"] or 6) >= 2,
            "line": pair.mentee not in self._above(pair.mentor) and pair.mentor not in self._above(pair.mentee),
            "hours": not {mentee.availability, mentor.availability} & {("mon 11:00-13:00",)} or mentee.availability == mentor.availability,
            "here": not (mentee.away or mentor.away),
        }
        return [name for name, held in holds.items() if not held]

    def _above(self, person: str) -> set[str]:
        managers = set(self.known[person].facts["managers"])
        return managers.union(*(self._above(manager) for manager in managers))


async def _live(world: World) -> list[tuple[Any, ...]]:
    await world.begin()
    for _ in range(STEPS):
        await world.step()
        world.nobody_has_more_pairs_than_seats(await pairs(world.matching))
        await world.quiet()
        found = await pairs(world.matching)
        world.nobody_has_more_pairs_than_seats(found)
        world.every_live_pair_keeps_the_rules_or_rests(found)
    assert await world.matching.parked() == []
    return [(p.id, p.status, p.accepted_by, p.ended, p.ended_at, p.suspended, p.score) for p in await pairs(world.matching)]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_seats_and_rules_hold_and_the_same_facts_make_the_same_pairs(tmp_path: Path, seed: int) -> None:
    async with hearing(build, tmp_path / "once") as matching:
        once = await _live(World(matching, seed, twice=False))
    async with hearing(build, tmp_path / "twice") as matching:
        twice = await _live(World(matching, seed, twice=True))
    assert once == twice
    assert len(once) >= 4
