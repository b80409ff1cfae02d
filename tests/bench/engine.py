"""The matching engine against dense assignment: `amont match` on a file, every pair scored and the answer proved, against lapx and scipy on a matrix.

The peers get the weights ready made and prove nothing; they live in an environment of their own (`.bench/peers`), which this benchmark makes. Both sides
are whole processes, one after the other; memory is the most that each ever held (its own word for it, VmHWM). `BENCH_SIDES=1000,5000` says how many
mentees and as many mentors; scipy is left out above 5,000 a side, and peers where their matrices would not fit into the machine's memory.
"""

import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
from tests.bench.pools import made_up
from tests.services.matching.files.pool_documents import document_of, written

from amont.common.memory import settle
from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.kernel import Scanner, points_of
from amont.matching.domain.policy import FULL_SCORE, Policy

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "1000,5000,10000").split(",")]
FOLDER = Path(".bench")
PEERS = FOLDER / "peers"
REWARD = 1001
ORDERS = ("pairs, total", "pairs, worst, total")
SLOW_ABOVE = {"scipy linear_sum_assignment": 5_000}
BYTES_A_CELL = 24
"""Of the square matrix in float64 that lapx solves, and a copy or two that it and we make."""

_CHILD = """
import sys, time
sys.argv = sys.argv[1:]
from amont.common.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("KB", peak, time.process_time(), file=sys.stderr)
"""


async def main() -> None:
    python = peers()
    for side in SIDES:
        pool = FOLDER / f"pool-{side}.json"
        if not pool.exists():
            pool.write_bytes(written(document_of(made_up(side))))
        print(f"{side:,} mentees and {side:,} mentors:")
        best = {order: match(pool, order) for order in ORDERS}
        for order, one in best.items():
            print(
                f"  amont match, {order:21} {one['solve']:9.3f} s  (and {one['load']:.2f} s to read the file)  {one['mb']:,.0f} MB  {one['pairs']:,} pairs"
            )
        checked = verify(pool)
        print(
            f"  amont verify, {'independent, in numpy':19} {checked['seconds']:9.3f} s  (processor, with reading both files)  "
            f"{checked['mb']:,.0f} MB  {checked['seconds'] / best[ORDERS[-1]]['processor']:.1f} times the processor time of `amont match`"
        )
        plain = best["pairs, total"]
        print(f"  the floor stage takes {best['pairs, worst, total']['solve'] / plain['solve']:.2f} times the time of `pairs, total`")
        warmed = solved_warm(side)
        print(f"  the engine in a warm process, as a service {warmed:6.3f} s, `pairs, total`, from people to proof")
        once = one_look(side)
        print(f"  every pair looked at once, nothing kept {once:7.3f} s; the warm engine takes {warmed / once:.1f} times that")
        for name, seconds, megabytes, total in rivals(python, side, pool):
            same = total == REWARD * plain["pairs"] + plain["total"]
            ratios = f"{seconds / plain['solve']:6.1f} x ours, {seconds / warmed:.1f} x warm"
            print(f"  {name:34} {seconds:9.3f} s  {ratios}  {megabytes:,.0f} MB  {'the same total' if same else 'ANOTHER TOTAL'}")


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


def peers() -> Path:
    """The Python of the peers' environment."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        FOLDER.mkdir(exist_ok=True)
        venv.create(PEERS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "numpy", "scipy", "lapx"], check=True)
    return python


def match(pool: Path, order: str) -> dict[str, Any]:
    """One run of the command: seconds by stage, megabytes, the objective."""
    policy, result = FOLDER / "policy.json", FOLDER / "result.json"
    policy.write_text(json.dumps({"amont": "policy/1", "order": order}), encoding="utf-8")
    command = [sys.executable, "-c", _CHILD, "amont", "match", str(pool), "--policy", str(policy), "--out", str(result)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(result.read_bytes())
    return {**found["seconds"], **found["objective"], **_spent(ended.stderr)}


def verify(pool: Path) -> dict[str, float]:
    """One run of the check of the result that was made last: processor seconds, megabytes."""
    command = [
        sys.executable,
        "-c",
        _CHILD,
        "amont",
        "verify",
        str(pool),
        str(FOLDER / "result.json"),
        "--policy",
        str(FOLDER / "policy.json"),
    ]
    spent = _spent(subprocess.run(command, check=True, capture_output=True, text=True).stderr)
    return {"seconds": spent["processor"], "mb": spent["mb"]}


def _spent(said: str) -> dict[str, float]:
    kilobytes, processor = said.rsplit("KB ", maxsplit=1)[-1].split()
    return {"mb": int(kilobytes) / 1000, "processor": float(processor)}


def rivals(python: Path, side: int, pool: Path) -> list[tuple[str, float, float, int]]:
    """Name, seconds, megabytes and total weight of each peer that can be asked."""
    weights = FOLDER / "weights.npy"
    places = dense(side, weights)
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    asked = []
    for name in ("lapx lapjv", "scipy linear_sum_assignment"):
        if side > SLOW_ABOVE.get(name, side):
            continue
        if places * places * BYTES_A_CELL > free:
            print(f"  {name:34} left out: it would need about {places * places * BYTES_A_CELL / 1e9:.0f} GB, and {free / 1e9:.0f} are free")
            continue
        script = Path(__file__).with_name("rival.py")
        ended = subprocess.run([python, script, name.split()[0], weights], check=True, capture_output=True, text=True)
        told = json.loads(ended.stdout)
        asked.append((name, told["seconds"], told["kb"] / 1000, told["total"]))
    weights.unlink()
    return asked


def dense(side: int, path: Path) -> int:
    """Write the weights of all pairs, a column a place; 0 where a pair is not allowed. How many places there are."""
    table = compact(made_up(side), Policy()).table
    mentors = np.repeat(np.arange(side, dtype=np.int32), table.mentors.capacity)
    matrix = np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=(side, len(mentors)))
    for row in range(side):
        points, allowed = points_of(table, np.full(len(mentors), row, np.int32), mentors)
        matrix[row] = np.where(allowed, points.sum(axis=1) + REWARD, 0)
    matrix.flush()
    return len(mentors)
