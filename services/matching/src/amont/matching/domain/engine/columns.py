"""The compact form of a pool: integers in columns. Mentees are rows and mentors columns of one large table that nobody ever writes down.

Rules that are off, and values that are unknown, are folded into the numbers here, so that the kernel asks every pair the same few questions. The order
is fixed by contents alone: mentees by grade, then by draw, mentors by their place in the management forest (an Euler tour, siblings by draw), where a
draw is SHA-256(seed, NUL, id). So everybody below a manager is one slice of the mentors, and shuffling the pool's lists changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import NamedTuple, TypeVar

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
T = TypeVar("T")

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
class Codes:
    """What the numbers of a compact form stand for, so that one person more can be written in the same numbers.

    Attributes:
        week_of: the week of the hours; `free`: the half-hours of that week by zone and windows, as far as they were asked for.
        values: by field of `Side`, each known value's code.
        tongues: each language's bit, or `None` where any language goes.
        half_hours: of the week, which of them each bit is.
        used: the half-hours that mentees have, and mentors, as bits of the week; `named`: the topics that mentees wish, and mentors offer.
        topics: the row of `Wishes.level` for each topic that is both wished and offered.
    """

    week_of: date
    free: dict[tuple[str, tuple[str, ...]], int]
    values: Mapping[str, dict[object, int]]
    tongues: dict[str, int] | None
    half_hours: tuple[int, ...]
    used: list[int]
    named: tuple[set[str], set[str]]
    topics: Mapping[str, int]


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
    codes = _codes({"mentee": mentees, "mentor": mentors}, pool.week_of, policy)
    sides = side_of(mentees, "mentee", codes, policy), side_of(mentors, "mentor", codes, policy)
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


def side_of(people: Sequence[PoolPerson], role: Role, codes: Codes, policy: Policy) -> Side:
    """These people in numbers. A value without a code is unknown: -1 for a mentee and -2 for a mentor, so that it equals nothing."""
    values = _values(policy)
    unknown = -1 if role == "mentee" else -2
    offsets = {zone: offset_seconds(zone, codes.week_of) for zone in {person.zone for person in people}}
    tongues, speech = _languages(people, codes.tongues)
    return Side(
        grade=_ints(person.grade for person in people),
        offset=_ints(offsets[person.zone] for person in people),
        remote=_ints(person.meeting != "in-person" for person in people),
        tongues=tongues,
        speech=speech,
        hours=_hours(people, codes),
        capacity=_ints(person.capacity for person in people),
        **{name: _ints(codes.values[name].get(value(person), unknown) for person in people) for name, value in values.items()},
    )


People = Mapping[Role, Sequence[PoolPerson]]


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int32)


def _codes(people: People, week_of: date, policy: Policy) -> Codes:
    sides = tuple(people.values())
    everybody = [person for side in sides for person in side]
    windows = [dict.fromkeys((person.zone, person.availability) for person in side) for side in sides]
    free = {key: half_hours(key[1], key[0], week_of) for key in windows[0] | windows[1]}
    used = [reduce(or_, map(free.__getitem__, keys), 0) for keys in windows]
    named = _named(sides[0]), _named(sides[1])
    return Codes(
        week_of=week_of,
        free=free,
        values={name: _numbered(map(value, everybody)) for name, value in _values(policy).items()},
        tongues=None if Rule.SHARED_LANGUAGE in policy.off else _tongues(everybody),
        half_hours=tuple(place for place in range(WEEK) if (used[0] & used[1]) >> place & 1),
        used=used,
        named=named,
        topics={topic: place for place, topic in enumerate(sorted(named[0] & named[1]))},
    )


def _named(people: Iterable[PoolPerson]) -> set[str]:
    return {topic for person in people for topic in person.topics}


def _numbered(values: Iterable[object]) -> dict[object, int]:
    return {one: code for code, one in enumerate(sorted(set(values) - {""}, key=str))}


def _values(policy: Policy) -> Mapping[str, Callable[[PoolPerson], object]]:
    """What is compared of two people; empty where it is unknown, or where the rule is off."""
    return {
        "function": lambda one: one.function,
        "site": lambda one: one.site if one.meeting != "remote" else "",
        "unit": _unit(policy),
        "team": lambda one: (one.subsidiary, one.team) if one.team and one.subsidiary and Rule.DIFFERENT_TEAM not in policy.off else "",
    }


def values_of(person: PoolPerson, policy: Policy) -> Mapping[str, object]:
    """What is compared of a person, by field of `Side`; empty where it is unknown."""
    return {name: value(person) for name, value in _values(policy).items()}


def _unit(policy: Policy) -> Callable[[PoolPerson], str]:
    if policy.across == "none" or Rule.ACROSS in policy.off:
        return lambda _: ""
    return (lambda one: one.subsidiary) if policy.across == "subsidiary" else (lambda one: one.business_unit)


def _tongues(people: Iterable[PoolPerson]) -> dict[str, int]:
    """The most spoken language first."""
    spoken = Counter(tag for person in people for tag in person.languages)
    return {tag: place for place, (tag, _) in enumerate(sorted(spoken.items(), key=lambda item: (-item[1], item[0])))}


def _languages(people: Sequence[PoolPerson], place: Mapping[str, int] | None) -> tuple[Ints, Words]:
    if place is None:
        return np.ones(len(people), np.int32), np.ones((len(people), 1), np.uint64)
    width = max(1, -(-len(place) // 64))
    spoken, at = _distinct(person.languages for person in people)
    sets = [sum(1 << place[tag] for tag in languages) for languages in spoken]
    short = _ints((bits & (1 << _TONGUES - 1) - 1) | (bits >> _TONGUES - 1 != 0) << _TONGUES - 1 for bits in sets)
    return short[at], _bits(sets, width)[at]


def _bits(sets: Sequence[int], width: int) -> Words:
    """Integers as rows of 64-bit words, the lowest first."""
    raw = b"".join(bits.to_bytes(8 * width, "little") for bits in sets)
    return np.frombuffer(raw, np.dtype("<u8")).reshape(len(sets), width).astype(np.uint64)


def _distinct(values: Iterable[T]) -> tuple[list[T], Ints]:
    """Each value once, and where each one is."""
    places: dict[T, int] = {}
    at = _ints(places.setdefault(value, len(places)) for value in values)
    return list(places), at


def _hours(people: Sequence[PoolPerson], codes: Codes) -> Words:
    """Free half-hours, those dropped that one of the sides never has."""
    width = max(1, -(-len(codes.half_hours) // 64))
    keys, at = _distinct((person.zone, person.availability) for person in people)
    return _packed([codes.free[key] for key in keys], codes.half_hours, width)[at]


def _packed(sets: Sequence[int], kept: Sequence[int], width: int) -> Words:
    """Some bits of each integer, moved together."""
    raw = np.frombuffer(b"".join(bits.to_bytes(WEEK // 8, "little") for bits in sets), np.uint8).reshape(len(sets), WEEK // 8)
    packed = np.zeros((len(sets), 8 * width), np.uint8)
    for first in range(0, len(sets), 4096):
        some = np.unpackbits(raw[first : first + 4096], axis=1, bitorder="little")[:, kept]
        packed[first : first + 4096, : -(-len(kept) // 8)] = np.packbits(some, axis=1, bitorder="little")
    return packed.view(np.dtype("<u8")).astype(np.uint64)


def wishes_of(mentees: Sequence[PoolPerson], mentors: Sequence[PoolPerson], hours: Words, codes: Codes, policy: Policy) -> Wishes:
    """What these mentees wish, and what these mentors, with those hours, offer of it."""
    who, topic, wish = _listed(mentees, codes.topics)
    best = TOP_LEVEL * np.bincount(who, wish, len(mentees)).astype(np.int64)
    factor = np.where(best > 0, policy.weights.topics * _RESTS_OF_16_BITS // np.maximum(best, 1) + 1, 0)
    named = np.flatnonzero(topic >= 0)
    named = named[np.lexsort((topic[named], who[named]))]
    start = np.searchsorted(who[named], np.arange(len(mentees) + 1))
    column, offered, reached = _listed(mentors, codes.topics)
    wanted = offered >= 0
    level = np.zeros((len(codes.topics), len(mentors)), np.uint8)
    level[offered[wanted], column[wanted]] = reached[wanted]
    return Wishes(start.astype(np.int32), topic[named], wish[named], factor.astype(np.int32), level, np.ascontiguousarray(hours.T))


def _listed(people: Sequence[PoolPerson], places: Mapping[str, int]) -> tuple[Ints, Ints, Ints]:
    """All topics of all people: whose, the topic's place or -1, how strongly."""
    who = np.repeat(np.arange(len(people), dtype=np.int32), _ints(len(person.topics) for person in people))
    topic = _ints(places.get(topic, -1) for person in people for topic in person.topics)
    return who, topic, _ints(strength for person in people for strength in person.topics.values())


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
