"""The policy's objective, kept at its optimum while the pool changes: the three stages of `optimum`, each repaired and not begun again.

The market keeps the largest total at a floor, one `Most` the largest number of pairs K, another one that K pairs above the floor are too many. A change
moves K by at most one, and the floor as a rule not at all. When it moves, it is sought upwards from the lowest score known to be possible, in steps that
double and then halve, each a repair of a matching of known pairs; one look over the pairs above it ends the matter, and the market lets go of the pairs
under the new floor, or takes those in between. What it costs: some ten augmenting searches in the known pairs, and a search for each pair let go.
"""

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.cover import Seats
from amont.matching.domain.engine.optimum import optimise
from amont.matching.domain.engine.plain import scanner
from amont.matching.domain.engine.repair.market import LivingMarket
from amont.matching.domain.engine.repair.most import Most
from amont.matching.domain.engine.tables import Table
from amont.matching.domain.policy import FULL_SCORE, Policy
from amont.matching.domain.progress import Lasting, Progress, unseen

Ints = NDArray[np.int32]
Cover = tuple[Ints, Ints]

_REWARD_GROWTH = 4
_CERTAIN = 2 * FULL_SCORE + 1


class LivingOptimum:
    """See the module. Tell it what changes, any number of things, then `repair`.

    Attributes:
        market: after `repair` at rest; its state is the third proof, and has the pairs.
    """

    def __init__(self, table: Table, policy: Policy, threads: int, current: Ints, progress: Progress = unseen) -> None:
        """Solve the table once, telling `progress` of it; `current` (2, k) are rows and columns to which stickiness applies."""
        told = Lasting(progress)
        best = optimise(
            table,
            scanner(table, threads, told.again),
            policy,
            current,
            lambda stage, round_, detail: told(stage, round_, detail=detail),
        )
        self._policy = policy
        self._counting = policy.order != "total"
        self._floors = policy.order == "pairs, worst, total"
        self.market = LivingMarket(best.market, table, threads)
        for row, column in current.T.tolist():  # the market forgot those under its floor
            self.stick(row, column, sticks=True)
        self._most = Most(self._seats(), 0)
        self._above = Most(self._seats(), 0)
        self._above.move(self.market.floor + 1, self.market.sparse)
        self.repair()

    @property
    def pairs_cover(self) -> Cover | None:
        """After `repair`, as in `optimum.Optimum`; made when it is asked for."""
        return self._most.cover(self.market.open_rows) if self._counting else None

    @property
    def floor_cover(self) -> Cover | None:
        """The same."""
        return self._above.cover(self.market.open_rows) if self._floors and self._most.pairs else None

    @property
    def nbytes(self) -> int:
        """What is held, the table apart."""
        kept = (self._most, self._above)
        return self.market.nbytes + sum(one.mate.nbytes + one.taken.nbytes + one.holder.nbytes for one in kept)

    def forbid(self, row: int, column: int, table: Table) -> None:
        """These two may not be a pair any more: that is what the table says."""
        self.market.use(table)
        self.market.forbid(row, column)
        for most in (self._most, self._above):
            if most.mate[row] == column:
                most.part(row)

    def close_row(self, row: int) -> None:
        """A mentee takes part no more: gone, or in a pair that is none of the market's business any longer."""
        self.market.close_row(row)
        for most in (self._most, self._above):
            most.leave(row)

    def open_row(self, row: int) -> None:
        """A mentee takes part, for the first time or again."""
        self.market.open_row(row)

    def resize(self, column: int, places: int) -> None:
        """A mentor has that many places."""
        self.market.resize(column, places)
        for most in (self._most, self._above):
            most.resize(column)

    def stick(self, row: int, column: int, *, sticks: bool) -> None:
        """Whether stickiness applies to a pair."""
        self.market.stick(row, column, self._policy.stickiness if sticks else 0)

    def use(self, table: Table) -> None:
        """Look at this table from now on."""
        self.market.use(table)

    def repair(self) -> None:
        """Make it the optimum of the pool as it is now, and the proof of that."""
        market = self.market
        market.rest()
        if not self._counting:
            return
        self._mend(self._most)
        pairs = self._most.pairs
        if self._floors:
            if pairs:
                self._find_floor(pairs)
            elif market.floor:
                self._move_floor(0)
        while market.pairs < pairs:
            market.raise_reward(max(market.reward + 1, min(market.reward * _REWARD_GROWTH, pairs * _CERTAIN)))
            market.rest()

    def _find_floor(self, pairs: int) -> None:
        market, above = self.market, self._above
        if market.pairs == pairs or self._enough(self._seats(), market.floor, pairs):
            if above.floor != market.floor + 1:
                above.move(market.floor + 1, market.sparse)
            self._mend(above)
            if above.pairs < pairs:
                return
            base, low = above, above.floor
        else:
            base, low = self._most, 0
        while True:
            base, low = self._lifted(base, low, pairs)
            above.move(low + 1, market.sparse)
            self._mend(above)
            if above.pairs < pairs:
                break
            base, low = above, low + 1
        self._move_floor(low)

    def _lifted(self, base: Most, low: int, pairs: int) -> tuple[Most, int]:
        """The largest floor from `low` on at which the known pairs are enough, and a matching that shows it; `base` does so for `low`."""
        step, failed = 1, FULL_SCORE + 1
        while low + 1 < failed:
            at = min(low + step, failed - 1)
            seats = self._seats(base)
            if self._enough(seats, at, pairs):
                base, low, step = Most(seats, at), at, step * 2
            else:
                failed, step = at, max(1, (at - low) // 2)
        return base, low

    def _enough(self, seats: Seats, floor: int, pairs: int) -> bool:
        """Whether the known pairs of at least that score allow so many; `seats` become a largest matching of them."""
        most = Most(seats, floor)
        most.move(floor, self.market.sparse)
        most.augment(self.market.sparse, self.market.open_rows)
        return most.pairs == pairs

    def _mend(self, most: Most) -> None:
        most.mend(self.market.sparse, self.market.scanner, self.market.open_rows)

    def _move_floor(self, floor: int) -> None:
        if floor != self.market.floor:
            self.market.move_floor(floor)
            self.market.rest()

    def _seats(self, like: Most | None = None) -> Seats:
        """A matching of its own, as that one or as the market has it."""
        state = self.market.state if like is None else like
        return Seats(self.market.open_rows, state.mate.copy(), self.market.state.places, state.taken.copy(), state.holder.copy())
