"""The matching engine against dense assignment: `amont match` on a file, every pair scored and the answer proved, against lapx, scipy and munkres.

The peers get the weights ready made and prove nothing; the best of them counts. `BENCH_SIDES=1000,50000` says how many mentees and as many mentors. A peer
runs up to the side at which it takes about a minute, and wherever its matrix fits into memory with `BENCH_PEERS=all`. Who takes more than `BENCH_PATIENCE`
seconds (150) is cut off, and was slower by that much at least. How fast lapx is depends on the processor (8 to 100 s on the same matrix).
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.bench import figures
from tests.bench.pools import made_up
from tests.bench.processes import EVERYBODY, FOLDER, PATIENCE, CutOff, Missing, Run, ask, free_bytes, match, pool_of

from amont.common.memory import settle
from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.kernel import Scanner, points_of
from amont.matching.domain.engine.tables import Table
from amont.matching.domain.policy import FULL_SCORE, Policy

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "1000,5000,10000").split(",")]
REWARD = FULL_SCORE + 1
ORDERS = ("pairs, total", "pairs, worst, total")
ASKED = {10_000: 12.0, 20_000: 17.0, 50_000: 25.0}
"""How many times faster than the best dense peer."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A dense solver: bytes it needs for each place and place, and up to which side it runs unasked."""

    name: str
    bytes_a_cell: int
    unasked: int
    said: str


PEERS = (
    Peer("scipy linear_sum_assignment", 8, 20_000, "about 26 s at 20,000"),
    Peer("lapx lapjvs", 4, 10_000, "8 to 70 s at 10,000"),
    Peer("lapx lapjv", 8, 10_000, "8 to 100 s at 10,000"),
    Peer("munkres", 100, 1_000, "about 5 s and 2.5 GB of Python numbers at 5,000"),
)


async def main() -> None:
    for side in SIDES:
        pool = pool_of(side)
        print(f"{side:,} mentees and {side:,} mentors:")
        best = {order: match(pool, {"order": order}) for order in ORDERS}
        for order, one in best.items():
            print(
                f"  amont match, {order:21} {one.seconds:9.3f} s  (and {one.found['load']:.2f} s to read the file; {one.processor:.2f} s of "
                f"processor in all)  {one.mb:,.0f} MB  {one.found['pairs']:,} pairs"
            )
        plain, default = (best[order] for order in ORDERS)
        print(f"  the floor stage takes {default.seconds / plain.seconds:.2f} times the time of `pairs, total`")
        warmed, once = solved_warm(side), one_look(side)
        print(f"  the engine in a warm process, as a service {warmed:6.3f} s, `pairs, total`, from people to proof")
        print(f"  every pair looked at once, nothing kept {once:7.3f} s; the warm engine takes {warmed / once:.1f} times that")
        figures.at_most(f"the default order against `pairs, total`, {side:,}", 3, default.seconds / plain.seconds, "x")
        if side == max(ASKED):
            figures.at_most(f"against one look at all pairs, {side:,}", 10, warmed / once, "x")
            figures.at_most(f"peak memory of `amont match`, {side:,}", 350, default.mb, "MB")
        against_peers(side, plain, warmed)
    print("  memory: VmHWM of each whole process, the most it ever held; peers' seconds: the solver alone, on a matrix ready made")


def against_peers(side: int, ours: Run, warmed: float) -> None:
    table = compact(made_up(side), Policy()).table
    places = int(table.mentors.capacity.sum())
    weights, taken = FOLDER / "weights.npy", {}
    weights.unlink(missing_ok=True)  # of a run that was broken off
    for peer in PEERS:
        asked = why_not(peer, side, places)
        if not asked:
            if not weights.exists():
                dense(table, weights)
            try:
                run = ask(peer.name, weights)
            except CutOff:
                taken[peer.name] = float(PATIENCE)
                print(f"  {peer.name:34} cut off after {PATIENCE} s: more than {ratios(PATIENCE, ours, warmed)}")
                continue
            except Missing as missing:
                asked = str(missing)
        if asked:
            print(f"  {peer.name:34} left out: {asked}")
            continue
        same = run.found["total"] == REWARD * ours.found["pairs"] + ours.found["total"]
        said = "the same total" if same else "ANOTHER TOTAL"
        print(f"  {peer.name:34} {run.seconds:9.3f} s  {ratios(run.seconds, ours, warmed)}  {run.mb:,.0f} MB  {said}")
        figures.holds(f"{peer.name} at {side:,}", "the same total", met=same)
        taken[peer.name] = run.seconds
    weights.unlink(missing_ok=True)
    if side not in ASKED:
        return
    for how, seconds in (("a new process", ours.seconds), ("a warm one", warmed)):
        if taken:
            best = min(taken, key=lambda name: taken[name])
            cut = " (cut off)" if taken[best] == PATIENCE else ""
            figures.at_least(f"against {best}{cut}, the best dense peer at {side:,}, {how}", ASKED[side], taken[best] / seconds)
        else:
            figures.left_out(f"against a dense peer at {side:,}, {how}", "all were left out")


def ratios(seconds: float, ours: Run, warmed: float) -> str:
    """A peer's seconds as multiples of ours."""
    return f"{seconds / ours.seconds:6.1f} x ours, {seconds / warmed:.1f} x warm"


def why_not(peer: Peer, side: int, places: int) -> str:
    """Why a peer is not asked at that side; nothing when it is."""
    needs, free = places * places * peer.bytes_a_cell * 1.05, free_bytes()
    if needs > free:
        return f"it would need about {needs / 1e9:.1f} GB, and {free / 1e9:.1f} are free"
    if side > peer.unasked and not EVERYBODY:
        return f"it would need about {needs / 1e9:.1f} GB, and long ({peer.said}); BENCH_PEERS=all asks it"
    return ""


def solved_warm(side: int) -> float:
    """Seconds of one solution where machine code has been fetched before, as a service does when it starts."""
    warm()
    pool = made_up(side)
    settle()
    begun = time.perf_counter()
    Engine().solve(pool, Policy(order="pairs, total"))
    return time.perf_counter() - begun


def one_look(side: int) -> float:
    """Seconds for bounds on all pairs, none of which is good enough: the least that any proof over all pairs takes with this kernel."""
    table = compact(made_up(side), Policy()).table
    scanner, rows = Scanner(table, len(os.sched_getaffinity(0))), np.arange(side, dtype=np.int32)
    beyond, price = np.full(side, FULL_SCORE, np.int32), np.zeros(side, np.int32)
    scanner.scan(rows[:1], beyond[:1], price, keep=1)
    begun = time.perf_counter()
    scanner.scan(rows, beyond, price, keep=1)
    return time.perf_counter() - begun


def dense(table: Table, path: Path) -> None:
    """Write the weights of all pairs, a column a place; 0 where a pair is not allowed."""
    mentors = np.repeat(np.arange(len(table.mentors.capacity), dtype=np.int32), table.mentors.capacity)
    rows = len(table.mentees.grade)
    matrix = np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=(rows, len(mentors)))
    for row in range(rows):
        points, allowed = points_of(table, np.full(len(mentors), row, np.int32), mentors)
        matrix[row] = np.where(allowed, points.sum(axis=1) + REWARD, 0)
    matrix.flush()
