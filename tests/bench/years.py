"""Five years of moves, 1 % of the people a day, through enrolment on SQLite: what the store holds at the end of each year, against the first load.

BENCH_PEOPLE says how many people (2,000). The store keeps of each person what is true and what lies ahead, so history adds nothing; the log is cut at its
retention by whoever runs it and is not counted. Sizes are of the file after VACUUM.
"""

import os
import sqlite3
import tempfile
from pathlib import Path

from tests.bench.arena import applied, until
from tests.bench.staff import staff_record, with_subsidiary

from amont.common.clock import SystemClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.ids import RandomIds
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts
from amont.enrolment.app import build

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "2000"))
YEARS, DAYS = 5, 365


def _mb(file: Path) -> float:
    """The size of a database without what is free in it."""
    copy = file.with_suffix(".copy")
    copy.unlink(missing_ok=True)
    with sqlite3.connect(file) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    return copy.stat().st_size / 1e6


async def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        log, clock = SqliteLog(folder / "log.sqlite", sync="normal"), SystemClock()
        await log.open()
        service = build(Parts(store=SqliteStore(folder / "store.sqlite", sync="normal"), log=log, clock=clock, ids=RandomIds(clock)))
        await service.open()
        await with_subsidiary(service)
        total = applied("enrolment")
        await service.start()
        sent = first = 0.0
        for year in range(YEARS + 1):
            count = PEOPLE if year == 0 else round(PEOPLE * 0.01 * DAYS)
            await log.append([staff_record(int(sent) + number, PEOPLE) for number in range(count)])
            sent += count
            await until("enrolment", total + sent)
            size = _mb(folder / "store.sqlite")
            first = first or size
            print(
                f"after {year} years: {sent:,.0f} records of {PEOPLE:,} people, store {size:.2f} MB, {size / first:.2f} of the first load",
                flush=True,
            )
        await service.stop()
        await log.close()
