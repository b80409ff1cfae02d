"""Three pairs around one mentor, under anything that people, time and other services may do, in any order: what must hold then."""

import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.scheduling.scheduling_facts import (
    EVERYBODY,
    HOURS,
    MENTEE,
    MENTOR,
    OTHER_MENTEE,
    confirmed,
    employee,
    ended,
    enrolled,
    programme,
    resumed,
    suspended,
)

from amont.common.errors import DomainError
from amont.common.events import EnrolmentChanged, Event
from amont.common.events.scheduling import SessionFact
from amont.common.events.values import EmployeeStatus, SessionStatus
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import Hearing, hearing
from amont.common.work import Work
from amont.scheduling import commands
from amont.scheduling.app import build
from amont.scheduling.domain.hours import overlap
from amont.scheduling.domain.plan import Plan

PAIRS = {"pair-1": MENTEE, "pair-2": OTHER_MENTEE, "pair-3": MENTEE}
MOVES = ("Europe/London", "America/New_York", "Europe/Paris")
WINDOWS = (("tue 09:00-12:00", "thu 13:00-16:00"), ("tue 10:00-11:00",), ("mon 03:00-03:30",))
TIMES = (timedelta(minutes=1), timedelta(hours=3), timedelta(days=1), timedelta(days=8), timedelta(days=25))

pairs = st.sampled_from(sorted(PAIRS))
number = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.sampled_from(["book", "book", "book", "move", "cancel", "complete", "complete"]), pairs, number),
    st.tuples(st.sampled_from(["book both at once", "time", "time", "time"]), pairs, number),
    st.tuples(
        st.sampled_from(["rest", "rest and wake", "end", "change zone", "change windows", "leave and return", "change policy"]),
        pairs,
        number,
    ),
)


