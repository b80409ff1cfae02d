"""`amont hris import`: a CSV file ends as the records that every other door gives; leavers only from files that are complete, and never many unasked."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from amont.common.cli import main, root
from amont.common.events.hris import StaffLeft, StaffRecorded
from amont.common.feeds.record import read_line
from amont.common.log import Received
from amont.common.log.sqlite import SqliteLog
from amont.common.service.reading import read

HEADER = "Matricule;Prénom;Grade\n"
PEOPLE = HEADER + "".join(f"e{number};Zoé;C3\n" for number in range(40))


def run(text: str, *arguments: str) -> Result:
    return CliRunner().invoke(root(), ["hris", "import", "-", "--tenant", "fr", "--as-of", "2026-12-01", *arguments], input=text)


async def on_the_log(folder: Path) -> Sequence[Received]:
    log = SqliteLog.in_folder(str(folder))
    await log.open()
    try:
        return await log.since("hris-staff", 0, 1_000)
    finally:
        await log.close()


async def said_of(folder: Path) -> list[tuple[str, str]]:
    heard = [read(one, "hris-staff") for one in await on_the_log(folder)]
    return [(type(one.event).__name__, one.event.subject) for one in heard if one is not None]


async def imported(folder: Path, text: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = await asyncio.to_thread(run, text, "--data", str(folder), "--json", *arguments)
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}


async def test_a_row_is_the_same_event_as_the_same_record_by_hris_send(tmp_path: Path) -> None:
    assert await imported(tmp_path, HEADER + "e1;Zoé;C3\n") == (0, ANY_OF(sent=1, bad_lines=0))
    (one,) = await on_the_log(tmp_path)
    again = read_line(1, one.value or b"").record
    assert (one.key.decode(), one.headers) == (again.key, again.headers)
    heard = read(one, "hris-staff")
    assert heard is not None
    assert isinstance(heard.event, StaffRecorded)
    assert (heard.event.person, heard.event.given_name, heard.envelope.source) == ("fr:e1", "Zoé", "/hris/fr")


class ANY_OF:  # noqa: N801 - reads as a value
    """Equal to a mapping that has at least these."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and self.fields.items() <= other.items()

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"at least {self.fields}"


