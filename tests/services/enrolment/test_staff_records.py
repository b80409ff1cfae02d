"""Staff records through the service: what each does to an employee, what is said, what is refused."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.services.enrolment.staffing import LEA, de, fr, left, recorded

from amont.common.errors import NotFound
from amont.common.events import EmployeeChanged, EmployeeLeft
from amont.common.events.values import EmployeeStatus
from amont.common.metrics import REGISTRY
from amont.common.testing.hearing import START, Hearing, hearing, record_of
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        await one.given(fr())
        await one.given(de())
        yield one


def counted(outcome: str, tenant: str = "fr") -> float:
    return REGISTRY.get_sample_value("amont_hris_records_total", {"tenant": tenant, "outcome": outcome}) or 0.0


def dropped(field: str) -> float:
    return REGISTRY.get_sample_value("amont_hris_fields_dropped_total", {"field": field}) or 0.0


async def test_a_record_makes_an_employee(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(manager_id="7", dotted_manager_ids=("de:9", "7"), email="lea@example.org"))
    (said,) = await enrolment.said()
    assert isinstance(said, EmployeeChanged)
    assert (said.person, said.band, said.zone, said.languages) == (LEA, 5, "Europe/Paris", ("fr",))
    assert said.managers == ("fr:7", "de:9")
    assert said.email == "lea@example.org"
    assert await enrolment.parked() == []


async def test_the_same_record_twice_changes_nothing(enrolment: Hearing) -> None:
    stale = counted("stale")
    await enrolment.hears(recorded(), recorded())
    assert len(await enrolment.said()) == 1
    before = await enrolment.look(Employee, LEA)
    await enrolment.hears(recorded())
    assert await enrolment.said() == []
    assert await enrolment.look(Employee, LEA) == before
    assert counted("stale") == stale + 2


async def test_a_newer_record_that_says_the_same_is_not_told(enrolment: Hearing) -> None:
    unchanged = counted("unchanged")
    await enrolment.hears(recorded(), recorded(at=START - timedelta(days=2)))
    assert len(await enrolment.said()) == 1
    assert counted("unchanged") == unchanged + 1
    await enrolment.hears(recorded(at=START - timedelta(days=3), team="older"))
    assert await enrolment.said() == []


async def test_an_older_record_that_comes_late_changes_nothing(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(at=START - timedelta(days=2), team="new"), recorded(at=START - timedelta(days=9), team="old"))
    assert [event.team for event in await enrolment.said() if isinstance(event, EmployeeChanged)] == ["new"]


async def test_at_the_same_instant_the_one_written_last_wins(enrolment: Hearing) -> None:
    at = START - timedelta(days=2)
    await enrolment.hears(recorded(at=at, wrote=START, team="corrected"), recorded(at=at, wrote=START - timedelta(days=2), team="wrong"))
    employee = await enrolment.look(Employee, LEA)
    assert employee.profile is not None
    assert employee.profile.team == "corrected"


async def test_a_leaver_is_told_and_forgotten_but_for_the_fact(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(), left())
    *_, gone = await enrolment.said()
    assert gone == EmployeeLeft(seq=2, person=LEA, effective_at=START - timedelta(days=1), managers=())
    employee = await enrolment.look(Employee, LEA)
    assert (employee.status, employee.profile) == (EmployeeStatus.LEFT, None)


async def test_nothing_is_said_of_a_leaver_nobody_knew_and_an_older_record_does_not_bring_them_back(enrolment: Hearing) -> None:
    await enrolment.hears(left(), recorded())
    assert await enrolment.said() == []
    assert (await enrolment.look(Employee, LEA)).status is EmployeeStatus.LEFT


async def test_somebody_who_comes_back_is_an_employee_again(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(), left(), recorded(at=START))
    assert [type(event) for event in await enrolment.said()] == [EmployeeChanged, EmployeeLeft, EmployeeChanged]


async def test_a_corrected_leaving_date_is_told_again(enrolment: Hearing) -> None:
    await enrolment.hears(
        recorded(), left(at=START - timedelta(days=3)), left(at=START - timedelta(days=2)), left(at=START - timedelta(days=2), wrote=START)
    )
    assert [event.effective_at for event in await enrolment.said() if isinstance(event, EmployeeLeft)] == [
        START - timedelta(days=3),
        START - timedelta(days=2),
    ]


async def test_a_future_day_begins_at_midnight_in_the_records_zone(enrolment: Hearing) -> None:
    deferred = counted("deferred")
    await enrolment.hears(recorded(), recorded(at=date(2027, 1, 6), zone="Asia/Tokyo", team="tokyo"))
    assert len(await enrolment.said()) == 1
    assert counted("deferred") == deferred + 1
    await enrolment.passes(datetime(2027, 1, 5, 14, 59, 59, tzinfo=UTC) - START)
    assert await enrolment.said() == []
    await enrolment.passes(timedelta(seconds=1))
    (moved,) = await enrolment.said()
    assert isinstance(moved, EmployeeChanged)
    assert (moved.team, moved.effective_at) == ("tokyo", datetime(2027, 1, 5, 15, tzinfo=UTC))


async def test_a_day_without_a_zone_begins_in_the_subsidiarys(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(at=date(2027, 1, 6)))
    assert (await enrolment.look(Employee, LEA)).due_at == datetime(2027, 1, 5, 23, tzinfo=UTC)


async def test_any_number_of_future_records_apply_in_their_order(enrolment: Hearing) -> None:
    days = [5, 1, 4, 2, 3]
    await enrolment.hears(*(recorded(at=START + timedelta(days=day), team=f"day {day}") for day in days))
    assert await enrolment.said() == []
    for day in range(1, 6):
        await enrolment.passes(timedelta(days=1))
        assert [event.team for event in await enrolment.said() if isinstance(event, EmployeeChanged)] == [f"day {day}"]
    assert (await enrolment.look(Employee, LEA)).due_at is None


async def test_a_leaving_that_is_corrected_before_its_day_never_happens(enrolment: Hearing) -> None:
    exit_day = START + timedelta(days=10)
    await enrolment.hears(recorded(), left(at=exit_day, wrote=START), recorded(at=exit_day, wrote=START + timedelta(hours=1), team="stays"))
    await enrolment.passes(timedelta(days=11))
    assert [type(event) for event in await enrolment.said()] == [EmployeeChanged, EmployeeChanged]


async def test_an_instant_that_no_calendar_reaches_is_refused_by_name(enrolment: Hearing) -> None:
    record = record_of(recorded())
    written = json.loads(record.value or b"") | {"occurred_at": "0001-01-01T00:00:00+05:00"}
    await enrolment.hears(replace(record, value=json.dumps(written).encode()))
    assert await enrolment.parked() == [("invalid-payload", "/occurred_at: an instant that no calendar reaches")]


async def test_the_end_of_time_and_its_beginning_can_be_dates(enrolment: Hearing) -> None:
    ever = record_of(recorded(at=date(1, 1, 1), zone="Asia/Tokyo"))
    written = json.loads(ever.value or b"") | {"occurred_at": "0001-01-02T00:00:00+05:00"}
    await enrolment.hears(replace(ever, value=json.dumps(written).encode()), left(at=date(9999, 12, 31)))
    assert await enrolment.parked() == []
    employee = await enrolment.look(Employee, LEA)
    assert (employee.status, len(employee.future)) == (EmployeeStatus.ACTIVE, 1)


async def test_contradictions_are_left_out_and_counted(enrolment: Hearing) -> None:
    own, mail, manager = dropped("own-manager"), dropped("email"), dropped("manager")
    await enrolment.hears(recorded(manager_id="lea", dotted_manager_ids=("fr:lea", "8", "fr:8", "8", "x" * 90), email="not an address"))
    (said,) = await enrolment.said()
    assert isinstance(said, EmployeeChanged)
    assert (said.managers, said.email) == (("fr:8",), None)
    assert (dropped("own-manager"), dropped("email"), dropped("manager")) == (own + 2, mail + 1, manager + 1)


async def test_the_solid_manager_is_not_a_dotted_one_too(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(manager_id="7", dotted_manager_ids=("fr:7", "8")))
    (said,) = await enrolment.said()
    assert isinstance(said, EmployeeChanged)
    assert said.managers == ("fr:7", "fr:8")


async def test_a_first_day_after_the_record_is_tolerated(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(joined_on=date(2030, 1, 1)))
    assert len(await enrolment.said()) == 1


@pytest.mark.parametrize(
    ("record", "reason", "tells", "label"),
    [
        (recorded(tenant="es"), "unknown-tenant", ("'es'", "/api/enrolment/v1/subsidiaries/es", "replay"), "unknown"),
        (left(tenant="es"), "unknown-tenant", ("'es'", "replay"), "unknown"),
        (recorded(grade="Z9"), "unknown-grade", ("'Z9'", "'fr'", "/subsidiaries/fr/grades"), "fr"),
        (recorded(zone="Europe/Atlantis"), "unknown-zone", ("'Europe/Atlantis'", "'fr:lea'"), "fr"),
    ],
)
async def test_what_cannot_be_understood_is_parked_with_what_to_do(
    enrolment: Hearing, record: object, reason: str, tells: tuple[str, ...], label: str
) -> None:
    refused = counted("refused", label)
    await enrolment.hears(record, recorded("bob"))  # type: ignore[arg-type]
    ((why, detail),) = await enrolment.parked()
    assert why == reason
    assert all(part in detail for part in tells)
    assert [event.subject for event in await enrolment.said()] == ["fr:bob"]
    assert counted("refused", label) == refused + 1


async def test_a_parked_record_is_taken_once_its_subsidiary_is_there(enrolment: Hearing) -> None:
    late = recorded(tenant="es")
    await enrolment.hears(late)
    await enrolment.given(replace(fr(), id="es"))
    await enrolment.hears(late)
    assert [event.subject for event in await enrolment.said()] == ["es:lea"]


async def test_nobody_is_kept_of_a_refused_record(enrolment: Hearing) -> None:
    await enrolment.hears(recorded(grade="Z9"))
    with pytest.raises(NotFound):
        await enrolment.look(Employee, LEA)


async def test_a_batch_of_one_persons_records_is_taken_in_order_of_truth(enrolment: Hearing) -> None:
    records = [record_of(recorded(at=START - timedelta(days=day), team=f"{day} days ago")) for day in (3, 1, 2)]
    await enrolment.hears(*records)
    assert [event.team for event in await enrolment.said() if isinstance(event, EmployeeChanged)] == ["3 days ago", "1 days ago"]
