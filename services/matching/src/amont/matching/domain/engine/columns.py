"""The compact form of a pool: integers in columns. Mentees are rows and mentors columns of one large table that nobody ever writes down.

Rules that are off, and values that are unknown, are folded into the numbers here, so that the kernel asks every pair the same few questions. The order
is fixed by contents alone: mentees by grade, then by draw, mentors by their place in the management forest (an Euler tour, siblings by draw), where a
draw is SHA-256(seed, NUL, id). So everybody below a manager is one slice of the mentors, and shuffling the pool's lists changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.clocks import free_half_hours
from amont.matching.domain.engine.lines import Slices, cells, forest, outside_the_line, union
from amont.matching.domain.engine.numbering import Codes, codes_of, compared, side_of, wishes_of
from amont.matching.domain.engine.tables import GRADES, NEVER, Table, Weighing
from amont.matching.domain.points import grade_gap_points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.roll import Roll

Ints = NDArray[np.int32]

_WIDE = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compact:
    """A pool and a policy in compact form, and the way back to ids.

    Attributes:
        mentee_ids, mentor_ids: in the order of rows and columns.
        row, column: the way back.
        same_person, line, forbidden: the pairs that rules 1, 3 and 9 remove; the table has their union.
        codes: what the table's numbers stand for.
    """

    table: Table
    mentee_ids: tuple[str, ...]
    mentor_ids: tuple[str, ...]
    row: Mapping[str, int]
    column: Mapping[str, int]
    same_person: Slices
    line: Slices
    forbidden: Slices
    codes: Codes


def compact(pool: Pool, policy: Policy) -> Compact:
    """Bring a pool into compact form, in time of its length.

    Raises:
        ValueError: an unreadable window, an unknown zone, a `week_of` that is no Monday, solid lines with a cycle.
    """
    people = Roll.of(pool.people)
    nodes = _nodes(pool.seed, people.ids, pool.managers)
    graph = forest(nodes, pool.managers)
    mentees, mentee_nodes = _placed(people.in_role("mentee"), nodes, lambda one, at: np.lexsort((at, one.column["grade"])))
    mentors, mentor_nodes = _placed(people.in_role("mentor"), nodes, lambda _, at: np.argsort(graph.enter[at]))
    row = {id_: place for place, id_ in enumerate(mentees.ids)}
    column = {id_: place for place, id_ in enumerate(mentors.ids)}
    same = cells(len(row), ((row[id_], column[id_]) for id_ in row.keys() & column.keys()))
    line = outside_the_line(graph, mentee_nodes, mentor_nodes) if Rule.OUTSIDE_THE_LINE not in policy.off else cells(len(row), ())
    couples = (couple for one, other in pool.forbidden for couple in ((one, other), (other, one)))
    apart = [(row[one], column[other]) for one, other in couples if one in row and other in column]
    forbidden = cells(len(row), apart if Rule.NOT_FORBIDDEN not in policy.off else ())
    free = free_half_hours(mentees, pool.week_of), free_half_hours(mentors, pool.week_of)
    said = compared(mentees, policy), compared(mentors, policy)
    codes = codes_of((mentees, mentors), free, said, pool.week_of, policy)
    sides = side_of(mentees, "mentee", free[0], said[0], codes), side_of(mentors, "mentor", free[1], said[1], codes)
    table = Table(
        *sides,
        wishes_of(mentees, mentors, sides[1].hours, codes, policy),
        _weighing(policy),
        union(len(row), same, line, forbidden),
    )
    return Compact(
        table=table,
        mentee_ids=tuple(row),
        mentor_ids=tuple(column),
        row=row,
        column=column,
        same_person=same,
        line=line,
        forbidden=forbidden,
        codes=codes,
    )


def _nodes(seed: str, ids: Iterable[str], managers: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Everybody who is in the pool or above somebody, numbered in the order of their draws."""
    everybody = dict.fromkeys(ids)
    everybody.update(dict.fromkeys(managers))
    everybody.update((manager, None) for direct in managers.values() for manager in direct)
    start = sha256(f"{seed}\0".encode("utf-8", "surrogatepass"))

    def draw(id_: str) -> bytes:
        one = start.copy()
        one.update(id_.encode("utf-8", "surrogatepass"))
        return one.digest()

    draws = np.frombuffer(b"".join(map(draw, everybody)), ">u8").reshape(-1, sha256().digest_size // 8)
    known = list(everybody)
    return {known[place]: at for at, place in enumerate(np.lexsort(draws.T[::-1]).tolist())}


def _placed(people: Roll, nodes: Mapping[str, int], order: Callable[[Roll, Ints], NDArray[np.intp]]) -> tuple[Roll, Ints]:
    """People in the order of their rows or columns, and their nodes."""
    at = np.fromiter((nodes[id_] for id_ in people.ids), np.int32)
    places = order(people, at).astype(np.int32)
    return people.taken(places), at[places]


def _weighing(policy: Policy) -> Weighing:
    weights = policy.weights
    junior = Rule.MENTOR_IS_JUNIOR not in policy.off
    gaps = range(1 - GRADES, GRADES)
    points = np.fromiter((grade_gap_points(weights.grade_gap, gap) for gap in gaps), np.int32)
    return Weighing(
        gap=np.where(np.array(gaps) < policy.min_grade_gap, np.int32(NEVER), points) if junior else points,
        gap_points=points,
        hours=weights.hours,
        function=weights.function,
        meeting=weights.meeting,
        zone_seconds=_WIDE if Rule.CLOSE_ZONES in policy.off else policy.max_zone_hours * 3600,
        half_hours=0 if Rule.COMMON_HOURS in policy.off else 2 * policy.min_common_hours,
    )
