"""`make bench`: every benchmark, each a ratio against a named baseline in the same run. `make bench ARGS=staff_events` runs one.

`growth` and `reload` take minutes and run only when they are asked for. BENCH_RECORDS and BENCH_ROUNDS make a run shorter,
BENCH_DRIVER=pymongo reaches the store by the other driver.
"""

import asyncio
import logging
import sys
from types import ModuleType

import structlog
from tests.bench import costs, embedded, engine, growth, readers, reload, repairs, rounds, staff_events

BENCHMARKS: dict[str, ModuleType] = {
    "staff_events": staff_events,
    "readers": readers,
    "costs": costs,
    "embedded": embedded,
    "engine": engine,
    "growth": growth,
    "repairs": repairs,
    "rounds": rounds,
    "reload": reload,
}
LONG = {"growth", "reload"}


async def main(names: list[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for name in names or [name for name in BENCHMARKS if name not in LONG]:
        print(f"\n== {name}: {(BENCHMARKS[name].__doc__ or '').strip().splitlines()[0]}\n", flush=True)
        await BENCHMARKS[name].main()


if __name__ == "__main__":
    if unknown := [name for name in sys.argv[1:] if name not in BENCHMARKS]:
        sys.exit(
            f"{', '.join(unknown)}: no benchmark. There is {', '.join(BENCHMARKS)}; BENCH_RECORDS and BENCH_ROUNDS make a run shorter."
        )
    asyncio.run(main(sys.argv[1:]))
