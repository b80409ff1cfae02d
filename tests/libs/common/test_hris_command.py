"""`amont hris send`: what it puts on the log is what any HR system would, the same line is the same event, and bad lines are all named."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from amont.common.cli import main, root
from amont.common.events.hris import StaffLeft, StaffRecorded
from amont.common.log import Received
from amont.common.log.sqlite import SqliteLog
from amont.common.service.reading import Heard, read

ADA: dict[str, Any] = {
    "tenant": "fr",
    "employee_id": "e42",
    "given_name": "Zoé",
    "grade": "C3",
    "effective_at": "2024-09-01",
    "occurred_at": "2024-08-20T09:00:00Z",
}
GONE = {name: ADA[name] for name in ("tenant", "effective_at", "occurred_at")} | {"employee_id": "e43", "left": True}


def lines(*records: object) -> str:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)}\n" for one in records)


def send(text: str, *arguments: str) -> Result:
    return CliRunner().invoke(root(), ["hris", "send", "-", *arguments], input=text)


async def on_the_log(folder: Path) -> Sequence[Received]:
    log = SqliteLog.in_folder(str(folder))
    await log.open()
    try:
        return await log.read("test", "hris-staff", 100)
    finally:
        await log.close()


async def heard(folder: Path) -> list[Heard]:
    return [one for record in await on_the_log(folder) if (one := read(record, "hris-staff")) is not None]


async def sent(folder: Path, text: str, *arguments: str) -> Result:
    import asyncio

    return await asyncio.to_thread(send, text, "--data", str(folder), *arguments)


async def test_what_is_sent_is_read_as_any_hr_system_s_records(tmp_path: Path) -> None:
    done = await sent(tmp_path, lines(ADA, "", GONE))
    assert done.exit_code == 0
    assert "Sent 2 staff records to hris-staff. They are on the log, and enrolment reads them when it runs." in done.stdout
    recorded, left = await heard(tmp_path)
    assert isinstance(recorded.event, StaffRecorded)
    assert (recorded.event.given_name, recorded.event.person) == ("Zoé", "fr:e42")
    assert (recorded.envelope.source, recorded.envelope.time.isoformat()) == ("/hris/fr", "2024-08-20T09:00:00+00:00")
    assert isinstance(left.event, StaffLeft)
    assert left.event.key == "fr:e43"


async def test_sending_twice_is_the_same_events(tmp_path: Path) -> None:
    for _ in range(2):
        await sent(tmp_path, lines(ADA, GONE))
    first, second, again_first, again_second = [(one.key, one.value, one.headers) for one in await on_the_log(tmp_path)]
    assert (first, second) == (again_first, again_second)
    assert first != second


async def test_fields_that_are_none_are_named_and_do_not_reach_the_log(tmp_path: Path) -> None:
    """What Amont never stores, an export's own columns, and whatever lies inside them."""
    born = {**ADA, "birthDate": "1990-01-01", "extra": {"salaire": 1}}
    done = await sent(tmp_path, lines(ADA, born, {**born, "employee_id": "e7"}))
    assert "Left out, since a staff record has no such fields: birthDate (2 records), extra (2 records)." in " ".join(done.stdout.split())
    values = [one.value or b"" for one in await on_the_log(tmp_path)]
    assert [json.loads(value) for value in values] == [ADA, ADA, {**ADA, "employee_id": "e7"}]
    assert values[0] == lines(ADA).strip().encode()
    assert json.loads((await sent(tmp_path, lines(born), "--json")).stdout)["left_out"] == {"birthDate": 1, "extra": 1}


BAD = lines(
    ADA,
    "{",
    "[1]",
    {**ADA, "tenant": None},
    {name: text for name, text in ADA.items() if name != "employee_id"},
    {**ADA, "left": "yes"},
)


