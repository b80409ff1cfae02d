"""A market at rest that is disturbed and brought to rest again: the dynamic form of `generation.Market`.

A change leaves the prices valid but for one person (Mills-Tettey, Stentz and Dias 2007, the dynamic Hungarian algorithm): somebody without a pair, or an
empty place at a price. A shortest augmenting path from there, at the prices at hand, makes the answer over the known pairs the best one again. What
is unknown keeps its distance: of `profit_then` and `price_then`, the profits and prices of the last look at a row or column, it is promised that

    profit_then + price_then - reward - score >= RADIUS     for every pair that is not known, of whatever score,

so that as long as profits and prices have fallen by at most RADIUS / 2 since, no pair unknown can be better than what people have, and nobody needs to be
looked at. Who fell further is looked at: one scan of a row, or of a column. Then the state is again the proof over all pairs.
"""

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.assignment import State, scratch, settle
from amont.matching.domain.engine.generation import LOWEST, Market
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import common_half_hours, may_meet, points_of
from amont.matching.domain.engine.narrow import NarrowScanner
from amont.matching.domain.engine.repair.sparse import VOID, Sparse
from amont.matching.domain.engine.seating import unseat
from amont.matching.domain.engine.tables import NEVER, Table

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

RADIUS = 64
"""How far pairs that are not known keep away; what that costs is a sixth more pairs to know, at 10,000 a side."""
KEEP = 16
"""Pairs a row that are asked for at once."""
ENOUGH = RADIUS // 4
"""How much nearer they may come where many are near."""
MOST_PLACES = 2
"""Of a mentor, whatever the pool has at first."""
ABSENT = 1 << 40
"""Profit or price of somebody who takes no part: no pair is worth that."""
_HIGHEST = 1 << 29


