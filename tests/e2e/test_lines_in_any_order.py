"""Staff records of several people in any order, late, repeated and held, through enrolment and into matching's view: who is who, who takes part, who is
above whom and which links of circles are ignored comes out as if they had come in order.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.enrolment.staffing import fr
from tests.support.together import together

from amont.common.events import EmployeeChanged, EmployeeLeft, StaffLeft, StaffRecorded
from amont.common.events.envelope import Event
from amont.common.events.hris import StaffFact
from amont.common.events.values import EnrolmentStatus, Meeting, Role
from amont.common.testing.hearing import START, record_of
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Enrolment, Form
from amont.enrolment.domain.feed import Feed
from amont.enrolment.domain.ruling import Ruling, Verb
from amont.enrolment.domain.staff import StaffEntry, understand_left, understand_recorded
from amont.matching.domain.lines import Untangled, break_cycles
from amont.matching.domain.person import Person

HOUR = timedelta(hours=1)
PEOPLE = tuple("abcd")
OPEN = Feed(id="fr", rulings=(Ruling(verb=Verb.RELEASE, by="fr:coord", at=START + 1000 * HOUR, why="a test"),))
"""A feed whose breaker lets everybody go."""


class Said(NamedTuple):
    """A record of somebody's, understood."""

    person: str
    entry: StaffEntry


def record(person: str, hour: int, wrote: int, says: Any) -> StaffFact:
    """`says` is None for a leaving, else a status and the managers, the solid line first."""
    given: dict[str, Any] = {
        "tenant": "fr",
        "employee_id": person,
        "effective_at": START + hour * HOUR * 8,
        "occurred_at": START + wrote * HOUR,
    }
    if says is None:
        return StaffLeft(**given)
    status, managers = says
    solid, *dotted = (*managers, None)
    return StaffRecorded(**given, grade="C1", status=status, manager_id=solid, dotted_manager_ids=[one for one in dotted if one])


def understood(fact: StaffFact, event: str) -> Said:
    read = understand_left(fact, fr(), event) if isinstance(fact, StaffLeft) else understand_recorded(fact, fr(), event)  # type: ignore[arg-type]
    return Said(fact.person, read.entry)


facts = st.builds(
    record,
    st.sampled_from(PEOPLE),
    st.integers(-12, 12),
    st.integers(0, 1),
    st.none()
    | st.tuples(st.sampled_from(["active", "on_leave"]), st.lists(st.sampled_from([*PEOPLE, "unknown"]), max_size=3, unique=True)),
)


def fresh(person: str) -> Employee:
    """Somebody who takes part, so that what leaving and leave do to that is seen."""
    form = Form(topics={"ai": 1}, languages=("fr",), availability=("mon 09:00-12:00",), meeting=Meeting.EITHER)
    seat = Enrolment(
        id=f"seat of {person}",
        programme="digital",
        role=Role.MENTOR,
        status=EnrolmentStatus.ENDED,
        form=form,
        charter_accepted_at=START,
        request="asked",
    )
    return Employee(id=f"fr:{person}", enrolments=(seat,))


class World:
    """Four employees, and what matching makes of what is said of them."""

    def __init__(self) -> None:
        self.employees = {f"fr:{person}": fresh(person) for person in PEOPLE}
        self.people = {person: Person(id=person) for person in self.employees}

    def becomes(self, employee: Employee, events: Iterable[Event], now: datetime) -> None:
        self.employees[employee.id] = employee
        for event in events:
            if isinstance(event, EmployeeChanged):
                self.people[employee.id] = self.people[employee.id].hear(event, now).state
            elif isinstance(event, EmployeeLeft):
                self.people[employee.id] = self.people[employee.id].leave(event, now).state

    def wake(self, now: datetime, *, paused: bool) -> None:
        while due := [one for one in self.employees.values() if one.due_at is not None and one.due_at <= now]:
            for one in due:
                decision, _ = one.settle(OPEN, paused=paused, now=now)
                self.becomes(decision.state, decision.events, now)

    def hears(self, said: Said, now: datetime, *, paused: bool) -> None:
        employee = self.employees[said.person]
        decision, _ = (employee.hold if paused else employee.take)(said.entry, now)
        self.becomes(decision.state, decision.events, now)

    def resumed(self, now: datetime) -> None:
        for employee in list(self.employees.values()):
            decision, _ = employee.settle(OPEN, paused=False, now=now)
            self.becomes(decision.state, decision.events, now)

    @property
    def view(self) -> dict[str, Any]:
        """What must not depend on the order: people, seats, places in the line."""
        kept = {id_: (one.status, one.profile, [(seat.id, seat.status) for seat in one.enrolments]) for id_, one in self.employees.items()}
        return {"people": kept, "lines": self.lines}

    @property
    def lines(self) -> Untangled:
        return break_cycles(link for person in self.people.values() for link in person.links)


