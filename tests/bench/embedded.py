"""Staff events through enrolment on SQLite, as `amont up` runs it, against a bare loop over the same file.

The bare loop reads 500 records, decodes them with pydantic, writes them by `INSERT OR REPLACE` in one transaction and moves its position in another.
`sync=full`, what `amont up` uses, waits for the disk at every commit; `sync=normal` does not.
"""

import asyncio
import sqlite3
import statistics
import tempfile
from pathlib import Path

from tests.bench.arena import RECORDS, ROUNDS, Run, applied, measured, until_applied
from tests.bench.staff import staff_record, with_subsidiary

from amont.common import memory
from amont.common.clock import SystemClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.events import StaffRecorded
from amont.common.ids import RandomIds
from amont.common.log.sqlite import BATCH, SqliteLog
from amont.common.service import Parts
from amont.common.sqlite import connect
from amont.enrolment.app import build


async def filled(folder: Path, sync: str) -> SqliteLog:
    log = SqliteLog(folder / "log.sqlite", sync=sync)
    await log.open()
    for start in range(0, RECORDS, 2000):
        await log.append([staff_record(number) for number in range(start, min(start + 2000, RECORDS))])
    return log


async def bare(folder: Path, sync: str) -> Run:
    log = await filled(folder, sync)
    await log.lease("bare", "hris-staff", "bench", 600)
    db = connect(folder / "bare.sqlite", sync=sync)
    db.execute("CREATE TABLE d (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
    done = 0
    with measured(lambda: done) as run:
        while batch := await log.read("bare", "hris-staff", BATCH):
            events = [StaffRecorded.model_validate_json(one.value or b"", extra="ignore") for one in batch]
            rows = [(event.subject, event.model_dump_json()) for event in events]
            await asyncio.to_thread(_write, db, rows)
            await log.commit("bare", "hris-staff", batch[-1].offset + 1, "bench")
            done += len(batch)
        result = run()
    db.close()
    await log.close()
    return result


def _write(db: sqlite3.Connection, rows: list[tuple[str, str]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT OR REPLACE INTO d (id, body) VALUES (?, ?)", rows)
    db.execute("COMMIT")


async def ours(folder: Path, sync: str) -> Run:
    log = await filled(folder, sync)
    clock = SystemClock()
    service = build(Parts(store=SqliteStore(folder / "store.sqlite", sync=sync), log=log, clock=clock, ids=RandomIds(clock)))
    await service.open()
    await with_subsidiary(service)
    before = applied("enrolment")
    await service.start()
    run = await until_applied("enrolment", RECORDS, before)
    await service.stop()
    return run


async def main() -> None:
    memory.settle()  # as a service does when it starts
    for sync in ("full", "normal"):
        rounds = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
                rounds.append((await bare(Path(one), sync), await ours(Path(other), sync)))
        ratio = statistics.median(b.rate / a.rate for a, b in rounds)
        loop, guarded = ([(run.rate, run.cpu) for run in column] for column in zip(*rounds, strict=True))
        (loop_rate, loop_cpu), (rate, cpu) = (
            [statistics.median(values) for values in zip(*column, strict=True)] for column in (loop, guarded)
        )
        print(
            f"sync={sync:6} bare loop {loop_rate:7,.0f}/s ({loop_cpu:3.0f} µs of Python each)   enrolment {rate:7,.0f}/s ({cpu:3.0f} µs)   "
            f"ratio {ratio:.0%}",
            flush=True,
        )
