"""A subsidiary that enrolment does not have is refused before anything is sent, where it can be known; by `amont hris import` and by `amont hris send`."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from typer.testing import CliRunner

from amont.common.cli import root
from amont.common.cli.hris import subsidiaries
from amont.common.errors import NotFound, Unavailable
from amont.common.events import SubsidiaryChanged, SubsidiaryRemoved
from amont.common.log import Received, Record, scan
from amont.common.log.kafka import KafkaLog
from amont.common.log.sqlite import SqliteLog
from amont.common.testing.hearing import record_of

SHEET = "Matricule;Grade\ne1;C3\n"
NEVER_TOLD = "Enrolment has told of no subsidiary here yet, so nobody can say whether fr is meant."


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsidiaries, "PATIENCE_SECONDS", 0.0)


def there(tenant: str) -> Record:
    return record_of(SubsidiaryChanged(seq=1, subsidiary=tenant, name=tenant, zone="Europe/Paris", languages=("fr",), grades={"C3": 5}))


def gone(tenant: str) -> Record:
    return record_of(SubsidiaryRemoved(seq=2, subsidiary=tenant))


def told(folder: Path, *records: Record) -> None:
    """Lay down what enrolment has told."""

    async def append() -> None:
        log = SqliteLog.in_folder(str(folder))
        await log.open()
        await log.append(records)
        await log.close()

    asyncio.run(append())


def on_the_log(folder: Path) -> int:
    async def count() -> int:
        log = SqliteLog.in_folder(str(folder))
        await log.open()
        found = await log.since("hris-staff", 0, 1_000)
        await log.close()
        return len(found)

    return asyncio.run(count())


def import_(folder: Path, tenant: str, *words: str) -> tuple[int, str]:
    """How it ends, and what it complains of."""
    return run("import", SHEET, "--tenant", tenant, "--data", str(folder), *words)


def send(folder: Path, *tenants: str, words: tuple[str, ...] = ()) -> tuple[int, str]:
    at = {"effective_at": "2024-09-01", "occurred_at": "2024-08-20T09:00:00Z"}
    text = "".join(json.dumps({"tenant": one, "employee_id": "e1", "grade": "C3", **at}) + "\n" for one in tenants)
    return run("send", text, "--data", str(folder), *words)


def run(verb: str, text: str, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(root(), ["hris", verb, "-", *words], input=text)
    if isinstance(done.exception, ValueError):  # `main` ends with 2 and prints it
        return 2, str(done.exception)
    return done.exit_code, done.stderr


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_slip_in_the_tenant_of_an_import_is_wrong_usage_and_sends_nothing(tmp_path: Path, dry: tuple[str, ...]) -> None:
    told(tmp_path, there("fr"), there("de-nord"))
    code, said = import_(tmp_path, "de-nort", *dry)
    assert (code, "'de-nort' is no subsidiary; did you mean 'de-nord'? Enrolment has de-nord, fr." in said) == (2, True)
    assert on_the_log(tmp_path) == 0
    assert import_(tmp_path, "de-nord", *dry) == (0, "")
    assert on_the_log(tmp_path) == (0 if dry else 1)


def test_the_tenant_of_a_mapping_file_is_looked_up_as_well(tmp_path: Path) -> None:
    told(tmp_path, there("fr"))
    (tmp_path / "mapping.toml").write_text('[constants]\ntenant = "frr"\n')
    code, said = run("import", SHEET, "--mapping", str(tmp_path / "mapping.toml"), "--data", str(tmp_path))
    assert (code, "'frr' is no subsidiary; did you mean 'fr'?" in said) == (2, True)


def test_every_subsidiary_of_a_send_is_looked_up_before_the_first_record_goes(tmp_path: Path) -> None:
    told(tmp_path, there("fr"), there("de"))
    code, said = send(tmp_path, "fr", "de", "xx", "frr")
    assert (code, "'frr' is no subsidiary; did you mean 'fr'? 'xx' is no subsidiary. Enrolment has de, fr." in said) == (2, True)
    assert on_the_log(tmp_path) == 0
    assert send(tmp_path, "fr", "de") == (0, "")
    assert on_the_log(tmp_path) == 2


def test_the_lines_of_one_that_there_is_not_are_left_out_and_named_when_told_so(tmp_path: Path) -> None:
    told(tmp_path, there("fr"))
    code, said = send(tmp_path, "fr", "xx", "xx", "fr", words=("--skip-bad",))
    assert (code, "'xx' is no subsidiary. Enrolment has fr." in said, "2 records (lines 2, 3): xx" in said) == (0, True, True)
    assert on_the_log(tmp_path) == 2
    code, said = send(tmp_path, "xx", words=("--skip-bad",))
    assert (code, "Nothing was sent: 'xx' is no subsidiary." in said, "no record in it" in said) == (1, True, False)


def test_what_else_was_found_is_told_with_one_that_there_is_not(tmp_path: Path) -> None:
    told(tmp_path, there("fr"))
    at = {"effective_at": "2024-09-01", "occurred_at": "2024-08-20T09:00:00Z", "employee_id": "e1", "grade": "C3"}
    text = "".join(json.dumps(at | more) + "\n" for more in ({"tenant": "xx"}, {"tenant": "fr", "zone": "Mars/X", "age": 3}))
    done = CliRunner().invoke(root(), ["hris", "send", "-", "--data", str(tmp_path), "--json"], input=text)
    found = json.loads(done.stdout)
    assert (done.exit_code, found["sent"], found["unknown_lines"], found["left_out"]) == (2, 0, {"xx": [1]}, {"age": 1})
    assert list(found["refused_lines"].values()) == [[2]]
    done = CliRunner().invoke(root(), ["hris", "send", "-", "--data", str(tmp_path)], input=text)
    assert (done.exit_code, "'Mars/X' is not in the tz database" in done.stdout, "age (1 record)" in done.stdout) == (2, True, True)
    assert on_the_log(tmp_path) == 0


def test_one_that_was_added_a_moment_ago_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(tmp_path, there("fr"))
    monkeypatch.setattr(subsidiaries, "PATIENCE_SECONDS", 15.0)
    monkeypatch.setattr(subsidiaries.time, "sleep", lambda _: told(tmp_path, there("de")))
    code, said = import_(tmp_path, "de")
    assert (code, said) == (
        0,
        "Waiting up to 15 seconds for enrolment to tell of de, in case it was added just now.\n",
    )
    assert on_the_log(tmp_path) == 1


def test_one_that_was_removed_is_there_no_more_until_it_is_added_again(tmp_path: Path) -> None:
    told(tmp_path, there("fr"), there("de"), gone("de"))
    assert import_(tmp_path, "de")[0] == 2
    told(tmp_path, there("de"))
    assert import_(tmp_path, "de")[0] == 0
    told(tmp_path, Record(topic="enrolment-subsidiaries", key="de", value=None))
    assert import_(tmp_path, "de")[0] == 2


def test_where_none_was_ever_told_of_records_go_and_that_is_said(tmp_path: Path) -> None:
    assert import_(tmp_path, "fr", "--dry-run") == (0, NEVER_TOLD + "\n")
    assert not (tmp_path / "log.sqlite").exists()
    assert import_(tmp_path, "fr") == (0, NEVER_TOLD + "\n")
    assert send(tmp_path, "fr") == (0, NEVER_TOLD + "\n")
    assert on_the_log(tmp_path) == 2


def test_what_a_newer_release_has_told_refuses_nothing(tmp_path: Path) -> None:
    told(tmp_path, there("de"), Record(topic="enrolment-subsidiaries", key="fr", value=b"{}"))
    assert import_(tmp_path, "fr")[0] == 0


def test_of_hundreds_the_first_are_listed(tmp_path: Path) -> None:
    told(tmp_path, *(there(f"s{number:03}") for number in range(300)))
    code, said = import_(tmp_path, "xx")
    assert (code, "s018, s019 and 280 more." in said) == (2, True)


def test_a_dry_run_without_any_log_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMONT_LOG_URL", raising=False)
    assert run("import", SHEET, "--tenant", "fr", "--dry-run") == (0, "")


def test_where_they_cannot_be_looked_up_it_is_said_and_the_log_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for whoever may write to the inbound topic and read no other."""
    monkeypatch.setenv("AMONT_LOG_URL", "kafka://127.0.0.1:1")
    code, said = run("import", SHEET, "--tenant", "fr", "--dry-run")
    assert (code, "Nobody can say whether fr is meant, since the subsidiaries cannot be looked up. Kafka does not answer" in said) == (
        0,
        True,
    )
    done = CliRunner().invoke(root(), ["hris", "import", "-", "--tenant", "fr"], input=SHEET)
    assert isinstance(done.exception, Unavailable)


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_log_of_a_newer_format_is_a_sentence(tmp_path: Path, dry: tuple[str, ...]) -> None:
    told(tmp_path, there("fr"))
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as log:
        log.execute("PRAGMA user_version=99")
    code, said = import_(tmp_path, "fr", *dry)
    assert (code, said.count("log.sqlite has format 99")) == (1, 1)


