"""The employee's records converge: whatever arrives when, how often and in which order, the same is true once time has passed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.services.enrolment.staffing import LEA, fr, left, recorded

from amont.common.aggregate import Decision
from amont.common.events import EmployeeChanged, EmployeeLeft, EmployeeWithdrawn, EnrolmentResumed, EnrolmentSuspended, Event
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Meeting, Role
from amont.common.testing.hearing import START
from amont.enrolment.domain.arrival import Outcome
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Enrolment, Form
from amont.enrolment.domain.feed import Feed
from amont.enrolment.domain.ruling import Ruling, Verb
from amont.enrolment.domain.staff import StaffEntry, understand_left, understand_recorded

HOUR = timedelta(hours=1)
END = START + 100 * HOUR

OPEN = Feed(id="fr", rulings=(Ruling(verb=Verb.RELEASE, by="fr:coord", at=END, why="a test"),))
"""A feed whose breaker lets everybody go."""

hours = st.integers(-20, 20)


@st.composite
def entries(draw: st.DrawFn) -> StaffEntry:
    """A record of one person's, around START; the small ranges make ties and duplicates likely."""
    at, wrote, event = START + draw(hours) * HOUR, START + draw(st.integers(0, 2)) * HOUR, f"event {draw(st.integers(0, 3))}"
    if draw(st.integers(0, 3)) == 0:
        return understand_left(left(at=at, wrote=wrote), fr(), event).entry
    status, former = draw(st.sampled_from(["active", "on_leave"])), draw(st.sampled_from([None, None, "de:1", "de:2"]))
    said = recorded(at=at, wrote=wrote, status=status, former_id=former, team=f"{at:%d %H} {wrote:%H} {event} {status}")
    return understand_recorded(said, fr(), event).entry


def one_per_position(some: Sequence[StaffEntry]) -> list[StaffEntry]:
    """No event id stands for two records."""
    return list({one.position: one for one in some}.values())


def told(employee: Employee, arrivals: Sequence[tuple[StaffEntry, datetime]]) -> tuple[Employee, list[Event]]:
    """The employee after records arrived at these instants and everything has become true, with all that was said. Due dates are kept in between."""
    said: list[Event] = []

    def became(decision: Decision[Employee]) -> Employee:
        said.extend(decision.events)
        return decision.state

    def wake(now: datetime) -> None:
        nonlocal employee
        employee = became(employee.settle(OPEN, paused=False, now=now)[0])

    for entry, now in arrivals:
        while employee.due_at is not None and employee.due_at <= now:
            wake(employee.due_at)
        employee = became(employee.take(entry, now)[0])
    while employee.due_at is not None:
        wake(max(employee.due_at, arrivals[-1][1]))
    return employee, said


def truth(employee: Employee) -> Employee:
    """What must not depend on the order; how often something was said may, when we heard of somebody or of their leaving, and whom they claimed to have
    been for a while.
    """
    return replace(employee, seq=0, here_since=None, left_at=None, move=replace(employee.move, given_up=()))


orders = (
    st.lists(entries(), min_size=1, max_size=7)
    .map(one_per_position)
    .flatmap(
        lambda some: st.tuples(
            st.just(some), st.permutations([*some, *some[:3]]), st.lists(hours, min_size=len(some) + 3, max_size=len(some) + 3).map(sorted)
        )
    )
)


@given(orders)
def test_any_order_of_arrival_ends_in_the_same_state(order: tuple[list[StaffEntry], list[StaffEntry], list[int]]) -> None:
    some, arriving, when = order
    in_order = sorted(some, key=lambda one: one.position)
    straight, _ = told(Employee(id=LEA), [(entry, START - 30 * HOUR) for entry in in_order])
    shuffled, said = told(Employee(id=LEA), [(entry, START + hour * HOUR) for entry, hour in zip(arriving, when, strict=False)])
    assert truth(shuffled) == truth(straight)
    assert shuffled.last == in_order[-1]
    assert shuffled.future == ()
    readers = [event for event in said if isinstance(event, EmployeeChanged | EmployeeLeft)]
    if shuffled.profile is None:
        assert not readers or (isinstance(readers[-1], EmployeeLeft) and readers[-1].effective_at == in_order[-1].position.effective_at)
    else:
        assert isinstance(readers[-1], EmployeeChanged)
        assert (readers[-1].status, readers[-1].team) == (shuffled.status, shuffled.profile.team)
    assert [event.seq for event in said] == list(range(1, len(said) + 1))


