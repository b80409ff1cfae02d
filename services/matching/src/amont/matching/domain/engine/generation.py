"""Column generation: the optimum over all pairs, from a sparse graph that grows where the prices say that it lacks something.

Solve on a few candidates a row; look over all pairs for what the graph lacks; add it; solve again from the state at hand; stop when there is nothing.
Then profit + price >= weight on every pair of the table and not on the edges alone, so the sparse answer is the dense optimum, and the state is its proof
(Volgenant 1996, LAPMOD; Lee and Orlin 1993).

`ceiling` keeps, for each row, the most (score less price) that any pair outside the graph can promise; it holds while prices rise. At first it is also what
a row asks for: rather than outbid others beyond what a pair unseen might give, a row stays outside and is shown its next candidates. That keeps prices
as low as the whole table does, where a sparse graph alone would drive them up to be brought down again. Columns whose price fell are looked at for all rows.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.assignment import Graph, State, graph_of, nothing_yet, scratch, settle
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import Found, Scanner, points_of
from amont.matching.domain.engine.seating import seat, unseat
from amont.matching.domain.engine.tables import Table
from amont.matching.domain.policy import FULL_SCORE

Ints = NDArray[np.int32]

FIRST = 8
"""Candidates a row at the start."""
MORE = 16
"""Candidates a row and round after that."""
SOFT_ROUNDS = 8
"""Rounds in which a row may stay outside for a pair unseen."""
PATIENCE = 8
"""Bids a waiting row."""
LOWEST = 4096 - (1 << 29)
"""Below any score less price."""
_HIGHEST = 1 << 29
FAR = 1 << 40
"""Beyond any reduced cost, and any sum of them along a path."""
_NOTHING = Graph(*[np.empty(0, np.int32)] * 8)
_WIDE = 1 << 27
"""Beyond what a pair can lack, and no more than a price may be lowered by in a scan."""

Told = Callable[[int, int, int], None]
"""What is told of each round: its number, the rows that still wait, by how much the total may still fall short of the best."""


class Edges(NamedTuple):
    """The pairs of a graph, k of them, each array (k,) int32: rows, columns, scores and values. Where nothing sticks values are the scores, one array."""

    row: Ints
    column: Ints
    score: Ints
    value: Ints


class Market:
    """One pool's pairs at their prices: a sparse graph, the state of its assignment, and what has been looked at.

    Attributes:
        reward: what each pair weighs beside its value.
        floor: the least score of a pair.
        state: see `assignment`; after `clear` a proof over all pairs of at least that score.
        edges: the pairs in the graph.
        open_rows: mentees who have a place to fill.
    """

    def __init__(self, table: Table, scanner: Scanner, *, reward: int, floor: int, current: Ints, stickiness: int) -> None:
        """Begin with nobody paired; `current` (2, k) are rows and columns of the pairs whose value is `stickiness` above their score."""
        self._scanner, self._table = scanner, table
        self._rows, self._columns = len(table.mentees.grade), len(table.mentors.grade)
        self.reward, self.floor = reward, floor
        self.state: State = nothing_yet(self._rows, table.mentors.capacity)
        self.open_rows = np.flatnonzero(table.mentees.capacity).astype(np.int32)
        self._closed = table.mentors.capacity == 0
        row, column = current
        points, allowed = points_of(table, row, column)
        score = points.sum(axis=1, dtype=np.int32)
        kept = allowed & (score >= floor) & (table.mentees.capacity[row] > 0) & ~self._closed[column]
        kept_score = score[kept]
        value = kept_score + np.int32(stickiness) if stickiness and kept_score.size else kept_score
        self._draw(row[kept], column[kept], kept_score, value)
        self._ceiling = np.full(self._rows, _HIGHEST, np.int64)
        self._look(self.open_rows, np.full(len(self.open_rows), LOWEST, np.int32), FIRST)
        self._waiting = self.open_rows
        self._soft = True

    def clear(self, told: Told | None = None) -> None:
        """Bring the market to rest: nothing is pending, and no pair of the table promises anybody more than they have."""
        state, rounds = self.state, 0
        while len(self._waiting):
            rounds += 1
            before = state.price.copy()
            self._settle()
            fell = np.flatnonzero(state.price < before).astype(np.int32)
            outside = np.flatnonzero((state.mate < 0) & (state.profit > 0)).astype(np.int32)
            if len(fell):
                self._ceiling[outside] = _HIGHEST
            self._look(outside, np.full(len(outside), LOWEST, np.int32), MORE)
            least = np.maximum(state.profit - self.reward, LOWEST).astype(np.int32)
            lacking = self._open(self._ceiling > least) if not self._soft else outside[:0]
            others = self._open(self._ceiling <= least)
            if len(fell):  # a ceiling holds while prices rise; whoever is looked at whole gets another one
                self._ceiling[lacking] = _HIGHEST
            better = [outside, self._look(lacking, least[lacking], MORE)]
            if len(fell):
                better.append(self._look(others, least[others], MORE, columns=fell))
            self._waiting = np.unique(np.concatenate(better))
            if told is not None:
                told(rounds, len(self._waiting), self._gap())
            self._leave(self._waiting)
            self._soft = self._soft and rounds < SOFT_ROUNDS

    def _gap(self) -> int:
        """What the total lacks at most: profits and prices that no pair of the table exceeds, less what the pairs made weigh.

        A pair of the graph promises a row at most its profit, and any other one at most the row's ceiling.
        """
        row, column, _, value = self.edges
        made = self.state.mate[row] == column
        beyond = np.minimum(self._ceiling, FULL_SCORE) + self.reward
        bound = np.maximum(self.state.profit, beyond)[self.open_rows].clip(min=0).sum() + (self.state.price * self.state.places).sum()
        return int(bound - value[made].sum() - self.reward * np.count_nonzero(made))

    def rest_at(self, profit: NDArray[np.int64], price: NDArray[np.int64], made: Ints) -> None:
        """Take over a matching (2, k), and the profits and prices that prove it, instead of finding them."""
        row, column = made
        found = Found(np.zeros((len(row), 1), np.int32), column.reshape(-1, 1).copy())
        forget_known(self._graph.start, self._graph.stop, self._graph.column, np.ascontiguousarray(row), found.where)
        new = found.where[:, 0] >= 0
        points, _ = points_of(self._table, row[new], column[new])
        self.add(row[new], column[new], points.sum(axis=1, dtype=np.int32))
        self.state.profit[:], self.state.price[:] = profit, price
        for one, other in made.T.tolist():
            seat(self.state.mate, self.state.taken, self.state.holder, one, other)
        self._waiting, self._soft = row[:0], False

    def raise_reward(self, reward: int) -> None:
        """Let a pair weigh more; whoever is alone waits again."""
        self.state.profit[self.state.mate >= 0] += reward - self.reward
        self.reward = reward
        self._waiting = self._open(self.state.mate < 0)

    def raise_floor(self, floor: int) -> None:
        """Allow no pair with a lower score any more; whoever loses theirs waits again."""
        self.floor = floor
        row, column, score, value = self.edges
        low = score < floor
        self._waiting = np.unique(row[low & (self.state.mate[row] == column)])
        self._leave(self._waiting)
        high = ~low
        left = score[high]
        self._draw(row[high], column[high], left, left if value is score else value[high])

    def add(self, row: Ints, column: Ints, score: Ints) -> None:
        """More pairs for the graph; they must be allowed, not be there yet, and promise nobody more than they have."""
        if len(row):
            whole = np.concatenate([self.edges.score, score])
            sticky = self.edges.value is not self.edges.score
            value = np.concatenate([self.edges.value, score]) if sticky else whole
            self._draw(np.concatenate([self.edges.row, row]), np.concatenate([self.edges.column, column]), whole, value)

    def learn_within(self, radius: NDArray[np.int64], breadth: NDArray[np.int64], rows: Ints, columns: Ints) -> None:
        """At rest: add to the graph all pairs (x, y) whose reduced cost, profit + price - reward - value, is under radius[x] + breadth[y].

        Only pairs of these rows or columns, ascending, are looked at. `FAR` means all pairs of a row or a column.
        """
        price = np.where(self._closed, _HIGHEST, self.state.price - np.minimum(breadth, _WIDE)).astype(np.int32)
        least = np.maximum(self.state.profit - self.reward - radius, LOWEST).astype(np.int32)
        if len(columns) * 2 > self._columns:
            self._learn_above(self.open_rows, least, price, None)
        else:
            self._learn_above(rows, least, price, None)
            self._learn_above(np.setdiff1d(self.open_rows, rows), least, price, columns)

    def _learn_above(self, rows: Ints, least: Ints, price: Ints, columns: Ints | None) -> None:
        keep = MORE
        while len(rows) and (columns is None or len(columns)):
            found = self._scanner.scan(rows, least[rows], price, keep=keep, floor=self.floor, columns=columns, spread=True)
            full = found.where[:, -1] >= 0
            self._learn(rows[~full], Found(found.best[~full], found.where[~full]), price)
            keep, rows = keep * 4, rows[full]

    @property
    def sparse(self) -> Graph:
        """The graph, by row with scores in the place of values."""
        row, column, score, value = self.edges
        return self._graph if value is score else graph_of(self._rows, self._columns, row, column, score)

    def _draw(self, row: Ints, column: Ints, score: Ints, value: Ints) -> None:
        """Have these edges, and let the old graph go before there is another one."""
        self.edges, self._graph = Edges(row, column, score, value), _NOTHING
        self._graph = graph_of(self._rows, self._columns, row, column, value)

    def _open(self, rows: NDArray[np.bool_]) -> Ints:
        return self.open_rows[rows[self.open_rows]]

    def _leave(self, rows: Ints) -> None:
        for row in rows[self.state.mate[rows] >= 0]:
            unseat(self.state.mate, self.state.taken, self.state.holder, row)

    def _settle(self) -> None:
        asked = np.maximum(0, self.reward + self._ceiling) if self._soft else np.zeros(self._rows, np.int64)
        self.state.outside[self.open_rows] = asked[self.open_rows]
        patience = PATIENCE * len(self._waiting) + 64
        settle(self._graph, self.state, self.reward, scratch(self._columns, self.edges.row.size), self._waiting, patience, 0)

    def _look(self, rows: Ints, least: Ints, keep: int, columns: Ints | None = None) -> Ints:
        """Add to the graph what the table has for these rows above `least`, at most `keep` a row; the rows for which there was something new."""
        if not len(rows):
            return rows
        price = np.where(self._closed, _HIGHEST, np.minimum(self.state.price, _HIGHEST)).astype(np.int32)
        found = self._scanner.scan(rows, least, price, keep=keep, floor=self.floor, columns=columns, spread=True)
        full = found.where[:, -1] >= 0
        seen = np.where(full, found.best[:, -1], least).astype(np.int64)
        self._ceiling[rows] = np.minimum(self._ceiling[rows], seen) if columns is None else np.maximum(self._ceiling[rows], seen)
        return self._learn(rows, found, price)

    def _learn(self, rows: Ints, found: Found, price: Ints) -> Ints:
        """Add what was found at that price and is not known; the rows for which there was something."""
        forget_known(self._graph.start, self._graph.stop, self._graph.column, np.ascontiguousarray(rows), found.where)
        there = found.where >= 0
        row, column = np.repeat(rows, there.sum(axis=1)), found.where[there]
        score = found.best[there] + price[column]
        self.add(row, column, score)
        return rows[there.any(axis=1)]


@compiled
def forget_known(start, stop, column, rows, where):
    """Strike out of `where` (n, k) what the graph has for `rows` (n,) already."""
    for k in range(len(rows)):
        for place in range(where.shape[1]):
            for edge in range(start[rows[k]], stop[rows[k]]):
                if column[edge] == where[k, place]:
                    where[k, place] = -1
                    break
