"""What is kept of a leaver, and for how long: after thirty days the leaving and nothing else, whatever comes late, and a new beginning for who comes back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.services.enrolment.staffing import COORDINATOR, LEA, left, oneself, recorded, settled

from amont.common.events import EmployeeLeft, EnrolmentChanged
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Role
from amont.common.metrics import REGISTRY
from amont.common.settings import MissingSettings
from amont.common.testing.hearing import START, Hearing, hearing
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Form
from amont.enrolment.domain.invitation import Invitation, Invitations
from amont.enrolment.domain.scim_user import ScimUser

DAY = timedelta(days=1)
FORM = Form(topics={"ai": 3}, languages=("fr",), availability=("mon 09:00-11:30",))
GONE = left("lea", at=START, wrote=START)
INVITATION = Invitation(programme="digital", role=Role.MENTOR, number=1, at=START, by="fr:coord", request="one")


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        await settled(one)
        await one.hears(recorded("lea", wrote=START - 20 * DAY, manager_id="bob"))
        await one.asked(commands.enrol, LEA, "digital", Role.MENTOR, oneself(LEA), form=FORM, charter_accepted=True)
        await one.given(Invitations(id=LEA, sent=(INVITATION,)))
        await one.given(ScimUser(id=LEA, attributes={"userName": "lea@example.org"}))
        await one.passes(2 * timedelta(hours=1))
        await one.said()
        yield one


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("amont_retention_total", {"what": what}) or 0


async def test_for_thirty_days_who_comes_back_finds_what_they_took_part_in(enrolment: Hearing) -> None:
    await enrolment.hears(GONE)
    await enrolment.passes(29 * DAY)
    (seat,) = (await enrolment.look(Employee, LEA)).enrolments
    assert (seat.status, seat.form) == (EnrolmentStatus.ENDED, FORM)
    await enrolment.hears(recorded("lea", at=START + 29 * DAY, wrote=START + 29 * DAY))
    await enrolment.passes(10 * DAY)
    (seat,) = (await enrolment.look(Employee, LEA)).enrolments
    assert (seat.status, seat.form) == (EnrolmentStatus.ENROLLED, FORM)
    assert (await enrolment.look(Employee, LEA)).left_at is None


async def test_after_thirty_days_the_leaving_is_all_that_is_kept_and_the_others_are_told_so(enrolment: Hearing) -> None:
    before = counted("leavers")
    await enrolment.hears(GONE)
    await enrolment.said()
    await enrolment.passes(31 * DAY)
    leaver = await enrolment.look(Employee, LEA)
    assert (leaver.status, leaver.enrolments, leaver.ever_managers, leaver.due_at) == (EmployeeStatus.LEFT, (), (), None)
    assert (await enrolment.look(Invitations, LEA)).sent == ()
    assert (await enrolment.look(ScimUser, LEA)).attributes == {}
    changed, gone = sorted(await enrolment.said(), key=lambda one: one.seq)
    assert isinstance(changed, EnrolmentChanged)
    assert (changed.status, changed.topics, changed.languages, changed.availability) == (EnrolmentStatus.ENDED, {}, (), ())
    assert isinstance(gone, EmployeeLeft)
    assert (gone.person, gone.released, gone.managers) == (LEA, True, ())
    assert counted("leavers") == before + 1


async def test_what_comes_late_brings_nothing_back_and_the_leaving_sent_again_says_nothing(enrolment: Hearing) -> None:
    await enrolment.hears(GONE)
    await enrolment.passes(31 * DAY)
    await enrolment.said()
    leaver = await enrolment.look(Employee, LEA)
    await enrolment.hears(GONE, recorded("lea", at=START - DAY, wrote=START - DAY, manager_id="zoe"))
    await enrolment.passes(31 * DAY)
    assert await enrolment.look(Employee, LEA) == leaver
    assert await enrolment.said() == []


async def test_who_comes_back_after_that_begins_anew(enrolment: Hearing) -> None:
    await enrolment.hears(GONE)
    await enrolment.passes(31 * DAY)
    await enrolment.hears(recorded("lea", at=START + 31 * DAY, wrote=START + 31 * DAY))
    person = await enrolment.look(Employee, LEA)
    assert (person.status, person.enrolments) == (EmployeeStatus.ACTIVE, ())
    again = await enrolment.asked(commands.enrol, LEA, "digital", Role.MENTOR, oneself(LEA), form=FORM, charter_accepted=True)
    assert again.enrolment.status is EnrolmentStatus.ENROLLED


async def test_as_long_as_somebody_reports_to_a_leaver_the_line_stands(enrolment: Hearing) -> None:
    before = counted("leavers-waiting")
    await enrolment.hears(recorded("max", manager_id="lea"), GONE)
    await enrolment.passes(30 * DAY)
    await enrolment.passes(DAY)
    assert (await enrolment.look(Employee, LEA)).managers == ("fr:bob",)
    assert counted("leavers-waiting") == before + 2
    await enrolment.hears(recorded("max", wrote=START, manager_id="bob"))
    await enrolment.passes(DAY)
    assert not (await enrolment.look(Employee, LEA)).keeps_anything


async def test_leavers_above_each_other_do_not_keep_each_other(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("ann", manager_id="max"), recorded("max", manager_id="ann"))
    await enrolment.hears(left("ann", at=START, wrote=START))
    await enrolment.passes(10 * DAY)
    await enrolment.hears(left("max", at=START, wrote=START))
    await enrolment.passes(25 * DAY)
    assert (await enrolment.look(Employee, "fr:ann")).keeps_anything  # max may come back
    for _ in range(6):
        await enrolment.passes(DAY)
    for one in ("fr:ann", "fr:max"):
        leaver = await enrolment.look(Employee, one)
        assert (leaver.keeps_anything, leaver.due_at) == (False, None)


async def test_the_line_of_who_is_here_stands_through_however_many_leavers_in_a_circle_or_not(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("ann", manager_id="max"), recorded("max", manager_id="ann", dotted_manager_ids=["lea"]))
    await enrolment.hears(recorded("zoe", manager_id="max"))
    await enrolment.hears(GONE, left("ann", at=START, wrote=START), left("max", at=START, wrote=START))
    for _ in range(40):
        await enrolment.passes(DAY)
    lines = [(await enrolment.look(Employee, one)).managers for one in (LEA, "fr:ann", "fr:max")]
    assert lines == [("fr:bob",), ("fr:max",), ("fr:ann", LEA)]
    await enrolment.hears(recorded("zoe", wrote=START, manager_id="bob"))
    await enrolment.passes(DAY)
    assert [(await enrolment.look(Employee, one)).keeps_anything for one in (LEA, "fr:ann", "fr:max")] == [False, False, False]


async def test_who_comes_back_on_a_day_that_lies_ahead_keeps_the_line_above(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("max", manager_id="lea"), GONE, left("max", at=START, wrote=START))
    await enrolment.hears(recorded("max", at=START + 40 * DAY, wrote=START, manager_id="lea"))
    for _ in range(50):
        await enrolment.passes(DAY)
    assert (await enrolment.look(Employee, "fr:max")).managers == (LEA,)
    assert (await enrolment.look(Employee, LEA)).managers == ("fr:bob",)


async def test_of_a_leaver_of_whom_the_record_keeps_nothing_the_invitations_and_the_scim_user_go_all_the_same(enrolment: Hearing) -> None:
    await enrolment.given(Invitations(id="fr:solo", sent=(INVITATION,)))
    await enrolment.given(ScimUser(id="fr:solo", attributes={"userName": "solo@example.org"}))
    await enrolment.hears(recorded("solo"), left("solo", at=START, wrote=START))
    await enrolment.passes(29 * DAY)
    assert (await enrolment.look(ScimUser, "fr:solo")).attributes
    await enrolment.passes(2 * DAY)
    assert (await enrolment.look(Invitations, "fr:solo")).sent == ()
    assert (await enrolment.look(ScimUser, "fr:solo")).attributes == {}
    assert (await enrolment.look(Employee, "fr:solo")).due_at is None


async def test_invitations_and_the_scim_user_do_not_wait_for_the_line(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("max", manager_id="lea"), GONE)
    await enrolment.passes(31 * DAY)
    assert (await enrolment.look(Employee, LEA)).managers == ("fr:bob",)
    assert (await enrolment.look(Invitations, LEA)).sent == ()
    assert (await enrolment.look(ScimUser, LEA)).attributes == {}


async def test_a_manager_who_is_named_late_of_who_kept_nothing_does_not_stay(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("solo"), left("solo", at=START, wrote=START))
    await enrolment.passes(31 * DAY)
    await enrolment.hears(recorded("solo", at=START - DAY, wrote=START - DAY, manager_id="bob"))
    await enrolment.passes(DAY)
    assert not (await enrolment.look(Employee, "fr:solo")).keeps_anything


async def test_a_leaving_that_comes_late_leaves_the_same_time_to_correct_it(enrolment: Hearing) -> None:
    await enrolment.passes(60 * DAY)
    await enrolment.hears(GONE)
    await enrolment.passes(29 * DAY)
    assert (await enrolment.look(Employee, LEA)).enrolments
    await enrolment.passes(2 * DAY)
    assert not (await enrolment.look(Employee, LEA)).enrolments


async def test_a_held_leaving_is_none_yet(enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "a test")
    await enrolment.hears(GONE)
    await enrolment.passes(60 * DAY)
    assert (await enrolment.look(Employee, LEA)).enrolments[0].open


async def test_how_long_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_LEAVERS_KEPT_DAYS", "2")
    async with hearing(build, tmp_path) as enrolment:
        await settled(enrolment)
        await enrolment.hears(recorded("lea", wrote=START - 20 * DAY, manager_id="bob"), GONE)
        await enrolment.passes(3 * DAY)
        assert not (await enrolment.look(Employee, LEA)).keeps_anything
    monkeypatch.setenv("AMONT_LEAVERS_KEPT_DAYS", "never")
    with pytest.raises(MissingSettings, match="AMONT_LEAVERS_KEPT_DAYS"):
        async with hearing(build, tmp_path):
            pass
