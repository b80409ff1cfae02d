"""The SCIM door as identity providers meet it: what each change of a user says to the inbound topic, and how it refuses."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import ScimFilter
from tests.services.enrolment.scim.door import CORE, EMPLOYEE, ENTERPRISE, GROUPS, Answer, Scene, lea, patch, scene
from tests.services.enrolment.staffing import COORDINATOR, GROUP, fr, left, recorded

from amont.common import metrics
from amont.common.documents import Find
from amont.common.errors import Stale, Unavailable
from amont.common.events import StaffLeft, StaffRecorded
from amont.common.events.values import EmployeeStatus
from amont.common.web.limits import RateLimit
from amont.enrolment import commands
from amont.enrolment.api.scim import service
from amont.enrolment.domain.holding import Why
from amont.enrolment.domain.scim_record import employee_id_of, scim_id_of
from amont.enrolment.domain.scim_user import ScimUser

OFF, ON = [patch({"op": "replace", "path": "active", "value": value}) for value in (False, True)]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as one:
        yield one


def refused(answer: Answer, status: int, scim_type: str | None = None) -> str:
    """The detail of a SCIM error."""
    body = answer.json()
    assert (answer.status_code, body.get("scimType")) == (status, scim_type), answer.text
    assert answer.headers["content-type"] == "application/scim+json"
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert body["status"] == str(status)
    return str(body.get("detail", ""))


async def test_a_user_is_a_staff_record(door: Scene) -> None:
    user = await door.fr.made(
        title="Analyste",
        timezone="Europe/Paris",
        locale="fr_FR",
        **{
            ENTERPRISE: {"employeeNumber": "e1", "division": "retail", "department": "pricing", "manager": {"value": "e7"}},
            EMPLOYEE: {
                "grade": "C2",
                "function": "data",
                "site": "Lyon",
                "languages": "fr, en",
                "dottedManagers": "de:e3",
                "joinedOn": "2024-09-01",
            },
        },
    )
    assert user["id"] == "e1"
    (said,) = await door.told()
    assert isinstance(said, StaffRecorded)
    assert said.model_dump(exclude={"seq", "effective_at", "occurred_at", "joined_on", "former_id"}) == {
        "tenant": "fr",
        "employee_id": "e1",
        "zone": "Europe/Paris",
        "status": "active",
        "given_name": "Léa",
        "family_name": "Martin",
        "email": "lea@example.org",
        "preferred_language": "fr-FR",
        "grade": "C2",
        "job_title": "Analyste",
        "function": "data",
        "business_unit": "retail",
        "team": "pricing",
        "site": "Lyon",
        "languages": ("fr", "en"),
        "manager_id": "e7",
        "dotted_manager_ids": ("de:e3",),
    }
    employee = await door.employee()
    assert employee.status is EmployeeStatus.ACTIVE
    assert employee.profile is not None
    assert (employee.profile.band, employee.profile.managers) == (6, ("fr:e7", "de:e3"))


@pytest.mark.parametrize("false", [False, "False", "false"])
async def test_inactive_is_a_leaver_and_active_again_the_same_person(false: Any, door: Scene) -> None:
    user = await door.fr.made()
    before = await door.employee()
    assert (await door.fr("PATCH", f"/Users/{user['id']}", patch({"op": "Replace", "path": "active", "value": false}))).is_success
    assert (await door.employee()).status is EmployeeStatus.LEFT
    read = await door.fr("GET", f"/Users/{user['id']}")
    assert (read.status_code, read.json()["active"]) == (200, False)
    assert (await door.fr("PATCH", f"/Users/{user['id']}", ON)).is_success
    after = await door.employee()
    assert (after.id, after.status, after.profile) == (before.id, EmployeeStatus.ACTIVE, before.profile)
    assert [type(one) for one in await door.told()] == [StaffRecorded, StaffLeft, StaffRecorded]


async def dropped(door: Scene) -> str:
    """A user who is inactive, and whose leaving a coordinator has dropped."""
    await door.hearing.given(replace(fr(), leaver_share=0.0))
    user = await door.fr.made()
    await door.employee()
    await door.hearing.passes(timedelta(hours=2))
    await door.fr("PATCH", f"/Users/{user['id']}", OFF)
    assert (await door.employee()).held
    for body in (OFF, lea(active=False)):  # while it is held it waits once, however often it is said
        assert (await door.fr("PATCH" if body is OFF else "PUT", f"/Users/{user['id']}", body)).is_success
    assert len((await door.employee()).held) == 1
    await door.hearing.passes(timedelta(minutes=1))
    await door.hearing.asked(commands.drop_leavers, "fr", COORDINATOR, "by mistake")
    await door.hearing.passes(timedelta(minutes=1))
    employee = await door.employee()
    assert (employee.status, employee.held) == (EmployeeStatus.ACTIVE, ())
    assert [type(one) for one in await door.told()] == [StaffRecorded, StaffLeft]
    return f"/Users/{user['id']}"


TITLE = patch({"op": "replace", "path": "title", "value": "Analyste"})
PATHLESS = patch({"op": "Replace", "value": {f"{CORE}:Active": "False"}})


@pytest.mark.parametrize(
    ("method", "body"),
    [("PATCH", OFF), ("PATCH", PATHLESS), ("PUT", lea(active=False)), ("PUT", lea(active=False, title="x")), ("DELETE", None)],
)
async def test_a_leaving_that_was_dropped_is_said_again_when_the_provider_says_it_again(method: str, body: Any, door: Scene) -> None:
    user = await dropped(door)
    assert (await door.fr("PATCH", user, TITLE)).is_success
    assert await door.told() == []
    assert (await door.fr(method, user, body)).is_success
    employee = await door.employee()
    assert (employee.status, [one.why for one in employee.held]) == (EmployeeStatus.ACTIVE, [Why.LEAVERS])
    await door.hearing.asked(commands.release_leavers, "fr", COORDINATOR, "they left")
    await door.hearing.passes(timedelta(minutes=1))
    assert (await door.employee()).status is EmployeeStatus.LEFT
    assert [type(one) for one in await door.told()] == [StaffLeft]


async def test_a_leaving_said_again_stands_after_what_another_feed_says_of_the_person(door: Scene) -> None:
    user = await dropped(door)
    await door.hearing.passes(timedelta(days=2))
    now = door.hearing.clock.now()
    await door.hearing.hears(recorded("e1", at=now - timedelta(hours=1), wrote=now))
    await door.hearing.given(replace(fr(), leaver_share=1.0))
    await door.fr("PATCH", user, OFF)
    await door.employee()
    await door.hearing.passes(timedelta(minutes=1))
    assert (await door.employee()).status is EmployeeStatus.LEFT


async def test_of_somebody_who_has_left_already_saying_it_again_changes_nothing(door: Scene) -> None:
    user = await door.fr.made()
    await door.fr("PATCH", f"/Users/{user['id']}", OFF)
    await door.fr("PATCH", f"/Users/{user['id']}", OFF)  # before enrolment has heard of the first
    before = await door.employee()
    assert before.status is EmployeeStatus.LEFT
    await door.told()
    version = (await door.fr("GET", f"/Users/{user['id']}")).headers["ETag"]
    await door.hearing.passes(timedelta(days=1))
    for method, body in (("PATCH", OFF), ("PUT", lea(active=False)), ("PATCH", PATHLESS)):
        assert (await door.fr(method, f"/Users/{user['id']}", body)).is_success
    assert await door.told() == []
    assert (await door.fr("GET", f"/Users/{user['id']}")).headers["ETag"] == version
    after = await door.employee()
    assert (after.last, after.seq) == (before.last, 2)


async def test_an_inactive_user_whom_enrolment_never_knew_is_let_go_of_after_thirty_days(door: Scene) -> None:
    await door.fr.made(active=False)
    ungraded = await door.fr.made(userName="bob@example.org", **{ENTERPRISE: {"employeeNumber": "e2"}, EMPLOYEE: {}})
    await door.fr.made(userName="ann@example.org", active=False, **{ENTERPRISE: {"employeeNumber": "e3"}})
    version = (await door.fr("GET", "/Users/e1")).headers["ETag"]
    await door.hearing.passes(timedelta(days=10))
    await door.fr("PATCH", f"/Users/{ungraded['id']}", OFF)
    await door.fr("PATCH", "/Users/e1", OFF)
    await door.fr("PATCH", "/Users/e3", ON)
    assert (await door.fr("GET", "/Users/e1")).headers["ETag"] == version

    async def here() -> list[int]:
        return [(await door.fr("GET", f"/Users/{one}")).status_code for one in ("e1", "e2", "e3")]

    await door.hearing.passes(timedelta(days=19))
    assert await here() == [200, 200, 200]
    await door.hearing.passes(timedelta(days=2))
    assert await here() == [404, 200, 200]
    await door.hearing.passes(timedelta(days=10))
    assert await here() == [404, 404, 200]
    kept = await door.hearing.service.unit.house.store.find(Find(collection="scim_users"))
    assert sorted(one["attributes"].get("userName", "") for one in kept) == ["", "", "ann@example.org"]


async def test_an_inactive_user_stays_with_who_works_here_and_goes_with_the_leaver(door: Scene) -> None:
    await door.fr.made(active=False)
    await door.hearing.hears(recorded("e1", at=door.hearing.clock.now(), wrote=door.hearing.clock.now()))
    await door.hearing.passes(timedelta(days=40))
    assert (await door.fr("GET", "/Users/e1")).status_code == 200
    gone = door.hearing.clock.now()
    await door.hearing.hears(left("e1", at=gone, wrote=gone))
    await door.hearing.passes(timedelta(minutes=1))
    await door.hearing.passes(timedelta(days=29))
    assert (await door.fr("GET", "/Users/e1")).status_code == 200
    await door.hearing.passes(timedelta(days=2))
    assert (await door.fr("GET", "/Users/e1")).status_code == 404
    await door.fr.made(active=False)  # made after the leaver's time was over
    await door.hearing.passes(timedelta(days=29))
    assert (await door.fr("GET", "/Users/e1")).status_code == 200
    await door.hearing.passes(timedelta(days=2))
    assert (await door.fr("GET", "/Users/e1")).status_code == 404


async def test_deleted_is_a_leaver_of_whom_nothing_is_kept_and_a_new_post_the_same_person_back(door: Scene) -> None:
    user = await door.fr.made()
    assert (await door.fr("DELETE", f"/Users/{user['id']}")).status_code == 204
    refused(await door.fr("GET", f"/Users/{user['id']}"), 404)
    refused(await door.fr("DELETE", f"/Users/{user['id']}"), 404)
    assert (await door.employee()).status is EmployeeStatus.LEFT
    kept = await door.hearing.look(ScimUser, "fr:e1")
    assert kept.attributes == {}
    assert (kept.removed, kept.present, kept.made_at) == (True, False, None)
    assert (await door.fr("GET", "/Users")).json()["totalResults"] == 0
    again = await door.fr.made()
    assert again["id"] == user["id"]
    assert (await door.employee()).status is EmployeeStatus.ACTIVE


async def test_somebody_on_leave_is_on_leave(door: Scene) -> None:
    user = await door.fr.made()
    await door.fr("PATCH", f"/Users/{user['id']}", patch({"op": "add", "path": f"{EMPLOYEE}:onLeave", "value": True}))
    assert (await door.employee()).status is EmployeeStatus.ON_LEAVE


async def test_a_change_that_is_none_of_the_staff_record_s_says_nothing(door: Scene) -> None:
    user = await door.fr.made()
    await door.told()
    change = patch({"op": "add", "path": "nickName", "value": "Lou"})
    assert (await door.fr("PATCH", f"/Users/{user['id']}", change)).is_success
    read = await door.fr("GET", f"/Users/{user['id']}")
    assert (read.json()["nickName"], read.headers["ETag"]) == ("Lou", 'W/"2"')
    await door.fr("PATCH", f"/Users/{user['id']}", change)
    assert (await door.fr("GET", f"/Users/{user['id']}")).headers["ETag"] == 'W/"2"'
    assert await door.told() == []


async def test_a_user_without_a_grade_waits_for_it_and_can_be_found(door: Scene) -> None:
    user = await door.fr.made(**{EMPLOYEE: {"site": "Lyon"}})
    assert await door.told() == []
    found = (await door.fr("GET", f"/Users?filter={EMPLOYEE}:missing pr")).json()
    assert [one["id"] for one in found["Resources"]] == [user["id"]]
    read = (await door.fr("GET", f"/Users/{user['id']}?attributes={EMPLOYEE}:missing,{EMPLOYEE}:employeeId")).json()
    assert read[EMPLOYEE] == {"missing": [f"{EMPLOYEE}:grade"], "employeeId": "e1"}
    await door.fr("PATCH", f"/Users/{user['id']}", patch({"op": "add", "path": f"{EMPLOYEE}:grade", "value": "C1"}))
    assert [type(one) for one in await door.told()] == [StaffRecorded]
    assert (await door.fr("GET", f"/Users?filter={EMPLOYEE}:missing pr")).json()["totalResults"] == 0


async def test_one_who_lost_their_grade_stays_as_they_were_and_still_leaves(door: Scene) -> None:
    user = await door.fr.made()
    await door.fr("PATCH", f"/Users/{user['id']}", patch({"op": "remove", "path": f"{EMPLOYEE}:grade"}))
    assert (await door.employee()).status is EmployeeStatus.ACTIVE
    await door.fr("PATCH", f"/Users/{user['id']}", OFF)
    assert (await door.employee()).status is EmployeeStatus.LEFT
    assert [type(one) for one in await door.told()] == [StaffRecorded, StaffLeft]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({EMPLOYEE: {"grade": "Z9"}}, "'Z9' is not in the grade table of 'fr'"),
        ({"timezone": "Europe/Atlantis"}, "timezone: 'Europe/Atlantis'"),
        ({"userName": ""}, "userName: it is empty"),
        ({"userName": " \t ", "active": False}, "userName: it is empty"),
        ({EMPLOYEE: {"grade": "C1", "joinedOn": "01/09/2024"}}, f"{EMPLOYEE}:joinedOn: '01/09/2024' is no day"),
        ({EMPLOYEE: {"grade": "C1", "languages": "français"}}, f"{EMPLOYEE}:languages: "),
        ({"title": "x" * 501}, "title: "),
        ({EMPLOYEE: {"grade": "C1", "dottedManagers": ",".join("a" * 51)}}, f"{EMPLOYEE}:dottedManagers: "),
    ],
)
async def test_what_a_staff_record_cannot_be_is_refused_at_once_by_its_attribute(more: dict[str, Any], named: str, door: Scene) -> None:
    assert named in refused(await door.fr("POST", "/Users", lea(**more)), 400, "invalidValue")
    user = await door.fr.made()
    refused(await door.fr("PUT", f"/Users/{user['id']}", lea(**more)), 400, "invalidValue")
    assert len(await door.told()) == 1


async def test_an_id_is_for_life_whatever_the_attributes_become(door: Scene) -> None:
    user = await door.fr.made()
    change = {"userName": "lea.petit@example.org", "externalId": "x9", f"{ENTERPRISE}:employeeNumber": "e99"}
    assert (await door.fr("PATCH", f"/Users/{user['id']}", patch({"op": "replace", "value": change}))).is_success
    read = (await door.fr("GET", f"/Users/{user['id']}")).json()
    assert (read["userName"], read["externalId"], read[ENTERPRISE]["employeeNumber"]) == ("lea.petit@example.org", "x9", "e99")
    assert {one.employee_id for one in await door.told()} == {"e1"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({ENTERPRISE: {"employeeNumber": "701984"}, "externalId": "x1"}, "701984"),
        ({ENTERPRISE: {}, "externalId": "x1"}, "x1"),
        ({ENTERPRISE: {"employeeNumber": "lea@example.org"}, "externalId": "x1"}, "x1"),
        ({ENTERPRISE: {"employeeNumber": "n" * 65}, "externalId": "x1"}, "x1"),
    ],
)
async def test_the_hr_system_s_own_id_is_the_employee_s(more: dict[str, Any], expected: str, door: Scene) -> None:
    user = await door.fr.made(**more)
    (said,) = await door.told()
    assert (said.employee_id, user["id"]) == (expected, expected)


async def test_without_an_id_of_its_own_the_same_user_is_the_same_person_and_no_address_is_an_id(door: Scene) -> None:
    user = await door.fr.made(**{ENTERPRISE: {}})
    refused(await door.fr("POST", "/Users", lea(**{ENTERPRISE: {}, "userName": "LEA@example.org"})), 409, "uniqueness")
    await door.fr("DELETE", f"/Users/{user['id']}")
    assert (await door.fr.made(**{ENTERPRISE: {}}))["id"] == user["id"]
    assert "@" not in user["id"]


async def test_an_id_that_a_url_cannot_bear_is_encoded(door: Scene) -> None:
    boss = await door.fr.made(userName="boss", **{ENTERPRISE: {"employeeNumber": "Élodie/7 %"}})
    await door.fr.made(userName="lea", **{ENTERPRISE: {"employeeNumber": "e1", "manager": {"value": boss["id"]}}})
    assert (await door.fr("GET", f"/Users/{boss['id']}")).json()["userName"] == "boss"
    assert [one.employee_id for one in await door.told()] == ["Élodie/7 %", "e1"]
    profile = (await door.employee()).profile
    assert profile is not None
    assert profile.managers == ("fr:Élodie/7 %",)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=64))
def test_every_employee_s_id_comes_back_out_of_their_user_s(employee_id: str) -> None:
    encoded = scim_id_of(employee_id)
    assert employee_id_of(encoded) == employee_id
    assert not set(encoded) & set("/?#%. ") - {"."}


async def test_the_same_user_twice_is_a_conflict_and_one_of_twenty_at_once_wins(door: Scene) -> None:
    answers = await asyncio.gather(*(door.fr("POST", "/Users", lea()) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 19]
    refused(await door.fr("POST", "/Users", lea(**{ENTERPRISE: {"employeeNumber": "e2"}})), 409, "uniqueness")
    refused(await door.fr("POST", "/Users", lea(userName="other")), 409, "uniqueness")
    assert len(await door.told()) == 1


async def bearing(door: Scene, name: str) -> int:
    return int((await door.fr("GET", f'/Users?filter=userName eq "{name}"')).json()["totalResults"])


async def test_of_many_who_take_one_name_at_once_for_different_people_one_has_it(door: Scene) -> None:
    made = await asyncio.gather(*(door.fr("POST", "/Users", lea(**{ENTERPRISE: {"employeeNumber": f"n{i}"}})) for i in range(8)))
    assert sorted(one.status_code for one in made) == [201, *[409] * 7]
    assert await bearing(door, "lea@example.org") == 1
    others = [await door.fr.made(userName=f"user{i}", **{ENTERPRISE: {"employeeNumber": f"m{i}"}}) for i in range(8)]
    change = patch({"op": "replace", "path": "userName", "value": "Bob"})
    renamed = await asyncio.gather(*(door.fr("PATCH", f"/Users/{one['id']}", change) for one in others))
    assert sorted(one.status_code for one in renamed) == [204, *[409] * 7]
    assert await bearing(door, "bob") == 1
    await door.hearing.passes(timedelta(minutes=2))
    refused(await door.fr("POST", "/Users", lea(**{ENTERPRISE: {"employeeNumber": "n9"}})), 409, "uniqueness")
    assert await door.hearing.service.unit.house.store.find(Find(collection="scim_names")) == []


async def test_a_name_that_is_given_up_is_free_at_once(door: Scene) -> None:
    first = await door.fr.made()
    await door.fr("PATCH", f"/Users/{first['id']}", patch({"op": "replace", "path": "userName", "value": "other"}))
    second = await door.fr.made(**{ENTERPRISE: {"employeeNumber": "e2"}})
    assert (await door.fr("DELETE", f"/Users/{second['id']}")).status_code == 204
    back = patch({"op": "replace", "path": "userName", "value": "lea@example.org"})
    assert (await door.fr("PATCH", f"/Users/{first['id']}", back)).status_code == 204


async def test_a_name_that_was_taken_for_somebody_who_was_never_written_is_free_after_a_minute(door: Scene) -> None:
    other = lea(**{ENTERPRISE: {"employeeNumber": "e2"}})
    await door.hearing.asked(commands.take_name, "fr", lea())
    refused(await door.fr("POST", "/Users", other), 409, "uniqueness")
    await door.hearing.passes(timedelta(seconds=40))
    with pytest.raises(Unavailable):
        await door.hearing.asked(commands.make_user, "fr", lea())
    await door.hearing.passes(timedelta(seconds=20))
    assert (await door.fr("POST", "/Users", other)).status_code == 201


async def test_a_name_that_is_taken_cannot_be_had(door: Scene) -> None:
    await door.fr.made()
    bob = await door.fr.made(userName="bob", **{ENTERPRISE: {"employeeNumber": "e2"}})
    change = patch({"op": "replace", "path": "userName", "value": "Lea@Example.org"})
    refused(await door.fr("PATCH", f"/Users/{bob['id']}", change), 409, "uniqueness")


async def test_of_many_who_read_the_same_version_one_changes_it(door: Scene) -> None:
    user = await door.fr.made()
    changes = [patch({"op": "replace", "path": "title", "value": f"t{number}"}) for number in range(10)]
    answers = await asyncio.gather(*(door.fr("PATCH", f"/Users/{user['id']}", one, If_Match='W/"1"') for one in changes))
    assert sorted(answer.status_code for answer in answers) == [204, *[412] * 9]
    assert (await door.fr("DELETE", f"/Users/{user['id']}", If_Match='W/"1"')).status_code == 412
    assert (await door.fr("GET", f"/Users/{user['id']}", If_None_Match='W/"2"')).status_code == 304


async def test_many_who_name_no_version_all_change_it(door: Scene) -> None:
    user = await door.fr.made()
    changes = [
        patch({"op": "add", "path": "emails", "value": [{"value": f"lea{number}@example.org", "type": "other"}]}) for number in range(40)
    ]
    answers = await asyncio.gather(*(door.fr("PATCH", f"/Users/{user['id']}", one) for one in changes))
    assert {answer.status_code for answer in answers} == {204}
    read = (await door.fr("GET", f"/Users/{user['id']}")).json()
    assert len(read["emails"]) == 41


async def test_who_never_gets_a_turn_is_told_when_to_try_again_and_who_named_a_version_that_it_is_gone(
    door: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, tries = await door.fr.made(), 0

    async def faster(*_: Any, **__: Any) -> Any:
        nonlocal tries
        tries += 1
        raise Stale("scimuser", "fr:e1", given=1, current=2)

    monkeypatch.setattr(commands, "write_user", faster)
    monkeypatch.setattr(service, "AGAIN_SECONDS", 1.0)
    answer = await door.fr("PATCH", f"/Users/{user['id']}", TITLE)
    assert "send it again" in refused(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert tries > 1
    refused(await door.fr("PATCH", f"/Users/{user['id']}", TITLE, If_Match='W/"1"'), 412)


async def test_what_is_said_stands_in_its_order_whatever_the_clock_says(door: Scene) -> None:
    """The test's clock stands still: three changes at one instant end as the last one."""
    user = await door.fr.made()
    for body in (OFF, ON, OFF):
        await door.fr("PATCH", f"/Users/{user['id']}", body)
    assert (await door.employee()).status is EmployeeStatus.LEFT
    instants = [one.occurred_at for one in await door.told()]
    assert instants == sorted(set(instants))


