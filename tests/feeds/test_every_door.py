"""The real feeds through the contract check, and through the CSV and Kafka doors: each record is applied or accounted for, and by each door the same.

The check is held to what enrolment does: what it calls an error is what enrolment refuses, no more and no less.
"""

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import FEEDS, Servers
from tests.support import feeds as real
from typer.testing import CliRunner

from amont.common import metrics
from amont.common.cli import root
from amont.common.events import StaffLeft, StaffRecorded, SubsidiaryChanged
from amont.common.events.values import EmployeeStatus
from amont.common.identity import Actor, Privilege
from amont.common.log import Record
from amont.common.log.kafka import KafkaLog, KafkaOptions
from amont.common.log.sqlite import SqliteLog
from amont.common.log.topics import ensure
from amont.common.testing.hearing import Hearing, hearing, record_of
from amont.common.work import Work
from amont.enrolment import commands, documents
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee

GROUP = Actor("group:coordinator", "group", frozenset({Privilege.GROUP_COORDINATOR}))
KNOWN = {
    "uk_organograms_2013": {
        "unknown-grade": 4,
        "unknown-manager": 217,
        "shared-address": 112,
        "same-person": 35,
        "same-id-twice": 25,
        "repeated-record": 12,
        "own-manager": 9,
    },
    "employees_db": {"unknown-manager": 2244, "manager-cycle": 1},
    "adventureworks": {},
    "oracle_hr": {"not-an-address": 117},
}
LISTS = ("languages", "dotted_manager_ids")
NAMES = [*dict.fromkeys((*StaffRecorded.model_fields, "left"))]


