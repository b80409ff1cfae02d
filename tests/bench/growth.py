"""How the engine's cost grows with the programme: processor seconds for the optimum over all pairs, 1,000 to 50,000 a side, as a log-log plot.

The exponent is that of the line of least squares through the logarithms; the baseline is looking at every pair, whose exponent is 2.
Writes `docs/matching/growth.svg`. `BENCH_SIDES=1000,5000` measures fewer.
"""

import math
import os
import time
from pathlib import Path

import numpy as np
from tests.bench.pools import made_up

from amont.matching.domain.engine import warm
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.kernel import Scanner
from amont.matching.domain.engine.optimum import optimise
from amont.matching.domain.policy import Policy

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "1000,5000,10000,20000,50000").split(",")]
PLOT = Path("docs/matching/growth.svg")
WIDTH, HEIGHT, EDGE = 640, 400, 60


async def main() -> None:
    warm()
    found = [(side, measured(side)) for side in SIDES]
    for side, seconds in found:
        print(f"  {side:6,} a side  {seconds:7.3f} s of processor  {seconds / side**2 * 1e9:6.2f} ns a pair")
    exponent, _ = np.polyfit(*np.log(np.array(found)).T, 1)
    print(f"  cost grows with the {exponent:.2f} power of the side, {exponent / 2:.2f} times the power that looking at every pair has")
    keep(drawn(found, float(exponent)))


def keep(plot: str) -> None:
    PLOT.write_text(plot, encoding="utf-8")


def measured(side: int) -> float:
    """Processor seconds of one optimum, floor stage and proof included, from the compact form."""
    table = compact(made_up(side), Policy()).table
    begun = time.process_time()
    optimise(table, Scanner(table, len(os.sched_getaffinity(0))), Policy(), np.empty((2, 0), np.int32), lambda *_: None)
    return time.process_time() - begun


def drawn(found: list[tuple[int, float]], exponent: float) -> str:
    """The plot: whole decades on both axes."""
    low = [math.floor(math.log10(min(one[axis] for one in found))) for axis in (0, 1)]
    high = [math.ceil(math.log10(max(one[axis] for one in found))) for axis in (0, 1)]

    def at(side: float, seconds: float) -> tuple[float, float]:
        x, y = ((math.log10(one) - low[axis]) / (high[axis] - low[axis]) for axis, one in enumerate((side, seconds)))
        return EDGE + x * (WIDTH - 2 * EDGE), HEIGHT - EDGE - y * (HEIGHT - 2 * EDGE)

    lines = []
    for decade in range(low[0], high[0] + 1):
        x, y = at(10**decade, 10 ** low[1])
        lines += [
            f'<path d="M{x:.1f} {y:.1f}V{EDGE}" stroke="#ddd"/>',
            f'<text x="{x:.1f}" y="{y + 20:.1f}" text-anchor="middle">{10**decade:,}</text>',
        ]
    for decade in range(low[1], high[1] + 1):
        x, y = at(10 ** low[0], 10**decade)
        lines += [
            f'<path d="M{x:.1f} {y:.1f}H{WIDTH - EDGE}" stroke="#ddd"/>',
            f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{10**decade:g} s</text>',
        ]
    points = [at(*one) for one in found]
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0b6"/>' for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        f'<text x="{WIDTH / 2}" y="28" text-anchor="middle">Processor seconds by mentees (and as many mentors): exponent {exponent:.2f}</text>\n'
        + "\n".join(lines)
        + f'\n<path d="M{way}" fill="none" stroke="#0b6" stroke-width="2"/>\n{dots}\n</svg>\n'
    )