async def test_a_change_that_was_kept_is_said_although_the_process_died_before_the_log_had_it(door: Scene) -> None:
    """State and event are one document: what a crash leaves between store and topic, the next sweep says."""
    (subsidiary, _), now = await door.hearing.asked(commands.subsidiary, "fr", GROUP), door.hearing.clock.now()
    decision = ScimUser(id="fr:e1").write(lea(), subsidiary, now, until=now)
    enrolment = door.hearing.service
    work = commands_work(door)
    with work.step():
        await work.peek(ScimUser, "fr:e1")
        work.save(decision)
    assert not await enrolment.unit.house.store.commit(work.writes(work.written()))
    assert await door.told() == []
    await enrolment.unit.relay.sweep(older_than=timedelta(0))
    assert [type(one) for one in await door.told()] == [StaffRecorded]
    assert (await door.employee()).status is EmployeeStatus.ACTIVE


def commands_work(door: Scene) -> Any:
    from amont.common.work import Work

    return Work(door.hearing.service.unit.house)


async def test_what_is_never_stored_is_dropped_and_counted(door: Scene) -> None:
    dropped = {what: metrics.HRIS_FIELDS_DROPPED.labels(what) for what in ("photo", "password", "birth date", "gender", "salary")}
    before = {what: counter._value.get() for what, counter in dropped.items()}
    user = await door.fr.made(
        password="s3cret-0",
        photos=[{"value": "https://example.org/lea.png", "type": "photo"}],
        addresses=[{"type": "home", "streetAddress": "1 rue Planchat"}],
        phoneNumbers=[{"value": "+33 6 00 00 00 00"}],
        **{EMPLOYEE: {"grade": "C1", "birthDate": "1990-01-01", "gender": "f", "salary": 1}},
    )
    await door.fr(
        "PATCH", f"/Users/{user['id']}", patch({"op": "add", "path": 'photos[type eq "photo"].value', "value": "https://x.example"})
    )
    after = {what: counter._value.get() - before[what] for what, counter in dropped.items()}
    assert after == {"photo": 2, "password": 1, "birth date": 1, "gender": 1, "salary": 1}
    read = (await door.fr("GET", f"/Users/{user['id']}")).text
    kept = repr(await door.hearing.look(ScimUser, "fr:e1"))
    for gone in ("s3cret-0", "lea.png", "Planchat", "+33", "1990", "salary"):
        assert gone not in read + kept