def test_a_log_in_the_place_of_a_file_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AMONT_LOG_URL", f"sqlite://{tmp_path}/file")
    done = CliRunner().invoke(root(), ["hris", "import", "-", "--tenant", "fr"], input=SHEET)
    assert isinstance(done.exception, Unavailable)
    assert str(done.exception) == f"The log cannot be opened: {tmp_path}/file: File exists."


def test_a_topic_that_is_not_there_to_see_is_not_one_that_tells_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unseen(_: object, topic: str) -> AsyncIterator[Received]:
        raise NotFound("topic", topic)
        yield

    monkeypatch.setenv("AMONT_LOG_URL", "kafka://127.0.0.1:1")
    monkeypatch.setattr("amont.common.log.scan.scan", unseen)
    code, said = run("import", SHEET, "--tenant", "fr", "--dry-run")
    assert (code, "There is no topic 'enrolment-subsidiaries' here, or no right to read it." in said, "yet" in said) == (0, True, False)


async def test_a_topic_that_gives_nothing_for_long_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def __init__(self, **_: object) -> None:
            pass

        def assign(self, _: object) -> None:
            pass

        async def start(self) -> None:
            pass

        async def stop(self) -> None:
            pass

        async def seek_to_beginning(self, *_: object) -> None:
            pass

        async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
            return dict.fromkeys(partitions, 5)

        async def position(self, _: object) -> int:
            return 0

    async def nothing(_: object) -> list[object]:
        await asyncio.sleep(0.01)
        return []

    async def one(_: object, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, 0)]

    monkeypatch.setattr(scan, "SILENT_SECONDS", 0.1)
    monkeypatch.setattr(scan, "AIOKafkaConsumer", Silent)
    monkeypatch.setattr(scan, "Fetch", lambda _: nothing)
    monkeypatch.setattr(scan, "_partitions", one)
    with pytest.raises(Unavailable, match="has given nothing of it"):
        async with asyncio.timeout(5):
            assert [record async for record in scan.scan(KafkaLog("127.0.0.1:1", client_id="test"), "topic")] == []


def test_where_the_file_says_whose_each_line_is_nothing_is_looked_up_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_LOG_URL", "kafka://127.0.0.1:1")
    assert run("import", "Tenant;Matricule;Grade\nfr;e1;C3\n", "--dry-run") == (0, "")
