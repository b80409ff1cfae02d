"""A group's first load from files: `amont hris send` (JSON lines) and `amont hris import` (CSV), each against a bare loop over the same file.

The bare loop splits or parses every line, makes JSON of it and inserts it into a table, 500 in a transaction: no validation, no envelope, nothing looked
at across lines. Both write SQLite with `sync=full`. BENCH_EMPLOYEES says how many people (180,000). Memory is VmHWM of each whole process; a file of a tenth
is sent as well, to see whether memory grows.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.staff import staff_record

EMPLOYEES = int(os.environ.get("BENCH_EMPLOYEES", "180000"))
_MEASURED = """
import sys, time
began = time.perf_counter()
try:
    {job}
finally:
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("SPENT", time.perf_counter() - began, time.process_time(), peak / 1000, file=sys.stderr)
"""
AMONT = "import amont.common.cli as cli; cli.main(sys.argv[1:])"
_BARE = "from tests.bench.feeds import bare; bare(*sys.argv[1:])"


def bare(file: str, database: str) -> None:
    """The loop that is the baseline."""
    from amont.common.sqlite import connect

    db = connect(Path(database), sync="full")
    db.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, key TEXT, value TEXT)")
    with Path(file).open(encoding="utf-8", newline="") as lines:
        records: Iterator[dict[str, str]] = csv.DictReader(lines, delimiter=";") if file.endswith(".csv") else map(json.loads, lines)
        rows: list[tuple[str, str]] = []
        for record in records:
            rows.append((record["employee_id"], json.dumps(record)))
            if len(rows) == 500:
                _write(db, rows)
        _write(db, rows)


def _write(db: "object", rows: list[tuple[str, str]]) -> None:
    db.execute("BEGIN IMMEDIATE")  # type: ignore[attr-defined]
    db.executemany("INSERT INTO log (key, value) VALUES (?, ?)", rows)  # type: ignore[attr-defined]
    db.execute("COMMIT")  # type: ignore[attr-defined]
    rows.clear()


def spent(job: str, *words: str) -> tuple[float, float, float]:
    """Seconds by the clock and of processor, and the most MB, of a process of its own."""
    done = subprocess.run([sys.executable, "-c", _MEASURED.format(job=job), *words], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if line.startswith("SPENT")]
    assert told and done.returncode == 0, done.stderr[-2000:]  # noqa: PT018
    wall, processor, mb = map(float, told[0].split()[1:])
    return wall, processor, mb


def _files(folder: Path, people: int) -> tuple[Path, Path]:
    """The same people as JSON lines and as CSV."""
    lines, sheet = folder / f"{people}.jsonl", folder / f"{people}.csv"
    with lines.open("w", encoding="utf-8") as one, sheet.open("w", encoding="utf-8", newline="") as other:
        table = None
        for number in range(people):
            record = json.loads(staff_record(number, people).value or b"")
            one.write(json.dumps(record) + "\n")
            row = {name: ", ".join(value) if isinstance(value, list) else value for name, value in record.items()}
            if table is None:
                table = csv.DictWriter(other, list(row), delimiter=";")
                table.writeheader()
            table.writerow(row)
    return lines, sheet


async def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for people in (EMPLOYEES // 10, EMPLOYEES):
            for file, words in zip(_files(folder, people), (["hris", "send"], ["hris", "import"]), strict=True):
                data = folder / f"{file.name}-data"
                data.mkdir()
                wall, processor, mb = spent(AMONT, *words, str(file), "--data", str(data))
                loop, loop_processor, _ = spent(_BARE, str(file), str(folder / f"{file.name}-bare.sqlite"))
                print(
                    f"{people:,} people, amont {' '.join(words)}: {wall:.1f} s ({people / wall:,.0f}/s, {processor:.1f} s of processor), {mb:,.0f} MB; "
                    f"bare loop {loop:.1f} s ({loop_processor:.1f} s of processor); ratio {loop / wall:.0%}",
                    flush=True,
                )