@pytest.mark.parametrize("name", ["grade", "Grade", f"{CORE}:grade"])
async def test_an_attribute_of_an_extension_without_its_uri_is_refused_with_the_path_that_was_meant(door: Scene, name: str) -> None:
    await door.fr.made()
    for operation in ({"op": "replace", "path": name, "value": "C2"}, {"op": "Add", "value": {"title": "Analyste", name: "C2"}}):
        said = refused(await door.fr("PATCH", "/Users/e1", patch(operation)), 400, "invalidPath")
        assert f"write its path as {EMPLOYEE}:grade" in said
    user = (await door.fr("GET", "/Users/e1")).json()
    assert ("title" in user, user[EMPLOYEE]["grade"]) == (False, "C1")
    assert (await door.fr("PATCH", "/Users/e1", patch({"op": "replace", "path": f"{EMPLOYEE}:grade", "value": "C2"}))).status_code == 204
    assert (await door.fr("GET", "/Users/e1")).json()[EMPLOYEE]["grade"] == "C2"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"grade": "C2"}, f'write {{"{EMPLOYEE}": {{"grade": …}}}}'),
        ({"Department": "Pricing"}, f'write {{"{ENTERPRISE}": {{"department": …}}}}'),
        ({f"{CORE}:site": "Paris"}, f'write {{"{EMPLOYEE}": {{"site": …}}}}'),
        ({f"{EMPLOYEE}:grade": "C2"}, f'write {{"{EMPLOYEE}": {{"grade": …}}}}'),
        ({EMPLOYEE: {"grde": "C2"}}, "'grde' is no attribute of"),
    ],
)
async def test_a_user_whose_grade_would_be_dropped_is_refused_and_told_what_to_write(
    door: Scene, given: dict[str, Any], meant: str
) -> None:
    assert meant in refused(await door.fr("POST", "/Users", lea(**{EMPLOYEE: {}} | given)), 400, "invalidSyntax")
    await door.fr.made()
    assert meant in refused(await door.fr("PUT", "/Users/e1", lea(**given)), 400, "invalidSyntax")
    assert (await door.fr("GET", "/Users/e1")).json()[EMPLOYEE]["grade"] == "C1"
    assert [one.grade for one in await door.told() if isinstance(one, StaffRecorded)] == ["C1"]


