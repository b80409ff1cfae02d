"""Seats that are counted: nobody is one too many, whoever waits is served in order of time, and what a crash cuts in two is found again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.services.enrolment.asking import API, coordinator, good, group, pointers, problem
from tests.services.enrolment.staffing import FORM, left, programme, recorded, settled

from amont.common.events import EmployeeEnrolled, EmployeeWaitlisted, EmployeeWithdrawn, EnrolmentSuspended, Policy, SeatRequested
from amont.common.events.values import EnrolmentStatus, Meeting, ProgrammeStatus, Role
from amont.common.testing.hearing import START, Hearing, hearing
from amont.enrolment.app import build
from amont.enrolment.domain.seats import MAX_WAITING, Place, Seats, Standing

DIGITAL = f"{API}/programmes/digital"
PEOPLE = tuple(f"fr:e{number}" for number in range(6))


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    """A programme with two seats for mentors, and six who could be one."""
    async with hearing(build, tmp_path) as one:
        await settled(one)
        await one.given(programme(policy=Policy(mentor_seats=2)))
        await one.hears(*[recorded(person.removeprefix("fr:")) for person in PEOPLE])
        await one.said()
        yield one


async def enrol(enrolment: Hearing, person: str, **more: Any) -> dict[str, Any]:
    async with enrolment.client(person) as client:
        body: dict[str, Any] = good(await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM, **more}))
    return body


async def looked_at(enrolment: Hearing) -> None:
    """What was asked or given up has been heard, granted, admitted and seen to be taken."""
    for _ in range(4):
        await enrolment.passes(timedelta(seconds=1))


async def enrolled_in_turn(enrolment: Hearing, *people: str) -> dict[str, str]:
    """Each some seconds after the one before; by person, the id of the enrolment."""
    ids = {}
    for person in people:
        ids[person] = (await enrol(enrolment, person))["enrolment"]
        await looked_at(enrolment)
    return ids


async def listed(enrolment: Hearing) -> dict[str, tuple[str, int | None]]:
    """Status and place in the line, by person."""
    async with group(enrolment) as client:
        found = good(await client.get(f"{API}/enrolments", params={"programme": "digital"}))["items"]
    return {one["person"]: (one["status"], one["line"]) for one in found}


async def withdrawn(enrolment: Hearing, person: str, id_: str) -> None:
    async with enrolment.client(person) as client:
        good(await client.post(f"{API}/enrolments/{id_}/withdraw"))
    await looked_at(enrolment)


async def test_a_free_seat_is_taken_at_once_and_only_then_others_hear_of_it(enrolment: Hearing) -> None:
    asked = await enrol(enrolment, PEOPLE[0])
    assert (asked["status"], asked["line"]) == ("waiting", None)
    await looked_at(enrolment)
    assert await listed(enrolment) == {PEOPLE[0]: ("enrolled", None)}
    assert [type(one) for one in await enrolment.said()] == [EmployeeEnrolled, SeatRequested]


async def test_who_finds_no_seat_waits_is_told_so_once_and_gets_the_next_one_in_order_of_time(enrolment: Hearing) -> None:
    ids = await enrolled_in_turn(enrolment, *PEOPLE[:5])
    assert list((await listed(enrolment)).values()) == [
        ("enrolled", None),
        ("enrolled", None),
        ("waiting", 1),
        ("waiting", 2),
        ("waiting", 3),
    ]
    waits = [one.person for one in await enrolment.said() if isinstance(one, EmployeeWaitlisted)]
    assert waits == list(PEOPLE[2:5])
    await withdrawn(enrolment, PEOPLE[1], ids[PEOPLE[1]])
    await withdrawn(enrolment, PEOPLE[3], ids[PEOPLE[3]])
    assert await listed(enrolment) == {
        PEOPLE[0]: ("enrolled", None),
        PEOPLE[1]: ("withdrawn", None),
        PEOPLE[2]: ("enrolled", None),
        PEOPLE[3]: ("withdrawn", None),
        PEOPLE[4]: ("waiting", 1),
    }
    async with enrolment.client(PEOPLE[0]) as client:
        mentors, mentees = good(await client.get(f"{DIGITAL}/seats"))
    assert mentors == {"role": "mentor", "limit": 2, "taken": 2, "waiting": 1}
    assert mentees == {"role": "mentee", "limit": None, "taken": None, "waiting": None}


async def test_a_leaver_frees_the_seat_and_leave_keeps_it(enrolment: Hearing) -> None:
    await enrolled_in_turn(enrolment, *PEOPLE[:4])
    await enrolment.hears(recorded("e0", at=enrolment.clock.now(), status="on_leave"))
    assert (await listed(enrolment))[PEOPLE[2]] == ("waiting", 1)
    await enrolment.hears(left("e1", at=enrolment.clock.now()), left("e2", at=enrolment.clock.now()))
    await looked_at(enrolment)
    after = await listed(enrolment)
    assert (after[PEOPLE[0]], after[PEOPLE[2]], after[PEOPLE[3]]) == (("suspended", None), ("ended", None), ("enrolled", None))


async def test_who_is_on_leave_when_a_seat_is_free_holds_it_suspended(enrolment: Hearing) -> None:
    ids = await enrolled_in_turn(enrolment, *PEOPLE[:3])
    await enrolment.hears(recorded("e2", at=enrolment.clock.now(), status="on_leave"))
    await enrolment.said()
    await withdrawn(enrolment, PEOPLE[0], ids[PEOPLE[0]])
    assert (await listed(enrolment))[PEOPLE[2]] == ("suspended", None)
    kinds = [type(one) for one in await enrolment.said()]
    assert kinds == [EmployeeWithdrawn, EmployeeEnrolled, EnrolmentSuspended]


async def test_who_comes_back_to_the_group_asks_for_a_seat_again(enrolment: Hearing) -> None:
    await enrolled_in_turn(enrolment, *PEOPLE[:3])
    await enrolment.hears(left("e0", at=enrolment.clock.now()))
    await looked_at(enrolment)
    await enrolment.hears(recorded("e0", at=enrolment.clock.now()))
    await looked_at(enrolment)
    after = await listed(enrolment)
    assert (after[PEOPLE[0]], after[PEOPLE[2]]) == (("waiting", 1), ("enrolled", None))


async def test_who_comes_back_after_a_withdrawal_is_the_last_in_the_line(enrolment: Hearing) -> None:
    ids = await enrolled_in_turn(enrolment, *PEOPLE[:4])
    await withdrawn(enrolment, PEOPLE[2], ids[PEOPLE[2]])
    await enrol(enrolment, PEOPLE[2])
    await looked_at(enrolment)
    after = await listed(enrolment)
    assert (after[PEOPLE[3]], after[PEOPLE[2]]) == (("waiting", 1), ("waiting", 2))


async def test_more_seats_are_given_out_and_fewer_take_nobody_s_away(enrolment: Hearing) -> None:
    await enrolled_in_turn(enrolment, *PEOPLE[:5])
    async with group(enrolment) as client:
        good(await client.patch(DIGITAL, json={"policy": {"mentor_seats": 4}, "why": "many want to"}))
        await looked_at(enrolment)
        assert [status for status, _ in (await listed(enrolment)).values()] == ["enrolled"] * 4 + ["waiting"]
        good(await client.patch(DIGITAL, json={"policy": {"mentor_seats": 1}, "why": "too many"}))
        await looked_at(enrolment)
        assert [status for status, _ in (await listed(enrolment)).values()] == ["enrolled"] * 4 + ["waiting"]


async def test_whether_seats_are_counted_is_decided_before_a_programme_opens(enrolment: Hearing) -> None:
    async with group(enrolment) as client:
        for change, place in (({}, "/policy/mentor_seats"), ({"mentor_seats": 2, "mentee_seats": 5}, "/policy/mentee_seats")):
            refused = await client.patch(DIGITAL, json={"policy": change, "why": "x"})
            problem(refused, 422, "invalid")
            assert pointers(refused) == [place]
            assert pointers(await client.post(f"{DIGITAL}/preview", json={"policy": change})) == [place]
        await enrolment.given(programme(status=ProgrammeStatus.DRAFT))
        good(await client.patch(DIGITAL, json={"policy": {"mentor_seats": 1}}))


async def test_a_closed_programme_gives_out_no_seats(enrolment: Hearing) -> None:
    ids = await enrolled_in_turn(enrolment, *PEOPLE[:3])
    async with group(enrolment) as client:
        good(await client.post(f"{DIGITAL}/close"))
    await withdrawn(enrolment, PEOPLE[0], ids[PEOPLE[0]])
    assert (await listed(enrolment))[PEOPLE[2]] == ("waiting", 1)


async def test_who_waits_changes_their_form_and_signs_and_nobody_is_told(enrolment: Hearing) -> None:
    ids = await enrolled_in_turn(enrolment, *PEOPLE[:3])
    async with group(enrolment) as client:
        good(await client.put(f"{DIGITAL}/charter", json={"texts": {"en": "voluntary"}}))
    await enrolment.said()
    where = f"{API}/enrolments/{ids[PEOPLE[2]]}"
    async with enrolment.client(PEOPLE[2]) as client:
        edited = good(await client.patch(where, json={"meeting": "remote"}))
        signed = good(await client.post(f"{where}/sign", json={"charter_version": 1}))
    assert (edited["status"], edited["line"], Meeting(edited["meeting"]), signed["charter_version"]) == ("waiting", 1, Meeting.REMOTE, 1)
    assert await enrolment.said() == []
    await withdrawn(enrolment, PEOPLE[0], ids[PEOPLE[0]])
    [taken] = [one for one in await enrolment.said() if isinstance(one, EmployeeEnrolled)]
    assert (taken.person, taken.meeting) == (PEOPLE[2], Meeting.REMOTE)


async def test_a_line_that_nobody_comes_to_the_end_of_is_not_joined(enrolment: Hearing) -> None:
    line = tuple(Place(enrolment=str(one), person="de:x", asked_at=START, seq=1, told=True) for one in range(MAX_WAITING))
    await enrolment.given(Seats(id=Seats.id_of("digital", Role.MENTOR), waiting=line))
    async with enrolment.client(PEOPLE[0]) as client:
        refused = await client.post(f"{API}/enrolments", json={"programme": "digital", "role": "mentor", **FORM})
    assert [one["code"] for one in problem(refused, 422, "not-eligible")["errors"]] == ["line-too-long"]


async def test_two_processes_at_once_give_out_as_many_seats_as_there_are(tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as one, hearing(build, tmp_path) as other:
        await settled(one)
        await one.given(programme(policy=Policy(mentor_seats=2)))
        await one.hears(*[recorded(person.removeprefix("fr:")) for person in PEOPLE])
        await asyncio.gather(*[enrol((one, other)[at % 2], person) for at, person in enumerate(PEOPLE)])
        for _ in range(6):
            other.clock.advance(timedelta(seconds=1))
            one.clock.advance(timedelta(seconds=1))
            await asyncio.gather(one.settle(), other.settle())
        assert sorted(status for status, _ in (await listed(one)).values()) == ["enrolled"] * 2 + ["waiting"] * 4
        async with coordinator(other) as client:
            assert good(await client.get(f"{DIGITAL}/seats"))[0]["taken"] == 2


@dataclass
class Person:
    """A person's own document, as far as seats look at it, and what it has said that has not arrived yet."""

    name: str
    status: EnrolmentStatus | None = None
    told: bool = False
    seq: int = 0
    asked: int = 0
    saying: list[SeatRequested | EmployeeWithdrawn] = field(default_factory=list)