async def test_every_bad_line_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    done = await sent(tmp_path, BAD, "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["sent"]) == (1, 0)
    assert [one["line"] for one in found["bad"]] == [2, 3, 4, 5, 6]
    for one, word in zip(found["bad"], ("not JSON", "a list of records", "/tenant", "/employee_id", "/left"), strict=True):
        assert word in one["why"]
    assert not (tmp_path / "log.sqlite").exists()


async def test_bad_lines_are_left_out_when_told_so(tmp_path: Path) -> None:
    done = await sent(tmp_path, BAD, "--skip-bad")
    assert done.exit_code == 0
    assert "Sent 1 staff record to hris-staff, 5 bad lines left out" in done.stdout
    assert "a list of records" in done.stderr
    assert len(await on_the_log(tmp_path)) == 1


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["hris", "send", os.devnull, "--data", str(tmp_path / "typo")])
    assert exit_.value.code == 2
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("variable", ["AMONT_LOG_URL"])
def test_without_data_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, f"sqlite://{tmp_path}")
    assert send(lines(ADA)).exit_code == 0
    assert (tmp_path / "log.sqlite").exists()


async def test_on_a_folder_that_enrolment_has_never_run_on_it_says_what_reads_them(tmp_path: Path) -> None:
    done = await sent(tmp_path, lines(ADA))
    assert f"enrolment has never run on {tmp_path}" in done.stdout
    assert f"\n  amont up --data {tmp_path}\n" in done.stdout
    assert json.loads((await sent(tmp_path, lines(ADA), "--json")).stdout)["read_by"] == "enrolment"
    (tmp_path / "amont_enrolment.sqlite").touch()
    assert "never" not in (await sent(tmp_path, lines(ADA))).stdout


def test_what_is_perhaps_not_meant_is_sent_and_counted_by_kind(tmp_path: Path) -> None:
    moved = {**ADA, "employee_id": "e44", "former_id": "fr:e1"}  # within a subsidiary an id is for life
    twice = {**ADA, "employee_id": "e45", "manager_id": "a\tb", "dotted_manager_ids": ["c\td"], "former_id": "de:e9"}
    text = lines(ADA, moved, {**moved, "employee_id": "e46"}, twice)
    done = send(text, "--data", str(tmp_path))
    assert "Sent 4 staff records" in done.stdout
    assert "Perhaps not what was meant: not-a-person (1 record), same-subsidiary (2 records). `amont contracts check FILE`" in done.stdout
    told = json.loads(send(text, "--data", str(tmp_path), "--json").stdout)
    assert (told["doubts"], told["refused"]) == ({"not-a-person": 1, "same-subsidiary": 2}, {})


def test_what_enrolment_is_sure_to_refuse_is_no_doubt(tmp_path: Path) -> None:
    done = send(lines({**ADA, "zone": "Europe/Lyon"}), "--data", str(tmp_path))
    assert "Enrolment as it is now would refuse 1 of them" in done.stdout
    assert "1 record (line 1): 'Europe/Lyon' is not in the tz database" in done.stdout
    assert "Perhaps" not in done.stdout


@pytest.mark.parametrize("text", ["", "\n\n", "no json\n"])
def test_a_feed_without_a_record_is_no_success(tmp_path: Path, text: str) -> None:
    done = send(text, "--skip-bad", "--data", str(tmp_path))
    assert (done.exit_code, "there is no record in it" in done.stderr) == (1, True)
    assert send(text, "--skip-bad", "--json", "--data", str(tmp_path)).exit_code == 1


def test_a_table_is_pointed_to_the_command_that_takes_it(tmp_path: Path) -> None:
    done = send("employee_id;grade\ne1;C3\n", "--data", str(tmp_path))
    assert (done.exit_code, "`amont hris import` takes CSV" in done.stderr) == (1, True)


def test_without_settings_or_folder_both_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("AMONT_LOG_URL", raising=False)
    file = tmp_path / "staff.jsonl"
    file.write_text(lines(ADA))
    with pytest.raises(SystemExit) as ended:
        main(["hris", "send", str(file)])
    said = capsys.readouterr().err
    assert (ended.value.code, "AMONT_LOG_URL" in said, "--data DIR" in said) == (2, True, True)