async def test_an_attribute_without_its_uri_that_says_nothing_is_dropped(door: Scene) -> None:
    assert (await door.fr.made(department=None, division="", grade=None))[EMPLOYEE]["grade"] == "C1"


async def test_an_attribute_that_our_extension_does_not_have_is_refused_and_one_that_nobody_knows_is_dropped(door: Scene) -> None:
    await door.fr.made()
    said = refused(
        await door.fr("PATCH", "/Users/e1", patch({"op": "replace", "path": f"{EMPLOYEE}:grde", "value": "C2"})), 400, "invalidPath"
    )
    assert "'grde' is no attribute" in said
    assert "businessUnit" in said
    said = refused(await door.fr("PATCH", "/Users/e1", patch({"op": "add", "path": "department", "value": "x"})), 400, "invalidPath")
    assert f"{ENTERPRISE}:department" in said
    for path in ("phoneNumbers", 'addresses[type eq "work"].country', "roles"):
        assert (await door.fr("PATCH", "/Users/e1", patch({"op": "add", "path": path, "value": "x"}))).status_code == 204


async def test_a_manager_as_a_bare_string_is_a_manager(door: Scene) -> None:
    user = await door.fr.made()
    whole = f"{ENTERPRISE}:manager"
    for change in (
        {"op": "Add", "path": whole, "value": "e7"},
        {"op": "Replace", "value": {whole: "e8"}},
        {"op": "Replace", "value": {ENTERPRISE: {"manager": "e9"}}},
    ):
        assert (await door.fr("PATCH", f"/Users/{user['id']}", patch(change))).is_success
    assert [one.manager_id for one in await door.told() if isinstance(one, StaffRecorded)] == [None, "e7", "e8", "e9"]
    assert (await door.fr("PATCH", f"/Users/{user['id']}", patch({"op": "Remove", "path": whole}))).is_success
    profile = (await door.employee()).profile
    assert profile is not None
    assert profile.managers == ()


