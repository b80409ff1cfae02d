"""How long a staff record takes to its change on the log, with and without poison beside it: by the times that the writers put on their records."""

import asyncio
import json
import time
from dataclasses import dataclass
from math import ceil

from tests.chaos.evidence import everything_on
from tests.chaos.hands import Hands, Seen

from amont.local.demo.stages import Stage

WINDOWS = 6
"""By turns without and with poison, so that a machine that grows slower meanwhile favours neither."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from a record to its change, sorted."""

    without: tuple[float, ...]
    beside: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return p99(self.beside) / p99(self.without)

    def text(self) -> str:
        return f"p99 {1000 * p99(self.beside):.0f} ms beside poison, {1000 * p99(self.without):.0f} ms without ({self.ratio:.2f} x)"


def p99(sorted_values: tuple[float, ...]) -> float:
    return sorted_values[ceil(0.99 * len(sorted_values)) - 1]


async def poison_share(hands: Hands, stage: Stage) -> tuple[Latencies, Seen]:
    """A steady load, by turns without poison and with 1 % unreadable and 0.5 % refused records."""
    stage.total(WINDOWS)
    windows: list[tuple[float, float, bool]] = []
    before = len(hands.staff.poison)
    share, hands.staff.share = hands.staff.share, 0.0
    for number in range(WINDOWS):
        hands.staff.share = float(number % 2)
        began = time.time()
        async with hands.staff.flowing(hands.size.rate):
            await asyncio.sleep(2 * hands.size.poison_seconds / WINDOWS)
        windows.append((began, time.time(), bool(number % 2)))
        await hands.house.settled()
        stage.done()
    hands.staff.share = share
    found = await _latencies(hands, windows)
    return found, {
        "poison records": len(hands.staff.poison) - before,
        "measured": len(found.without) + len(found.beside),
        "p99": found.text(),
    }


async def _latencies(hands: Hands, windows: list[tuple[float, float, bool]]) -> Latencies:
    changed: dict[tuple[bytes, str], float] = {}
    for record, at in await everything_on(hands.house, "enrolment-employees"):
        changed.setdefault((record.key, json.loads(record.value or b"{}").get("function", "")), at)
    taken: dict[bool, list[float]] = {False: [], True: []}
    for record, at in await everything_on(hands.house, "hris-staff"):
        for begin, end, poisoned in windows:
            if begin <= at <= end and record.key.split(b":")[-1][:1] == b"e":
                function = _function(record.value)
                if (record.key, function) in changed:
                    taken[poisoned].append(changed[record.key, function] - at)
    return Latencies(tuple(sorted(taken[False])), tuple(sorted(taken[True])))


def _function(value: bytes | None) -> str:
    return str(json.loads(value or b"{}").get("function", ""))
