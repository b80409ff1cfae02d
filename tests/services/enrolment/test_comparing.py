"""`amont subsidiaries compare`: a file held against the people whom enrolment has, on the store that an enrolment has left behind. Their time is long ago,
so that nobody came within the hour.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.services.enrolment.staffing import GROUP, de, fr, left, recorded
from typer.testing import CliRunner

from amont.common.cli import main
from amont.common.clock import FixedClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.events.hris import StaffFact, StaffLeft
from amont.common.ids import SeededIds
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts
from amont.common.testing.hearing import Hearing
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee

LONG_AGO = datetime(2024, 1, 1, 8, tzinfo=UTC)
LATER = LONG_AGO + timedelta(days=30)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
CROWD = 40
KINDS = ("ids-reissued", "addresses-gone", "fields-changed", "many-leavers")


def record(employee: str, *, at: datetime = LATER, **more: Any) -> StaffFact:
    """Somebody as the feed has them since then."""
    given = {"email": f"{employee}@example.org", "team": "pricing", "joined_on": date(2020, 1, 1), **more}
    return recorded(employee, at=at, wrote=at, **given)


def crowd(*, at: datetime = LATER, count: int = CROWD, **more: Any) -> list[StaffFact]:
    return [record(f"p{number}", at=at, **more) for number in range(count)]


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    """Forty people, who have been there for long; and one each in subsidiaries whose ids stand before and behind theirs."""
    clock, log = FixedClock(LONG_AGO), SqliteLog(tmp_path / "log.sqlite", sync="normal")
    store = SqliteStore(tmp_path / "amont_enrolment.sqlite", sync="normal")
    service = build(Parts(store=store, log=log, clock=clock, ids=SeededIds(clock, 1)))
    await service.open()
    service.ready = True
    one = Hearing(service, log, clock)
    await one.given(fr())
    await one.given(de())
    await one.given(*(replace(fr(), id=tenant) for tenant in ("fr-x", "fra")))
    await one.hears(*crowd(at=LONG_AGO), *(recorded("p0", tenant=tenant, at=LONG_AGO, wrote=LONG_AGO) for tenant in ("fr-x", "fra")))
    await one.hears(recorded("elsewhere", tenant="de", grade="AT", at=LONG_AGO, wrote=LONG_AGO))
    yield one
    await service.stop()


def line(event: StaffFact) -> str:
    left_too = {"left": True} if isinstance(event, StaffLeft) else {}
    return json.dumps(event.model_dump(mode="json", exclude={"seq"}, exclude_none=True) | left_too) + "\n"


Compare = Callable[..., Any]


@pytest.fixture
def compare(enrolment: Hearing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Runs `amont subsidiaries compare fr FILE …` on a file of these events, or of this text; (exit code, data or words)."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    async def run(said: list[StaffFact] | str, *words: str, file: str = "staff.jsonl", words_only: bool = False) -> tuple[int, Any]:
        (tmp_path / file).write_text(said if isinstance(said, str) else "".join(map(line, said)), encoding="utf-8")
        more = () if words_only else ("--json",)
        code, stdout, stderr = await asyncio.to_thread(amont, "compare", "fr", file, "--data", str(tmp_path), *words, *more)
        return code, (json.loads(stdout) if stdout and not words_only else stdout + stderr)

    return run


def amont(*words: str, given: str = "") -> tuple[int, str, str]:
    app = typer.Typer()
    app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(lambda: main(["subsidiaries", *words]))
    result = CliRunner().invoke(app, [], input=given)
    return result.exit_code, result.stdout, result.stderr


def counts(data: Mapping[str, Any]) -> dict[str, int]:
    """What is not nothing of what becomes of the people of a file."""
    effects = ("new", "back", "changed", "unchanged", "leaving", "gone", "older", "erased", "ahead", "missing")
    return {name: data[name] for name in effects if data[name]}


def wholesale(data: Mapping[str, Any]) -> list[str]:
    return [one["kind"] for one in data["kinds"] if one["kind"] in KINDS]


async def test_the_same_people_again_change_nothing(compare: Compare) -> None:
    code, data = await compare(crowd(), "--complete")
    assert (code, counts(data), data["kinds"]) == (0, {"unchanged": CROWD}, [])
    assert (data["here"], data["people"], data["records"], data["missing"]) == (CROWD, CROWD, CROWD, 0)


async def test_who_is_new_changes_leaves_and_comes_back_is_counted_by_what_it_is(compare: Compare, enrolment: Hearing) -> None:
    await enrolment.passes(timedelta(hours=2))
    await enrolment.hears(left("p9", at=enrolment.clock.now(), wrote=enrolment.clock.now()))
    await enrolment.passes(timedelta(minutes=1))
    said = [
        record("new"),
        record("p0"),
        record("p1", team="data"),
        record("p2", team="data", grade="DIR"),
        left("p3", at=LATER, wrote=LATER),
        left("nobody", at=LATER, wrote=LATER),
        record("p9"),
        record("p5", at=LONG_AGO - timedelta(days=1), team="of old"),
        record("p6", at=FAR, job_title="one day"),
        record("moved", former_id="de:elsewhere"),
        record("stray", former_id="es:unheard"),
    ]
    code, data = await compare(said)
    assert code == 0
    expected = {"new": 3, "unchanged": 1, "changed": 3, "leaving": 1, "gone": 1, "back": 1, "older": 1, "ahead": 1}
    assert (counts(data), data["missing"]) == (expected, None)
    assert data["fields"] == {"team": 2, "grade": 1, "job_title": 1}
    assert (data["moved_here"], data["moved_here_unknown"]) == (2, 1)
    _, said_in_words = await compare(said, words_only=True)
    for part in (
        "changed      3: team (2), grade (1), job_title (1)",
        "new          3",
        "coming back  1 ",
        "moved here   2 ",
        "Nothing was sent.",
    ):
        assert part in said_in_words


async def test_the_newest_record_of_somebody_counts_whatever_comes_first(compare: Compare) -> None:
    newest, before = record("p0"), record("p0", at=LATER - timedelta(days=1), team="data")
    for said in ([newest, before], [before, newest]):
        assert counts((await compare(said))[1]) == {"unchanged": 1}


async def test_what_is_true_by_now_counts_and_a_record_that_lies_ahead_is_said_beside_it(compare: Compare) -> None:
    planned = crowd(at=FAR)
    for said in ([*crowd(email=None, team="data"), *planned], [*planned, *crowd(email=None, team="data")]):
        code, data = await compare(said, "--complete")
        assert (code, counts(data)) == (1, {"changed": CROWD, "ahead": CROWD})
        assert (data["fields"], wholesale(data)) == ({"email": CROWD, "team": CROWD}, ["addresses-gone", "fields-changed"])
        assert data["only_ahead"] == 0
    _, said_in_words = await compare([*crowd(), *planned, record("p0", at=FAR), record("new", at=FAR)], words_only=True)
    assert "ahead      41 have a record that lies ahead; 1 have no other: nothing changes before its day" in said_in_words


async def test_who_leaves_now_is_counted_though_they_return(compare: Compare) -> None:
    leavers = [left(f"p{number}", at=LATER, wrote=LATER) for number in range(CROWD)]
    code, data = await compare([*leavers, *crowd(at=FAR)], "--complete")
    assert (code, counts(data), data["returning"], wholesale(data)) == (1, {"leaving": CROWD, "ahead": CROWD}, 0, ["many-leavers"])
    assert data["breaker"] == {"open": False, "leavers": CROWD, "may_leave": 10, "trips": True}
    back = [*leavers, *crowd(at=LATER + timedelta(days=3))]
    code, data = await compare(back, "--complete")
    assert (code, counts(data), data["returning"], wholesale(data)) == (1, {"unchanged": CROWD}, CROWD, ["many-leavers"])
    assert data["breaker"]["trips"]
    _, said = await compare(back, words_only=True)
    assert "returning  40 would leave, and return by a newer record of the file: the breaker counts them" in said
    known = [left("p0", at=LONG_AGO - timedelta(days=1), wrote=LONG_AGO), record("p0")]
    assert (await compare(known))[1]["breaker"]["leavers"] == 0


async def test_a_leaving_that_is_planned_takes_nobody_away_within_the_hour(compare: Compare) -> None:
    planned = [left(f"p{number}", at=FAR + timedelta(days=365 * number), wrote=LATER) for number in range(12)]
    code, data = await compare(planned)
    assert (code, counts(data), data["only_ahead"]) == (1, {"leaving": 12, "ahead": 12}, 12)  # a fifth of the subsidiary all the same
    assert data["breaker"] == {"open": False, "leavers": 0, "may_leave": 10, "trips": False}
    _, said = await compare(planned, words_only=True)
    assert "breaker    counts 0 of 12 (nobody who came within the hour or whose day lies ahead), and lets 10 go within the hour" in said
    code, data = await compare([*crowd(), *planned])
    assert (code, counts(data)) == (0, {"unchanged": CROWD, "ahead": 12})


async def test_ids_reissued_wholesale_are_seen_though_all_of_them_are_new(compare: Compare) -> None:
    again = [record(f"n{number}", given_name=f"P{number}", email=f"p{number}@example.org") for number in range(CROWD)]
    code, data = await compare(again)
    assert (code, counts(data), wholesale(data)) == (1, {"new": CROWD}, ["ids-reissued"])
    (one,) = data["findings"]
    assert one["what"] == "40 of 40 people are new to enrolment, which has people like them in 'fr' under other ids"
    beside = [*crowd(), *again]
    assert wholesale((await compare(beside))[1]) == ["ids-reissued"]


@pytest.mark.parametrize(("paused", "at"), [(True, LONG_AGO), (False, FAR)])
async def test_ids_reissued_are_seen_where_all_that_is_known_is_held_or_lies_ahead(
    compare: Compare, enrolment: Hearing, *, paused: bool, at: datetime
) -> None:
    if paused:
        await enrolment.asked(commands.pause_feed, "fr", GROUP, "to look first")
    await enrolment.hears(*(record(f"q{number}", at=at) for number in range(CROWD)))
    again = [record(f"r{number}", at=at, given_name=f"Q{number}", email=f"q{number}@example.org") for number in range(CROWD)]
    code, data = await compare(again)
    assert (code, data["new"], wholesale(data)) == (1, CROWD, ["ids-reissued"])


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({"joined_on": None, "email": None}, ["ids-reissued"]),  # where the file says no first day the names have to do
        ({"joined_on": date(2019, 1, 1), "email": None}, []),  # another first day is somebody else
        ({"joined_on": date(2020, 1, 1), "email": None}, ["ids-reissued"]),
        ({"joined_on": date(2019, 1, 1)}, ["ids-reissued"]),  # the address of theirs
        ({"joined_on": date(2020, 1, 1), "email": None, "family_name": "TEST"}, ["ids-reissued"]),
        ({"family_name": "Autre"}, []),
        ({"family_name": ""}, ["ids-reissued"]),  # of somebody without names an address does
    ],
)
async def test_who_is_somebody_under_another_id_has_the_names_and_no_other_first_day(
    compare: Compare, more: Mapping[str, Any], seen: list[str]
) -> None:
    people = [record(f"n{number}", **{"given_name": f"P{number}", "email": f"p{number}@example.org", **more}) for number in range(CROWD)]
    assert wholesale((await compare(people))[1]) == seen


async def test_the_names_alone_are_nobody_who_is_in_the_file_under_their_own_id(compare: Compare, enrolment: Hearing) -> None:
    again = [record(f"n{number}", given_name=f"P{number}", joined_on=None, email=None) for number in range(CROWD)]
    assert wholesale((await compare([*crowd(), *again]))[1]) == []
    await enrolment.passes(timedelta(days=60))
    await enrolment.hears(*crowd(joined_on=None))
    dated = [record(f"n{number}", given_name=f"P{number}", email=None) for number in range(CROWD)]
    assert wholesale((await compare([*crowd(joined_on=None), *dated]))[1]) == []
    assert wholesale((await compare(dated))[1]) == ["ids-reissued"]


async def test_a_mailbox_of_many_shows_nobody_again(compare: Compare, enrolment: Hearing) -> None:
    shared = {"email": "all@example.org", "at": LONG_AGO + timedelta(days=1)}
    await enrolment.passes(timedelta(days=2))
    await enrolment.hears(*(record(f"p{number}", **shared) for number in range(CROWD)))
    assert wholesale((await compare([record(f"n{number}", family_name="", **shared) for number in range(CROWD)]))[1]) == []


async def test_a_few_of_the_same_names_are_people(compare: Compare) -> None:
    few = [record(f"n{number}", given_name=f"P{number}", joined_on=None) for number in range(9)]
    assert (await compare(few))[0] == 0
    ten = [*few, record("n9", given_name="P9", joined_on=None)]
    assert (await compare(ten))[0] == 1
    assert (await compare([*ten, *(record(f"other{number}") for number in range(41))]))[0] == 0


async def test_addresses_that_are_gone_wholesale_are_seen(compare: Compare) -> None:
    code, data = await compare(crowd(email=None))
    assert (code, counts(data), wholesale(data)) == (1, {"changed": CROWD}, ["addresses-gone"])
    assert data["fields"] == {"email": CROWD}
    assert (await compare([*crowd()[:32], *crowd(email=None)[32:]]))[0] == 0
    _, said = await compare(crowd(email=None), words_only=True)
    assert "staff.jsonl: /email: 40 of 40 people whom enrolment holds have an address there and none in the file" in said


async def test_a_column_that_is_another_one_is_seen(compare: Compare) -> None:
    code, data = await compare(crowd(team="e42", email="new@example.org"))
    assert (code, wholesale(data)) == (1, ["fields-changed"])
    assert [one["where"] for one in data["findings"]] == ["/email", "/team"]


async def test_a_complete_file_that_is_short_would_trip_the_breaker(compare: Compare) -> None:
    short = crowd(count=25)
    code, data = await compare(short)
    assert (code, data["missing"], wholesale(data)) == (0, None, [])
    code, data = await compare(short, "--complete")
    assert (code, data["missing"], wholesale(data)) == (1, 15, ["many-leavers"])
    assert data["breaker"] == {"open": False, "leavers": 15, "may_leave": 10, "trips": True}
    code, data = await compare(crowd(count=30), "--complete")
    assert (data["breaker"]["trips"], data["breaker"]["leavers"]) == (False, 10)
    assert wholesale(data) == ["many-leavers"]  # a quarter of the subsidiary
    assert (await compare(crowd(count=33), "--complete"))[0] == 0


async def test_who_came_within_the_hour_is_missing_and_not_missed(compare: Compare, enrolment: Hearing) -> None:
    enrolment.clock.move_to(datetime.now(UTC))
    await enrolment.hears(*(record(f"q{number}") for number in range(11)))
    code, said = await compare(crowd(), "--complete", words_only=True)
    assert code == 1  # a fifth of the subsidiary all the same
    assert "missing    11, who have left if the file is complete" in said
    assert "breaker    counts 0 of 11 (nobody who came within the hour or whose day lies ahead), and lets 10 go within the hour" in said
    assert "it would hold" not in said


async def test_a_file_that_may_be_cut_short_is_not_complete(compare: Compare) -> None:
    code, data = await compare([*crowd()], "--complete")
    assert (code, data["why_not_complete"]) == (0, None)
    code, said = await compare("".join(map(line, crowd())) + "nonsense\n", "--complete", words_only=True)
    assert code == 1
    assert "Nobody could be said to be missing: of 1 line nobody can tell whom they are about" in said


async def test_nobody_is_missing_from_a_file_that_cannot_be_complete(compare: Compare) -> None:
    text = "".join(map(line, crowd(count=20))) + "nonsense\n"
    code, data = await compare(text, "--complete")
    assert (code, data["missing"], data["why_not_complete"] is not None, wholesale(data)) == (1, None, True, [])
    assert data["breaker"] == {"open": False, "leavers": 0, "may_leave": 10, "trips": False}
    assert "have left if the file is complete" not in (await compare(text, "--complete", words_only=True))[1]


async def test_who_has_left_within_the_hour_is_taken_off_what_may_leave(compare: Compare, enrolment: Hearing) -> None:
    enrolment.clock.move_to(datetime.now(UTC) - timedelta(minutes=10))
    now = enrolment.clock.now()
    await enrolment.hears(*(left(f"p{number}", at=now, wrote=now) for number in range(8)))
    await enrolment.passes(timedelta(minutes=1))
    _, data = await compare(crowd()[12:], "--complete")
    assert data["breaker"] == {"open": False, "leavers": 4, "may_leave": 2, "trips": True}


async def test_an_open_breaker_lets_nobody_go(compare: Compare, enrolment: Hearing) -> None:
    await enrolment.passes(timedelta(days=60))
    now = enrolment.clock.now()
    await enrolment.hears(*(left(f"p{number}", at=now, wrote=now) for number in range(30)))
    await enrolment.passes(timedelta(minutes=1))
    one = [left("p39", at=now, wrote=now)]
    code, data = await compare(one)
    assert (code, data["breaker"]) == (1, {"open": True, "leavers": 1, "may_leave": 10, "trips": True})
    assert "counts 1, and lets nobody go now: it would hold the others" in (await compare(one, words_only=True))[1]


async def test_whose_leaving_is_held_does_not_come_back(compare: Compare, enrolment: Hearing) -> None:
    await enrolment.passes(timedelta(days=60))
    now = enrolment.clock.now()
    await enrolment.hears(*(left(f"p{number}", at=now, wrote=now) for number in range(30)))
    await enrolment.passes(timedelta(minutes=1))
    _, data = await compare(crowd(at=now + timedelta(days=1)))
    assert (data["here"], counts(data)) == (30, {"back": 10, "unchanged": 30})
    again = [left(f"p{number}", at=now, wrote=now) for number in range(30)]
    assert counts((await compare(again))[1]) == {"unchanged": 30}


async def test_an_id_elsewhere_that_two_name_is_known_of_both(compare: Compare) -> None:
    _, data = await compare([record(one, former_id="de:elsewhere") for one in ("a", "b")])
    assert (data["moved_here"], data["moved_here_unknown"]) == (2, 0)


async def test_who_was_erased_is_refused_and_their_reports_do_not_change(compare: Compare, enrolment: Hearing) -> None:
    await enrolment.passes(timedelta(hours=2))
    now = enrolment.clock.now()
    said = [record("p0", at=now), record("p1", at=now, manager_id="p0"), record("p2", at=now)]
    await enrolment.hears(*said)
    await enrolment.asked(commands.erase, "fr:p0", GROUP, "asked for it")
    for _ in range(6):
        await enrolment.passes(timedelta(seconds=5))
    code, data = await compare(said)
    assert (code, counts(data)) == (0, {"erased": 1, "unchanged": 2})


async def test_somebody_who_moves_away_is_counted(compare: Compare, enrolment: Hearing) -> None:
    await enrolment.hears(recorded("p0", tenant="de", grade="AT", former_id="fr:p0", at=LONG_AGO, wrote=LONG_AGO))
    await enrolment.passes(timedelta(minutes=1))
    _, data = await compare([left("p0", at=LATER, wrote=LATER), left("p1", at=LATER, wrote=LATER)])
    assert (counts(data), data["moved_away"]) == ({"leaving": 2}, 1)
    _, data = await compare(crowd()[1:], "--complete")
    assert (data["missing"], data["moved_away"]) == (1, 1)


async def test_what_a_paused_feed_holds_is_known(compare: Compare, enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", GROUP, "to look first")
    await enrolment.hears(record("new", at=LONG_AGO))
    code, data = await compare([record("new", at=LONG_AGO)])
    assert (code, counts(data), data["paused"]) == (0, {"unchanged": 1}, True)
    assert "The feed is paused: whatever is sent is held until it is resumed." in (await compare([record("new")], words_only=True))[1]


async def test_of_a_paused_feed_what_is_wrong_with_all_of_it_is_seen(compare: Compare, enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", GROUP, "to look first")
    await enrolment.hears(*(record(f"q{number}", at=LONG_AGO) for number in range(CROWD)))
    _, data = await compare([record(f"q{number}", email=None) for number in range(CROWD)])
    assert (counts(data), wholesale(data)) == ({"changed": CROWD}, ["addresses-gone"])


async def test_a_table_is_read_as_the_import_reads_it(compare: Compare, tmp_path: Path) -> None:
    sheet = "Matricule;Vorname;Nachname;Stufe;Courriel;Equipe;Entrée\n" + "".join(
        f"p{number};P{number};Test;C1;p{number}@example.org;ventes;01/01/2020\n" for number in range(3)
    )
    mapping = '[columns]\njoined_on = "Entrée"\nteam = "Equipe"\ngrade = "Stufe"\n'
    (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
    options = ("--mapping", "mapping.toml", "--dates", "dmy", "--as-of", "2024-03-01", "--delimiter", ";")
    code, data = await compare(sheet, *options, file="staff.csv")
    assert (code, counts(data), data["fields"]) == (0, {"changed": 3}, {"team": 3})
    assert data["read_as"] == "CSV in UTF-8, semicolons between cells"
    bad = sheet.replace("p1;P1;Test;C1", "p1;P1;Test;C9")
    code, said = await compare(bad, *options, file="staff.csv", words_only=True)
    assert code == 1
    assert "staff.csv:3: column 'Stufe': 'C9' is not in the grade table of 'fr'" in said
    assert "3 records about 2 people; 1 bad line left out." in said
    code, data = await compare(bad, *options, "--complete", file="staff.csv")
    assert data["missing"] == CROWD - 3  # whoever has a bad line is there


async def test_a_file_comes_by_standard_input_as_well(enrolment: Hearing, tmp_path: Path) -> None:
    words = ("compare", "fr", "-", "--data", str(tmp_path), "--json")
    code, stdout, _ = await asyncio.to_thread(amont, *words, given="".join(map(line, [*crowd(), record("p0", tenant="de")])))
    data = json.loads(stdout)
    assert (code, counts(data), data["read_as"]) == (1, {"unchanged": CROWD}, "JSON lines")
    assert [one["kind"] for one in data["findings"]] == ["wrong-tenant"]


async def test_nothing_is_changed_and_nothing_is_sent(compare: Compare, enrolment: Hearing) -> None:
    before = await enrolment.look(Employee, "fr:p0")
    topics = [await enrolment.log.read("look", topic, 1_000) for topic in ("hris-staff", "enrolment-employees")]
    assert (await compare(crowd(team="data"), "--complete"))[0] == 1
    await enrolment.settle()
    assert await enrolment.look(Employee, "fr:p0") == before
    assert [await enrolment.log.read("look", topic, 1_000) for topic in ("hris-staff", "enrolment-employees")] == topics


async def test_a_file_without_a_record_is_an_answer_and_one_that_is_no_table_is_wrong_usage(compare: Compare) -> None:
    assert (await compare("\n"))[0] == 1
    code, said = await compare("a;b\n1;2\n", file="staff.csv", words_only=True)
    assert code == 2
    assert "staff.csv is no table of staff records: no column is employee_id" in said
    assert (await compare("PK\x03\x04", file="staff.csv"))[0] == 2


async def test_another_subsidiary_or_folder_than_there_is_is_wrong_usage(compare: Compare, tmp_path: Path) -> None:
    await compare([record("p0")])
    for words in (
        ("xx", "staff.jsonl", "--data", str(tmp_path)),
        ("fr", "staff.jsonl", "--data", str(tmp_path / "no")),
        ("fr", "no.jsonl"),
    ):
        code, _, complaint = await asyncio.to_thread(amont, "compare", *words, *(("--data", str(tmp_path)) if len(words) == 2 else ()))
        assert (code, bool(complaint)) == (2, True)


async def test_a_store_that_does_not_answer_is_unreachable(compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    await compare([record("p0")])
    monkeypatch.setenv("AMONT_STORE_URL", "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300")
    assert (await asyncio.to_thread(amont, "compare", "fr", "staff.jsonl"))[0] == 3
