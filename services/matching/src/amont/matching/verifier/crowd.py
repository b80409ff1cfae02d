"""Everybody in one role as numpy columns, so that one person can be held against all of the other role at once.

Written for the verifier alone. What concerns one person (half-hours, offset) is asked of the definition; what concerns two is in `board`.
"""

from collections.abc import Hashable, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.hours import WEEK, half_hours, offset_seconds
from amont.matching.domain.pool import PoolPerson

WORDS = -(-WEEK // 64)

Words = NDArray[np.uint64]
Codes = NDArray[np.int32]


class Numbered:
    """Gives each name a number, the same for both roles; the empty name, which equals nothing, has none."""

    def __init__(self) -> None:
        """Begin with no names."""
        self._numbers: dict[Hashable, int] = {}

    def of(self, names: Sequence[Hashable]) -> Codes:
        """The numbers of these names; -1 for the empty one."""
        numbers = self._numbers
        return np.array([numbers.setdefault(name, len(numbers)) if name else -1 for name in names], dtype=np.int32)


class Crowd:
    """The people of one role, n of them.

    Attributes:
        ids: in the pool's order.
        place: where each id stands.
        grade, offset: integers, the offset in seconds.
        subsidiary, business_unit, function, site: numbers of names.
        team: numbers of teams, those of one name in two subsidiaries being two.
        remote_only, on_site_only: who said `remote`, who said `in-person`.
        languages: one bit a language, as rows of words, shape (words, n).
        free: one bit a half-hour, shape (6, n).
        topics: each person's wishes or levels.
    """

    def __init__(self, people: Sequence[PoolPerson], week_of: date, numbered: Numbered, tags: Sequence[str]) -> None:
        """Lay them out; `tags` are the languages of the whole pool."""
        self.ids = tuple(person.id for person in people)
        self.place = {id_: place for place, id_ in enumerate(self.ids)}
        self.capacity = np.array([person.capacity for person in people], dtype=np.int64)
        self.grade = np.array([person.grade for person in people], dtype=np.int16)
        self.offset = np.array([offset_seconds(person.zone, week_of) for person in people], dtype=np.int32)
        self.subsidiary = numbered.of([person.subsidiary for person in people])
        self.business_unit = numbered.of([person.business_unit for person in people])
        self.team = numbered.of([_team(person) for person in people])
        self.function = numbered.of([person.function for person in people])
        self.site = numbered.of([person.site for person in people])
        self.remote_only = np.array([person.meeting == "remote" for person in people], dtype=np.bool_)
        self.on_site_only = np.array([person.meeting == "in-person" for person in people], dtype=np.bool_)
        bit = {tag: 1 << place for place, tag in enumerate(tags)}
        self.languages = _words([sum(bit[tag] for tag in person.languages) for person in people], max(1, -(-len(tags) // 64)))
        self.free = _words([half_hours(person.availability, person.zone, week_of) for person in people], WORDS)
        self.topics = tuple(person.topics for person in people)

    def __len__(self) -> int:
        """How many."""
        return len(self.ids)


def _team(person: PoolPerson) -> tuple[str, str] | None:
    """Not one text of both: whatever stood between them may stand in a name as well."""
    return (person.subsidiary, person.team) if person.subsidiary and person.team else None


def _words(numbers: Sequence[int], words: int) -> Words:
    """Large integers as columns of 64-bit words, the lowest first, shape (words, n)."""
    raw = b"".join(number.to_bytes(words * 8, "little") for number in numbers)
    return np.ascontiguousarray(np.frombuffer(raw, dtype="<u8").reshape(len(numbers), words).T).astype(np.uint64)
