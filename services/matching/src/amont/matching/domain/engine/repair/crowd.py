"""The compact form of a pool in which people come and go: places kept free in the table, and who stands where.

Whoever goes leaves a place in which nobody can be paired; whoever comes takes one that was kept free, written in the numbers that the table uses already.
Where those are not enough (a half-hour, a topic or a language that the table has no room for, a move that takes half the group along) there is
no way but to begin again: `Outgrown`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.clocks import free_half_hours
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.lines import Slices, cells, union
from amont.matching.domain.engine.numbering import Compared, compared, side_of, week_bits, wishes_of
from amont.matching.domain.engine.tables import Side, Table, Wishes
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, PoolPerson, Role
from amont.matching.domain.roll import Roll

Ints = NDArray[np.int32]

_NOBODY = Roll.of(())


class Outgrown(Exception):
    """The table has no room for what has changed."""


class Crowd:
    """See the module.

    Attributes:
        table: with free places; it is changed in place where people come and go.
        row, column: where people stand.
        mentee_ids, mentor_ids: the way back; empty where nobody stands.
    """

    def __init__(self, pool: Pool, policy: Policy, room: int) -> None:
        """The people of a pool, and room for so many more in either role."""
        whole = compact(pool, policy)
        self._policy = policy
        self._codes = whole.codes
        self.row, self.column = dict(whole.row), dict(whole.column)
        self.mentee_ids, self.mentor_ids = [*whole.mentee_ids, *[""] * room], [*whole.mentor_ids, *[""] * room]
        self.table = _roomy(whole.table, room)
        self._next = {"mentee": len(whole.mentee_ids), "mentor": len(whole.mentor_ids)}

    @property
    def nbytes(self) -> int:
        """About what the table takes."""
        parts = (part for group in (self.table.mentees, self.table.mentors, self.table.wishes, self.table.excluded) for part in group)
        return sum(part.nbytes for part in parts)

    def places(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
        """Pairs of ids as rows and columns, those left out who are not here."""
        return [(self.row[one], self.column[other]) for one, other in pairs if one in self.row and other in self.column]

    def forbid(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Let these never meet."""
        excluded, wanted = self.table.excluded, list(pairs)
        excluded = (
            with_cell(excluded, *wanted[0])
            if len(wanted) == 1
            else union(len(self.mentee_ids), excluded, cells(len(self.mentee_ids), wanted))
        )
        self.table = self.table._replace(excluded=excluded)

    def leave(self, role: Role, id_: str) -> int:
        """Somebody goes; where they stood."""
        places, ids, side = self._of(role)
        place = places.pop(id_)
        ids[place] = ""
        side.tongues[place] = 0
        side.speech[place] = 0
        return place

    def join(self, person: PoolPerson, apart: Iterable[str]) -> int:
        """Somebody comes, who may never meet those people; where they stand now.

        Raises:
            Outgrown: there is no room.
        """
        one = Roll.of((person,))
        free = free_half_hours(one, self._codes.week_of)
        said = compared(one, self._policy)
        self._must_fit(person, week_bits(free[0]), said)
        places, ids, side = self._of(person.role)
        place = self._next[person.role]
        if place == len(ids):
            raise Outgrown("no place is free")
        self._next[person.role] = place + 1
        places[person.id], ids[place] = place, person.id
        mine = side_of(one, person.role, free, said, self._codes)
        for name, values in mine._asdict().items():
            getattr(side, name)[place] = values[0]
        wishes, hours = self.table.wishes, mine.hours
        if person.role == "mentee":
            self.table = self.table._replace(wishes=_wishing(wishes, place, wishes_of(one, _NOBODY, hours[:0], self._codes, self._policy)))
        else:
            offered = wishes_of(_NOBODY, one, hours, self._codes, self._policy)
            wishes.level[:, place], wishes.hours[:, place] = offered.level[:, 0], offered.hours[:, 0]
        others = self.column if person.role == "mentee" else self.row
        met = [others[one] for one in apart if one in others]
        if met:
            self.forbid((place, other) if person.role == "mentee" else (other, place) for other in met)
        return place

    def _of(self, role: Role) -> tuple[dict[str, int], list[str], Side]:
        return (self.row, self.mentee_ids, self.table.mentees) if role == "mentee" else (self.column, self.mentor_ids, self.table.mentors)

    def _must_fit(self, person: PoolPerson, hours: int, said: Mapping[str, Compared]) -> None:
        codes, mine = self._codes, person.role == "mentor"
        kept = sum(1 << place for place in codes.half_hours)
        if hours & codes.used[not mine] & ~kept:
            raise Outgrown("half-hours that had been dropped")
        if (person.topics.keys() - codes.topics.keys()) & codes.named[not mine]:
            raise Outgrown("a topic that had been dropped")
        if codes.tongues is not None:
            strange = sorted(person.languages - codes.tongues.keys())
            if len(codes.tongues) + len(strange) > 64 * self.table.mentees.speech.shape[1]:
                raise Outgrown("more languages than there are bits")
            codes.tongues.update((tag, len(codes.tongues) + place) for place, tag in enumerate(strange))
        codes.used[mine] |= hours
        codes.named[mine].update(person.topics)
        for name, one in said.items():
            for value in one.present:
                codes.values[name].setdefault(value, len(codes.values[name]))