class LivingMarket:
    """See the module.

    Attributes:
        reward, floor, state: as in `Market`; somebody who takes no part has the profit or price `ABSENT`.
        sparse: the known pairs.
        scanner: looks at all pairs.
        open_rows: mentees who take part, ascending.
    """

    def __init__(self, market: Market, table: Table, threads: int) -> None:
        """Go on from a market at rest over that table; it is used up."""
        self._threads = threads
        self.use(table)
        self.reward, self.floor = market.reward, market.floor
        state = market.state
        spare = np.full((len(state.places), max(0, MOST_PLACES - state.holder.shape[1])), -1, np.int32)
        self.state: State = state._replace(places=table.mentors.capacity.copy(), holder=np.concatenate([state.holder, spare], axis=1))
        self._open = table.mentees.capacity > 0
        self._closed = table.mentors.capacity == 0
        self.open_rows = market.open_rows
        state.profit[~self._open] = state.outside[~self._open] = ABSENT
        state.price[self._closed] = ABSENT
        state.outside[self._open] = 0
        row, column, score, value = market.edges
        self.sparse = Sparse(len(self._open), len(self._closed), np.stack([row, column, score, value - score]), self.floor)
        self._profit_then, self._price_then = state.profit.copy(), state.price.copy()
        self._scratch = scratch(len(self._closed), self.sparse.size)
        self._clock = 0
        self._waiting: set[int] = set()
        self._look_at_rows(self.open_rows)

    @property
    def pairs(self) -> int:
        return int((self.state.mate >= 0).sum())

    @property
    def nbytes(self) -> int:
        """What is held beside the table."""
        return self.sparse.nbytes + sum(one.nbytes for one in (*self.state, *self._scratch, self._profit_then, self._price_then))

    def is_open(self, row: int) -> bool:
        return bool(self._open[row])

    def use(self, table: Table) -> None:
        """Look at this table from now on: more pairs are forbidden, or more people are in it."""
        self.table, self.scanner = table, NarrowScanner(table, self._threads)

    def forbid(self, row: int, column: int) -> None:
        """The table has forbidden this pair."""
        self.sparse.forbid(row, column)
        if self.state.mate[row] == column:
            self._part(row)
            self._waiting.add(row)

    def close_row(self, row: int) -> None:
        """A mentee takes part no more."""
        self._part(row)
        self._waiting.discard(row)
        self._open[row] = False
        self.state.profit[row] = self.state.outside[row] = ABSENT
        self.open_rows = np.flatnonzero(self._open).astype(np.int32)

    def open_row(self, row: int) -> None:
        """A mentee takes part, for the first time or again."""
        state, rows = self.state, np.array([row], np.int32)
        self._open[row] = True
        self.open_rows = np.flatnonzero(self._open).astype(np.int32)
        best = self.scanner.scan(rows, np.array([LOWEST], np.int32), self._prices(state.price), keep=1, floor=self.floor).best[0, 0]
        state.outside[row] = 0
        state.profit[row] = max(0, self.reward + int(best)) if best > NEVER else 0
        self._look_at_rows(rows)
        self._waiting.add(row)

    def resize(self, column: int, places: int) -> None:
        """A mentor has that many places, 0 to take part no more."""
        state = self.state
        state.places[column] = places
        while state.taken[column] > places:
            row = int(state.holder[column, state.taken[column] - 1])
            self._part(row)
            self._waiting.add(row)
        if not places:
            state.price[column] = ABSENT
        elif self._closed[column]:
            self._closed[column] = False
            profit, then = state.profit[self.open_rows], self._profit_then[self.open_rows]
            score = scores_of_column(self.table, self.open_rows, column, np.minimum(profit, then - RADIUS) - self.reward)
            asked = np.where(score >= self.floor, score + self.reward - profit, 0)
            rows, value = self.sparse.of_column(column)
            known = np.where(value > VOID, value + self.reward - state.profit[rows], 0)
            state.price[column] = max(asked.max(initial=0), known.max(initial=0))
            self._learn_column(column, then - self.reward - RADIUS, score)
        self._closed[column] = places == 0

    def stick(self, row: int, column: int, bonus: int) -> None:
        """Let an allowed pair be worth that much beside its score."""
        if not self.sparse.knows(row, column):
            points, allowed = points_of(self.table, np.array([row], np.int32), np.array([column], np.int32))
            if not allowed[0]:
                return
            self.sparse.add(*(np.array([one], np.int32) for one in (row, column, points.sum())))
        before = self.sparse.value_of(row, column)
        self.sparse.stick(row, column, bonus)
        value = self.sparse.value_of(row, column)
        if value == before or not self._open[row]:
            return
        state = self.state
        if state.mate[row] == column and value > before:
            state.profit[row] += value - before
        elif state.mate[row] == column or self._lacks(row, column, value):
            self._wait(row)

    def raise_reward(self, reward: int) -> None:
        """As `Market.raise_reward`; bring it to rest afterwards."""
        more = reward - self.reward
        self.reward = reward
        self.state.profit[self.state.mate >= 0] += more
        self._profit_then[self.open_rows] += more
        self._waiting.update(self.open_rows[self.state.mate[self.open_rows] < 0].tolist())

    def move_floor(self, floor: int) -> None:
        """Allow pairs from that score on and no others; bring it to rest afterwards."""
        lower, self.floor = floor < self.floor, floor
        self.sparse.raise_or_lower(floor)
        for row in (_lacking(self.sparse.rows, self.state, self.reward) if lower else _fallen(self.sparse.rows, self.state)).tolist():
            if self._open[row]:
                self._wait(row)

    def rest(self) -> None:
        """Bring the market to rest: the state is the best answer over all pairs and its proof."""
        while True:
            waiting = np.array(sorted(self._waiting), np.int32)
            self._waiting.clear()
            if len(self._scratch.keys) < self.sparse.size + len(self._closed) + 2:
                self._scratch, self._clock = scratch(len(self._closed), self.sparse.size * 5 // 4), 0
            self._clock = settle(self.sparse.graph, self.state, self.reward, self._scratch, waiting, 0, self._clock)
            self._look_where_much_fell()
            if not self._waiting:
                return

    def _look_where_much_fell(self) -> None:
        for column in _fell_far(
            self.scanner.order, self._price_then, self.state.price
        ).tolist():  # a closed one is ABSENT, and did not fall
            near = self._profit_then[self.open_rows] - self.reward - RADIUS
            self._learn_column(column, near, scores_of_column(self.table, self.open_rows, column, near + self.state.price[column]))
        self._look_at_rows(_fell_far(self.open_rows, self._profit_then, self.state.profit))

    def _look_at_rows(self, rows: Ints) -> None:
        """Renew what is promised of these rows: learn all pairs within the radius, or the best `KEEP` where that is far enough."""
        price, keep = self._prices(self._price_then), KEEP
        while len(rows):
            then = self.state.profit[rows]
            least = np.clip(then - self.reward - RADIUS, LOWEST, _HIGHEST).astype(np.int32)
            found = self.scanner.scan(rows, least, price, keep=keep, spread=True)
            then = np.maximum(then, found.best[:, -1].astype(np.int64) + self.reward + RADIUS)
            done = then - self.state.profit[rows] <= ENOUGH
            self._profit_then[rows[done]] = then[done]
            best, where, whole = found.best[done], found.where[done], rows[done]
            self.sparse.unknown(whole, where)
            there = where >= 0
            column = where[there]
            self._learn(np.repeat(whole, there.sum(axis=1)), column, best[there] + price[column])
            keep, rows = keep * 4, rows[~done]

    def _learn_column(self, column: int, far: Longs, score: Ints) -> None:
        """Renew what is promised of a column; its scores less its price are those of the open rows, and what is not above `far` need not be known."""
        price = self._price_then[column] = self.state.price[column]
        near = np.flatnonzero(score > np.maximum(far + price, NEVER))
        rows, score = self.open_rows[near], score[near]
        where = np.full((len(rows), 1), column, np.int32)
        self.sparse.unknown(rows, where)
        new = where[:, 0] >= 0
        self._learn(rows[new], where[new, 0], score[new])

    def _learn(self, row: Ints, column: Ints, score: Ints) -> None:
        self.sparse.add(row, column, score)
        lacks = (score >= self.floor) & (self.state.profit[row] + self.state.price[column] < self.reward + score)
        for one in sorted(set(row[lacks].tolist())):
            self._wait(one)

    def _lacks(self, row: int, column: int, value: int) -> bool:
        return value > VOID and bool(self.state.profit[row] + self.state.price[column] < self.reward + value)

    def _wait(self, row: int) -> None:
        self._part(row)
        self._waiting.add(row)

    def _part(self, row: int) -> None:
        if self.state.mate[row] >= 0:
            unseat(self.state.mate, self.state.taken, self.state.holder, row)

    def _prices(self, price: Longs) -> Ints:
        return np.where(self._closed, _HIGHEST, np.minimum(price, _HIGHEST)).astype(np.int32)


@compiled
def scores_of_column(table, rows, column, least):
    """The scores of these rows with one column, `NEVER` where a rule is broken or the score is `least` (n,) or lower.

    What is cheap is asked of all rows without a branch, the rest of those that are left.
    """
    mentees, mentors, wishes, weighing = table.mentees, table.mentors, table.wishes, table.weighing
    scores = np.full(len(rows), NEVER, np.int32)
    grade, unit, offset, tongues = mentors.grade[column], mentors.unit[column], mentors.offset[column], mentors.tongues[column]
    function, site, remote = mentors.function[column], mentors.site[column], mentors.remote[column]
    left, count = np.empty(len(rows), np.int32), 0
    for k in range(len(rows)):
        i = rows[k]
        apart = mentees.offset[i] - offset
        fits = (
            (mentees.unit[i] != unit)
            & (mentees.tongues[i] & tongues != 0)
            & (apart <= weighing.zone_seconds)
            & (apart >= -weighing.zone_seconds)
        )
        left[count] = k
        count += fits & (weighing.gap[mentees.grade[i] - grade + 19] >= 0)
    for k in left[:count]:
        i = rows[k]
        score = weighing.gap[mentees.grade[i] - grade + 19]
        if mentees.function[i] != function:
            score += weighing.function
        if (mentees.remote[i] & remote) != 0 or mentees.site[i] == site:
            score += weighing.meeting
        served = 0
        for t in range(wishes.start[i], wishes.start[i + 1]):
            served += wishes.wish[t] * wishes.level[wishes.topic[t], column]
        score += served * wishes.factor[i] >> 16
        if score + weighing.hours <= least[k]:
            continue
        hours = common_half_hours(mentees.hours[i], mentors.hours[column])
        score += min(hours, 16) * weighing.hours >> 4
        if score > least[k] and hours >= weighing.half_hours and may_meet(table, i, column, column):
            scores[k] = score
    return scores


@compiled
def _fell_far(places, then, now):
    """Those of these rows or columns of whom it is promised no more that nothing unknown is better."""
    far = np.empty(len(places), np.int32)
    count = 0
    for place in places:
        if then[place] - now[place] > RADIUS // 2:
            far[count] = place
            count += 1
    return far[:count].copy()


@compiled
def _fallen(rows, state):
    """Rows whose pair is worth nothing any more."""
    mate = state.mate
    low = np.empty(len(mate), np.int32)
    count = 0
    for i in range(len(mate)):
        for k in range(rows.start[i], rows.stop[i]):
            if rows.other[k] == mate[i] and rows.value[k] == VOID:
                low[count] = i
                count += 1
    return low[:count]


@compiled
def _lacking(rows, state, reward):
    """Rows for which a known pair is worth more than what its two people have."""
    profit, price = state.profit, state.price
    low = np.empty(len(profit), np.int32)
    count = 0
    for i in range(len(profit)):
        for k in range(rows.start[i], rows.stop[i]):
            if rows.value[k] > VOID and profit[i] + price[rows.other[k]] < reward + rows.value[k]:
                low[count] = i
                count += 1
                break
    return low[:count]