@dataclass
class Story:
    """One service and the seqs of what it is told. `twice` tells everything twice."""

    service: Hearing
    twice: bool
    seq: int = 10

    async def hears(self, *facts: Callable[[int], Event]) -> None:
        events = []
        for fact in facts:
            self.seq += 1
            events.append(fact(self.seq))
        await self.service.hears(*events, *(events if self.twice else ()))

    async def plan(self, pair: str) -> Plan:
        return await self.service.look(Plan, pair)

    async def attempt(self, deed: Awaitable[Any]) -> None:
        try:
            await deed
        except DomainError:
            return

    async def step(self, what: str, pair: str, n: int) -> None:  # noqa: C901, PLR0912 - a list of things that may happen
        service, plan = self.service, await self.plan(pair)
        last = plan.sessions[-1].id if plan.sessions else "none"
        actor = [person_of(plan.mentee), person_of(plan.mentor)][n % 2]
        match what:
            case "book":
                await self.attempt(service.asked(commands.schedule_session, pair, last, await self.some_time(plan, n), actor))
            case "move":
                await self.attempt(service.asked(commands.reschedule_session, pair, last, await self.some_time(plan, n), actor))
            case "cancel":
                await self.attempt(service.asked(commands.cancel_session, pair, last, actor))
            case "complete":
                held = plan.sessions[-1 - n // 3].id if len(plan.sessions) > n // 3 else last
                await self.attempt(service.asked(commands.complete_session, pair, held, actor))
            case "book both at once":
                await self.book_all_at_once(await self.some_time(plan, n))
            case "time":
                await service.passes(TIMES[n % len(TIMES)])
            case "rest":
                await self.hears(lambda seq: suspended(seq, pair=pair, mentee=plan.mentee))
            case "rest and wake":
                await self.hears(
                    lambda seq: suspended(seq, pair=pair, mentee=plan.mentee), lambda seq: resumed(seq, pair=pair, mentee=plan.mentee)
                )
            case "end" if n == 0:
                await self.hears(lambda seq: ended(seq, pair=pair, mentee=plan.mentee))
            case "change zone":
                await self.hears(lambda seq: employee(MENTOR, MOVES[n % 3], seq=seq))
            case "change windows":
                role = HOURS[plan.mentee][2]
                await self.hears(lambda seq: enrolled(plan.mentee, *WINDOWS[n % 3], role=role, seq=seq, kind=EnrolmentChanged))
            case "leave and return":
                await self.hears(lambda seq: employee(plan.mentee, "Europe/Paris", seq=seq, status=EmployeeStatus.ON_LEAVE))
                await service.passes(timedelta(hours=1))
                await self.hears(lambda seq: employee(plan.mentee, "Europe/Paris", seq=seq))
            case "change policy":
                await self.hears(lambda seq: programme(seq=seq, sessions=1 + n % 3, session_every_days=1 + 7 * n, session_grace_days=n))
        await service.settle()

    async def some_time(self, plan: Plan, n: int) -> Any:
        """One of the options, or a time that suits both, or some time."""
        if plan.open and plan.open.options:
            return plan.open.options[n % len(plan.open.options)].starts_at
        try:
            slots = await self.service.asked(commands.list_slots, plan.id, person_of(plan.mentor), None, None, 20)
        except DomainError:
            slots = ()
        return slots[n % len(slots)].starts_at if slots else self.service.clock.now() + timedelta(days=n)

    async def book_all_at_once(self, at: Any) -> None:
        """Every pair is booked at one time by a process of its own, before any has saved."""
        works = []
        for pair in PAIRS:
            plan = await self.plan(pair)
            work = Work(self.service.service.unit.house)
            with work.step():
                last = plan.sessions[-1].id if plan.sessions else "none"
                await self.attempt(commands.schedule_session(work, pair, last, at, person_of(plan.mentee)))
            works.append(work)
        for work in works:
            await self.service.service.unit.publish_or_leave(await self.service.service.unit.save(work))


def person_of(person: str) -> Actor:
    return Actor(person, person[:2], frozenset({Privilege.PARTICIPANT}))


def check(plans: Iterable[Plan], now: Any) -> None:
    every = list(plans)
    for plan in every:
        open_ones = [session for session in plan.sessions if session.is_open]
        assert open_ones in ([], [plan.open]), "at most one session is open, the last one"
        assert len({session.id for session in plan.sessions}) == len(plan.sessions)
        held = [session for session in plan.sessions if session.status is SessionStatus.COMPLETED]
        assert sorted(session.number for session in held) == list(range(1, len(held) + 1))
        assert all(session.number <= session.pace.sessions for session in held), "never more are held than planned"
        assert plan.due_at is None or plan.due_at > now, "nothing that is due is left undone"
    for one, other in combinations(every, 2):
        if one.booked and other.booked and set(one.people) & set(other.people):
            assert not overlap(one.booked, other.booked), "nobody is booked twice"


async def lived(folder: Path, story: list[tuple[str, str, int]], *, twice: bool) -> tuple[list[Plan], list[Event]]:
    async with hearing(build, folder) as service:
        told = Story(service, twice)
        await service.hears(*EVERYBODY, programme(seq=2, sessions=3, session_every_days=7))
        await told.hears(
            *(lambda seq, pair=pair, mentee=mentee: confirmed(seq, pair=pair, mentee=mentee) for pair, mentee in PAIRS.items())
        )
        for what, pair, n in story:
            await told.step(what, pair, n)
            check([await told.plan(one) for one in PAIRS], service.clock.now())
        assert await service.parked() == []
        return [await told.plan(one) for one in PAIRS], await service.said()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=25))
async def test_whatever_happens_plans_stay_sound_and_the_same_story_gives_the_same_plans(story: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        once, said = await lived(Path(folder, "once"), story, twice=False)
        again, said_again = await lived(Path(folder, "again"), story, twice=True)
    assert again == once
    assert as_told(said_again) == as_told(said)
    assert as_told(said) == {session.id: dict(session.facts()) for plan in once for session in plan.sessions}


def as_told(said: list[Event]) -> dict[str, dict[str, Any]]:
    """Every session as a reader knows it who takes each event once, in order: what it heard last."""
    facts = [event for event in said if isinstance(event, SessionFact)]
    told: dict[tuple[str, int], SessionFact] = {}
    for event in facts:
        assert told.setdefault((event.pair, event.seq), event) == event, "an event that is published again is the same event"
    for pair in PAIRS:
        assert [seq for one, seq in told if one == pair] == list(range(1, sum(one == pair for one, _ in told) + 1))
    names = ("session", "number", "planned", "status", "options", "slot", "mentee_zone", "mentor_zone", "mentee_local", "mentor_local")
    return {event.session: {name: getattr(event, name) for name in (*names, "invitation_sequence")} for event in told.values()}