def relatives(pool: Pool, policy: Policy, below: Mapping[str, list[str]], id_: str) -> set[str]:
    """The person, and everybody above and below in the line of management as far as the policy asks for it."""
    found = {id_}
    if Rule.OUTSIDE_THE_LINE in policy.off:
        return found
    for links in (pool.managers, below):
        waiting = [id_]
        seen = {id_}
        while waiting:
            for other in links.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        found |= seen
    return found


def with_cell(slices: Slices, row: int, column: int) -> Slices:
    """One pair more, in one copy of the slices."""
    first, last = slices.start[row], slices.start[row + 1]
    at = first + int(np.searchsorted(slices.low[first:last], column, side="right"))
    if at > first and slices.high[at - 1] > column:
        return slices
    start = slices.start.copy()
    start[row + 1 :] += 1
    return Slices(start, _inserted(slices.low, at, [column]), _inserted(slices.high, at, [column + 1]))


def _roomy(table: Table, room: int) -> Table:
    """The table with places in which nobody can be paired."""

    def longer(values: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([values, np.zeros((room, *values.shape[1:]), values.dtype)])

    def wider(values: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(longer(values.T).T)

    def level(start: Ints) -> Ints:
        return np.concatenate([start, np.full(room, start[-1], np.int32)])

    def all_longer(side: Side) -> Side:
        return Side(**{name: longer(values) for name, values in side._asdict().items()})

    wishes = table.wishes
    return table._replace(
        mentees=all_longer(table.mentees),
        mentors=all_longer(table.mentors),
        wishes=wishes._replace(
            start=level(wishes.start), factor=longer(wishes.factor), level=wider(wishes.level), hours=wider(wishes.hours)
        ),
        excluded=table.excluded._replace(start=level(table.excluded.start)),
    )


def _wishing(wishes: Wishes, row: int, mine: Wishes) -> Wishes:
    """The wishes with those of one more row; the rows after it have none."""
    start = wishes.start.copy()
    at = start[row]
    start[row + 1 :] += len(mine.topic)
    factor = wishes.factor.copy()
    factor[row] = mine.factor[0]
    return wishes._replace(
        start=start, topic=_inserted(wishes.topic, at, mine.topic), wish=_inserted(wishes.wish, at, mine.wish), factor=factor
    )


def _inserted(values: Ints, at: int, more: Ints | list[int]) -> Ints:
    """As `numpy.insert`, which takes five times as long."""
    return np.concatenate([values[:at], np.asarray(more, values.dtype), values[at:]])
