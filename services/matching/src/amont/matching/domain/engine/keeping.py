"""Replacements solved by repair: a solver that keeps what it has solved, and applies what has changed since.

What is kept is a cache. The pool that comes in is made of the documents as they are now, so a kept state is never believed: the differences between its
pool and the one that came are what is applied, whatever brought them about (a decline, an expiry, somebody who left, withdrew or enrolled, a move).
A restart, another process, another policy or another week only mean that the pool is solved from the beginning.
"""

from collections import OrderedDict
from threading import Lock

from amont.matching.domain.engine import Engine
from amont.matching.domain.engine.repair import Living, Outgrown
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.solver import Solution

MOST_BYTES = 256 << 20
"""How much is kept; whatever was used least lately goes first."""


class Keeper:
    """See the module; a `Solver` whose answers are as good as the engine's and equal to them but for ties."""

    def __init__(self, engine: Engine, most_bytes: int = MOST_BYTES) -> None:
        """Keep at most so many bytes."""
        self._engine = engine
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, Policy], Living] = OrderedDict()
        self._lock = Lock()
        self.repaired = 0
        """How many answers were repairs."""

    @property
    def nbytes(self) -> int:
        """About what is kept."""
        with self._lock:
            return sum(living.nbytes for living in self._kept.values())

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        """See `Solver.solve`."""
        if pool.pinned:
            return self._engine.solve(pool, policy, progress, explain=explain)
        key = pool.programme, policy
        with self._lock:
            living = self._kept.pop(key, None)
        living = self._repaired(living, pool, progress) or self._engine.keep(pool, policy, progress)
        solution = self._engine.tell(living, policy, progress, explain=explain)
        with self._lock:
            self._keep(key, living)
        return solution

    def _repaired(self, living: Living | None, pool: Pool, progress: Progress) -> Living | None:
        if living is None:
            return None
        progress("repair", 0, detail=f"{len(pool.people):,} people")
        try:
            living.become(pool)
        except Outgrown:
            return None
        self.repaired += 1
        return living

    def _keep(self, key: tuple[str, Policy], living: Living) -> None:
        for old in [one for one in self._kept if one[0] == key[0]]:
            del self._kept[old]
        self._kept[key] = living
        while self._kept and sum(one.nbytes for one in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)
