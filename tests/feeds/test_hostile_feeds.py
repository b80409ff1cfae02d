"""Feeds that somebody would rather not get: each record is applied or accounted for, nobody is lost by mistake, and other subsidiaries go on.

Made from the staff of a small made-up subsidiary, in the ways in which real feeds go wrong.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.feeds.test_every_door import command, on_the_log
from typer.testing import CliRunner

from amont.common.cli import root
from amont.common.events import EmployeeChanged, EmployeeLeft, StaffLeft, StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.events.values import EmployeeStatus
from amont.common.identity import Actor, Privilege
from amont.common.ids import derived
from amont.common.log import Record
from amont.common.testing.hearing import START, Hearing, hearing
from amont.common.work import Work
from amont.enrolment import commands, documents
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee

GROUP = Actor("group:coordinator", "group", frozenset({Privilege.GROUP_COORDINATOR}))
PEOPLE, LIMIT = 400, 20
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def line(number: int | str, day: int = 1, *, left: bool = False, **more: Any) -> Record:
    """A record of one employee as an HR system writes it on that day of December."""
    kind = StaffLeft if left else StaffRecorded
    at = f"2026-12-{day:02d}"
    body: dict[str, Any] = {"tenant": "fr", "employee_id": str(number), "effective_at": at, "occurred_at": f"{at}T06:00:00Z"}
    if not left:
        body |= {
            "given_name": f"Given{number}"[:60],
            "family_name": "Family",
            "grade": "C1",
            "email": f"e{len(str(number))}.{str(number)[:3]}@example.org",
        } | more
    value = json.dumps(body, ensure_ascii=False).encode()
    person = f"{body['tenant']}:{body['employee_id']}"
    envelope = Envelope(id=derived("hris", value.decode()), type=kind.type_name(), source="/hris/fr", subject=person, time=START)
    return Record(topic="hris-staff", key=person, value=value, headers=envelope.headers())


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    """Four hundred people who have been there for a day: twenty may leave within an hour. Beside them one of another subsidiary."""
    async with hearing(build, tmp_path / "enrolment") as one:
        for tenant in ("fr", "de"):
            given = {"name": tenant, "zone": "Europe/Paris", "languages": ("fr",), "grades": {"C1": 5}}
            await one.asked(commands.add_subsidiary, tenant, GROUP, **given)
        await one.hears(*(line(number) for number in range(PEOPLE)))
        await one.passes(24 * HOUR)
        await one.said()
        yield one


@pytest.fixture(autouse=True)
def place(tmp_path: Path) -> Path:
    for name in ("enrolment", "log"):
        (tmp_path / name).mkdir()
    return tmp_path


async def here(enrolment: Hearing) -> set[str]:
    """Who works in the subsidiary."""

    async def read(work: Work) -> list[Employee]:
        return await work.page(documents.employees_of("fr", None), after=None, limit=10_000)

    return {one.id for one in await enrolment.service.run(read)}


async def settled(enrolment: Hearing) -> None:
    for _ in range(4):
        await enrolment.passes(SECOND)


def ids(numbers: Iterable[int | str]) -> set[str]:
    return {f"fr:{number}" for number in numbers}


async def test_ids_that_are_issued_anew_for_everybody_take_nobody_away_until_somebody_says_so(enrolment: Hearing) -> None:
    new = [line(f"N{number}", 2) for number in range(PEOPLE)]
    old = [line(number, 2, left=True) for number in range(PEOPLE)]
    await enrolment.hears(*(record for pair in zip(old, new, strict=True) for record in pair))
    await settled(enrolment)
    assert len(await here(enrolment)) == 2 * PEOPLE - LIMIT
    state = await enrolment.asked(commands.feed_state, "fr", GROUP)
    assert (state.leavers, state.people_with_held) == (LIMIT, PEOPLE - LIMIT)
    await enrolment.asked(commands.release_leavers, "fr", GROUP, "ids were issued anew")
    await settled(enrolment)
    assert await here(enrolment) == ids(f"N{number}" for number in range(PEOPLE))
    assert await enrolment.parked() == []


def csv_file(folder: Path, name: str, numbers: Iterable[int]) -> Path:
    path = folder / name
    rows = [f"{number};Given{number};Family;C1;2026-12-02;2026-12-02T06:00:00Z" for number in numbers]
    path.write_text("\n".join(["Matricule;Prénom;Nom;grade;effective_at;occurred_at", *rows, ""]), encoding="cp1252")
    return path


async def test_a_truncated_return_is_dropped_and_the_next_whole_one_finds_everybody(enrolment: Hearing, place: Path) -> None:
    """The file is declared complete and somebody has said yes to the leavers without looking."""
    words = ("--tenant", "fr", "--complete", "--roster", str(place / "roster"), "--data", str(place / "log"), "--yes")
    whole, cut = csv_file(place, "whole.csv", range(PEOPLE)), csv_file(place, "cut.csv", range(PEOPLE // 4))
    await asyncio.to_thread(command, "hris", "import", str(whole), "--as-of", "2026-12-02T06:00:00Z", *words)
    await asyncio.to_thread(command, "hris", "import", str(cut), "--as-of", "2026-12-03T06:00:00Z", *words)
    records = await on_the_log(place / "log")
    await enrolment.hears(*records)
    await settled(enrolment)
    assert len(await here(enrolment)) == PEOPLE - LIMIT
    await enrolment.asked(commands.pause_feed, "fr", GROUP, "the export is looked at")
    await enrolment.asked(commands.drop_leavers, "fr", GROUP, "the export was cut off")
    await enrolment.asked(commands.resume_feed, "fr", GROUP, "it is mended")
    await settled(enrolment)
    assert len(await here(enrolment)) == PEOPLE - LIMIT
    await enrolment.hears(*(line(number, 4) for number in range(PEOPLE)))
    await settled(enrolment)
    assert await here(enrolment) == ids(range(PEOPLE))
    assert (await enrolment.asked(commands.feed_state, "fr", GROUP)).people_with_held == 0


async def test_the_same_id_twice_in_one_file_ends_the_same_in_either_order(enrolment: Hearing, place: Path) -> None:
    ends = []
    twice = [line("7", 2, given_name="Ada", job_title="Analyst"), line("7", 2, given_name="Bob", job_title="Baker")]
    for name, arriving in (("one", twice), ("other", twice[::-1])):
        (place / name).mkdir()
        async with hearing(build, place / name) as fresh:
            await fresh.asked(commands.add_subsidiary, "fr", GROUP, name="fr", zone="Europe/Paris", languages=("fr",), grades={"C1": 5})
            await fresh.hears(*arriving)
            ends.append((await fresh.look(Employee, "fr:7")).profile)
            assert await fresh.parked() == []
    assert ends[0] == ends[1]


async def test_ids_that_are_long_names_are_refused_by_what_is_wrong_and_short_ones_with_accents_are_taken(
    enrolment: Hearing, place: Path
) -> None:
    long = [line("Émilie-Zoë Çağlar Nuñez " * 6 + str(number), 2) for number in range(30)]
    short = [line(f"Éloïse Ångström {number}", 2) for number in range(30)]
    assert len(json.loads(long[0].value or b"")["employee_id"]) > 130
    await enrolment.hears(*(record for pair in zip(long, short, strict=True) for record in pair))
    parked = await enrolment.parked()
    assert Counter(reason for reason, _ in parked) == {"invalid-payload": 30}
    assert all("/employee_id" in detail for _, detail in parked)
    assert await here(enrolment) >= ids(f"Éloïse Ångström {number}" for number in range(30))
    feed = place / "feed.jsonl"
    feed.write_bytes(b"\n".join(record.value or b"" for record in (*long, *short)) + b"\n")
    checked = CliRunner().invoke(root(), ["contracts", "check", str(feed), "--json"])
    assert json.loads(checked.stdout)["bad_lines"] == 30


async def test_addresses_that_vanish_for_two_days_come_back_and_nobody_leaves(enrolment: Hearing) -> None:
    for day, addresses in ((2, False), (3, False), (4, True)):
        more = {} if addresses else {"email": None}
        await enrolment.hears(*(line(number, day, **more) for number in range(PEOPLE)))
        said = await enrolment.said()
        assert not any(isinstance(event, EmployeeLeft) for event in said)
        changed = {(event.person, event.email is not None) for event in said if isinstance(event, EmployeeChanged)}
        assert changed == (set() if day == 3 else {(person, addresses) for person in ids(range(PEOPLE))})
    assert (await enrolment.asked(commands.feed_state, "fr", GROUP)).tripped_at is None


async def test_titles_that_are_html_are_text(enrolment: Hearing) -> None:
    title = "<b>Directrice</b><script>alert('x')</script>\n&nbsp;R&amp;D"
    await enrolment.hears(line(3, 2, job_title=title))
    async with enrolment.client("fr:boss", Privilege.GROUP_COORDINATOR) as client:
        answer = await client.get("/api/enrolment/v1/employees/fr:3")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["profile"]["job_title"] == title.replace("\n", " ")


async def test_whoever_is_left_out_by_mistake_and_said_again_takes_part_as_before(enrolment: Hearing) -> None:
    await enrolment.hears(*(line(number, 2, left=True) for number in range(5)))
    await settled(enrolment)
    assert len(await here(enrolment)) == PEOPLE - 5
    await enrolment.hears(*(line(number, 3) for number in range(5)))
    employee = await enrolment.look(Employee, "fr:0")
    assert (employee.status, employee.held) == (EmployeeStatus.ACTIVE, ())
    assert await here(enrolment) == ids(range(PEOPLE))
