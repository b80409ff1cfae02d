"""One decline, leaver or joiner repaired at the optimum, against solving the changed pool again, in the same run; and who else is disturbed.

Every pair of the solved pool is proposed, and proposals stick by 20 points. In turn somebody declines, a mentee leaves, a new one comes; after each the
answer is made what is proposed, as a round would. Times are of the repair (the state, with its proof) and not of telling it; the last answer is held against
a fresh solve. `BENCH_SIDES=10000` says how many mentees and as many mentors, `BENCH_CHANGES` how many changes.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from tests.bench import figures
from tests.bench.pools import made_up

from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.engine.repair import Living
from amont.matching.domain.engine.repair.crowd import Outgrown
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.scorer import Scorer

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "2000,10000").split(",")]
CHANGES = int(os.environ.get("BENCH_CHANGES", "300"))
POLICY = Policy(stickiness=20)
ASKED = {10_000: 2.0, 50_000: 20.0}
"""Milliseconds, p99, of one repair."""


async def main() -> None:
    warm()  # as a service does when it starts
    for side in SIDES:
        pool = made_up(side)
        begun = time.perf_counter()
        living = Engine().keep(pool, POLICY)
        kept = time.perf_counter() - begun
        for mentee, mentor in living.pairs.items():
            living.stick(mentee, mentor, sticks=True)
        living.repair()
        run = Run(pool, living)
        kinds: dict[str, Callable[[], Change]] = {"a decline": run.decline, "a leaver": run.leaver, "a joiner": run.joiner}
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        moved: dict[str, list[int]] = {kind: [] for kind in kinds}
        try:
            for kind in list(kinds) * (CHANGES // 3):
                seconds, others = run.timed(kinds[kind])
                times[kind].append(seconds)
                moved[kind].append(others)
        except Outgrown as outgrown:
            done = sum(map(len, times.values()))
            print(
                f"{side:,} a side: after {done} of {CHANGES} changes a service would solve again ({outgrown}); BENCH_CHANGES asks for fewer"
            )
            continue
        begun = time.process_time()
        fresh = run.fresh()
        again = time.process_time() - begun
        print(
            f"{side:,} mentees and {side:,} mentors: solving and keeping {kept:.2f} s, {living.nbytes / 1e6:,.0f} MB; again {again:.2f} s of processor"
        )
        for kind in kinds:
            ms = 1000 * np.array(times[kind])
            if side in ASKED:
                figures.at_most(f"{kind} repaired at {side:,}, p99", ASKED[side], float(np.percentile(ms, 99)), "ms")
                figures.at_most(f"others disturbed by {kind} at {side:,}, p95", 8, float(np.percentile(moved[kind], 95)), "people")
            print(
                f"  {kind:10} p50 {np.percentile(ms, 50):7.2f} ms  p99 {np.percentile(ms, 99):7.2f} ms  "
                f"{again * 1000 / np.percentile(ms, 50):7,.0f} x faster than again (p50)  others disturbed p95 {np.percentile(moved[kind], 95):.0f}"
            )
        print(f"  the answer is {'as good as a fresh one' if fresh == run.reached() else 'ANOTHER ONE'}")


Change = tuple[set[str], Callable[[], None]]
"""Whom a change is about, and how to make it."""


class Run:
    """A living pool, and what it is now."""

    def __init__(self, pool: Pool, living: Living) -> None:
        self.pool, self.living = pool, living
        self.pairs = living.pairs
        self.dice = np.random.default_rng(7)
        self.forbidden: list[tuple[str, str]] = []
        self.gone: set[str] = set()
        self.come: list[PoolPerson] = []
        self.spare = iter([person for person in made_up(len(pool.people) // 2, seed=2).people if person.role == "mentee"])

    def timed(self, choose: Callable[[], Change]) -> tuple[float, int]:
        """Processor seconds of one change and its repair; how many others have another mentor. Then the answer is proposed."""
        concerned, change = choose()
        begun = time.process_time()
        change()
        self.living.repair()
        seconds = time.process_time() - begun
        before, self.pairs = self.pairs, self.living.pairs
        changed = {one for one in before.keys() | self.pairs.keys() if before.get(one) != self.pairs.get(one)}
        for one in sorted(changed):
            if one in before:
                self.living.stick(one, before[one], sticks=False)
            if one in self.pairs:
                self.living.stick(one, self.pairs[one], sticks=True)
        self.living.repair()
        return seconds, len(changed - concerned)

    def _somebody(self) -> str:
        return sorted(self.pairs)[self.dice.integers(len(self.pairs))]

    def decline(self) -> Change:
        one = self._somebody()
        self.forbidden.append((one, self.pairs[one]))
        return {one}, partial(self.living.decline, *self.forbidden[-1])

    def leaver(self) -> Change:
        one = self._somebody()
        self.gone.add(one)
        return {one}, partial(self.living.leave, "mentee", one)

    def joiner(self) -> Change:
        person = replace(next(self.spare), id=f"new-{self.dice.integers(1 << 40)}")
        self.come.append(person)
        return {person.id}, partial(self.living.join, person, ())

    def _now(self) -> Pool:
        people = tuple(person for person in (*self.pool.people, *self.come) if person.id not in self.gone)
        return replace(self.pool, people=people, forbidden=tuple(self.forbidden), current=tuple(self.pairs.items()))

    def fresh(self) -> tuple[int, int | None, int]:
        objective = Engine().solve(self._now(), POLICY).objective
        return objective.pairs, objective.worst, objective.total

    def reached(self) -> tuple[int, int | None, int]:
        scorer = Scorer(self._now(), POLICY)
        scores = [scorer.score(*pair) for pair in self.pairs.items()]
        return len(scores), min(scores, default=None), sum(scores) + POLICY.stickiness * len(scores)
