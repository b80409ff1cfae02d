"""Moving to another subsidiary: what somebody takes part in comes with them where the rules allow, once both sides have said so, in whatever order."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from tests.services.enrolment.staffing import COORDINATOR, GROUP, LEA, de, fr, left, oneself, programme, recorded, settled

from amont.common.events import EmployeeEnrolled, EmployeeWithdrawn, Event
from amont.common.events.values import EnrolmentStatus, Role
from amont.common.metrics import REGISTRY
from amont.common.testing.hearing import START, Hearing, hearing
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Form
from amont.enrolment.domain.feed import HOUR
from amont.enrolment.domain.move import Move
from amont.enrolment.domain.programme import Programme

SECOND = timedelta(seconds=1)
FORM = Form(topics={"ai": 3}, languages=("fr",), availability=("mon 09:00-11:30",))
NEW = "de:77"


def arrives(**more: object) -> Event:
    return recorded("77", tenant="de", **{"at": START, "grade": "AT", "former_id": LEA, **more})


def leaves() -> Event:
    return left("lea", at=START)


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        await settled(one)
        await one.asked(commands.enrol, LEA, "digital", Role.MENTOR, oneself(LEA), form=FORM, charter_accepted=True)
        await one.said()
        yield one


async def time_passes(enrolment: Hearing) -> list[Event]:
    for _ in range(6):
        await enrolment.passes(SECOND)
    return await enrolment.said()


async def test_what_somebody_takes_part_in_comes_with_them_whoever_speaks_first(tmp_path: Path) -> None:
    for number, facts in enumerate(permutations([arrives(), leaves()])):
        async with hearing(build, tmp_path / str(number)) as enrolment:
            await settled(enrolment)
            await enrolment.asked(commands.enrol, LEA, "digital", Role.MENTOR, oneself(LEA), form=FORM, charter_accepted=True)
            await enrolment.said()
            said = []
            for fact in facts:
                await enrolment.hears(fact)
                said += await time_passes(enrolment)
            (taken,) = [event for event in said if isinstance(event, EmployeeEnrolled)]
            assert (taken.person, taken.programme, taken.role, taken.topics) == (NEW, "digital", Role.MENTOR, {"ai": 3})
            (over,) = [event for event in said if isinstance(event, EmployeeWithdrawn)]
            assert (over.person, over.status) == (LEA, EnrolmentStatus.ENDED)
            assert (await enrolment.look(Employee, NEW)).due_at is None
            former = await enrolment.look(Employee, LEA)
            assert former.left_at is not None
            assert former.due_at == former.left_at + timedelta(days=30)  # when they are let go of


async def test_where_a_rule_stands_against_it_they_are_told(enrolment: Hearing) -> None:
    await enrolment.given(replace(await enrolment.look(Programme, "digital"), tenants=("fr",)))
    await enrolment.hears(leaves(), arrives())
    _, told = [event for event in await time_passes(enrolment) if isinstance(event, EmployeeWithdrawn)]
    assert (told.person, told.moved_from, told.status) == (NEW, LEA, EnrolmentStatus.WITHDRAWN)
    await enrolment.hears(recorded("77", tenant="de", at=START + SECOND, grade="AT", team="later"))
    assert (await enrolment.look(Employee, NEW)).enrolments[0].status is EnrolmentStatus.WITHDRAWN


async def test_one_side_alone_moves_nobody(enrolment: Hearing) -> None:
    await enrolment.hears(arrives())
    assert [type(event).__name__ for event in await time_passes(enrolment)] == ["EmployeeChanged"]
    assert (await enrolment.look(Employee, LEA)).enrolments[0].open
    assert (await enrolment.look(Employee, NEW)).enrolments == ()


async def test_who_had_withdrawn_is_not_brought_back(enrolment: Hearing) -> None:
    (seat,) = (await enrolment.look(Employee, LEA)).enrolments
    await enrolment.asked(commands.withdraw, seat.id, oneself(LEA), None)
    await enrolment.hears(leaves(), arrives())
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, NEW)).enrolments == ()


async def test_what_was_handed_over_stays_ended_should_the_former_id_come_back(enrolment: Hearing) -> None:
    await enrolment.hears(leaves(), arrives())
    await time_passes(enrolment)
    await enrolment.hears(recorded("lea", at=START + HOUR))
    await enrolment.passes(2 * HOUR)
    assert (await enrolment.look(Employee, LEA)).enrolments[0].status is EnrolmentStatus.ENDED
    assert (await enrolment.look(Employee, NEW)).enrolments[0].status is EnrolmentStatus.ENROLLED


async def test_who_arrives_on_leave_has_a_suspended_seat(enrolment: Hearing) -> None:
    await enrolment.hears(leaves(), arrives(status="on_leave"))
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, NEW)).enrolments[0].status is EnrolmentStatus.SUSPENDED


async def test_a_held_leaving_keeps_the_move_waiting(enrolment: Hearing) -> None:
    await enrolment.given(fr(leaver_share=0.0))
    await enrolment.passes(HOUR)
    await enrolment.hears(leaves(), arrives())
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, NEW)).enrolments == ()
    await enrolment.asked(commands.release_leavers, "fr", COORDINATOR, "she moved")
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, NEW)).enrolments[0].open


async def test_a_future_arrival_waits_for_its_day(enrolment: Hearing) -> None:
    await enrolment.hears(leaves(), recorded("77", tenant="de", at=START + timedelta(days=3), grade="AT", former_id=LEA))
    await time_passes(enrolment)
    await enrolment.passes(timedelta(days=3))
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, NEW)).enrolments[0].open


async def test_a_second_subsidiary_that_claims_the_same_person_gets_nothing(enrolment: Hearing) -> None:
    await enrolment.given(replace(de(), id="es"))
    await enrolment.given(programme(tenants=("fr", "de", "es")))
    await enrolment.hears(leaves(), arrives())
    await time_passes(enrolment)
    await enrolment.hears(recorded("5", tenant="es", at=START, grade="AT", former_id=LEA))
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, "es:5")).enrolments == ()


def refused(why: str) -> float:
    return REGISTRY.get_sample_value("amont_moves_refused_total", {"why": why}) or 0


def claims(who: str, former: str | None, day: int) -> Event:
    tenant, employee = who.split(":")
    return recorded(employee, tenant=tenant, at=START - timedelta(days=10 - day), grade="AT", former_id=former)


@pytest.mark.parametrize("facts", list(permutations([claims(NEW, LEA, 1), claims(NEW, None, 2), claims("es:5", LEA, 1)])))
async def test_a_wrong_claim_that_is_corrected_in_time_leaves_the_right_one_its_way(enrolment: Hearing, facts: tuple[Event, ...]) -> None:
    await enrolment.given(replace(de(), id="es"))
    await enrolment.given(programme(tenants=("fr", "de", "es")))
    for fact in facts:
        await enrolment.hears(fact)
        await time_passes(enrolment)
    await enrolment.passes(timedelta(days=1))
    await time_passes(enrolment)
    await enrolment.hears(left("lea", at=START))
    await time_passes(enrolment)
    wrong, right, former = [await enrolment.look(Employee, one) for one in (NEW, "es:5", LEA)]
    assert (wrong.enrolments, wrong.move) == ((), Move())
    assert right.enrolments[0].status is EnrolmentStatus.ENROLLED
    assert (right.move, former.move) == (Move(former=LEA, arrived=True), Move(successor="es:5", handed_over=True))


async def test_of_two_who_claim_one_person_the_second_is_counted_once_a_day_and_logged_by_ids(
    enrolment: Hearing, capsys: pytest.CaptureFixture[str]
) -> None:
    await enrolment.given(replace(de(), id="es"))
    before = {why: refused(why) for why in ("claimed", "handed-over", "unknown")}
    await enrolment.hears(claims(NEW, LEA, 1), claims("es:5", LEA, 1), claims("es:6", "be:1", 1))
    await time_passes(enrolment)
    assert {why: refused(why) - then for why, then in before.items()} == {"claimed": 1, "handed-over": 0, "unknown": 1}
    await enrolment.hears(leaves())
    await enrolment.passes(timedelta(days=1))
    assert {why: refused(why) - then for why, then in before.items()} == {"claimed": 1, "handed-over": 1, "unknown": 2}
    assert (await enrolment.look(Employee, "es:5")).enrolments == ()
    said = capsys.readouterr().out + capsys.readouterr().err
    assert "Test" not in said


async def test_a_claim_of_somebody_who_is_not_known_yet_is_followed_once_they_are(enrolment: Hearing) -> None:
    await enrolment.hears(claims(NEW, "fr:zoe", 1))
    await time_passes(enrolment)
    await enrolment.hears(recorded("zoe"))
    await enrolment.asked(commands.enrol, "fr:zoe", "digital", Role.MENTOR, oneself("fr:zoe"), form=FORM, charter_accepted=True)
    await enrolment.passes(timedelta(days=1))
    await enrolment.hears(left("zoe", at=START))
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, NEW)).enrolments[0].open


async def test_a_claim_given_up_between_the_steps_gives_back_what_nobody_took(enrolment: Hearing) -> None:
    former = await enrolment.look(Employee, LEA)
    await enrolment.given(replace(former, move=Move(successor=NEW, handed_over=True)))
    await enrolment.given(Employee(id=NEW, move=Move(former=LEA)))
    await enrolment.hears(claims(NEW, None, 2))
    await time_passes(enrolment)
    assert (await enrolment.look(Employee, LEA)).move == Move()


@pytest.mark.parametrize("before", [timedelta(0), timedelta(milliseconds=500), SECOND, 1.5 * SECOND, 2 * SECOND])
async def test_a_former_id_whose_time_ends_amid_the_move_is_kept_until_it_is_complete(enrolment: Hearing, before: timedelta) -> None:
    await enrolment.hears(leaves())
    left_at = (await enrolment.look(Employee, LEA)).left_at
    assert left_at is not None
    await enrolment.passes(left_at + timedelta(days=30) - SECOND / 4 - before - enrolment.clock.now())
    await enrolment.hears(arrives())
    for _ in range(12):
        await enrolment.passes(SECOND / 2)
    assert [one.status for one in (await enrolment.look(Employee, NEW)).enrolments] == [EnrolmentStatus.ENROLLED]
    former = await enrolment.look(Employee, LEA)
    assert (former.keeps_anything, former.due_at) == (False, None)


async def test_a_claim_after_the_former_id_was_let_go_of_leaves_no_link_there(enrolment: Hearing) -> None:
    await enrolment.hears(leaves())
    await enrolment.passes(timedelta(days=31))
    await enrolment.hears(arrives())
    await time_passes(enrolment)
    former = await enrolment.look(Employee, LEA)
    assert (former.move, former.keeps_anything, former.due_at) == (Move(), False, None)
    assert (await enrolment.look(Employee, NEW)).move == Move(former=LEA, arrived=True)


def returns(**more: object) -> Event:
    return recorded("lea", at=START + HOUR, **more)


def leaves_again() -> Event:
    return left("77", tenant="de", at=START + HOUR)


@pytest.mark.parametrize("facts", list(permutations([arrives(), leaves(), leaves_again(), returns(former_id=NEW)])))
async def test_who_moves_away_and_back_again_keeps_what_they_take_part_in(enrolment: Hearing, facts: tuple[Event, ...]) -> None:
    enrolment.clock.advance(2 * HOUR)
    for fact in facts:
        await enrolment.hears(fact)
        await time_passes(enrolment)
    await enrolment.passes(timedelta(days=1))
    await time_passes(enrolment)
    (seat,) = (await enrolment.look(Employee, LEA)).enrolments
    assert (seat.status, seat.form.topics) == (EnrolmentStatus.ENROLLED, {"ai": 3})
    assert not any(one.open for one in (await enrolment.look(Employee, NEW)).enrolments)


async def test_who_goes_to_and_fro_keeps_it_every_time_and_what_they_gave_up_meanwhile_is_over(enrolment: Hearing) -> None:
    await enrolment.given(programme(id="inclusion"))
    await enrolment.asked(commands.enrol, LEA, "inclusion", Role.MENTOR, oneself(LEA), form=FORM, charter_accepted=True)
    for day in range(3):
        enrolment.clock.advance(timedelta(days=2))
        at = START + timedelta(days=2 * day)
        await enrolment.hears(left("lea", at=at), recorded("77", tenant="de", at=at, grade="AT", former_id=LEA, team=f"{day}"))
        await time_passes(enrolment)
        away = {one.programme: one for one in (await enrolment.look(Employee, NEW)).enrolments}
        assert away["digital"].status is EnrolmentStatus.ENROLLED
        if day == 0:
            await enrolment.asked(commands.withdraw, away["inclusion"].id, oneself(NEW), None)
        await enrolment.hears(
            left("77", tenant="de", at=at + timedelta(days=1)), recorded("lea", at=at + timedelta(days=1), former_id=NEW, team=f"{day}")
        )
        await time_passes(enrolment)
        here = {one.programme: one.status for one in (await enrolment.look(Employee, LEA)).enrolments}
        assert here == {"digital": EnrolmentStatus.ENROLLED, "inclusion": EnrolmentStatus.WITHDRAWN}


async def test_who_comes_back_without_a_word_of_where_they_were_is_told_that_it_has_ended(enrolment: Hearing) -> None:
    await enrolment.hears(leaves(), arrives())
    await time_passes(enrolment)
    enrolment.clock.advance(2 * HOUR)
    await enrolment.hears(leaves_again(), returns(), recorded("lea", at=START + HOUR, wrote=START, team="later"))
    told = [event for event in await time_passes(enrolment) if isinstance(event, EmployeeWithdrawn) and event.person == LEA]
    assert [(one.programme, one.moved_from, one.status) for one in told] == [("digital", NEW, EnrolmentStatus.ENDED)]


async def test_an_id_of_ones_own_subsidiary_is_no_former_one(enrolment: Hearing) -> None:
    name = ("amont_hris_fields_dropped_total", {"field": "former-id"})
    before = REGISTRY.get_sample_value(*name) or 0
    await enrolment.hears(recorded("77", tenant="fr", former_id="lea"), recorded("78", tenant="fr", former_id="x" * 100))
    assert REGISTRY.get_sample_value(*name) == before + 2


async def test_of_an_erased_former_id_nothing_is_left_under_the_new_one(enrolment: Hearing) -> None:
    await enrolment.hears(leaves(), arrives())
    await time_passes(enrolment)
    await enrolment.asked(commands.erase, LEA, GROUP, "asked for")
    await time_passes(enrolment)
    await enrolment.hears(arrives(team="again", at=START + SECOND))
    await time_passes(enrolment)
    moved = await enrolment.look(Employee, NEW)
    assert (moved.move.former, moved.elsewhere, moved.move.arrived) == (None, (), True)
    assert moved.enrolments[0].open