def command(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(root(), [*words, "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return dict(json.loads(done.stdout))


def checked(folder: Path, feed: str) -> dict[str, Any]:
    return command("contracts", "check", str(folder / f"{feed}.jsonl"), "--grades", str(folder / f"{feed}.grades.csv"), "--most", "100000")


@pytest.mark.parametrize("feed", FEEDS)
def test_the_check_finds_what_the_feed_is_known_for(feed: str, feeds: Path) -> None:
    found = checked(feeds, feed)
    assert found["records"] == sum(1 for _ in real.lines(feeds, feed))
    assert {one["kind"]: one["found"] for one in found["kinds"]} == KNOWN[feed]
    assert found["bad_lines"] == KNOWN[feed].get("unknown-grade", 0)


def test_the_circle_across_two_subsidiaries_is_named(feeds: Path) -> None:
    (circle,) = [one for one in checked(feeds, "employees_db")["findings"] if one["kind"] == "manager-cycle"]
    assert "'human-resources:10039'" in circle["what"]
    assert "'marketing:10228'" in circle["what"]


def as_csv(folder: Path, feed: str, target: Path) -> Path:
    """The feed as an old spreadsheet would have it: semicolons, and windows-1252 where that can say it."""
    records = list(real.lines(folder, feed))
    encoding = "cp1252" if "".join(map(str, records)).encode("cp1252", "ignore").decode("cp1252") == "".join(map(str, records)) else "utf-8"
    path = target / f"{feed}.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        sheet = csv.DictWriter(file, NAMES, delimiter=";")
        sheet.writeheader()
        for record in records:
            lists = {name: "|".join(record[name]) for name in LISTS if name in record}
            sheet.writerow(record | lists | ({"left": "yes"} if record.get("left") else {}))
    return path


def outcomes() -> Counter[tuple[str, str]]:
    samples = [sample for metric in metrics.HRIS_RECORDS.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return Counter({(sample.labels["tenant"], sample.labels["outcome"]): int(sample.value) for sample in samples})


async def taken(folder: Path, feed: str, records: list[Record], place: Path) -> tuple[Counter[str], Counter[str], dict[str, Any]]:
    """What enrolment makes of them: by outcome, dead letters by reason, and everybody as they are kept."""
    async with hearing(build, place) as enrolment:
        for tenant, table in real.grades(folder, feed).items():
            await enrolment.asked(
                commands.add_subsidiary, tenant, GROUP, name=tenant, zone="Europe/London", languages=("en",), grades=table
            )
        before = outcomes()
        await enrolment.hears(*records)
        counted = Counter[str]()
        for (_, outcome), count in (outcomes() - before).items():
            counted[outcome] += count
        return counted, Counter(reason for reason, _ in await enrolment.parked()), await kept(enrolment, real.grades(folder, feed))


async def kept(enrolment: Hearing, tenants: Iterable[str]) -> dict[str, Any]:
    """Everybody as enrolment knows them, but for the ids of events, which differ by door."""

    async def read(work: Work, tenant: str) -> list[Employee]:
        found = [
            await work.page(documents.employees_of(tenant, status), after=None, limit=100_000) for status in (None, EmployeeStatus.LEFT)
        ]
        return [one for page in found for one in page]

    everybody = [one for tenant in tenants for one in await enrolment.service.run(read, tenant)]
    return {one.id: (one.status, one.profile, one.last and one.last.position.effective_at) for one in everybody}


async def on_the_log(place: Path) -> list[Record]:
    log = SqliteLog.in_folder(str(place))
    await log.open()
    try:
        found = await log.since("hris-staff", 0, 1_000_000)
    finally:
        await log.close()
    return [Record(topic=one.topic, key=one.key.decode(), value=one.value, headers=one.headers) for one in found]


@pytest.mark.parametrize("feed", FEEDS)
async def test_by_every_door_everybody_ends_the_same(feed: str, feeds: Path, tmp_path: Path) -> None:
    check = await asyncio.to_thread(checked, feeds, feed)
    doors = {"send": ("hris", "send", str(feeds / f"{feed}.jsonl")), "import": ("hris", "import", str(as_csv(feeds, feed, tmp_path)))}
    ends = {}
    for door, words in doors.items():
        (tmp_path / door).mkdir()
        (tmp_path / f"{door}-enrolment").mkdir()
        said = await asyncio.to_thread(command, *words, "--data", str(tmp_path / door))
        records = await on_the_log(tmp_path / door)
        assert said["sent"] == len(records) == check["records"]
        counted, parked, everybody = await taken(feeds, feed, records, tmp_path / f"{door}-enrolment")
        assert sum(counted.values()) >= check["records"], "a record whose batch is decided again counts again"
        assert parked == ({"unknown-grade": check["bad_lines"]} if check["bad_lines"] else {})
        assert counted["refused"] >= check["bad_lines"]
        print(feed, door, dict(counted), dict(parked))
        ends[door] = everybody
    tied = {one["what"].split("'")[1] for one in check["findings"] if one["kind"] == "same-id-twice"}
    assert ends["send"].keys() == ends["import"].keys()
    assert [one for one in ends["send"] if ends["send"][one] != ends["import"][one] and one not in tied] == []


def test_leavers_and_people_of_a_csv_file_are_told_apart(feeds: Path, tmp_path: Path) -> None:
    said = command("hris", "import", str(as_csv(feeds, "employees_db", tmp_path)), "--dry-run")
    assert (said["sent"], said["bad_lines"]) == (26_367, 0)
    assert (
        sum(
            1 for one in real.records(feeds, "employees_db") if one.headers and StaffLeft.type_name().encode() in dict(one.headers).values()
        )
        > 1_000
    )


@pytest.mark.parametrize("feed", FEEDS)
async def test_what_a_kafka_topic_holds_is_held_against_the_contracts_as_the_file_is(
    feed: str, feeds: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tests have written to the same topic: what this feed adds is the difference. What is sent is of subsidiaries that enrolment has told of."""
    monkeypatch.setenv("AMONT_LOG_URL", servers.log_url)
    await ensure(servers.log_url.removeprefix("kafka://"), replication=1, partitions=2, dry_run=False, options=KafkaOptions())
    await tell(servers.log_url, real.grades(feeds, feed))
    with monkeypatch.context() as hurried:
        hurried.setattr("amont.common.cli.hris.subsidiaries.PATIENCE_SECONDS", 0.6)
        slip = await asyncio.to_thread(
            CliRunner().invoke, root(), ["hris", "import", "-", "--tenant", "no-such"], input="Matricule;Grade\ne1;C3\n"
        )
    assert "'no-such' is no subsidiary" in str(slip.exception)
    before = await asyncio.to_thread(command, "contracts", "check", "hris-staff")
    sent = await asyncio.to_thread(command, "hris", "send", str(feeds / f"{feed}.jsonl"))
    after = await asyncio.to_thread(command, "contracts", "check", "hris-staff")
    assert after["records"] - before["records"] == sent["sent"] == sum(1 for _ in real.lines(feeds, feed))
    assert after["errors"] - before["errors"] == 0
    assert {one["where"] for one in kinds_of(after, "bad-value")} == {one["where"] for one in kinds_of(before, "bad-value")}


async def tell(log_url: str, tables: dict[str, dict[str, int]]) -> None:
    """What enrolment would have told."""
    common = {"seq": 1, "zone": "Europe/London", "languages": ("en",)}
    log = KafkaLog(log_url.removeprefix("kafka://"), client_id="enrolment")
    await log.open()
    await log.append([record_of(SubsidiaryChanged(subsidiary=one, name=one, grades=table, **common)) for one, table in tables.items()])
    await log.close()


def kinds_of(found: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in found["findings"] if one["kind"] == kind)