@given(orders)
def test_a_late_timer_gives_the_same_as_a_punctual_one(order: tuple[list[StaffEntry], list[StaffEntry], list[int]]) -> None:
    some, arriving, _ = order
    punctual, _ = told(Employee(id=LEA), [(entry, START - 30 * HOUR) for entry in some])
    late = Employee(id=LEA)
    for entry in arriving:
        late = late.take(entry, START - 30 * HOUR)[0].state
    assert truth(late.settle(OPEN, paused=False, now=END)[0].state) == truth(punctual)


@given(orders)
def test_open_enrolments_always_agree_with_the_persons_status(order: tuple[list[StaffEntry], list[StaffEntry], list[int]]) -> None:
    _, arriving, when = order
    seat = Enrolment(
        id="seat",
        programme="digital",
        role=Role.MENTOR,
        status=EnrolmentStatus.ENROLLED,
        form=Form(topics={"ai": 1}, languages=("fr",), availability=("mon 09:00-12:00",), meeting=Meeting.EITHER),
        charter_accepted_at=START,
        request="asked",
    )
    first = understand_recorded(recorded(), fr(), "first").entry
    known = replace(Employee(id=LEA).take(first, START - 40 * HOUR)[0].state, enrolments=(seat,))
    after, said = told(known, [(entry, START + hour * HOUR) for entry, hour in zip(arriving, when, strict=False)])
    agrees = {
        EmployeeStatus.ACTIVE: EnrolmentStatus.ENROLLED,
        EmployeeStatus.ON_LEAVE: EnrolmentStatus.SUSPENDED,
        EmployeeStatus.LEFT: EnrolmentStatus.ENDED,
    }
    assert after.status is not None
    assert after.enrolments[0].status is agrees[after.status]
    seats = [event for event in said if isinstance(event, EnrolmentSuspended | EnrolmentResumed | EmployeeWithdrawn)]
    assert not seats or seats[-1].status is after.enrolments[0].status


@given(entries(), hours)
def test_a_record_is_stale_the_second_time(entry: StaffEntry, hour: int) -> None:
    now = START + hour * HOUR
    decision, first = Employee(id=LEA).take(entry, now)
    again, second = decision.state.take(entry, now)
    assert first in {Outcome.APPLIED, Outcome.UNCHANGED, Outcome.DEFERRED}
    assert second is Outcome.STALE
    assert (again.state, again.events) == (decision.state, ())


@given(orders)
def test_who_was_released_is_as_if_nothing_before_their_leaving_had_ever_been_said_whatever_comes_late(
    order: tuple[list[StaffEntry], list[StaffEntry], list[int]],
) -> None:
    some, arriving, when = order
    leaving = understand_left(left(at=START, wrote=START + HOUR), fr(), "event 9").entry
    first = understand_recorded(recorded(manager_id="bob", former_id="de:1"), fr(), "first").entry
    known, _ = told(Employee(id=LEA), [(first, START - 50 * HOUR), (leaving, START)])
    released = known.release().state
    assert (released.status, released.ever_managers, released.elsewhere) == (EmployeeStatus.LEFT, (), ())
    assert released.release().state == released
    later = [(entry, START + hour * HOUR) for entry, hour in zip(arriving, when, strict=False)]
    shuffled, _ = told(released, later)
    after = sorted((one for one in some if one.position > leaving.position), key=lambda one: one.position)
    straight, _ = told(released, [(entry, START) for entry in after]) if after else (released, [])
    assert truth(shuffled) == truth(straight)
