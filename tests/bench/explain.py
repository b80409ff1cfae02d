"""What explanations cost: `amont match --explain` against `amont match`, and what each pair is worth alone.

`BENCH_SIDES=50000` says how many mentees and as many mentors. Memory is VmHWM of each whole process.
"""

import os

from tests.bench.processes import ask_ours, match, pool_of

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "10000").split(",")]


async def main() -> None:
    for side in SIDES:
        pool = pool_of(side)
        print(f"{side:,} mentees and {side:,} mentors:")
        plain = match(pool, {})
        print(f"  amont match            {plain.seconds:8.2f} s, whole process {plain.processor:.1f} s of processor, {plain.mb:,.0f} MB")
        worth = ask_ours("worth", pool)
        print(
            f"  worth of {plain.found['pairs']:,} pairs {worth.seconds:8.2f} s, {worth.found['spent']:.1f} s of processor, {worth.mb:,.0f} MB; "
            f"{worth.found['irreplaceable']:,} irreplaceable; {worth.seconds / plain.seconds:.2f} times solving"
        )
        explained = match(pool, {}, "--explain")
        print(
            f"  amont match --explain  {explained.seconds:8.2f} s, whole process {explained.processor:.1f} s of processor, {explained.mb:,.0f} MB; "
            f"{explained.seconds / plain.seconds:.2f} times without"
        )
