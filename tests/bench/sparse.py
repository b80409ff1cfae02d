"""Our sparse solver against OR-tools SimpleMinCostFlow, on one and the same graph: each mentee's best 8, 32 and 128 mentors.

Ours is timed from the list of pairs to the assignment with its prices; OR-tools from a network that is ready made, `solve` alone. Both are whole processes.
`BENCH_SIDES=5000,20000` says how many mentees and as many mentors, `BENCH_CANDIDATES=8,32,128` how many of them a mentee knows.
"""

import os

import numpy as np
from tests.bench import figures
from tests.bench.pools import made_up
from tests.bench.processes import FOLDER, Missing, ask, ask_ours

from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.kernel import Scanner
from amont.matching.domain.policy import FULL_SCORE, Policy

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "5000,20000").split(",")]
CANDIDATES = [int(count) for count in os.environ.get("BENCH_CANDIDATES", "8,32,128").split(",")]
REWARD = FULL_SCORE + 1


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "graph.npz"
    for side in SIDES:
        table = compact(made_up(side), Policy()).table
        scanner = Scanner(table, len(os.sched_getaffinity(0)))
        for count in CANDIDATES:
            rows = np.arange(side, dtype=np.int32)
            found = scanner.scan(rows, np.full(side, -1, np.int32), np.zeros(side, np.int32), keep=count)
            there = found.where >= 0
            row, weight = np.repeat(rows, there.sum(axis=1)), (found.best[there] + REWARD).astype(np.int32)
            np.savez(path, row=row, column=found.where[there], weight=weight, places=table.mentors.capacity, rows=np.int64(side))
            what = f"{side:,} a side, {count} candidates"
            ours = ask_ours("amont", path)
            print(
                f"{what}, {len(row):,} pairs:\n  {'ours':28} {ours.seconds:8.3f} s  {ours.mb:,.0f} MB  {ours.found['pairs']:,} pairs made"
            )
            try:
                peer = ask("flow", path)
            except Missing as missing:
                print(f"  OR-tools SimpleMinCostFlow   cannot be asked: {missing}")
                figures.left_out(f"OR-tools, {what}", "cannot be asked")
                continue
            same = peer.found["total"] == ours.found["total"]
            print(
                f"  {'OR-tools SimpleMinCostFlow':28} {peer.seconds:8.3f} s  {peer.mb:,.0f} MB  {peer.seconds / ours.seconds:.2f} x ours  "
                f"{'the same total' if same else 'ANOTHER TOTAL'}"
            )
            figures.at_least(f"OR-tools, {what}", 1, peer.seconds / ours.seconds)
            figures.holds(f"OR-tools, {what}", "the same total", met=same)
    path.unlink()
