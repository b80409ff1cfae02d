"""`make bench`: every benchmark, each a ratio against a named baseline in the same run. `make bench ARGS=staff_events` runs one."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from tests.bench import staff_events

BENCHMARKS: dict[str, Callable[[], Awaitable[None]]] = {"staff_events": staff_events.main}


async def main(names: list[str]) -> None:
    for name in names or list(BENCHMARKS):
        print(f"\n== {name}: {(sys.modules[BENCHMARKS[name].__module__].__doc__ or '').strip().splitlines()[0]}\n", flush=True)
        await BENCHMARKS[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
