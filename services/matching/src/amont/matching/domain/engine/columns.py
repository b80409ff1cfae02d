"""The compact form of a pool: integers in columns. Mentees are rows and mentors columns of one large table that nobody ever writes down.

Rules that are off, and values that are unknown, are folded into the numbers here, so that the kernel asks every pair the same few questions. The order
is fixed by contents alone: mentees by grade, then by draw, mentors by their place in the management forest (an Euler tour, siblings by draw), where a
draw is SHA-256(seed, NUL, id). So everybody below a manager is one slice of the mentors, and shuffling the pool's lists changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.lines import Slices, cells, forest, outside_the_line, union
from amont.matching.domain.hours import WEEK, half_hours, offset_seconds
from amont.matching.domain.points import TOP_LEVEL, grade_gap_points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, PoolPerson, Role

Ints = NDArray[np.int32]
Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

NEVER = -(1 << 30)
"""Points of a pair that breaks a rule: far below any threshold, and half of what 32 bits can hold."""

GRADES = 20
_WIDE = 1 << 24
_TONGUES = 31
_RESTS_OF_16_BITS = 1 << 16


class Side(NamedTuple):
    """One role's people, n of them.

    Attributes:
        grade, function, site, unit, team, offset: (n,) int32; codes are equal when the values are known and equal, negative where unknown.
        remote: (n,) int32, 1 when meeting remotely is possible. `site` is known only where meeting in person is.
        tongues: (n,) int32; bits of common languages, the top bit for "another language": no common bit means no common language.
        speech: (n, L) uint64; bits of every language.
        hours: (n, H) uint64; bits of the half-hours that both sides use at all.
        capacity: (n,) int32.
    """

    grade: Ints
    function: Ints
    site: Ints
    unit: Ints
    team: Ints
    offset: Ints
    remote: Ints
    tongues: Ints
    speech: Words
    hours: Words
    capacity: Ints

    def taken(self, places: Ints) -> "Side":
        """These people only."""
        return Side(**{name: values[places] for name, values in self._asdict().items()})


class Wishes(NamedTuple):
    """What a tile of mentors is read by: `level` (T, mentors) uint8 by topic, `hours` (H, mentors) as in `Side`, word by word.

    Mentee i wishes `topic[k]` with strength `wish[k]`, k from `start[i]` to `start[i + 1]`.

    `factor[i] * served >> 16` is the floor of W * served / (3 * sum of wishes): exact, for the rest is at least 1/72 below the next integer and
    the factor too large by less than 2^-16.
    """

    start: Ints
    topic: Ints
    wish: Ints
    factor: Ints
    level: Bytes
    hours: Words


class Weighing(NamedTuple):
    """The policy: points by grade gap + 19 (`gap`: `NEVER` where too small), the weights of three criteria, the limits of rules 7 and 8."""

    gap: Ints
    gap_points: Ints
    hours: int
    function: int
    meeting: int
    zone_seconds: int
    half_hours: int


class Table(NamedTuple):
    """Everything the kernel reads."""

    mentees: Side
    mentors: Side
    wishes: Wishes
    weighing: Weighing
    excluded: Slices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compact:
    """A pool and a policy in compact form, and the way back to ids.

    Attributes:
        mentee_ids, mentor_ids: in the order of rows and columns.
        row, column: the way back.
        same_person, line, forbidden: the pairs that rules 1, 3 and 9 remove; the table has their union.
    """

    table: Table
    mentee_ids: tuple[str, ...]
    mentor_ids: tuple[str, ...]
    row: Mapping[str, int]
    column: Mapping[str, int]
    same_person: Slices
    line: Slices
    forbidden: Slices


def compact(pool: Pool, policy: Policy) -> Compact:
    """Bring a pool into compact form, in time of its length.

    Raises:
        ValueError: an unreadable window, an unknown zone, a `week_of` that is no Monday, solid lines with a cycle.
    """
    nodes = _nodes(pool)
    graph = forest(nodes, pool.managers)
    mentees, mentors = pool.in_role("mentee"), pool.in_role("mentor")
    at = np.array([nodes[person.id] for person in mentees], np.int32)
    rows = np.lexsort((at, _ints(person.grade for person in mentees)))
    mentees, mentee_nodes = tuple(mentees[i] for i in rows), at[rows]
    at = np.array([nodes[person.id] for person in mentors], np.int32)
    columns = np.argsort(graph.enter[at])
    mentors, mentor_nodes = tuple(mentors[i] for i in columns), at[columns]
    row = {person.id: place for place, person in enumerate(mentees)}
    column = {person.id: place for place, person in enumerate(mentors)}
    same = cells(len(row), ((row[id_], column[id_]) for id_ in row.keys() & column.keys()))
    line = outside_the_line(graph, mentee_nodes, mentor_nodes) if Rule.OUTSIDE_THE_LINE not in policy.off else cells(len(row), ())
    couples = (couple for one, other in pool.forbidden for couple in ((one, other), (other, one)))
    apart = [(row[one], column[other]) for one, other in couples if one in row and other in column]
    forbidden = cells(len(row), apart if Rule.NOT_FORBIDDEN not in policy.off else ())
    sides = _sides(mentees, mentors, pool, policy)
    table = Table(
        *sides,
        _wishes(mentees, mentors, sides[1].hours, policy.weights.topics),
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
    )


def _nodes(pool: Pool) -> dict[str, int]:
    """Everybody who is in the pool or above somebody, numbered in the order of their draws."""
    ids = dict.fromkeys(person.id for person in pool.people)
    ids.update(dict.fromkeys(pool.managers))
    ids.update((manager, None) for direct in pool.managers.values() for manager in direct)
    start = sha256(f"{pool.seed}\0".encode("utf-8", "surrogatepass"))

    def draw(id_: str) -> tuple[bytes, str]:
        one = start.copy()
        one.update(id_.encode("utf-8", "surrogatepass"))
        return one.digest(), id_

    return {id_: place for place, id_ in enumerate(sorted(ids, key=draw))}


def _sides(mentees: Sequence[PoolPerson], mentors: Sequence[PoolPerson], pool: Pool, policy: Policy) -> tuple[Side, Side]:
    people = {"mentee": mentees, "mentor": mentors}
    off = policy.off
    known: dict[str, tuple[Ints, Ints]] = {
        "function": _codes(people, lambda one: one.function),
        "site": _codes(people, lambda one: one.site if one.meeting != "remote" else ""),
        "unit": _codes(people, _unit(policy)),
        "team": _codes(people, lambda one: (one.subsidiary, one.team) if one.team and one.subsidiary else "", Rule.DIFFERENT_TEAM in off),
    }
    tongues, speech = _languages(people, anything_goes=Rule.SHARED_LANGUAGE in off)
    hours = _hours(people, pool)
    offsets = {zone: offset_seconds(zone, pool.week_of) for zone in {person.zone for person in pool.people}}
    made = [
        Side(
            grade=_ints(person.grade for person in side),
            offset=_ints(offsets[person.zone] for person in side),
            remote=_ints(person.meeting != "in-person" for person in side),
            tongues=tongues[place],
            speech=speech[place],
            hours=hours[place],
            capacity=_ints(person.capacity for person in side),
            **{name: codes[place] for name, codes in known.items()},
        )
        for place, side in enumerate(people.values())
    ]
    return made[0], made[1]


People = Mapping[Role, Sequence[PoolPerson]]


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int32)


def _unit(policy: Policy) -> Callable[[PoolPerson], str]:
    if policy.across == "none" or Rule.ACROSS in policy.off:
        return lambda _: ""
    return (lambda one: one.subsidiary) if policy.across == "subsidiary" else (lambda one: one.business_unit)


def _codes(people: Mapping[str, Sequence[PoolPerson]], value: Callable[[PoolPerson], object], unknown: bool = False) -> tuple[Ints, Ints]:  # noqa: FBT001, FBT002 - private
    """Numbers for values; an unknown one is -1 for a mentee and -2 for a mentor, so that it equals nothing."""
    codes: dict[object, int] = {}

    def side(role: str, nothing: int) -> Ints:
        found = (value(person) for person in people[role])
        return _ints(codes.setdefault(one, len(codes)) if one and not unknown else nothing for one in found)

    return side("mentee", -1), side("mentor", -2)


def _languages(people: Mapping[str, Sequence[PoolPerson]], *, anything_goes: bool) -> tuple[tuple[Ints, Ints], tuple[Words, Words]]:
    sides = tuple(people.values())
    if anything_goes:
        return tuple(np.ones(len(side), np.int32) for side in sides), tuple(np.ones((len(side), 1), np.uint64) for side in sides)  # type: ignore[return-value]
    spoken = Counter(tag for side in sides for person in side for tag in person.languages)
    place = {tag: place for place, (tag, _) in enumerate(sorted(spoken.items(), key=lambda item: (-item[1], item[0])))}
    width = max(1, -(-len(place) // 64))
    sets = {languages: sum(1 << place[tag] for tag in languages) for languages in {person.languages for side in sides for person in side}}
    short = {languages: (bits & (1 << _TONGUES - 1) - 1) | (bits >> _TONGUES - 1 != 0) << _TONGUES - 1 for languages, bits in sets.items()}
    tongues = tuple(_ints(short[person.languages] for person in side) for side in sides)
    speech = tuple(_bits([sets[person.languages] for person in side], width) for side in sides)
    return tongues, speech  # type: ignore[return-value]


def _bits(sets: Sequence[int], width: int) -> Words:
    """Integers as rows of 64-bit words, the lowest first."""
    raw = b"".join(bits.to_bytes(8 * width, "little") for bits in sets)
    return np.frombuffer(raw, np.dtype("<u8")).reshape(len(sets), width).astype(np.uint64)


def _hours(people: Mapping[str, Sequence[PoolPerson]], pool: Pool) -> tuple[Words, Words]:
    """Free half-hours, those dropped that one of the sides never has."""
    free: dict[tuple[str, tuple[str, ...]], int] = {}
    used = []
    for side in people.values():
        either = 0
        for person in side:
            key = person.zone, person.availability
            if key not in free:
                free[key] = half_hours(person.availability, person.zone, pool.week_of)
            either |= free[key]
        used.append(either)
    kept = [place for place in range(WEEK) if (used[0] & used[1]) >> place & 1]
    width = max(1, -(-len(kept) // 64))
    packed = dict(zip(free, _packed(list(free.values()), kept, width), strict=True))
    sides = [
        np.array([packed[person.zone, person.availability] for person in side], np.uint64).reshape(len(side), width)
        for side in people.values()
    ]
    return sides[0], sides[1]


def _packed(sets: Sequence[int], kept: Sequence[int], width: int) -> Words:
    """Some bits of each integer, moved together."""
    raw = np.frombuffer(b"".join(bits.to_bytes(WEEK // 8, "little") for bits in sets), np.uint8).reshape(len(sets), WEEK // 8)
    packed = np.zeros((len(sets), 8 * width), np.uint8)
    for first in range(0, len(sets), 4096):
        some = np.unpackbits(raw[first : first + 4096], axis=1, bitorder="little")[:, kept]
        packed[first : first + 4096, : -(-len(kept) // 8)] = np.packbits(some, axis=1, bitorder="little")
    return packed.view(np.dtype("<u8")).astype(np.uint64)


def _wishes(mentees: Sequence[PoolPerson], mentors: Sequence[PoolPerson], hours: Words, weight: int) -> Wishes:
    offered = {topic for person in mentors for topic in person.topics}
    places: dict[str, int] = {}
    start, topics, strengths, factors = [0], [], [], []
    for person in mentees:
        for topic in sorted(person.topics):
            if topic in offered:
                topics.append(places.setdefault(topic, len(places)))
                strengths.append(person.topics[topic])
        start.append(len(topics))
        best = TOP_LEVEL * sum(person.topics.values())
        factors.append(weight * _RESTS_OF_16_BITS // best + 1 if best else 0)
    level = np.zeros((len(places), len(mentors)), np.uint8)
    for column, person in enumerate(mentors):
        for topic, reached in person.topics.items():
            if topic in places:
                level[places[topic], column] = reached
    return Wishes(_ints(start), _ints(topics), _ints(strengths), _ints(factors), level, np.ascontiguousarray(hours.T))


def _weighing(policy: Policy) -> Weighing:
    weights = policy.weights
    junior = Rule.MENTOR_IS_JUNIOR not in policy.off
    gaps = range(1 - GRADES, GRADES)
    points = _ints(grade_gap_points(weights.grade_gap, gap) for gap in gaps)
    return Weighing(
        gap=np.where(np.array(gaps) < policy.min_grade_gap, np.int32(NEVER), points) if junior else points,
        gap_points=points,
        hours=weights.hours,
        function=weights.function,
        meeting=weights.meeting,
        zone_seconds=_WIDE if Rule.CLOSE_ZONES in policy.off else policy.max_zone_hours * 3600,
        half_hours=0 if Rule.COMMON_HOURS in policy.off else 2 * policy.min_common_hours,
    )
