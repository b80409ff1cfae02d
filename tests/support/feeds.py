"""Staff records that nobody here made, as records for the inbound topic: the bytes as they are in the feed, in the envelope an HRIS would use."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amont.common.events import StaffLeft, StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.ids import derived
from amont.common.log import Record
from amont.common.testing.hearing import START


def lines(folder: Path, feed: str) -> Iterator[dict[str, Any]]:
    with (folder / f"{feed}.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def grades(folder: Path, feed: str) -> dict[str, dict[str, int]]:
    """Every tenant's grade table; rows for `*` hold for all of them."""
    with (folder / f"{feed}.grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tables: dict[str, dict[str, int]] = defaultdict(dict)
    for tenant in {line["tenant"] for line in lines(folder, feed)}:
        for row in rows:
            if row["tenant"] in {"*", tenant}:
                tables[tenant][row["grade"]] = int(row["band"])
    return dict(tables)


def records(folder: Path, feed: str) -> Iterator[Record]:
    """One record a line."""
    for number, line in enumerate(lines(folder, feed)):
        kind = StaffLeft if line.pop("left", False) else StaffRecorded
        key = f"{line['tenant']}:{line['employee_id']}"
        envelope = Envelope(id=derived(feed, number), type=kind.type_name(), source=f"/hris/{line['tenant']}", subject=key, time=START)
        yield Record(topic=kind.topic, key=key, value=json.dumps(line).encode(), headers=envelope.headers())
