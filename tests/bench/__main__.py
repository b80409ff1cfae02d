"""`make bench`: every benchmark, each a ratio against a named baseline in the same run. `make bench ARGS=staff_events` runs one.

`growth`, `reload`, `feeds`, `comparing`, `scim_load` and `years` take minutes and run only when they are asked for. BENCH_RECORDS and BENCH_ROUNDS make a
run shorter, BENCH_DRIVER=pymongo reaches the store by the other driver. The matching engine's benchmarks take BENCH_SIDES=1000,50000; a table of what was
asked for and what was reached ends a run.
"""

import asyncio
import logging
import sys
from types import ModuleType

import structlog
from tests.bench import (
    certificate,
    comparing,
    costs,
    embedded,
    engine,
    explain,
    feeds,
    figures,
    growth,
    mentor_match,
    readers,
    reload,
    repairs,
    rounds,
    scim_load,
    sparse,
    staff_events,
    suspensions,
    years,
)

BENCHMARKS: dict[str, ModuleType] = {
    "staff_events": staff_events,
    "suspensions": suspensions,
    "readers": readers,
    "costs": costs,
    "embedded": embedded,
    "engine": engine,
    "sparse": sparse,
    "mentor_match": mentor_match,
    "certificate": certificate,
    "repairs": repairs,
    "rounds": rounds,
    "explain": explain,
    "growth": growth,
    "reload": reload,
    "feeds": feeds,
    "comparing": comparing,
    "scim_load": scim_load,
    "years": years,
}
LONG = {"growth", "reload", "feeds", "comparing", "scim_load", "years"}


async def main(names: list[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for name in names or [name for name in BENCHMARKS if name not in LONG]:
        print(f"\n== {name}: {(BENCHMARKS[name].__doc__ or '').strip().splitlines()[0]}\n", flush=True)
        await BENCHMARKS[name].main()
    if lines := figures.table():
        print("\n== asked and reached\n", *lines, sep="\n", flush=True)


if __name__ == "__main__":
    if unknown := [name for name in sys.argv[1:] if name not in BENCHMARKS]:
        sys.exit(
            f"{', '.join(unknown)}: no benchmark. There is {', '.join(BENCHMARKS)}; BENCH_RECORDS and BENCH_ROUNDS make a run shorter."
        )
    asyncio.run(main(sys.argv[1:]))
