"""Parts that die at a chosen point and write down what was handed over: how a test of kills aims, and how it knows what it hit.

A SIGKILL at a random moment falls into an idle gap more often than not. `aim` tells a running process (`amont.common.testing.process`) to SIGKILL
itself around one of its next port calls: before or after a compare-and-set, before or after its events reach the log, or when a batch was taken and
its positions are not yet committed. Every one of them causes a redelivery or a repeated publication, so a test that aims and sees none is broken.

The ledger is a file of JSON lines that outlives every process: which offsets were handed to which group, when their reader was done with them, who died
where, and of which dead letters nobody knows whether they arrived. Each line is one write to a file opened for appending, so a SIGKILL cuts none in half.
Nothing here decides whether what happened was right.
"""

import json
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from amont.common.documents import Put, Store, Write
from amont.common.log import Handler, Log, Reader, Received, Record
from amont.common.testing.promises.evidence import Place

DEAD_LETTERS = "dlq-"
POINTS = ("before-commit", "after-commit", "before-append", "after-append", "after-batch")
"""Where a process can be told to die. A commit counts when it saves something, an append when it is of events."""


def aim(file: Path, point: str, calls: int = 1) -> None:
    """Tell the process that watches `file` to die at the `calls`th such point from now on. Raises ValueError for a point that is none."""
    if point not in POINTS or calls < 1:
        raise ValueError(f"{point}:{calls} is no point to die at; write one of {', '.join(POINTS)} and a number from 1")
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{point} {calls}")
    fresh.replace(file)


class Ledger:
    """A file that many processes append lines to."""

    def __init__(self, path: Path, who: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._who = who
        self.write(began=os.getpid())

    def write(self, **fields: Any) -> None:
        os.write(self._file, json.dumps({"who": self._who, **fields}).encode() + b"\n")


class Fate:
    """Counts the points a process passes since it was aimed at, and ends it at the one that was chosen."""

    def __init__(self, file: Path | None, ledger: Ledger | None) -> None:
        self._file, self._ledger = file, ledger
        self._passed: Counter[str] = Counter()
        self._order = ""

    def passes(self, point: str) -> None:
        """SIGKILL, if this is where it was told to die."""
        if self._file is None:
            return
        try:
            order = self._file.read_text()
        except FileNotFoundError:
            return
        if order != self._order:
            self._order = order
            self._passed.clear()
        self._passed[point] += 1
        where, calls = order.split()
        if point == where and self._passed[point] >= int(calls):
            self._file.unlink(missing_ok=True)
            if self._ledger:
                self._ledger.write(died=point)
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStore:
    """A store whose process may die around a commit; everything else is the store's own."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store, self._fate = store, fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        saves = any(isinstance(write, Put) for write in writes)
        if saves:
            self._fate.passes("before-commit")
        lost = await self._store.commit(writes)
        if saves:
            self._fate.passes("after-commit")
        return lost


class MortalLog:
    """A log whose process may die around an append or behind a batch, and that writes down what it hands over; everything else is the log's own."""

    def __init__(self, log: Log, fate: Fate, ledger: Ledger | None) -> None:
        self._log, self._fate, self._ledger = log, fate, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, records: Sequence[Record]) -> None:
        events = any(not record.topic.startswith(DEAD_LETTERS) for record in records)
        if events:
            self._fate.passes("before-append")
        try:
            await self._log.append(records)
        except BaseException:
            if self._ledger and (parked := [place for one in records if (place := parked_from(one))]):
                self._ledger.write(unanswered=parked)
            raise
        if events:
            self._fate.passes("after-append")

    def reader(self, group: str, topic: str, handler: Handler, **options: Any) -> Reader:
        async def hear(batch: Sequence[Received]) -> None:
            if self._ledger:
                self._ledger.write(group=group, topic=topic, spans=_spans(batch))
            try:
                await handler(batch)
            finally:
                if self._ledger:
                    self._ledger.write(done=len(batch))
            self._fate.passes("after-batch")

        return self._log.reader(group, topic, hear, **options)


def parked_from(record: Record) -> Place | None:
    """The place of the record that a dead letter is about; None of what is no dead letter."""
    why = {name: (value or b"").decode() for name, value in record.headers if name.startswith("amont_dlq_")}
    return Place(why["amont_dlq_topic"], int(why["amont_dlq_partition"]), int(why["amont_dlq_offset"])) if why else None


def _spans(batch: Sequence[Received]) -> list[tuple[int, int, int]]:
    """(partition, first, last) of each run of offsets."""
    places = sorted((record.partition, record.offset) for record in batch)
    ends = [index + 1 for index, (one, following) in enumerate(pairwise(places)) if following != (one[0], one[1] + 1)]
    return [(*places[begin], places[end - 1][1]) for begin, end in zip([0, *ends], [*ends, len(places)], strict=True)]


@dataclass(frozen=True, slots=True)
class Happened:
    """What a ledger says."""

    redelivered: Counter[str]
    """By group: how often a record was handed over that this group had been handed before."""
    died: Counter[tuple[str, str]]
    """By process and point."""
    may_be_parked: Mapping[str, Counter[Place]]
    """By service: how often each record was handed over, and telling that it is parked got no answer."""


def read_ledger(path: Path, *, begin: int = 0) -> Happened:
    """Everything that the ledger says from byte `begin` on; what was handed over before that counts as handed over before."""
    handed: set[tuple[str, Place]] = set()
    may_be_parked: dict[str, Counter[Place]] = defaultdict(Counter)
    redelivered: Counter[str] = Counter()
    died: Counter[tuple[str, str]] = Counter()
    for at, line in _lines(path):
        if point := line.get("died"):
            died[line["who"], point] += at >= begin
        may_be_parked[line["who"]].update(Place(*place) for place in line.get("unanswered", ()))
        if "spans" not in line:
            continue
        places = [Place(line["topic"], partition, offset) for partition, first, last in line["spans"] for offset in range(first, last + 1)]
        may_be_parked[line["who"]].update(places)
        here = {(line["group"], place) for place in places}
        if at >= begin:
            redelivered[line["group"]] += len(handed & here)
        handed |= here
    return Happened(+redelivered, +died, may_be_parked)


def records_in_hand(path: Path, who: str, until: int) -> int:
    """How many records a process had been handed and not done with when the ledger had `until` bytes."""
    held = 0
    for at, line in _lines(path):
        if at >= until or line["who"] != who:
            continue
        if "began" in line:
            held = 0
        held += sum(last - first + 1 for _, first, last in line.get("spans", ())) - line.get("done", 0)
    return held


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    at = 0
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                yield at, json.loads(line)
                at += len(line)
