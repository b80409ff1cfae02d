"""How often a client may ask: a token bucket each. In memory and per process: it keeps one client from starving the others, it does not bill."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CLIENTS = 10_000
"""Buckets that are remembered; the one that asked longest ago is forgotten first, and would be full by then."""


class RateLimit:
    """`per_second` requests a second on average, `burst` at once."""

    def __init__(self, per_second: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """0 when the client may ask now, which counts; otherwise the seconds until it may."""
        now = self._clock()
        left, at = self._buckets.pop(client, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._rate)
        granted = left >= 1
        self._buckets[client] = (left - 1 if granted else left, now)
        while len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - left) / self._rate
