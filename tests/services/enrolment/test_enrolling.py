"""Enrolling, changing and withdrawing, and what the person's leave, return and leaving do to it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.services.enrolment.staffing import BOB, COORDINATOR, GROUP, LEA, left, oneself, programme, recorded, settled

from amont.common.errors import NotFound, Stale
from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeLeft,
    EmployeeWithdrawn,
    EnrolmentChanged,
    EnrolmentResumed,
    EnrolmentSuspended,
    Event,
    Policy,
)
from amont.common.events.values import EnrolmentStatus, ProgrammeStatus, Role
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import START, Hearing, hearing
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.eligibility import NotEligible
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import AlreadyEnrolled, CharterIsPersonal, EnrolmentOver, Form
from amont.enrolment.domain.programme import Programme

GOOD = Form(topics={"ai": 3}, languages=(), availability=("mon 09:00-11:30",))


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        yield await settled(one)


async def enrol(enrolment: Hearing, person: str = LEA, role: Role = Role.MENTOR, **more: Any) -> commands.Held:
    given = {"form": GOOD, "charter_accepted": True, "actor": oneself(person), **more}
    return await enrolment.asked(commands.enrol, person, "digital", role, given.pop("actor"), **given)


async def refused(enrolment: Hearing, person: str = LEA, role: Role = Role.MENTOR, **more: Any) -> dict[str, str]:
    with pytest.raises(NotEligible) as error:
        await enrol(enrolment, person, role, **more)
    assert error.value.status == 422
    return {reason.code: reason.pointer for reason in error.value.reasons}


def enrolments_of(events: list[Event]) -> list[tuple[type[Event], str]]:
    return [(type(event), str(event.status)) for event in events if event.topic == "enrolment-enrolments"]  # type: ignore[attr-defined]


async def test_a_junior_enrols_as_a_mentor(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    (said,) = await enrolment.said()
    assert isinstance(said, EmployeeEnrolled)
    assert (said.enrolment, said.person, said.languages, said.capacity, said.seq) == (held.enrolment.id, LEA, ("fr",), 1, 2)
    assert said.key == f"fr:{said.enrolment}"


async def test_an_executive_enrols_as_a_mentee(enrolment: Hearing) -> None:
    assert (await enrol(enrolment, BOB, Role.MENTEE)).enrolment.status is EnrolmentStatus.ENROLLED


@pytest.mark.parametrize("who", [COORDINATOR, GROUP, replace(COORDINATOR, privileges=frozenset(Privilege))])
async def test_nobody_accepts_the_charter_for_another(enrolment: Hearing, who: Actor) -> None:
    with pytest.raises(CharterIsPersonal, match="must accept the charter themselves") as refusal:
        await enrol(enrolment, actor=who)
    assert refusal.value.status == 403
    with pytest.raises(NotFound):
        await enrol(enrolment, BOB, Role.MENTEE, actor=replace(COORDINATOR, person="de:coord", tenant="de"))
    with pytest.raises(NotFound):
        await enrol(enrolment, BOB, Role.MENTEE, actor=oneself(LEA))
    assert await enrolment.said() == []


async def test_a_coordinator_who_takes_part_enrols_themselves(enrolment: Hearing) -> None:
    both = frozenset({Privilege.COORDINATOR, Privilege.PARTICIPANT})
    assert (await enrol(enrolment, actor=replace(oneself(LEA), privileges=both))).person == LEA


async def test_there_is_one_seat_per_role(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    with pytest.raises(AlreadyEnrolled, match=held.enrolment.id):
        await enrol(enrolment)


async def test_every_reason_is_given_at_once(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("bob", at=START, grade="DIR", status="on_leave", joined_on=date(2026, 12, 1)))
    await enrolment.given(programme(id="closed", tenants=("de",), status=ProgrammeStatus.CLOSED, policy=Policy(min_common_hours=3)))
    form = Form(topics={"ai": 4, "golf": 1}, languages=("French!",), availability=("mon 11:00-09:00",), capacity=3)
    bob = replace(oneself(BOB), privileges=frozenset({Privilege.PARTICIPANT, Privilege.GROUP_COORDINATOR}))
    with pytest.raises(NotEligible) as error:
        await enrolment.asked(commands.enrol, BOB, "closed", Role.MENTOR, bob, form=form, charter_accepted=False)
    assert [(reason.code, reason.pointer) for reason in error.value.reasons] == [
        ("programme-not-open", "/programme"),
        ("subsidiary-not-in-programme", "/programme"),
        ("on-leave", "/person"),
        ("band-too-high", "/role"),
        ("joined-too-recently", "/role"),
        ("level-out-of-range", "/topics/ai"),
        ("unknown-topic", "/topics/golf"),
        ("capacity", "/capacity"),
        ("language", "/languages/0"),
        ("window", "/availability/0"),
        ("charter-not-accepted", "/charter_accepted"),
    ]


@pytest.mark.parametrize("status", [ProgrammeStatus.DRAFT, ProgrammeStatus.CLOSED])
async def test_a_programme_that_is_not_open_takes_nobody(enrolment: Hearing, status: ProgrammeStatus) -> None:
    await enrolment.given(replace(await enrolment.look(Programme, "digital"), status=status))
    assert await refused(enrolment) == {"programme-not-open": "/programme"}


async def test_a_running_programme_takes_people(enrolment: Hearing) -> None:
    await enrolment.given(replace(await enrolment.look(Programme, "digital"), status=ProgrammeStatus.RUNNING))
    await enrol(enrolment)


async def test_grade_bands_keep_the_roles_inverted(enrolment: Hearing) -> None:
    assert await refused(enrolment, LEA, Role.MENTEE) == {"band-too-low": "/role"}
    assert await refused(enrolment, BOB, Role.MENTOR) == {"band-too-high": "/role"}


@pytest.mark.parametrize(
    ("joined", "taken"), [(date(2026, 7, 4), True), (date(2026, 7, 5), False), (date(2030, 1, 1), False), (None, True)]
)
async def test_a_mentor_has_been_in_the_group_for_six_months(enrolment: Hearing, joined: date | None, taken: bool) -> None:  # noqa: FBT001
    await enrolment.hears(recorded(at=START, joined_on=joined))
    if taken:
        await enrol(enrolment)
    else:
        assert await refused(enrolment) == {"joined-too-recently": "/role"}


@pytest.mark.parametrize(
    ("form", "reasons"),
    [
        (replace(GOOD, topics={}), {"topics-count": "/topics"}),
        (replace(GOOD, topics={"golf/club": 1}), {"unknown-topic": "/topics/golf~1club"}),
        (replace(GOOD, topics={"ai": 0}), {"level-out-of-range": "/topics/ai"}),
        (replace(GOOD, capacity=3), {"capacity": "/capacity"}),
        (replace(GOOD, capacity=0), {"capacity": "/capacity"}),
        (replace(GOOD, availability=()), {"too-few-hours": "/availability"}),
        (replace(GOOD, availability=("mon 09:00-10:30", "mon 09:30-10:30")), {"too-few-hours": "/availability"}),
        (replace(GOOD, availability=("mon 09:00-12:00", "noon")), {"window": "/availability/1"}),
        (replace(GOOD, availability=("mon 09:15-12:00",)), {"window": "/availability/0"}),
        (replace(GOOD, availability=("mon 09:00-24:30",)), {"window": "/availability/0"}),
    ],
)
async def test_a_form_is_held_against_the_programme(enrolment: Hearing, form: Form, reasons: dict[str, str]) -> None:
    assert await refused(enrolment, form=form) == reasons
    assert await enrolment.said() == []


async def test_too_many_topics_are_refused(enrolment: Hearing) -> None:
    topics = tuple(f"t{number}" for number in range(9))
    await enrolment.given(replace(await enrolment.look(Programme, "digital"), topics=topics))
    assert await refused(enrolment, form=replace(GOOD, topics=dict.fromkeys(topics, 1))) == {"topics-count": "/topics"}


async def test_a_mentee_has_one_place_and_a_mentor_up_to_two(enrolment: Hearing) -> None:
    assert await refused(enrolment, BOB, Role.MENTEE, form=replace(GOOD, capacity=2)) == {"capacity": "/capacity"}
    assert (await enrol(enrolment, form=replace(GOOD, capacity=2))).enrolment.form.capacity == 2


async def test_without_the_charter_nobody_takes_part(enrolment: Hearing) -> None:
    assert await refused(enrolment, charter_accepted=False) == {"charter-not-accepted": "/charter_accepted"}


async def test_both_roles_only_when_the_policy_says_so(enrolment: Hearing) -> None:
    open_to_all = Policy(mentor_max_band=20, mentee_min_band=1)
    await enrolment.given(replace(await enrolment.look(Programme, "digital"), policy=open_to_all))
    await enrol(enrolment)
    assert await refused(enrolment, LEA, Role.MENTEE) == {"other-role-taken": "/role"}
    await enrolment.given(replace(await enrolment.look(Programme, "digital"), policy=open_to_all.model_copy(update={"both_roles": True})))
    await enrol(enrolment, LEA, Role.MENTEE)
    assert len((await enrolment.look(Employee, LEA)).enrolments) == 2


async def test_a_leaver_or_somebody_not_here_yet_cannot_enrol(enrolment: Hearing) -> None:
    await enrolment.hears(left(at=START), recorded("new", at=START + timedelta(days=9)))
    assert await refused(enrolment) == {"not-active": "/person"}
    with pytest.raises(NotFound):
        await enrol(enrolment, "fr:new")


async def test_leave_suspends_and_return_resumes(enrolment: Hearing) -> None:
    await enrol(enrolment)
    await enrolment.hears(recorded(at=START, status="on_leave"))
    assert enrolments_of(await enrolment.said()) == [(EmployeeEnrolled, "enrolled"), (EnrolmentSuspended, "suspended")]
    await enrolment.hears(recorded(at=START, wrote=START, status="on_leave", team="still away"))
    assert enrolments_of(await enrolment.said()) == []
    await enrolment.hears(recorded(at=START, wrote=START + timedelta(minutes=1)))
    assert enrolments_of(await enrolment.said()) == [(EnrolmentResumed, "enrolled")]


async def test_planned_leave_suspends_on_its_day(enrolment: Hearing) -> None:
    await enrol(enrolment)
    await enrolment.hears(recorded(at=START + timedelta(days=3), status="on_leave"))
    await enrolment.said()
    await enrolment.passes(timedelta(days=3))
    assert [type(event) for event in await enrolment.said()] == [EmployeeChanged, EnrolmentSuspended]


async def test_leaving_ends_every_enrolment_besides_being_told(enrolment: Hearing) -> None:
    await enrol(enrolment)
    await enrolment.hears(recorded(at=START, status="on_leave"))
    await enrolment.said()
    await enrolment.hears(left(at=START, wrote=START))
    gone, over = await enrolment.said()
    assert isinstance(gone, EmployeeLeft)
    assert isinstance(over, EmployeeWithdrawn)
    assert over.status is EnrolmentStatus.ENDED
    assert (gone.seq, over.seq) == (5, 6)


async def test_who_comes_back_under_the_same_id_takes_part_again(enrolment: Hearing) -> None:
    first = await enrol(enrolment)
    await enrolment.hears(left(at=START), recorded(at=START, wrote=START))
    again = (await enrolment.look(Employee, LEA)).enrolment(first.enrolment.id)
    assert (again.status, again.version, again.form) == (EnrolmentStatus.ENROLLED, 3, first.enrolment.form)
    assert enrolments_of(await enrolment.said()) == [
        (EmployeeEnrolled, "enrolled"),
        (EmployeeWithdrawn, "ended"),
        (EnrolmentResumed, "enrolled"),
    ]


async def test_withdrawing_is_one_click_and_once_is_enough(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    await enrolment.said()
    for _ in range(2):
        over = await enrolment.asked(commands.withdraw, held.enrolment.id, oneself(LEA), "my own affair")
        assert over.enrolment.status is EnrolmentStatus.WITHDRAWN
    (said,) = await enrolment.said()
    assert isinstance(said, EmployeeWithdrawn)
    assert b"my own affair" not in said.encode()
    assert (await enrolment.look(Employee, LEA)).enrolments[0].private_reason == "my own affair"


async def test_after_withdrawing_one_may_enrol_again(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    await enrolment.asked(commands.withdraw, held.enrolment.id, oneself(LEA))
    await enrol(enrolment)
    assert enrolments_of(await enrolment.said()) == [
        (EmployeeEnrolled, "enrolled"),
        (EmployeeWithdrawn, "withdrawn"),
        (EmployeeEnrolled, "enrolled"),
    ]


async def test_what_was_withdrawn_is_neither_suspended_nor_ended(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    await enrolment.asked(commands.withdraw, held.enrolment.id, oneself(LEA))
    await enrolment.said()
    await enrolment.hears(recorded(at=START, status="on_leave"), left(at=START, wrote=START))
    assert enrolments_of(await enrolment.said()) == []


async def test_a_changed_form_is_told_and_the_same_one_is_not(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    await enrolment.said()
    edit = commands.FormEdit(topics={"data": 2}, capacity=2)
    changed = await enrolment.asked(commands.edit_enrolment, held.enrolment.id, oneself(LEA), edit, 1)
    assert (changed.enrolment.version, changed.enrolment.form.availability) == (2, GOOD.availability)
    await enrolment.asked(commands.edit_enrolment, held.enrolment.id, oneself(LEA), edit, 2)
    (said,) = await enrolment.said()
    assert isinstance(said, EnrolmentChanged)
    assert (said.topics, said.capacity) == ({"data": 2}, 2)


async def test_a_staff_record_does_not_make_a_form_stale_but_another_edit_does(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    await enrolment.hears(recorded(at=START, team="moved"))
    edit = commands.FormEdit(topics={"data": 2})
    await enrolment.asked(commands.edit_enrolment, held.enrolment.id, oneself(LEA), edit, 1)
    with pytest.raises(Stale) as error:
        await enrolment.asked(commands.edit_enrolment, held.enrolment.id, oneself(LEA), edit, 1)
    assert error.value.current == 2


async def test_a_bad_edit_gives_every_reason(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    await enrolment.given(replace(await enrolment.look(Programme, "digital"), status=ProgrammeStatus.CLOSED))
    edit = commands.FormEdit(topics={"golf": 1}, languages=[], availability=[])
    with pytest.raises(NotEligible) as error:
        await enrolment.asked(commands.edit_enrolment, held.enrolment.id, oneself(LEA), edit, None)
    assert [reason.code for reason in error.value.reasons] == ["programme-not-open", "unknown-topic", "languages-count", "too-few-hours"]


async def test_what_is_over_cannot_be_changed(enrolment: Hearing) -> None:
    held = await enrol(enrolment)
    await enrolment.asked(commands.withdraw, held.enrolment.id, oneself(LEA))
    with pytest.raises(EnrolmentOver, match="Enrol again"):
        await enrolment.asked(commands.edit_enrolment, held.enrolment.id, oneself(LEA), commands.FormEdit(capacity=2), None)


async def test_eligibility_answers_every_reason_and_changes_nothing(enrolment: Hearing) -> None:
    assert await enrolment.asked(commands.eligibility, "digital", LEA, Role.MENTOR, oneself(LEA)) == []
    reasons = await enrolment.asked(commands.eligibility, "digital", LEA, Role.MENTEE, oneself(LEA))
    assert [reason.code for reason in reasons] == ["band-too-low"]
    await enrol(enrolment)
    reasons = await enrolment.asked(commands.eligibility, "digital", LEA, Role.MENTOR, COORDINATOR)
    assert [reason.code for reason in reasons] == ["already-enrolled"]
    assert len(await enrolment.said()) == 1
