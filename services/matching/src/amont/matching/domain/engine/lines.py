"""Who may not meet whom for a reason that is about two ids: the same person, the line of management, a pair that is forbidden.

Such pairs are few in a row, so they are kept as slices of the mentors, `[low, high)`, sorted and apart. Mentors stand in the order of an Euler tour
through the solid lines (Tarjan and Vishkin 1985), so everybody below a manager by solid lines is one slice; people above, and whoever is below by
a dotted line only, are found by walking up from each person once.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import compiled

Ints = NDArray[np.int32]


class Slices(NamedTuple):
    """For row i the slices `low[k] .. high[k]`, k from `start[i]` to `start[i + 1]`; sorted, none touching another. All int32."""

    start: Ints
    low: Ints
    high: Ints


class Forest(NamedTuple):
    """The management graph: node v has direct managers `above[start[v]:start[v + 1]]`, the solid one first; `enter` and `leave` of the tour.

    `tree` is whether the tour shows every line: no dotted ones, no cycle.
    """

    start: Ints
    above: Ints
    enter: Ints
    leave: Ints
    tree: bool


def forest(nodes: Mapping[str, int], managers: Mapping[str, Sequence[str]]) -> Forest:
    """The graph over numbered ids, and the Euler tour of its solid lines, roots and siblings by number.

    A pool has no cycle, but should there be one, everybody on it or below it counts as a root.
    """
    lengths = np.fromiter(map(len, managers.values()), np.int32, len(managers))
    report = np.repeat(np.fromiter(map(nodes.__getitem__, managers), np.int32, len(managers)), lengths)
    manager = np.fromiter(map(nodes.__getitem__, chain.from_iterable(managers.values())), np.int32, len(report))
    counts = np.bincount(report + 1, minlength=len(nodes) + 1)
    start = np.cumsum(counts, dtype=np.int32)
    above = manager[np.argsort(report, kind="stable")]
    parent = np.full(len(nodes), -1, np.int32)
    managed = np.flatnonzero(counts[1:])
    parent[managed] = above[start[managed]]
    enter, leave = _toured(parent)
    cycles = enter < 0
    if cycles.any():
        parent[cycles] = -1
        enter, leave = _toured(parent)
    return Forest(start, above, enter, leave, not cycles.any() and not (np.diff(start) > 1).any())


def _toured(parent: Ints) -> tuple[Ints, Ints]:
    order = np.argsort(parent, kind="stable").astype(np.int32)
    below = np.zeros(len(parent) + 2, np.int32)
    np.add.at(below, parent + 2, 1)
    enter, leave = _tour(np.cumsum(below, dtype=np.int32), order)
    return enter, leave


@compiled
def _tour(first, order):
    """Preorder places; `order[first[v + 1]:first[v + 2]]` are the reports of v, those of -1 the roots."""
    n = len(first) - 2
    enter = np.full(n, -1, np.int32)
    leave = np.full(n, -1, np.int32)
    stack = np.empty(n + 1, np.int32)
    at = np.empty(n + 1, np.int32)
    clock = 0
    depth = 0
    stack[0] = -1
    at[0] = first[0]
    while depth >= 0:
        node = stack[depth]
        if at[depth] < first[node + 2]:
            report = order[at[depth]]
            at[depth] += 1
            enter[report] = clock
            clock += 1
            depth += 1
            stack[depth] = report
            at[depth] = first[report + 1]
        else:
            if node >= 0:
                leave[node] = clock
            depth -= 1
    return enter, leave


def outside_the_line(graph: Forest, mentee_nodes: Ints, mentor_nodes: Ints) -> Slices:
    """For each mentee the mentors above and below, by solid and dotted lines; mentors are in the order of `graph.enter`."""
    entered = graph.enter[mentor_nodes]
    low = np.searchsorted(entered, graph.enter[mentee_nodes], side="right")
    high = np.searchsorted(entered, graph.leave[mentee_nodes], side="left")
    below = np.flatnonzero(low < high)
    row_of = np.full(len(graph.enter), -1, np.int32)
    row_of[mentee_nodes] = np.arange(len(mentee_nodes), dtype=np.int32)
    column_of = np.full(len(graph.enter), -1, np.int32)
    column_of[mentor_nodes] = np.arange(len(mentor_nodes), dtype=np.int32)
    up = _walked(graph, mentee_nodes, column_of, row_of, mentor_nodes[:0] if graph.tree else mentor_nodes)
    rows = np.concatenate([below.astype(np.int32), up[0]])
    lows = np.concatenate([low[below].astype(np.int32), up[1]])
    highs = np.concatenate([high[below].astype(np.int32), up[2]])
    return merged(len(mentee_nodes), rows, lows, highs)


@compiled
def _walked(graph, mentees, column_of, row_of, mentors):
    """Slices found by walking up: mentors above each mentee, and mentees above each mentor by a way that is not solid throughout."""
    size = 1024
    found = np.empty((3, size), np.int32)
    count = 0
    seen = np.full(len(graph.enter), -1, np.int32)
    waiting = np.empty(len(graph.enter) + 1, np.int32)
    for side in range(2):
        people = mentees if side == 0 else mentors
        for place in range(len(people)):
            me = people[place]
            stamp = place + side * len(mentees)
            seen[me] = stamp
            waiting[0] = me
            left = 1
            while left > 0:
                left -= 1
                node = waiting[left]
                for k in range(graph.start[node], graph.start[node + 1]):
                    boss = graph.above[k]
                    if seen[boss] == stamp:
                        continue
                    seen[boss] = stamp
                    waiting[left] = boss
                    left += 1
                    row, column = -1, -1
                    if side == 0:
                        row, column = place, column_of[boss]
                    elif not (graph.enter[boss] < graph.enter[me] < graph.leave[boss]):
                        row, column = row_of[boss], place
                    if row < 0 or column < 0:
                        continue
                    if count > 0 and found[0, count - 1] == row and found[1, count - 1] == column + 1:
                        found[1, count - 1] = column
                        continue
                    if count == size:
                        size *= 2
                        grown = np.empty((3, size), np.int32)
                        for old in range(count):
                            for part in range(3):
                                grown[part, old] = found[part, old]
                        found = grown
                    found[0, count] = row
                    found[1, count] = column
                    found[2, count] = column + 1
                    count += 1
    return found[:, :count]


def cells(rows: int, pairs: Iterable[tuple[int, int]]) -> Slices:
    """Single pairs, as slices of one mentor each."""
    listed = np.array(sorted(set(pairs)), np.int32).reshape(-1, 2)
    return merged(rows, listed[:, 0], listed[:, 1], listed[:, 1] + 1)


def union(rows: int, *many: Slices) -> Slices:
    """All of them together."""
    row = np.concatenate([np.repeat(np.arange(rows, dtype=np.int32), np.diff(one.start)) for one in many])
    return merged(rows, row, np.concatenate([one.low for one in many]), np.concatenate([one.high for one in many]))


def merged(rows: int, row: Ints, low: Ints, high: Ints) -> Slices:
    """Slices in any order, of any overlap, brought into the form that `Slices` promises."""
    order = np.lexsort((low, row))
    return Slices(*_joined(rows, row[order], low[order], high[order]))


@compiled
def _joined(rows, row, low, high):
    start = np.zeros(rows + 1, np.int32)
    out_low = np.empty(len(row), np.int32)
    out_high = np.empty(len(row), np.int32)
    count = 0
    last = -1
    for k in range(len(row)):
        if row[k] == last and low[k] <= out_high[count - 1]:
            out_high[count - 1] = max(out_high[count - 1], high[k])
        else:
            out_low[count] = low[k]
            out_high[count] = high[k]
            count += 1
            last = row[k]
        start[row[k] + 1] = count
    for i in range(1, rows + 1):
        start[i] = max(start[i], start[i - 1])
    return start, out_low[:count].copy(), out_high[:count].copy()