def lived(arriving: Sequence[Said], hours: Sequence[int], pause: tuple[int, int] = (0, 0)) -> World:
    """Records arrive at these hours; those between two places while the feed is paused. Then everything becomes true."""
    world = World()
    for place, (said, hour) in enumerate(zip(arriving, hours, strict=True)):
        now, paused = START + hour * HOUR, pause[0] <= place < pause[1]
        if place == pause[1] and pause[0] < pause[1]:
            world.resumed(now)
        world.wake(now, paused=paused)
        world.hears(said, now, paused=paused)
    world.resumed(START + hours[-1] * HOUR)
    world.wake(START + 500 * HOUR, paused=False)
    return world


orders = (
    st.lists(facts, min_size=1, max_size=12)
    .map(lambda some: [understood(fact, f"event {number}") for number, fact in enumerate(some)])
    .flatmap(
        lambda some: st.tuples(
            st.just(some),
            st.permutations([*some, *some[:3]]),
            st.lists(st.integers(-110, 110), min_size=len(some[:3]) + len(some), max_size=len(some[:3]) + len(some)).map(sorted),
            st.tuples(st.integers(0, 15), st.integers(0, 15)),
        )
    )
)


@given(orders)
def test_in_any_order_everybody_ends_where_they_would_in_order(order: tuple[list[Said], list[Said], list[int], tuple[int, int]]) -> None:
    some, arriving, hours, pause = order
    straight = lived(sorted(some, key=lambda one: one.entry.position), [-200] * len(some))
    assert lived(arriving, hours).view == straight.view
    assert lived(arriving, hours, pause).view == straight.view


def test_the_newest_link_of_a_circle_is_ignored_whoever_is_heard_of_last() -> None:
    oldest, middle, newest = (
        record("a", -9, 0, ("active", ["b"])),
        record("b", -6, 0, ("active", ["c"])),
        record("c", -3, 0, ("active", ["a"])),
    )
    confirmed = record("a", -1, 0, ("active", ["b"]))
    said = [understood(fact, f"event {number}") for number, fact in enumerate((oldest, middle, newest, confirmed))]
    for arriving in (said, said[::-1], [said[2], said[3], said[0], said[1]]):
        assert [(link.report, link.manager) for link in lived(arriving, [0] * 4).lines.dropped] == [("fr:c", "fr:a")]


def test_the_line_goes_through_a_leaver_whenever_we_hear_that_they_left() -> None:
    said = [
        understood(record("a", -9, 0, ("active", ["b"])), "1"),
        understood(record("b", -6, 0, ("active", ["c"])), "2"),
        understood(record("b", -3, 0, None), "3"),
    ]
    for arriving in (said, said[::-1]):
        assert [(link.report, link.manager) for link in lived(arriving, [0] * 3).lines.kept] == [("fr:a", "fr:b"), ("fr:b", "fr:c")]


@pytest.mark.parametrize("seed", range(3))
async def test_the_services_themselves_end_alike(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    people = [f"p{number}" for number in range(12)]
    some = [
        record(
            chance.choice(people),
            chance.randint(-20, 20),
            chance.randint(0, 1),
            None
            if chance.random() < 0.2
            else (chance.choice(["active", "on_leave"]), chance.sample([*people, "nobody"], chance.randint(0, 3))),
        )
        for _ in range(60)
    ]
    records = [record_of(fact, id=f"event {number}") for number, fact in enumerate(some)]
    views = []
    for name in ("in order", "in disorder"):
        (tmp_path / name).mkdir()
        async with together(tmp_path / name) as all_four:
            body = {"name": "fr", "zone": "Europe/Paris", "languages": ["fr"], "grades": {"C1": 5}}
            await all_four.done("PUT", "/enrolment/subsidiaries/fr", "group:ada|group-coordinator", body)
            if name == "in order":
                arriving = [one for _, one in sorted(zip(some, records, strict=True), key=lambda pair: _place(*pair))]
            else:
                arriving = chance.sample([*records, *records[:20]], 80)
            for first in range(0, len(arriving), 7):
                await all_four.hears(arriving[first : first + 7])
            await all_four.passes(400 * HOUR)
            await all_four.passes(HOUR)
            views.append((await _people(all_four, people), await _links(all_four, people)))
    assert views[0] == views[1]
    assert views[0][1].dropped or seed


def _place(fact: StaffFact, record: Any) -> tuple[Any, ...]:
    return fact.effective_at, fact.occurred_at, dict(record.headers)["ce_id"]


async def _people(all_four: Any, people: Sequence[str]) -> list[Any]:
    answers = [await all_four.ask("GET", f"/enrolment/employees/fr:{one}", "group:ada|group-coordinator") for one in people]
    return [(answer.status_code, {name: answer.json().get(name) for name in ("status", "profile", "effective_at")}) for answer in answers]


async def _links(all_four: Any, people: Sequence[str]) -> Untangled:
    async def read(work: Any) -> list[Person]:
        return list((await work.get_many(Person, [f"fr:{one}" for one in people])).values())

    return break_cycles(link for person in await all_four.services["matching"].run(read) for link in person.links)