class SeatsUnderCrashes(RuleBasedStateMachine):
    """Documents are written one by one and processes die in between; facts arrive late, twice, and out of order between the two topics."""

    def __init__(self) -> None:
        super().__init__()
        self.seats = Seats(id=Seats.id_of("p", Role.MENTOR))
        self.people = {name: Person(name) for name in ("a", "b", "c", "d")}
        self.limit = self.most = 2
        self.minute = 0
        self.heard: list[SeatRequested | EmployeeWithdrawn] = []

    names = st.sampled_from(["a", "b", "c", "d"])

    @rule(name=names)
    def asks(self, name: str) -> None:
        person = self.people[name]
        if person.status not in {None, EnrolmentStatus.WITHDRAWN}:
            return
        self.minute += 1
        person.status, person.told, person.seq = EnrolmentStatus.WAITING, False, person.seq + 1
        person.asked = person.seq
        at = START + timedelta(minutes=self.minute)
        told = {"enrolment": name, "person": f"fr:{name}", "programme": "p", "role": Role.MENTOR}
        person.saying.append(SeatRequested(seq=person.seq, asked_at=at, **told))

    @rule(name=names)
    def withdraws(self, name: str) -> None:
        person = self.people[name]
        if person.status in {None, EnrolmentStatus.WITHDRAWN}:
            return
        person.status, person.seq = EnrolmentStatus.WITHDRAWN, person.seq + 1
        form = {"capacity": 1, "topics": {}, "languages": (), "availability": (), "meeting": Meeting.EITHER}
        told = {"enrolment": name, "person": f"fr:{name}", "programme": "p", "role": Role.MENTOR, "status": person.status}
        person.saying.append(EmployeeWithdrawn(seq=person.seq, **told, **form))

    @rule(name=names, which=st.integers(0, 5))
    def a_fact_arrives(self, name: str, which: int) -> None:
        saying = self.people[name].saying
        if saying:
            self._hear(saying.pop(which % len(saying)))

    @precondition(lambda self: self.heard)
    @rule(which=st.integers(0, 1000))
    def a_fact_arrives_again(self, which: int) -> None:
        self._hear(self.heard[which % len(self.heard)])

    def _hear(self, event: SeatRequested | EmployeeWithdrawn) -> None:
        self.heard.append(event)
        now = START + timedelta(days=1)
        self.seats = self.seats.ask(event, now) if isinstance(event, SeatRequested) else self.seats.release(event, now)

    @rule(limit=st.integers(1, 3))
    def the_policy_changes(self, limit: int) -> None:
        self.limit, self.most = limit, max(self.most, limit)
        self.seats = self.seats.wake(START)

    @rule(seats_saved=st.booleans(), people_saved=st.booleans())
    def somebody_looks(self, seats_saved: bool = True, people_saved: bool = True) -> None:  # noqa: FBT001, FBT002 - a crash in between
        found = {one.enrolment: self.people[one.enrolment] for one in self.seats.concerned}
        settled = self.seats.settle(self.limit, {name: Standing(one.status, one.asked, one.told) for name, one in found.items()}, START)
        if people_saved:
            for place in settled.admit:
                self.people[place.enrolment].status = EnrolmentStatus.ENROLLED
            for place in settled.tell:
                self.people[place.enrolment].told = True
        if seats_saved:
            self.seats = settled.seats

    @invariant()
    def nobody_is_one_too_many(self) -> None:
        assert sum(one.status is EnrolmentStatus.ENROLLED for one in self.people.values()) <= self.most

    @invariant()
    def nobody_is_in_two_places(self) -> None:
        places = [one.enrolment for one in (*self.seats.taken, *self.seats.granted, *self.seats.waiting)]
        assert len(places) == len(set(places))

    def teardown(self) -> None:
        """Once everything has arrived and been looked at, no seat is free while somebody waits, and who waits knows it."""
        for one in self.people.values():
            while one.saying:
                self._hear(one.saying.pop(0))
        for _ in range(20):
            self.somebody_looks()
        waiting = [one for one in self.people.values() if one.status is EnrolmentStatus.WAITING]
        enrolled = [one for one in self.people.values() if one.status is EnrolmentStatus.ENROLLED]
        assert self.seats.due_at is None
        assert {one.enrolment for one in self.seats.waiting} == {one.name for one in waiting}
        assert {one.enrolment for one in self.seats.taken} == {one.name for one in enrolled}
        assert all(one.told for one in waiting)
        assert not waiting or len(enrolled) >= self.limit


SeatsUnderCrashes.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSeatsUnderCrashes = SeatsUnderCrashes.TestCase


def test_the_line_is_by_when_somebody_asked_not_by_when_it_was_heard() -> None:
    told = {"programme": "p", "role": Role.MENTOR}
    early, late = (
        SeatRequested(seq=1, enrolment=name, person=f"fr:{name}", asked_at=START + timedelta(minutes=at), **told)
        for at, name in enumerate(("early", "late"))
    )
    seats = Seats(id=Seats.id_of("p", Role.MENTOR)).ask(late, START).ask(early, START)
    assert [seats.line(name) for name in ("early", "late", "nobody")] == [1, 2, None]
    assert replace(seats, due_at=None).ask(early, START).due_at is None
