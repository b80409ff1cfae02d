"""Erasing somebody, as enrolment sees it: what it says in which order, what it refuses from then on, and what comes of the others' answers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.services.enrolment.staffing import BOB, COORDINATOR, ELSEWHERE, GROUP, LEA, fr, left, oneself, recorded, settled

from amont.common.erasing import FORGOTTEN_AFTER as OTHERS_FORGET_AFTER
from amont.common.errors import NotAllowed, NotFound
from amont.common.events import (
    EmployeeChanged,
    EmployeeErased,
    EmployeeLeft,
    EmployeeWithdrawn,
    ErasedFromMatching,
    ErasedFromNotifications,
    ErasedFromScheduling,
    SubsidiaryChanged,
)
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Role
from amont.common.identity import Actor, Privilege
from amont.common.metrics import REGISTRY
from amont.common.service.letters.letter import LETTERS, DeadLetter
from amont.common.testing.hearing import START, Hearing, hearing
from amont.common.work import Work
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain import erasure as erasure_rules
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Form
from amont.enrolment.domain.erasure import FORGOTTEN_AFTER, Erased, Erasure, Stage, StillErasing, digest_of
from amont.enrolment.domain.export import Export
from amont.enrolment.domain.invitation import Invitation, Invitations
from amont.enrolment.domain.subsidiary import Subsidiary

SECONDS = timedelta(seconds=5)
ANSWERS = (ErasedFromMatching, ErasedFromScheduling, ErasedFromNotifications)
NEWLY = {"at": START + timedelta(days=1), "wrote": START + timedelta(days=1)}


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        yield await settled(one)


async def ordered(enrolment: Hearing, person: str = LEA) -> Erasure:
    """An erasure of which the others have been told."""
    erasure = await enrolment.asked(commands.erase, person, COORDINATOR, "asked for it")
    for _ in range(4):
        await enrolment.passes(SECONDS)
    return erasure


async def answered(enrolment: Hearing, erasure: Erasure, stage: str, seq: int) -> None:
    at = enrolment.clock.now()
    await enrolment.hears(
        *[kind(seq=seq, reference=erasure.id, stage=stage, at=at, removed={"people": 1}, changed={"pairs": 2}) for kind in ANSWERS]
    )


async def done(enrolment: Hearing, person: str = LEA) -> Erasure:
    """An erasure of which nothing is left."""
    erasure = await ordered(enrolment, person)
    await answered(enrolment, erasure, "cleared", 1)
    await enrolment.passes(FORGOTTEN_AFTER)
    await answered(enrolment, erasure, "forgotten", 2)
    for _ in range(8):
        await enrolment.passes(SECONDS)
    await enrolment.passes(timedelta(hours=1))
    return await enrolment.look(Erasure, erasure.id)


async def stage_of(enrolment: Hearing, erasure: Erasure) -> Stage:
    return (await enrolment.look(Erasure, erasure.id)).stage


async def tombstones(enrolment: Hearing) -> list[str]:
    records = await enrolment.log.since("enrolment-employees", 0, 1000)
    return [record.key.decode() for record in records if record.value is None]


def counted(stage: str) -> float:
    return REGISTRY.get_sample_value("amont_erasures_total", {"stage": stage}) or 0.0


async def test_the_others_are_told_that_the_person_left_then_that_they_are_to_be_erased(enrolment: Hearing) -> None:
    form = Form(topics={"ai": 3}, languages=("fr",), availability=("mon 09:00-11:30",))
    seat = await enrolment.asked(commands.enrol, LEA, "digital", Role.MENTOR, oneself(LEA), form=form, charter_accepted=True)
    await enrolment.settle()
    await enrolment.said()
    erasure = await ordered(enrolment)
    about_people = [one for one in await enrolment.said() if isinstance(one, EmployeeLeft | EmployeeErased | EmployeeWithdrawn)]
    assert {type(one) for one in about_people} == {EmployeeLeft, EmployeeErased, EmployeeWithdrawn}
    gone, told = (next(one for one in about_people if isinstance(one, kind)) for kind in (EmployeeWithdrawn, EmployeeErased))
    assert gone.status is EnrolmentStatus.ENDED
    assert (told.person, told.reference, told.enrolments) == (LEA, erasure.id, (seat.enrolment.id,))
    assert told.seq == max(one.seq for one in about_people)


async def test_nothing_of_the_person_is_in_their_document_from_then_on(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(at=START + timedelta(days=90), team="elsewhere"))
    await ordered(enrolment)
    employee = await enrolment.look(Employee, LEA)
    assert employee == Employee(id=LEA, seq=employee.seq, erased=True)


async def test_somebody_who_left_long_ago_is_not_told_to_have_left_again(enrolment: Hearing) -> None:
    await enrolment.hears(left())
    await enrolment.said()
    await ordered(enrolment)
    assert [type(one) for one in await enrolment.said()] == [EmployeeErased]


async def test_asked_for_twice_it_is_one_erasure(enrolment: Hearing) -> None:
    first = await enrolment.asked(commands.erase, LEA, COORDINATOR, "asked for it")
    second = await enrolment.asked(commands.erase, LEA, GROUP, "again")
    assert (second.id, second.reason) == (first.id, "asked for it")


@pytest.mark.parametrize("person", ["fr:nobody", "de:lea"])
async def test_nobody_is_erased_whom_there_is_not(enrolment: Hearing, person: str) -> None:
    with pytest.raises(NotFound):
        await enrolment.asked(commands.erase, person, GROUP, "a mistake")


async def test_a_coordinator_erases_the_people_of_their_own_subsidiary_and_nobody_themselves(enrolment: Hearing) -> None:
    with pytest.raises(NotFound):
        await enrolment.asked(commands.erase, LEA, ELSEWHERE, "not mine")
    with pytest.raises(NotAllowed):
        await enrolment.asked(commands.erase, LEA, oneself(LEA), "mine")


async def test_somebody_of_whom_there_is_only_a_dead_letter_is_erased_too(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("zoe", grade="unheard-of"))
    assert await enrolment.asked(commands.holdings, "fr:zoe", COORDINATOR) == {
        "record": 0,
        "records that lie ahead": 0,
        "enrolments": 0,
        "reports": 0,
        "SCIM users": 0,
        "dead letters": 1,
        "dead letters of others": 0,
    }
    await ordered(enrolment, "fr:zoe")
    with pytest.raises(NotFound):
        await enrolment.asked(commands.holdings, "fr:nobody", COORDINATOR)
    assert (await enrolment.asked(commands.holdings, "fr:zoe", COORDINATOR))["dead letters"] == 0


async def test_the_dead_letter_of_a_report_stays_and_can_be_replayed_without_the_name_of_whom_they_reported_to(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("max", grade="unheard-of", manager_id="lea"))
    assert (await enrolment.asked(commands.holdings, LEA, COORDINATOR))["dead letters of others"] == 1
    await ordered(enrolment)
    (letter,) = await enrolment.asked(every_letter)
    assert b'"lea"' not in (letter.content.raw_value or b"")
    await enrolment.given(fr(grades={"unheard-of": 5}))
    await enrolment.given(letter.ask_replay("fr:coord", None, enrolment.clock.now()).state)
    await enrolment.passes(timedelta(minutes=1))
    (manager,) = (await enrolment.look(Employee, "fr:max")).managers
    assert manager.startswith("fr:erased-")


async def every_letter(work: Work) -> list[DeadLetter]:
    return await work.page(LETTERS.where(), after=None, limit=10)


async def test_what_the_hr_system_goes_on_sending_is_dropped_and_kept_nowhere(enrolment: Hearing) -> None:
    await ordered(enrolment)
    await enrolment.said()
    before = REGISTRY.get_sample_value("amont_hris_records_total", {"tenant": "fr", "outcome": "erased"}) or 0.0
    await enrolment.hears(recorded(**NEWLY, team="elsewhere"), left(at=START + timedelta(days=2)))
    assert await enrolment.said() == []
    assert await enrolment.parked() == []
    after = REGISTRY.get_sample_value("amont_hris_records_total", {"tenant": "fr", "outcome": "erased"}) or 0.0
    assert after >= before + 2


async def test_reports_move_up_now_and_in_what_lies_ahead_and_stay_there_though_their_records_name_the_person_still(
    enrolment: Hearing,
) -> None:
    ahead = START + timedelta(days=90)
    await enrolment.hears(
        recorded(**NEWLY, manager_id="bob"),
        recorded("max", manager_id="lea"),
        recorded("max", at=ahead, manager_id="lea", dotted_manager_ids=("bob",), team="elsewhere"),
    )
    await enrolment.passes(timedelta(days=1))
    await enrolment.said()
    await ordered(enrolment)
    moved = [one for one in await enrolment.said() if isinstance(one, EmployeeChanged)]
    assert [(one.person, one.managers) for one in moved] == [("fr:max", ("fr:bob",))]
    report = await enrolment.look(Employee, "fr:max")
    assert report.ever_managers == ("fr:bob",)
    await enrolment.hears(recorded("max", at=START + timedelta(days=2), wrote=START + timedelta(days=2), manager_id="lea", team="other"))
    assert (await enrolment.look(Employee, "fr:max")).ever_managers == ("fr:bob",)


async def test_with_a_whole_line_erased_its_reports_come_to_whoever_is_left_above(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("top"), recorded("mid", manager_id="top"), recorded("low", manager_id="mid"))
    await ordered(enrolment, "fr:mid")
    await ordered(enrolment, "fr:low")
    await enrolment.hears(recorded("max", manager_id="low"))
    assert (await enrolment.look(Employee, "fr:max")).managers == ("fr:top",)
    await ordered(enrolment, "fr:top")
    assert (await enrolment.look(Employee, "fr:max")).managers == ()
    assert (await enrolment.look(Erased, digest_of("fr:low"))).managers == ()


async def test_a_coordinator_who_is_erased_is_nobody_s_contact_any_more(enrolment: Hearing) -> None:
    subsidiary = await enrolment.look(Subsidiary, "fr")
    await enrolment.given(Subsidiary(**{**subsidiary.own(), "id": "fr", "seq": subsidiary.seq, "coordinators": (LEA, "fr:bob")}))
    await ordered(enrolment)
    (said,) = [one for one in await enrolment.said() if isinstance(one, SubsidiaryChanged)]
    assert said.coordinators == ("fr:bob",)


async def test_it_is_cleared_when_all_three_have_answered_and_not_before(enrolment: Hearing) -> None:
    before = counted("cleared")
    erasure = await ordered(enrolment)
    at = enrolment.clock.now()
    for number, kind in enumerate(ANSWERS):
        assert (await enrolment.look(Erasure, erasure.id)).awaits == ("matching", "scheduling", "notifications")[number:]
        assert await stage_of(enrolment, erasure) is Stage.ORDERED
        await enrolment.hears(kind(seq=1, reference=erasure.id, stage="cleared", at=at, removed={}, changed={}))
    assert await stage_of(enrolment, erasure) is Stage.CLEARED
    assert counted("cleared") == before + 1


async def test_the_tombstone_waits_for_the_answers_however_long_and_an_hourly_count_says_that_one_is_late(enrolment: Hearing) -> None:
    erasure, late = await ordered(enrolment), counted("late")
    await enrolment.passes(timedelta(hours=20))
    assert counted("late") == late
    for _ in range(3):
        await enrolment.passes(timedelta(days=7))
    assert counted("late") > late
    assert await tombstones(enrolment) == []
    await answered(enrolment, erasure, "cleared", 1)
    await enrolment.passes(timedelta(hours=1))
    assert await tombstones(enrolment) == [LEA]


async def test_the_tombstone_waits_until_no_topic_holds_what_was_said_before(enrolment: Hearing) -> None:
    erasure = await ordered(enrolment)
    await answered(enrolment, erasure, "cleared", 1)
    await enrolment.passes(FORGOTTEN_AFTER - timedelta(hours=1))
    assert await tombstones(enrolment) == []
    assert FORGOTTEN_AFTER == OTHERS_FORGET_AFTER


async def test_the_record_goes_after_the_tombstone_and_the_certificate_names_nobody(enrolment: Hearing) -> None:
    erasure = await done(enrolment)
    assert await tombstones(enrolment) == [LEA]
    with pytest.raises(NotFound):
        await enrolment.look(Employee, LEA)
    assert (erasure.stage, erasure.person, erasure.reason, dict(erasure.names), erasure.enrolments) == (Stage.FORGOTTEN, None, None, {}, ())
    assert erasure.certificate["services"]["matching"] == {
        "cleared_at": erasure.parts["matching"].cleared_at,
        "forgotten_at": erasure.parts["matching"].forgotten_at,
        "removed": {"people": 1},
        "changed": {"pairs": 2},
    }
    assert erasure.certificate["services"]["enrolment"]["removed"]["employees"] == 1
    assert LEA not in repr(erasure.certificate)


async def test_a_certificate_says_from_when_it_can_be_final(enrolment: Hearing) -> None:
    asked = await enrolment.asked(commands.erase, LEA, COORDINATOR, "asked for it")
    assert asked.certificate["final_from"] is None
    for _ in range(4):
        await enrolment.passes(SECONDS)
    told = await enrolment.look(Erasure, asked.id)
    assert told.ordered_at is not None
    assert told.certificate["final_from"] == told.ordered_at + FORGOTTEN_AFTER


async def test_who_asked_is_forgotten_after_a_year(enrolment: Hearing) -> None:
    erasure = await done(enrolment)
    assert erasure.requested_by == COORDINATOR.person
    await enrolment.passes(timedelta(days=365))
    assert (await enrolment.look(Erasure, erasure.id)).requested_by is None


async def test_nobody_comes_back_before_it_is_done_nor_without_being_let_in(enrolment: Hearing) -> None:
    await ordered(enrolment)
    with pytest.raises(StillErasing):
        await enrolment.asked(commands.readmit, LEA, COORDINATOR)
    with pytest.raises(NotFound):
        await enrolment.asked(commands.readmit, "fr:bob", COORDINATOR)


async def test_who_is_let_in_again_is_a_new_person_whose_events_go_on_counting(enrolment: Hearing) -> None:
    await done(enrolment)
    await enrolment.said()
    await enrolment.hears(recorded(**NEWLY))
    assert await enrolment.said() == []
    await enrolment.asked(commands.readmit, LEA, COORDINATOR)
    await enrolment.hears(recorded(**NEWLY))
    (said,) = await enrolment.said()
    assert isinstance(said, EmployeeChanged)
    counted_to = (await enrolment.look(Erased, digest_of(LEA))).counted
    assert said.seq == counted_to + 1 > 3
    assert (await enrolment.look(Employee, LEA)).enrolments == ()


async def test_who_came_back_can_be_erased_again_and_is_refused_again(enrolment: Hearing) -> None:
    first = await done(enrolment)
    await enrolment.asked(commands.readmit, LEA, COORDINATOR)
    await enrolment.hears(recorded(**NEWLY))
    second = await done(enrolment)
    assert second.id != first.id
    await enrolment.said()
    await enrolment.hears(recorded(at=START + timedelta(days=30), wrote=START + timedelta(days=30)))
    assert await enrolment.said() == []
    assert len(await tombstones(enrolment)) == 2


async def test_an_answer_to_an_erasure_that_nobody_asked_for_is_parked(enrolment: Hearing) -> None:
    await enrolment.hears(ErasedFromMatching(seq=1, reference="no-such", stage="cleared", at=START, removed={}, changed={}))
    assert [reason for reason, _ in await enrolment.parked()] == ["not-found"]


async def test_records_that_are_held_go_with_the_person_and_those_of_their_reports_move_up(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(**NEWLY, manager_id="bob"), recorded("max", manager_id="bob"))
    await enrolment.passes(timedelta(days=1))
    await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "a test")
    held = {"at": START + timedelta(days=1), "wrote": START + timedelta(days=2)}
    await enrolment.hears(recorded(**held, team="held"), recorded("max", **held, manager_id="lea"))
    assert set((await enrolment.look(Employee, "fr:max")).ever_managers) == {"fr:bob", LEA}
    await ordered(enrolment)
    assert (await enrolment.look(Employee, LEA)).held == ()
    report = await enrolment.look(Employee, "fr:max")
    assert (len(report.held), report.ever_managers) == (1, ("fr:bob",))


async def test_who_shares_a_mark_with_somebody_erased_is_taken_as_anybody(enrolment: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure_rules, "_mark_of", lambda _: "0")
    await ordered(enrolment)
    await enrolment.hears(recorded("max", manager_id="bob"), recorded(**NEWLY))
    assert (await enrolment.look(Employee, "fr:max")).status is EmployeeStatus.ACTIVE
    assert (await enrolment.look(Employee, LEA)).erased


async def test_invitations_go_with_the_person_and_those_after_they_came_back_go_on_counting(enrolment: Hearing) -> None:
    sent = Invitation(programme="digital", role=Role.MENTOR, number=1, at=START, by=COORDINATOR.person, request="r")
    await enrolment.given(Invitations(id=LEA, seq=9, sent=(sent,)))
    await ordered(enrolment)
    assert (await enrolment.look(Invitations, LEA)).sent == ()
    await done(enrolment)
    with pytest.raises(NotFound):
        await enrolment.look(Invitations, LEA)
    await enrolment.asked(commands.readmit, LEA, COORDINATOR)
    await enrolment.hears(recorded(**NEWLY))
    assert (await enrolment.look(Invitations, LEA)).seq >= 9


async def test_a_coordinator_s_id_does_not_stay_in_what_they_decided_about_a_feed(enrolment: Hearing) -> None:
    her = Actor(LEA, "fr", frozenset({Privilege.COORDINATOR}))
    await enrolment.asked(commands.pause_feed, "fr", her, "a test")
    await enrolment.asked(commands.resume_feed, "fr", her, "a test")
    assert LEA in str(await enrolment.look(Subsidiary, "fr"))
    await done(enrolment)
    assert LEA not in str(await enrolment.look(Subsidiary, "fr"))


async def test_nor_in_an_export_that_they_asked_for_on_somebody_s_behalf(enrolment: Hearing) -> None:
    lea = Actor(LEA, "fr", frozenset({Privilege.COORDINATOR}))
    export = await enrolment.asked(commands.request_export, BOB, lea)
    await ordered(enrolment)
    after = await enrolment.look(Export, export.id)
    assert (after.requested_by.startswith("fr:erased-"), after.person) == (True, BOB)


async def test_two_people_under_one_key_are_two_erasures(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("max"))
    unit = enrolment.service.unit
    first, second = [
        await unit.run_with(lambda: Work(unit.house, idempotency_key="k"), commands.erase, one, COORDINATOR, "asked")
        for one in (LEA, "fr:max")
    ]
    assert first.id != second.id
