"""People in numbers: which number stands for which value, what is compared of two people, and who somebody is in these numbers.

Only what both sides have is kept apart: a half-hour, or a topic, that the other side never has makes no difference to any pair.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.tables import Side, Wishes
from amont.matching.domain.hours import WEEK, offset_seconds
from amont.matching.domain.points import TOP_LEVEL
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Role
from amont.matching.domain.roll import Roll

Ints = NDArray[np.int32]
Words = NDArray[np.uint64]

_TONGUES = 31
_RESTS_OF_16_BITS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codes:
    """What the numbers of a compact form stand for, so that one person more can be written in the same numbers.

    Attributes:
        week_of: the week of the hours.
        values: by field of `Side`, each known value's code.
        tongues: each language's bit, or `None` where any language goes.
        half_hours: of the week, which of them each bit is.
        used: the half-hours that mentees have, and mentors, as bits of the week; `named`: the topics that mentees wish, and mentors offer.
        topics: the row of `Wishes.level` for each topic that is both wished and offered.
    """

    week_of: date
    values: Mapping[str, dict[object, int]]
    tongues: dict[str, int] | None
    half_hours: tuple[int, ...]
    used: list[int]
    named: tuple[set[str], set[str]]
    topics: Mapping[str, int]


def side_of(people: Roll, role: Role, free: Words, said: Mapping[str, "Compared"], codes: Codes) -> Side:
    """These people, with those free half-hours and values, in numbers.

    A value without a code is unknown: -1 for a mentee and -2 for a mentor, so that it equals nothing.
    """
    unknown = -1 if role == "mentee" else -2
    tongues, speech = _languages(people, codes.tongues)
    numbers = {
        name: _ints([*(codes.values[name].get(value, unknown) for value in one.values), unknown])[one.code] for name, one in said.items()
    }
    offsets = np.zeros(len(people.values["zone"]), np.int32)
    for zone in people.used("zone"):
        offsets[zone] = offset_seconds(people.values["zone"][zone], codes.week_of)
    remote = _ints(meeting != "in-person" for meeting in people.values["meeting"])
    return Side(
        grade=people.column["grade"],
        offset=offsets[people.column["zone"]],
        remote=remote[people.column["meeting"]],
        tongues=tongues,
        speech=speech,
        hours=_packed(free, codes.half_hours),
        capacity=people.column["capacity"],
        **numbers,
    )


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int32)


def codes_of(
    sides: tuple[Roll, Roll],
    free: tuple[Words, Words],
    said: tuple[Mapping[str, "Compared"], Mapping[str, "Compared"]],
    week_of: date,
    policy: Policy,
) -> Codes:
    """The numbers for these mentees and mentors, with those free half-hours and values."""
    used = [week_bits(np.bitwise_or.reduce(words, axis=0)) for words in free]
    mentees, mentors = said
    named = _named(sides[0]), _named(sides[1])
    return Codes(
        week_of=week_of,
        values={name: _numbered(mentees[name].present + mentors[name].present) for name in mentees},
        tongues=None if Rule.SHARED_LANGUAGE in policy.off else _tongues(sides),
        half_hours=tuple(place for place in range(WEEK) if (used[0] & used[1]) >> place & 1),
        used=used,
        named=named,
        topics={topic: place for place, topic in enumerate(sorted(named[0] & named[1]))},
    )


def week_bits(words: Words) -> int:
    """The half-hours of one person as the bits of an integer, as in `hours`."""
    return int.from_bytes(words.astype("<u8").tobytes(), "little")


def _named(people: Roll) -> set[str]:
    return {people.values["topics"][code] for code in set(people.topics.item.tolist())}


def _numbered(values: Iterable[object]) -> dict[object, int]:
    return {one: code for code, one in enumerate(sorted(set(values), key=str))}


class Compared(NamedTuple):
    """What is compared of each person: `code` into `values`, or -1 where it is unknown, or the rule is off. There may be values that nobody has."""

    values: Sequence[object]
    code: Ints

    @property
    def present(self) -> list[object]:
        """The values that somebody has."""
        return [self.values[code] for code in set(self.code.tolist()) - {-1}]


def compared(people: Roll, policy: Policy) -> Mapping[str, Compared]:
    """By field of `Side`."""
    site = _known(people, "site")
    remote = _ints(meeting == "remote" for meeting in people.values["meeting"])
    return {
        "function": _known(people, "function"),
        "site": site._replace(code=np.where(remote[people.column["meeting"]] == 1, np.int32(-1), site.code)),
        "unit": _nothing(people) if policy.across == "none" or Rule.ACROSS in policy.off else _known(people, policy.across),
        "team": _nothing(people) if Rule.DIFFERENT_TEAM in policy.off else _teams(people),
    }


def _known(people: Roll, field: str) -> Compared:
    """A field, which is unknown where it is empty."""
    values = people.values[field]
    codes = _ints(code if value else -1 for code, value in enumerate(values))
    return Compared(values, codes[people.column[field]])


def _nothing(people: Roll) -> Compared:
    return Compared((), np.full(len(people), -1, np.int32))


def _teams(people: Roll) -> Compared:
    """Teams of one name in two subsidiaries are two."""
    (subsidiaries, subsidiary), (names, name) = _known(people, "subsidiary"), _known(people, "team")
    there = np.flatnonzero((subsidiary >= 0) & (name >= 0))
    both, at = np.unique(subsidiary[there].astype(np.int64) * len(names) + name[there], return_inverse=True)
    code = np.full(len(people), -1, np.int32)
    code[there] = at
    return Compared([(subsidiaries[one // len(names)], names[one % len(names)]) for one in both.tolist()], code)


def _tongues(sides: Iterable[Roll]) -> dict[str, int]:
    """The most spoken language first."""
    spoken = Counter[str]()
    for people in sides:
        languages = people.values["languages"]
        for one, count in zip(languages, np.bincount(people.column["languages"], minlength=len(languages)).tolist(), strict=True):
            if count:
                spoken.update(dict.fromkeys(one, count))
    return {tag: place for place, (tag, _) in enumerate(sorted(spoken.items(), key=lambda item: (-item[1], item[0])))}


def _languages(people: Roll, place: Mapping[str, int] | None) -> tuple[Ints, Words]:
    if place is None:
        return np.ones(len(people), np.int32), np.ones((len(people), 1), np.uint64)
    width = max(1, -(-len(place) // 64))
    sets = [sum(1 << place[tag] for tag in languages) for languages in people.values["languages"]]
    short = _ints((bits & (1 << _TONGUES - 1) - 1) | (bits >> _TONGUES - 1 != 0) << _TONGUES - 1 for bits in sets)
    spoken = people.column["languages"]
    return short[spoken], _bits(sets, width)[spoken]


def _bits(sets: Sequence[int], width: int) -> Words:
    """Integers as rows of 64-bit words, the lowest first."""
    raw = b"".join(bits.to_bytes(8 * width, "little") for bits in sets)
    return np.frombuffer(raw, np.dtype("<u8")).reshape(len(sets), width).astype(np.uint64)


def _packed(free: Words, kept: Sequence[int]) -> Words:
    """Free half-hours, those dropped that one of the sides never has: some bits of each row, moved together."""
    raw = free.astype("<u8").view(np.uint8)
    packed = np.zeros((len(free), 8 * max(1, -(-len(kept) // 64))), np.uint8)
    for first in range(0, len(free), 4096):
        some = np.unpackbits(raw[first : first + 4096], axis=1, bitorder="little")[:, kept]
        packed[first : first + 4096, : -(-len(kept) // 8)] = np.packbits(some, axis=1, bitorder="little")
    return packed.view(np.dtype("<u8")).astype(np.uint64)


def wishes_of(mentees: Roll, mentors: Roll, hours: Words, codes: Codes, policy: Policy) -> Wishes:
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


def _listed(people: Roll, places: Mapping[str, int]) -> tuple[Ints, Ints, Ints]:
    """All topics of all people: whose, the topic's place or -1, how strongly."""
    who = np.repeat(np.arange(len(people), dtype=np.int32), np.diff(people.topics.start))
    place = _ints(places.get(topic, -1) for topic in people.values["topics"])
    return who, place[people.topics.item], people.levels
