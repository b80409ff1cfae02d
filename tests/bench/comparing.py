"""`amont subsidiaries compare` of a file with everybody who is there, against a bare loop over the same file and the same store.

The bare loop lays id and record of every line aside, then reads every employee's document as JSON and looks their line up: nothing is checked, understood
or asked. BENCH_EMPLOYEES says how many people (180,000); a tenth is compared as well, to see whether memory grows. Memory is VmHWM of each whole process.
"""

import json
import sqlite3
import tempfile
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench.feeds import AMONT, EMPLOYEES, spent
from tests.bench.staff import staff_record

from amont.common.aggregate import Aggregate
from amont.common.documents import Put
from amont.common.documents.collection import Collection
from amont.common.documents.sqlite import SqliteStore
from amont.common.events import StaffRecorded
from amont.common.feeds.record import read_line
from amont.enrolment import documents
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.staff import understand_recorded
from amont.enrolment.domain.subsidiary import Subsidiary

FR = Subsidiary(id="fr", name="France", zone="Europe/Paris", languages=("fr",), grades={"C3": 5})
_BARE = "from tests.bench.comparing import bare; bare(*sys.argv[1:])"


def bare(file: str, store: str) -> None:
    """The loop that is the baseline."""
    aside = sqlite3.connect("", isolation_level=None)
    aside.execute("CREATE TABLE said (person TEXT PRIMARY KEY, record TEXT)")
    with Path(file).open(encoding="utf-8") as lines:
        records = map(json.loads, lines)
        while some := list(islice(records, 5_000)):
            aside.execute("BEGIN")
            aside.executemany("INSERT INTO said VALUES (?, ?)", [(f"fr:{one['employee_id']}", json.dumps(one)) for one in some])
            aside.execute("COMMIT")
    known = 0
    for person, state in sqlite3.connect(store).execute("SELECT id, state FROM d_employees"):
        (record,) = aside.execute("SELECT record FROM said WHERE person = ?", (person,)).fetchone()
        known += json.loads(state)["last"]["profile"]["job_title"] == json.loads(record)["job_title"]
    print(known)


async def main() -> None:
    for people in (EMPLOYEES // 10, EMPLOYEES):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            file, store = folder / "staff.jsonl", folder / "amont_enrolment.sqlite"
            await _loaded(file, store, people)
            wall, processor, mb = spent(AMONT, "subsidiaries", "compare", "fr", str(file), "--complete", "--data", made)
            loop, loop_processor, _ = spent(_BARE, str(file), str(store))
            print(
                f"{people:,} people, amont subsidiaries compare: {wall:.1f} s ({people / wall:,.0f}/s, {processor:.1f} s of processor), {mb:,.0f} MB; "
                f"bare loop {loop:.1f} s ({loop_processor:.1f} s of processor); ratio {loop / wall:.0%}",
                flush=True,
            )


async def _loaded(file: Path, store: Path, people: int) -> None:
    """The people as JSON lines, and as enrolment has them once it has taken these."""
    there = SqliteStore(store, sync="normal")
    await there.open([one.spec for one in documents.COLLECTIONS])
    await there.commit([_put(documents.SUBSIDIARIES, FR)])
    with file.open("wb") as lines:
        for first in range(0, people, 1_000):
            values = [staff_record(number, people).value or b"" for number in range(first, min(first + 1_000, people))]
            lines.writelines(value + b"\n" for value in values)
            await there.commit([_put(documents.EMPLOYEES, _employee(value)) for value in values])
    await there.close()


def _employee(value: bytes) -> Employee:
    line = read_line(0, value)
    assert isinstance(line.event, StaffRecorded)
    return Employee(
        id=line.event.person, seq=1, last=understand_recorded(line.event, FR, "bench").entry, here_since=datetime(2024, 1, 1, tzinfo=UTC)
    )


def _put(collection: Collection[Any], aggregate: Aggregate) -> Put:
    return Put(collection.name, {**collection.dump(aggregate), "v": 1}, None)