async def imported_file(folder: Path, text: str, written: int, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The same from a file that was written at an instant."""
    file = folder / "staff.csv"
    file.write_text(text, encoding="utf-8")
    os.utime(file, (written, written))
    how = ["--tenant", "fr", "--as-of", "2026-12-01", "--data", str(folder), "--json", *arguments]
    done = await asyncio.to_thread(CliRunner().invoke, root(), ["hris", "import", str(file), *how])
    return done.exit_code, json.loads(done.stdout)


MORNING, NOON = 1_800_000_000, 1_800_010_000


async def test_the_same_file_twice_is_the_same_events(tmp_path: Path) -> None:
    for _ in range(2):
        await imported_file(tmp_path, PEOPLE, MORNING)
    everything = [(one.key, one.value, one.headers) for one in await on_the_log(tmp_path)]
    assert everything[:40] == everything[40:]
    assert len(set(everything)) == 40


@pytest.mark.parametrize("name", ["Ada", "Bea", "Cléo", "Dora", "Eva"])
async def test_of_two_files_as_of_one_day_the_one_written_later_counts(tmp_path: Path, name: str) -> None:
    """Whatever is in them: nothing is left to the order of event ids."""
    complete = ("--complete", "--roster", str(tmp_path / "fr.roster"))
    await imported_file(tmp_path, PEOPLE, MORNING, *complete)
    corrected = PEOPLE.replace("Zoé", name).replace(f"e7;{name};C3\n", "")
    assert await imported_file(tmp_path, corrected, NOON, *complete) == (0, ANY_OF(sent=40, leavers=1))
    heard = [read(one, "hris-staff") for one in await on_the_log(tmp_path)]
    events = [one.event for one in heard if one is not None and isinstance(one.event, StaffRecorded | StaffLeft)]
    assert {(one.effective_at.isoformat(), one.occurred_at.timestamp()) for one in events[:40]} == {("2026-12-01", MORNING)}
    assert {(one.effective_at.isoformat(), one.occurred_at.timestamp()) for one in events[40:]} == {("2026-12-01", NOON)}


async def test_a_leaving_is_not_written_before_what_its_file_dates(tmp_path: Path) -> None:
    complete = ("--complete", "--roster", str(tmp_path / "fr.roster"), "--yes")
    dated = "Matricule;Grade;Last modified\n" + "".join(f"e{number};C3;2027-02-0{number}T08:00:00Z\n" for number in range(1, 4))
    await imported_file(tmp_path, dated, MORNING, *complete)
    await imported_file(tmp_path, dated.replace("e1;C3;2027-02-01T08:00:00Z\n", ""), MORNING, *complete)
    heard = [read(one, "hris-staff") for one in await on_the_log(tmp_path)]
    (left,) = [one.event for one in heard if one is not None and isinstance(one.event, StaffLeft)]
    assert left.occurred_at.isoformat() == "2027-02-03T08:00:00+00:00"


BAD = HEADER + "e1;Zoé;C3\n;Ana;C3\ne3;Lea;\ne4;Max;C3\n"


async def test_good_lines_go_on_although_others_are_bad(tmp_path: Path) -> None:
    code, found = await imported(tmp_path, BAD)
    assert (code, found) == (1, ANY_OF(sent=2, bad_lines=2, records=4))
    assert {(one["line"], one["where"], one["kind"]) for one in found["findings"]} == {
        (3, "column 'Matricule'", "missing-field"),
        (4, "column 'Grade'", "missing-field"),
    }
    assert await said_of(tmp_path) == [("StaffRecorded", "fr:e1"), ("StaffRecorded", "fr:e4")]


async def test_all_or_nothing_sends_nothing(tmp_path: Path) -> None:
    code, found = await imported(tmp_path, BAD, "--all-or-nothing")
    assert (code, found["sent"], found["why_not"]) == (1, 0, "2 lines cannot be taken, and it is to be all or nothing")
    assert not (tmp_path / "log.sqlite").exists()
    assert await imported(tmp_path, PEOPLE, "--all-or-nothing") == (0, ANY_OF(sent=40))
    assert len(await on_the_log(tmp_path)) == 40


def test_a_dry_run_says_everything_and_needs_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMONT_LOG_URL", raising=False)
    done = run(BAD, "--dry-run")
    assert done.exit_code == 1
    assert "- is read as CSV in UTF-8, semicolons between cells, as of 2026-12-01 00:00 UTC." in done.stdout
    assert "employee_id  Matricule" in done.stdout
    assert "-:4: column 'Grade': missing" in done.stdout
    assert "2 staff records would be sent to hris-staff; 2 bad lines left out. Nothing was sent." in done.stdout


async def test_without_complete_nobody_leaves(tmp_path: Path) -> None:
    await imported(tmp_path, PEOPLE)
    await imported(tmp_path, HEADER + "e1;Zoé;C3\n")
    assert {kind for kind, _ in await said_of(tmp_path)} == {"StaffRecorded"}


async def test_whoever_is_missing_from_a_complete_file_leaves(tmp_path: Path) -> None:
    roster = tmp_path / "fr.roster"
    complete = ("--complete", "--roster", str(roster))
    assert await imported(tmp_path, PEOPLE, *complete) == (0, ANY_OF(sent=40, leavers=0))
    without = PEOPLE.replace("e7;Zoé;C3\n", "")
    assert await imported(tmp_path, without, *complete) == (0, ANY_OF(sent=40, leavers=1))
    (kind, person), one = (await said_of(tmp_path))[-1], (await on_the_log(tmp_path))[-1]
    assert (kind, person) == ("StaffLeft", "fr:e7")
    assert StaffLeft.model_validate_json(one.value or b"", extra="ignore").effective_at.isoformat() == "2026-12-01"
    assert await imported(tmp_path, PEOPLE, *complete) == (0, ANY_OF(leavers=0, sent=40))  # back under the same id


async def test_whoever_is_missing_still_is_said_to_have_left_again_for_a_quarter(tmp_path: Path) -> None:
    """A coordinator may have dropped the first leaving together with wrong ones: the next is another event, for the same day."""
    complete = ("--complete", "--roster", str(tmp_path / "fr.roster"), "--leavers-up-to", "2.5")
    without = PEOPLE.replace("e7;Zoé;C3\n", "")
    await imported(tmp_path, PEOPLE, *complete)
    assert await imported(tmp_path, without, *complete) == (0, ANY_OF(sent=40, leavers=1, missing_still=0))
    for day in ("2027-01-01", "2027-03-11"):
        assert await imported(tmp_path, without, *complete, "--as-of", day) == (0, ANY_OF(sent=40, leavers=0, missing_still=1))
    found = [read(one, "hris-staff") for one in await on_the_log(tmp_path)]
    left = [one for one in found if one is not None and isinstance(one.event, StaffLeft)]
    assert [(one.event.subject, one.event.effective_at.isoformat()) for one in left] == [("fr:e7", "2026-12-01")] * 3
    written = [one.event.occurred_at for one in left]
    assert written == sorted(written)
    assert len({*written}) == len({one.envelope.id for one in left}) == 3
    assert await imported(tmp_path, without, *complete, "--as-of", "2027-03-12") == (0, ANY_OF(sent=39, leavers=0, missing_still=0))
    assert "e7" not in {line.partition(":")[2].partition("\t")[0].strip() for line in (tmp_path / "fr.roster").read_text().splitlines()}


def test_leavings_that_are_said_again_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "fr.roster").write_text("fr:e1\nfr:e2\t2026-11-20\nfr:e3\n")
    done = run(HEADER + "e1;Zoé;C3\n", "--dry-run", "--complete", "--roster", str(tmp_path / "fr.roster"), "--yes")
    assert "3 staff records would be sent to hris-staff, 1 leaver among them, 1 leaver of before said again." in done.stdout


async def test_a_bad_line_is_not_a_leaver(tmp_path: Path) -> None:
    complete = ("--complete", "--roster", str(tmp_path / "fr.roster"))
    await imported(tmp_path, PEOPLE, *complete)
    assert await imported(tmp_path, PEOPLE.replace("e7;Zoé;C3", "e7;Zoé;"), *complete) == (1, ANY_OF(sent=39, leavers=0, bad_lines=1))


NOBODY_KNOWS = "of 1 line nobody can tell whom they are about, so the file is not complete"
MAY_BE_CUT = "the last line has no line end, so the file may have been cut short and is not complete"
CUT = [
    (PEOPLE[:-5], NOBODY_KNOWS),
    (PEOPLE[:-12], MAY_BE_CUT),
    (PEOPLE.replace("e7;Zoé;C3", ";Zoé;C3"), NOBODY_KNOWS),
    (PEOPLE + 'e99;"Zo', NOBODY_KNOWS),
    (PEOPLE.replace("e7;Zoé;", 'e7;"Zoé;').replace("e10;Zoé;", 'e10;"Zoé";'), NOBODY_KNOWS),  # e8 and e9 are in the quotes
    (PEOPLE.replace("e7;Zoé;C3", 'e7;Zoé;"C3').replace("e9;Zoé;C3", 'e9;Zoé;"C3"'), NOBODY_KNOWS),
    (PEOPLE.replace("e7;Zoé;C3", 'e7;Zoé;"C3').replace("e9;Zoé;", 'e9;";Zoé";'), NOBODY_KNOWS),
]


@pytest.mark.parametrize(("text", "why"), CUT)
async def test_a_file_that_may_have_been_cut_short_is_never_complete(tmp_path: Path, text: str, why: str) -> None:
    complete = ("--complete", "--roster", str(tmp_path / "fr.roster"))
    await imported(tmp_path, PEOPLE, *complete)
    before = (tmp_path / "fr.roster").read_bytes()
    code, found = await imported(tmp_path, text, *complete)
    assert (code, found["sent"]) == (1, 0)
    assert found["why_not"] == why
    assert (tmp_path / "fr.roster").read_bytes() == before
    assert len(await on_the_log(tmp_path)) == 40


async def test_a_file_without_a_record_is_no_success_and_never_complete(tmp_path: Path) -> None:
    roster = ("--complete", "--roster", str(tmp_path / "roster"), "--yes")
    assert (await imported(tmp_path, HEADER + "e1;Zoé;C3\n", *roster))[0] == 0
    before = (tmp_path / "roster").read_text()
    for more in ((), roster):
        code, told = await imported(tmp_path, HEADER, *more)
        assert (code, told["sent"], told["leavers"], "there is no record in it" in told["why_not"]) == (1, 0, 0, True)
    assert (tmp_path / "roster").read_text() == before
    assert len(await on_the_log(tmp_path)) == 1


@pytest.mark.parametrize(("head", "what"), [(b"PK\x03\x04", "a workbook of Excel or LibreOffice"), (b"\x1f\x8b", "packed by gzip")])
def test_what_is_no_text_is_named(head: bytes, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "staff.xlsx").write_bytes(head + bytes(range(256)))
    with pytest.raises(SystemExit) as ended:
        main(["hris", "import", str(tmp_path / "staff.xlsx"), "--tenant", "fr", "--dry-run"])
    assert (ended.value.code, what in " ".join(capsys.readouterr().err.split())) == (2, True)


async def test_many_leavers_at_once_are_asked_about(tmp_path: Path) -> None:
    complete = ("--complete", "--roster", str(tmp_path / "fr.roster"))
    await imported(tmp_path, PEOPLE, *complete)
    half = HEADER + "".join(PEOPLE.splitlines(keepends=True)[1:21])
    code, found = await imported(tmp_path, half, *complete)
    assert (code, found["sent"]) == (1, 0)
    assert found["why_not"] == "20 of 40 people of 'fr' are missing from the file; if they have left, say so with --yes"
    assert await imported(tmp_path, half, *complete, "--leavers-up-to", "50") == (0, ANY_OF(leavers=20, sent=40))
    assert await imported(tmp_path, HEADER + "e0;Zoé;C3\n", *complete, "--yes") == (0, ANY_OF(leavers=19, missing_still=20, sent=40))


async def test_a_roster_of_another_subsidiary_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roster = tmp_path / "roster"
    roster.write_text("de:e1\n")
    file = tmp_path / "staff.csv"
    file.write_text(PEOPLE)
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main, ["hris", "import", str(file), "--tenant", "fr", "--complete", "--roster", str(roster), "--dry-run"])
    assert ended.value.code == 2
    assert "line 1: 'de:e1' is not of 'fr'" in capsys.readouterr().err


@pytest.mark.parametrize(("day", "said"), [("2999-01-01", True), ("2020-01-01", False)])
def test_a_day_that_lies_ahead_is_said_to(day: str, said: bool) -> None:  # noqa: FBT001 - a row of a table
    done = run(HEADER + "e1;Zoé;C3\n", "--as-of", day, "--dry-run")
    assert ("lies ahead: what the file does not date is true from then on" in done.stderr) is said


def test_complete_and_roster_go_together_and_a_roster_must_be_writable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(PEOPLE, "--complete", "--dry-run").exit_code == 2
    file = tmp_path / "staff.csv"
    file.write_text(PEOPLE)
    with pytest.raises(SystemExit) as ended:
        main(["hris", "import", str(file), "--tenant", "fr", "--complete", "--roster", str(tmp_path / "no" / "roster"), "--dry-run"])
    assert ended.value.code == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_file_without_a_header_sends_nothing_and_says_what_to_write() -> None:
    done = run("1;2;3\n4;5;6\n", "--dry-run")
    assert done.exit_code == 1
    assert "no column is employee_id" in done.stdout
    assert "Nothing was sent: the first row does not say what the columns are." in done.stderr


async def test_a_file_is_as_of_when_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(PEOPLE, encoding="utf-8")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    done = await asyncio.to_thread(CliRunner().invoke, root(), ["hris", "import", str(file), "--tenant", "fr", "--data", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "as of 2023-11-14 22:13 UTC" in done.stdout
    assert "enrolment has never run on" in done.stdout
    assert json.loads((await on_the_log(tmp_path))[0].value or b"")["effective_at"] == "2023-11-14"


async def test_the_same_id_twice_in_one_file_is_said_with_both_lines(tmp_path: Path) -> None:
    code, found = await imported(tmp_path, HEADER + "e1;Zoé;C3\ne1;Ana;C3\n")
    assert (code, found["sent"]) == (0, 2)
    ((line, kind, what),) = [(one["line"], one["kind"], one["what"]) for one in found["findings"]]
    assert (line, kind, what) == (3, "same-id-twice", "'fr:e1' has another record for the same instant in line 2")


@pytest.mark.parametrize("command", [["hris", "import", "--dry-run"], ["contracts", "check"]])
@pytest.mark.parametrize(("tenant", "code"), [("de", 2), ("fr", 0)])
def test_a_mapping_file_of_another_subsidiary_is_told_once_and_before_reading(
    command: list[str], tenant: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mapping.toml").write_text('[constants]\ntenant = "fr"\n')
    (tmp_path / "staff.csv").write_text(PEOPLE, encoding="utf-8")
    files = [str(tmp_path / "staff.csv"), "--mapping", str(tmp_path / "mapping.toml")]
    if code == 0:
        assert CliRunner().invoke(root(), [*command, *files, "--tenant", tenant]).exit_code == 0
        return
    with pytest.raises(SystemExit) as ended:
        main([*command, *files, "--tenant", tenant])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (code, "")
    assert "--tenant is 'de', and " in said.err
    assert "mapping.toml says tenant = 'fr' under [constants]: leave out the one that is wrong." in said.err


@pytest.mark.parametrize(("codec", "encoding", "guessed"), [("utf-8", "UTF-8", False), ("cp1252", "windows-1252", True)])
def test_data_says_how_the_file_was_read(codec: str, encoding: str, guessed: bool) -> None:  # noqa: FBT001 - a row of a table
    arguments = ["hris", "import", "-", "--tenant", "fr", "--dry-run", "--json"]
    said = json.loads(CliRunner().invoke(root(), arguments, input=PEOPLE.encode(codec)).stdout)
    columns = {"employee_id": "Matricule", "given_name": "Prénom", "grade": "Grade"}
    assert said == ANY_OF(encoding=encoding, guessed=guessed, delimiter=";", columns=columns)
    assert said["reads"] in ({"Prénom", "Zoé"} if guessed else {None})


@pytest.mark.parametrize("command", [["hris", "import"], ["contracts", "check"]])
@pytest.mark.parametrize("tenant", ["FR!", "", "fr:", "f" * 33])
def test_what_can_be_no_subsidiary_is_wrong_usage_before_anything_is_read(command: list[str], tenant: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(root(), [*command, str(tmp_path / "is-not-there.csv"), "--tenant", tenant])
    assert done.exit_code == 2
    assert "1 to 32 of a-z, 0-9 and the hyphen" in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""
