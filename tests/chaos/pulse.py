"""How much of a core the machine gives to whoever wants one: so that what a limit of seconds brought about on a machine without time is not laid to us."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from statistics import median

EVERY = 0.5
SPIN_SECONDS = 0.004
"""How long it computes, in seconds of processor."""
ENOUGH = 0.25
"""With less, limits of some seconds are reached by waiting for the processor alone."""


class Pulse:
    """Samples while inside `taken`."""

    def __init__(self) -> None:
        self._shares: list[float] = []

    @property
    def share(self) -> float:
        """The middle one of the samples: 1 is a core of one's own. 1 when there is none."""
        return median(self._shares) if self._shares else 1.0

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator["Pulse"]:
        taking = asyncio.create_task(self._take(), name="pulse")
        try:
            yield self
        finally:
            taking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await taking

    async def _take(self) -> None:
        while True:
            self._shares.append(_spin())
            await asyncio.sleep(EVERY)


def _spin() -> float:
    began, until = time.perf_counter(), time.thread_time() + SPIN_SECONDS
    while time.thread_time() < until:
        sum(range(100))
    return min(1.0, SPIN_SECONDS / (time.perf_counter() - began))
