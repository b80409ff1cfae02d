"""`amont contracts check` and `export`: what a subsidiary's engineer sees, and the exit code that their CI sees; nothing is ever sent."""

import asyncio
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from amont.common import hosting
from amont.common.cli import main, root
from amont.common.events import schemas
from amont.common.events.topics import SERVICES, TYPES
from amont.common.feeds.record import read_line
from amont.common.log import Record
from amont.common.log.asyncapi import document
from amont.common.log.sqlite import SqliteLog

ADA: dict[str, Any] = {
    "tenant": "fr",
    "employee_id": "e42",
    "given_name": "Zoé",
    "grade": "C3",
    "effective_at": "2024-09-01",
    "occurred_at": "2024-08-20T09:00:00Z",
}


def jsonl(*records: object) -> str:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)}\n" for one in records)


def check(text: str | bytes, *arguments: str) -> Result:
    return CliRunner().invoke(root(), ["contracts", "check", "-", *arguments], input=text)


@pytest.mark.parametrize("text", ["", "\n", "tenant,employee_id,grade,effective_at,occurred_at\n"])
def test_a_file_without_a_record_is_an_error(text: str) -> None:
    done = check(text)
    assert (done.exit_code, "there is no record in it" in done.stdout + done.stderr) == (1, True)


def test_what_cannot_be_used_beside_the_feed_is_wrong_usage_and_every_fault_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 would tell a CI that the feed is bad."""
    feed = tmp_path / "staff.csv"
    feed.write_text("Matricule;Grade\ne1;C3\n")
    (tmp_path / "grades.csv").write_text("grade,band\nC3,21\n,4\n")
    (tmp_path / "mapping.toml").write_text("[columns]\ngrad = 'Grade'\n")
    for option, fault in (
        (("--grades", str(tmp_path / "grades.csv")), "line 3: the grade is empty"),
        (("--mapping", str(tmp_path / "mapping.toml")), "did you mean 'grade'?"),
        (("--encoding", "utf-7-and-a-half"), "There is no encoding"),
        (("--delimiter", "::"), "The delimiter cannot be"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["contracts", "check", str(feed), "--tenant", "fr", *option])
        assert (ended.value.code, fault in capsys.readouterr().err) == (2, True), option


def test_a_grade_table_in_windows_1252_with_semicolons_is_taken_and_the_guess_is_told(tmp_path: Path) -> None:
    (tmp_path / "grades.csv").write_bytes("Grade;Band\nCadre supérieur;9\n".encode("cp1252"))
    done = check(jsonl(ADA | {"grade": "Cadre supérieur"}), "--grades", str(tmp_path / "grades.csv"))
    assert done.exit_code == 0
    assert "taken for windows-1252, a guess, which reads 'supérieur'" in done.stderr


def test_a_good_feed_is_said_to_be_good_and_ends_with_0() -> None:
    done = check(jsonl(ADA))
    assert done.exit_code == 0
    assert done.stdout == "-, JSON lines: 1 record about 1 person of 1 subsidiary; 0 errors in 0 records, 0 warnings. Nothing was sent.\n"


def test_what_is_wrong_is_listed_by_line_then_counted_by_kind_and_ends_with_1(tmp_path: Path) -> None:
    grades = tmp_path / "grades.csv"
    grades.write_text("grade,band\nC4,6\n")
    done = check(
        jsonl(ADA, "{", ADA | {"birthDate": "x", "grade": "C4"}, ADA | {"employee_id": "e1", "grade": "C4"}), "--grades", str(grades)
    )
    assert done.exit_code == 1
    listed, _, summary = done.stdout.partition("\n\n")
    assert [line.partition(" ")[0] for line in listed.splitlines()] == ["-:1:", "-:2:", "-:3:", "-:3:"]
    assert "-:1: /grade: 'C3' is not in the grade table of 'fr'" in listed
    assert "-:3: /birthDate: a birth date, which Amont never stores" in listed
    assert "unknown-grade  1      Add the code to the subsidiary's grade table" in summary
    assert "4 records about 2 people of 1 subsidiary; 3 errors in 3 records, 1 warning. Nothing was sent." in summary


def test_only_so_many_of_a_kind_are_listed_and_all_are_counted() -> None:
    found = json.loads(check(jsonl(*["{"] * 50), "--json", "--most", "5").stdout)
    assert (len(found["findings"]), found["errors"], found["bad_lines"], found["records"]) == (5, 50, 50, 50)
    assert "45 more are counted and not listed" in check(jsonl(*["{"] * 50), "--most", "5").stdout


def test_warnings_fail_only_when_they_are_to() -> None:
    assert check(jsonl(ADA, ADA)).exit_code == 0
    assert check(jsonl(ADA, ADA), "--strict").exit_code == 1


def test_a_csv_file_is_told_from_json_lines_and_its_columns_are_named() -> None:
    done = check("Matricule;Grade;Salaire\ne1;C3;1\n" + "x" * 130 + ";C3;\n", "--tenant", "fr", "--json")
    found = json.loads(done.stdout)
    assert found["read_as"] == "CSV in UTF-8, semicolons between cells"
    assert [(one["line"], one["where"]) for one in found["findings"]] == [(1, "column 'Salaire'"), (3, "column 'Matricule'")]
    assert done.exit_code == 1
    assert "no column is employee_id" in check("Nummer;Grade\n1;2\n").stdout


def test_wrong_usage_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "staff.csv"
    file.write_text("Matricule;Grade\n")
    for arguments, said in (
        (["no-such-file.jsonl"], "no-such-file.jsonl cannot be read: No such file or directory."),
        ([str(tmp_path)], "cannot be read: Is a directory."),
        ([str(file), "--dates", "ymd"], "--dates is 'ymd'"),
        (["-", "--format", "xml"], "--format is 'xml'"),
        (["-", "--grades", str(tmp_path / "none")], "none cannot be read"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["contracts", "check", *arguments])
        assert (ended.value.code, said in capsys.readouterr().err.replace("\n", " ")) == (2, True), arguments


async def test_a_topic_is_held_against_the_contracts_as_a_file_is(tmp_path: Path) -> None:
    good = read_line(1, json.dumps(ADA).encode()).record
    left = read_line(
        1, json.dumps({name: ADA[name] for name in ADA if name not in {"grade", "given_name"}} | {"left": True}).encode()
    ).record
    without_headers = Record(topic=good.topic, key=good.key, value=good.value)
    wrong_key = Record(topic=good.topic, key="fr:e43", value=good.value, headers=good.headers)
    payload = Record(topic=good.topic, key=good.key, value=b'{"tenant": "fr", "employee_id": "e42"}', headers=good.headers)
    log = SqliteLog.in_folder(str(tmp_path))
    await log.open()
    await log.append([good, without_headers, wrong_key, payload, Record(topic=good.topic, key=good.key, value=None), left])
    await log.close()
    done = await asyncio.to_thread(CliRunner().invoke, root(), ["contracts", "check", "hris-staff", "--data", str(tmp_path), "--json"])
    found = json.loads(done.stdout)
    assert (done.exit_code, found["records"], found["read_as"]) == (1, 5, "CloudEvents")
    assert [(one["line"], one["kind"]) for one in found["findings"] if one["severity"] == "error"] == [
        (1, "bad-envelope"),
        (2, "bad-envelope"),
        (3, "missing-field"),
        (3, "missing-field"),
        (3, "missing-field"),
    ]
    words = (await asyncio.to_thread(CliRunner().invoke, root(), ["contracts", "check", "hris-staff", "--data", str(tmp_path)])).stdout
    assert "hris-staff/0:1: CloudEvents headers missing" in words


def test_a_topic_that_cannot_be_reached_ends_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_LOG_URL", "kafka://127.0.0.1:1")
    with pytest.raises(SystemExit) as ended:
        main(["contracts", "check", "hris-staff"])
    assert ended.value.code == 3


def test_memory_stays_flat_whatever_the_file_s_size(tmp_path: Path) -> None:
    """Ten times the file, a few megabytes more; every person is another one and nobody's manager is known, so that all is remembered."""
    grown = [peak(tmp_path / "staff.jsonl", count) for count in (4_000, 40_000)]
    assert grown[1] - grown[0] < 40, grown