async def test_users_are_found_by_filter_and_listed_by_page(door: Scene) -> None:
    for number in range(7):
        more = {ENTERPRISE: {"employeeNumber": f"n{number}"}, "externalId": f"x{number}", "title": "even" if number % 2 == 0 else "odd"}
        await door.fr.made(userName=f"user{number}@example.org", **more)

    async def found(query: str) -> list[str]:
        answer = await door.fr("GET", f"/Users?{query}")
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["Resources"]]

    assert await found('filter=userName eq "USER3@example.org"') == ["n3"]
    assert await found('filter=externalId eq "x4"') == ["n4"]
    assert await found('filter=externalId eq "X4"') == []
    assert await found(f'filter={ENTERPRISE}:employeeNumber eq "n5"') == ["n5"]
    assert await found('filter=title eq "odd" and userName sw "user"') == ["n1", "n3", "n5"]
    assert await found('filter=userName eq "user1@example.org" or externalId eq "x2"') == ["n1", "n2"]
    assert await found('filter=not (title eq "odd") and active eq true') == ["n0", "n2", "n4", "n6"]
    assert await found("startIndex=3&count=2") == ["n2", "n3"]
    assert await found('filter=title eq "even"&startIndex=2&count=2') == ["n2", "n4"]
    page = (await door.fr("GET", "/Users?count=0")).json()
    assert (page["totalResults"], page["Resources"]) == (7, [])
    for bare in ('employeeNumber eq "n5"', 'title eq "odd" and not (employeenumber pr)', f'{CORE}:employeeNumber eq "n5"'):
        assert f"{ENTERPRISE}:employeeNumber" in refused(await door.fr("GET", f"/Users?filter={bare}"), 400, "invalidFilter")
    assert f"{EMPLOYEE}:grade" in refused(await door.fr("GET", '/Users?filter=grade eq "C3"'), 400, "invalidFilter")
    refused(await door.fr("GET", '/Users?filter=nosuch eq "x"'), 400, "invalidFilter")
    refused(await door.fr("GET", "/Users?filter=userName eq"), 400, "invalidFilter")
    refused(await door.fr("GET", f"/Users?filter={'(' * 5000}"), 400, "invalidFilter")
    asked = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": 'title eq "odd"', "attributes": ["userName"]}
    searched = (await door.fr("POST", "/Users/.search", asked)).json()
    assert [set(one) for one in searched["Resources"]] == [{"schemas", "id", "userName"}] * 3


SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.mark.parametrize(
    ("text", "said"),
    [("(" * 4_001, "4,000 characters"), (" or ".join(["id pr"] * 51), "50 comparisons"), ("x" * 900_000, "4,000 characters")],
)
async def test_a_filter_that_asks_too_much_is_refused_by_every_way_in_and_not_parsed_when_too_long(
    door: Scene, text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest: list[int] = []
    parse = ScimFilter.__new__

    def watched(kind: Any, given: str, *more: Any) -> Any:
        longest.append(len(given))
        return parse(kind, given, *more)

    monkeypatch.setattr(ScimFilter, "__new__", watched)
    for name in ("filter", "FILTER"):
        for path in ("/.search", "/Users/.search", "/Groups/.search"):
            assert said in refused(await door.fr("POST", path, {"schemas": [SEARCH], name: text}), 400, "invalidFilter")
    if len(text) < 50_000:
        assert said in refused(await door.fr("GET", f"/Users?filter={text}"), 400, "invalidFilter")
    assert max(longest, default=0) <= 4_000


async def test_a_filter_of_fifty_comparisons_is_taken_and_those_inside_brackets_count(door: Scene) -> None:
    def emails(number: int) -> str:
        return f"not (emails[{' or '.join(['type pr'] * number)}]) and title pr"

    assert (await door.fr("POST", "/Users/.search", {"schemas": [SEARCH], "filter": emails(49)})).status_code == 200
    refused(await door.fr("POST", "/Users/.search", {"schemas": [SEARCH], "filter": emails(50)}), 400, "invalidFilter")


async def test_a_patch_whose_paths_are_a_book_is_refused_and_says_what_to_do(door: Scene) -> None:
    user = await door.fr.made()
    path = f"emails[{' or '.join(['type pr'] * 50)}].value"
    whole = {"op": "replace", "PATH": path, "value": "x"}
    for operations in ([whole] * 100, [{"op": "add", "value": {path: "x"}}] * 100):
        assert "send several" in refused(await door.fr("PATCH", f"/Users/{user['id']}", patch(*operations)), 400, "invalidPath")
    many = [{"op": "replace", "path": 'emails[type eq "work"].value', "value": f"lea{number}@example.org"} for number in range(1_000)]
    assert (await door.fr("PATCH", f"/Users/{user['id']}", patch(*many))).status_code == 204


@pytest.mark.parametrize("half", ["\\ud800", "\\uDFFF", "\\ud83d\\ude00"])
async def test_half_a_character_is_refused_wherever_it_is_compared(door: Scene, half: str) -> None:
    user = await door.fr.made()
    asked = f'userName eq "{half}"'
    answers = [await door.fr("POST", way, {"schemas": [SEARCH], "filter": asked}) for way in ("/Users/.search", "/.search")]
    answers.append(await door.fr("GET", f"/Users?filter={quote(asked)}"))
    for answer in answers:
        assert "written as itself" in refused(answer, 400, "invalidFilter")
    for operation in (
        {"op": "add", "path": f'emails[type eq "{half}"].value', "value": "x"},
        {"op": "add", "value": {f'emails[type eq "{half}"].value': "x"}},
    ):
        assert "written as itself" in refused(await door.fr("PATCH", f"/Users/{user['id']}", patch(operation)), 400, "invalidPath")


async def test_an_erased_person_is_nowhere_in_what_the_provider_wrote_and_is_not_taken_again(door: Scene) -> None:
    await door.fr.made(userName="boss", **{ENTERPRISE: {"employeeNumber": "e0"}})
    address = {"emails": [{"value": "her@example.org"}], "userName": "her@example.org"}
    her = await door.fr.made(**address, **{ENTERPRISE: {"employeeNumber": "her-own-id", "manager": {"value": "e0"}}})
    below = {ENTERPRISE: {"employeeNumber": "e2", "manager": {"value": her["id"]}}}
    report = await door.fr.made(userName="bob", **below)
    group = {"schemas": [GROUPS], "displayName": "All", "members": [{"value": her["id"]}, {"value": report["id"]}]}
    await door.fr("POST", "/Groups", group)
    await door.hearing.settle()
    await door.hearing.asked(commands.erase, "fr:her-own-id", GROUP, "asked for it")
    for _ in range(20):
        await door.hearing.passes(timedelta(minutes=2))
    kept = await door.hearing.service.unit.house.store.find(Find(collection="scim_users"))
    groups = await door.hearing.service.unit.house.store.find(Find(collection="scim_groups"))
    assert len(kept) == 2
    assert "her-own-id" not in repr([*kept, *groups])
    assert "her@example.org" not in repr([*kept, *groups])
    assert (await door.fr("GET", "/Users/e2")).json()[ENTERPRISE]["manager"]["value"] == "e0"
    assert "readmit" in refused(await door.fr("POST", "/Users", lea(**{ENTERPRISE: {"employeeNumber": "her-own-id"}})), 403)


async def test_groups_are_kept_and_have_no_effect(door: Scene) -> None:
    user = await door.fr.made()
    await door.told()
    made = (
        await door.fr("POST", "/Groups", {"schemas": [GROUPS], "displayName": "All", "members": [{"value": user["id"]}, {"value": "x"}]})
    ).json()
    await door.fr("PATCH", f"/Groups/{made['id']}", patch({"op": "Remove", "path": "members", "value": [{"value": "x"}]}))
    read = (await door.fr("GET", f"/Groups/{made['id']}")).json()
    assert [one["value"] for one in read["members"]] == [user["id"]]
    assert read["members"][0]["$ref"].endswith(f"/scim/fr/v2/Users/{user['id']}")
    assert (await door.fr("DELETE", f"/Groups/{made['id']}")).status_code == 204
    refused(await door.fr("GET", f"/Groups/{made['id']}"), 404)
    assert await door.told() == []
    assert (await door.employee()).status is EmployeeStatus.ACTIVE


async def test_a_token_opens_its_own_subsidiary_and_nothing_else(door: Scene) -> None:
    """P11 for this door: every route and method, with the token of another, of nobody, and revoked."""
    user = await door.fr.made()
    group = (await door.fr("POST", "/Groups", {"schemas": [GROUPS], "displayName": "All"})).json()
    routes = [
        *[(method, f"/Users/{user['id']}") for method in ("GET", "PUT", "PATCH", "DELETE")],
        *[(method, f"/Groups/{group['id']}") for method in ("GET", "PUT", "PATCH", "DELETE")],
        *[(method, path) for path in ("/Users", "/Groups") for method in ("GET", "POST")],
        *[("POST", path) for path in ("/.search", "/Users/.search", "/Groups/.search", "/Bulk")],
        *[("GET", path) for path in ("", "/", "/Schemas", "/ResourceTypes", "/Me", f"/Schemas/{CORE}")],
    ]
    before = (await door.fr("GET", f"/Users/{user['id']}")).text
    for method, path in routes:
        body = None if method in {"GET", "DELETE"} else lea()
        stranger = await door.de(method, path, body, of="fr")
        nowhere = await door.de(method, path, body, of="nowhere")
        assert stranger.status_code == nowhere.status_code == 401, (method, path, stranger.text)
        assert stranger.text == nowhere.text
        assert stranger.headers["WWW-Authenticate"].startswith("Bearer")
        anonymous = await door.fr.client.request(method, f"/scim/fr/v2{path}")
        assert anonymous.status_code == 401, (method, path)
    for path in (f"/Users/{user['id']}", f"/Groups/{group['id']}"):
        assert (await door.de("GET", path)).status_code == 404, path
    assert (await door.de("GET", '/Users?filter=userName eq "lea@example.org"')).json()["totalResults"] == 0
    assert (await door.fr("GET", f"/Users/{user['id']}")).text == before
    assert len(await door.told()) == 1
    (token,) = await door.hearing.asked(commands.tokens, "fr", GROUP)
    await door.hearing.asked(commands.revoke_token, "fr", GROUP, token.id)
    refused(await door.fr("GET", "/Users"), 401)


async def test_what_the_door_can_do_is_told_to_anybody_and_which_grades_there_are_to_the_feed(door: Scene) -> None:
    config = (await door.fr.client.get("/scim/nowhere/v2/ServiceProviderConfig")).json()
    assert (config["patch"]["supported"], config["bulk"]["supported"], config["etag"]["supported"]) == (True, False, True)
    schema = (await door.fr("GET", f"/Schemas/{EMPLOYEE}")).json()
    (grade,) = [one for one in schema["attributes"] if one["name"] == "grade"]
    assert grade["canonicalValues"] == ["C1", "C2", "DIR"]
    (grade,) = [one for one in (await door.de("GET", f"/Schemas/{EMPLOYEE}")).json()["attributes"] if one["name"] == "grade"]
    assert grade["canonicalValues"] == ["AT"]


async def test_a_feed_that_asks_too_often_is_told_when_to_ask_again(tmp_path: Path) -> None:
    now = [0.0]
    async with scene(tmp_path, RateLimit(2, 4, clock=lambda: now[0])) as door:
        assert {(await door.fr("GET", "/Users")).status_code for _ in range(1 + 4)} == {200}
        late = await door.fr("GET", "/Users")
        refused(late, 429)
        assert late.headers["Retry-After"] == "1"
        assert (await door.de("GET", "/Users")).status_code == 200
        now[0] += 0.5
        assert [(await door.fr("GET", "/Users")).status_code for _ in range(2)] == [200, 429]


async def test_a_body_that_is_too_large_or_none_is_refused(door: Scene) -> None:
    refused(await door.fr("POST", "/Users", b"{" + b" " * 1_100_000 + b"}"), 413)
    refused(await door.fr("OPTIONS", "/Users"), 405)
    refused(await door.fr("POST", "/Users", b"{"), 400, "invalidSyntax")
    refused(await door.fr("POST", "/Users", b"[]"), 400, "invalidSyntax")
    refused(await door.fr("POST", "/Users", {"schemas": [CORE]}), 400, "invalidValue")
    refused(await door.fr("POST", "/Users", b"<user/>", Content_Type="text/xml"), 415)
    refused(await door.fr("POST", "/Bulk", {}), 501)
    refused(await door.fr("GET", "/Nothing"), 404)
    refused(await door.fr("PATCH", "/Users", {}), 405)


NAMES = f"userName emails name.familyName active meta.created {ENTERPRISE}:manager.value members urn: $ref é".split()
SIGNS = ["eq", "ne", "co", "sw", "pr", "gt", "and", "or", "not", "(", ")", "[", "]", ".", ":", "true", "null", "1", "-1e400"]
WORDS = st.sampled_from([*NAMES, *SIGNS, '"x"', '"\\ud800"', "\x00"])
FILTERS = st.one_of(
    st.just("userName pr"), st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join), st.lists(WORDS, max_size=12).map("".join)
)


async def test_no_filter_breaks_the_door(door: Scene) -> None:
    await door.fr.made()
    statuses: set[int] = set()
    loop = asyncio.get_running_loop()

    @settings(max_examples=int(os.environ.get("AMONT_SCIM_FILTERS", "300")), deadline=None, suppress_health_check=list(HealthCheck))
    @given(FILTERS, FILTERS)
    def ask(text: str, path: str) -> None:
        async def both() -> list[Answer]:
            change = patch({"op": "replace", "path": path, "value": "x"})
            search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text}
            return [await door.fr("POST", "/Users/.search", search), await door.fr("PATCH", "/Users/e1", change)]

        for answer in asyncio.run_coroutine_threadsafe(both(), loop).result():
            statuses.add(answer.status_code)
            assert answer.status_code < 500, (text, path, answer.text)

    await asyncio.to_thread(ask)
    assert {200, 400} <= statuses
