"""The people of a pool as columns: numbers, and codes into tables of values. Whoever asks for somebody gets a `PoolPerson` made anew.

A hundred thousand objects, each with a mapping and a tuple of its own, take some 90 MB, and every question to all of them is a walk from one to the next.
Here they take a fifth of that, and a question is an array. What the columns mean is in `PoolPerson`; nothing here checks a limit.
"""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.pool import PoolPerson, Role

Ints = NDArray[np.int32]

CODED = ("role", "subsidiary", "business_unit", "team", "function", "site", "zone", "languages", "meeting")
NUMBERS = ("capacity", "grade")
FIELDS = ("id", *NUMBERS, *CODED, "availability", "topics")
"""In the order in which a roll is written."""
ROLES: tuple[Role, Role] = ("mentee", "mentor")
_TOGETHER = 1024
"""People made at once where somebody goes through all of them."""


class Some(NamedTuple):
    """What everybody has some of: person i the codes `item[start[i]:start[i + 1]]`, in their order. Both int32."""

    start: Ints
    item: Ints

    def taken(self, places: Ints) -> tuple["Some", Ints]:
        """Those of these people; and where each of the items was."""
        counts = np.diff(self.start)[places]
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        at = np.repeat(self.start[places] - start[:-1], counts) + np.arange(start[-1], dtype=np.int32)
        return Some(start, self.item[at]), at


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Roll(Sequence[PoolPerson]):
    """A sequence of n people.

    Attributes:
        ids: of everybody.
        column: each of `NUMBERS` as they are, each of `CODED` as codes; (n,) int32.
        values: what codes stand for, by field, `availability` and `topics` too; there may be values that nobody has.
        windows, topics: codes of each person's availability and topics.
        levels: of each of `topics.item`.
    """

    ids: Sequence[str]
    column: Mapping[str, Ints]
    values: Mapping[str, Sequence[Any]]
    windows: Some
    topics: Some
    levels: Ints

    @classmethod
    def of(cls, people: Sequence[PoolPerson]) -> "Roll":
        """These people, as `Writing` has them, but a field after the other, which takes a third of the time; a roll is one already."""
        if isinstance(people, Roll):
            return people
        said = {field: list(map(attrgetter(field), people)) for field in FIELDS}
        coded = {field: _coded(said[field], ROLES if field == "role" else ()) for field in CODED}
        windows, topics = (_coded(list(chain.from_iterable(said[field]))) for field in ("availability", "topics"))
        levels = list(chain.from_iterable(levels.values() for levels in said["topics"]))
        return Roll(
            ids=said["id"],
            column={field: codes for field, (_, codes) in coded.items()} | {field: np.array(said[field], np.int32) for field in NUMBERS},
            values={field: values for field, (values, _) in coded.items()} | {"availability": windows[0], "topics": topics[0]},
            windows=Some(_starts(said["availability"]), windows[1]),
            topics=Some(_starts(said["topics"]), topics[1]),
            levels=np.array(levels, np.int32),
        )

    def taken(self, places: Ints) -> "Roll":
        """These people, in this order."""
        topics, at = self.topics.taken(places)
        return Roll(
            ids=[self.ids[place] for place in places.tolist()],
            column={field: values[places] for field, values in self.column.items()},
            values=self.values,
            windows=self.windows.taken(places)[0],
            topics=topics,
            levels=self.levels[at],
        )

    def in_role(self, role: Role) -> "Roll":
        """Everybody in that role, in the same order."""
        return self.taken(np.flatnonzero(self.column["role"] == ROLES.index(role)).astype(np.int32))

    def used(self, field: str) -> set[int]:
        """The codes of `CODED` that somebody has."""
        return set(self.column[field].tolist())

    def value(self, place: int, field: str) -> Any:
        """What one field of one person says."""
        if field == "id":
            return self.ids[place]
        if field in self.column:
            one = int(self.column[field][place])
            return one if field in NUMBERS else self.values[field][one]
        start, item = self.windows if field == "availability" else self.topics
        mine = slice(int(start[place]), int(start[place + 1]))
        named = [self.values[field][code] for code in item[mine].tolist()]
        return tuple(named) if field == "availability" else dict(zip(named, self.levels[mine].tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> PoolPerson: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[PoolPerson, ...]: ...

    def __getitem__(self, place: int | slice) -> PoolPerson | tuple[PoolPerson, ...]:
        places = range(len(self.ids))[place]
        if isinstance(places, range):
            return tuple(self._made(np.array(places, np.int32)))
        return PoolPerson(**{field: self.value(places, field) for field in FIELDS})

    def __iter__(self) -> Iterator[PoolPerson]:
        for first in range(0, len(self.ids), _TOGETHER):
            yield from self._made(np.arange(first, min(first + _TOGETHER, len(self.ids)), dtype=np.int32))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Roll | tuple):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as of any sequence with columns that could be written to

    def _made(self, places: Ints) -> Iterator[PoolPerson]:
        some = self.taken(places)
        fields = [[self.values[field][code] for code in some.column[field].tolist()] for field in CODED]
        numbers = [some.column[field].tolist() for field in NUMBERS]
        windows = [self.values["availability"][code] for code in some.windows.item.tolist()]
        topics = list(zip((self.values["topics"][code] for code in some.topics.item.tolist()), some.levels.tolist(), strict=True))
        begin, first = some.windows.start.tolist(), some.topics.start.tolist()
        for at, id_ in enumerate(some.ids):
            yield PoolPerson(
                id=id_,
                availability=tuple(windows[begin[at] : begin[at + 1]]),
                topics=dict(topics[first[at] : first[at + 1]]),
                **{field: values[at] for field, values in zip((*CODED, *NUMBERS), (*fields, *numbers), strict=True)},
            )


class Writing:
    """A roll in the making, one person after the other."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._ids: list[str] = []
        self._known: dict[str, dict[Any, int]] = {field: {} for field in (*CODED, "availability", "topics")}
        self._known["role"] = {role: code for code, role in enumerate(ROLES)}
        self._columns = {field: array("i") for field in (*CODED, *NUMBERS)}
        self._coded = [(self._columns[field].append, self._known[field]) for field in CODED]
        self._capacity, self._grade = (self._columns[field].append for field in NUMBERS)
        self._windows, self._windows_start = array("i"), array("i", [0])
        self._topics, self._topics_start, self._levels = array("i"), array("i", [0]), array("i")

    def add(self, fields: Sequence[Any]) -> int:
        """One person more, by what `FIELDS` say; their place."""
        id_, capacity, grade, *coded, availability, topics = fields
        self._ids.append(id_)
        self._capacity(capacity)
        self._grade(grade)
        for (append, known), value in zip(self._coded, coded, strict=True):
            append(known.setdefault(value, len(known)))
        windows, names = self._known["availability"], self._known["topics"]
        self._windows.extend([windows.setdefault(window, len(windows)) for window in availability])
        self._windows_start.append(len(self._windows))
        self._topics.extend([names.setdefault(topic, len(names)) for topic in topics])
        self._levels.extend(topics.values())
        self._topics_start.append(len(self._topics))
        return len(self._ids) - 1

    def roll(self) -> Roll:
        """Everybody so far."""
        return Roll(
            ids=self._ids,
            column={field: _column(values) for field, values in self._columns.items()},
            values={field: list(known) for field, known in self._known.items()},
            windows=Some(_column(self._windows_start), _column(self._windows)),
            topics=Some(_column(self._topics_start), _column(self._topics)),
            levels=_column(self._levels),
        )


def _coded(values: Sequence[Any], first: Sequence[Any] = ()) -> tuple[list[Any], Ints]:
    """The values, each once, those of `first` before others as they come; and their codes."""
    code = {value: at for at, value in enumerate(dict.fromkeys(chain(first, values)))}
    return list(code), np.fromiter(map(code.__getitem__, values), np.int32, len(values))


def _starts(some: Sequence[Collection[Any]]) -> Ints:
    starts = np.zeros(len(some) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, some), np.int32, len(some)), out=starts[1:])
    return starts


def _column(values: "array[int]") -> Ints:
    return np.frombuffer(values, np.int32) if values else np.empty(0, np.int32)