def peak(file: Path, people: int) -> float:
    """The most memory in MB that a check of so many people has taken."""
    with file.open("w", encoding="utf-8") as lines:
        for one in range(people):
            record = ADA | {"employee_id": f"e{one}", "manager_id": f"m{one}", "family_name": "x" * 300, "email": f"e{one}@example.org"}
            lines.write(json.dumps(record) + "\n")
    program = (
        "import resource, sys; from amont.common.cli import root; "
        f"root()(['contracts', 'check', {str(file)!r}, '--json'], standalone_mode=False); "
        "sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert json.loads(done.stdout)["people"] == people
    return float(done.stderr)


def test_the_archive_has_everything_and_the_same_bytes_every_time(tmp_path: Path) -> None:
    archives = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for archive in archives:
        assert CliRunner().invoke(root(), ["contracts", "export", "--out", str(archive)]).exit_code == 0
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {name.removeprefix("schemas/"): text for name, text in texts.items() if name.startswith("schemas/")} == schemas.texts()
    assert {f"asyncapi/{service}.json" for service in SERVICES} <= texts.keys()
    for kind in TYPES.values():
        schema = Draft202012Validator(json.loads(texts[f"schemas/{schemas.file_name(kind)}"]))
        samples = [json.loads(line) for line in texts[f"samples/{schemas.file_name(kind)}l"].splitlines()]
        assert len(samples) > 1
        for one in samples:
            schema.validate(one["value"])
            assert one["headers"]["ce_type"] == kind.type_name()
    assert "amont contracts check" in texts["README.md"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_archive_s_asyncapi_is_the_running_service_s(service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from amont.common.clock import SystemClock
    from amont.common.documents.sqlite import SqliteStore
    from amont.common.ids import RandomIds
    from amont.common.service import Parts

    monkeypatch.setenv("AMONT_MAIL_URL", f"folder://{tmp_path}")
    clock = SystemClock()
    parts = Parts(store=SqliteStore(tmp_path / "s.sqlite"), log=SqliteLog(tmp_path / "l.sqlite"), clock=clock, ids=RandomIds(clock))
    built = hosting.service_builders()[service](parts)
    assert document(service, *hosting.tables_of(service)) == document(service, built.topics, built.publishes)
