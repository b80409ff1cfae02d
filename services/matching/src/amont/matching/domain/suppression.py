"""Which groups of people may be shown in figures: k-anonymity with complementary suppression, for several tables of the same people at once.

A table shows, for each group of several divisions (by subsidiary, by site, ...), a count of its people, and of everybody. A group of fewer than k people is
hidden; and further ones are, until neither a hidden group nor any other few people can be worked out:

1. every shown group, and everybody, less the shown groups that lie wholly within it (of one division) leaves nobody or at least k people. That is
   subtraction as people do it: a total less its parts, a subsidiary less its sites, a group less another that differs by three people;
2. no hidden group is any linear combination of shown ones, for somebody who knows which combinations of groups have people in them, but not how many
   (Fellegi 1972; Cox 1980).

A table may show beside each count how many of its people are marked (matched, say). Then what a subtraction of (1) leaves must not be all marked or not marked
at all either, for each of the people left would be known to be: attribute disclosure (Hundepool et al., Statistical Disclosure Control, Wiley 2012). Where the
whole itself is all or not at all marked, that is what it says of everybody in it, shown by name and of at least k people, and no subtraction adds to it: that
nobody of a subsidiary is matched is what such figures are for.

Of several that could be hidden the smallest one is; everybody only when nothing else helps. Several populations (the matched under one policy and under
another) share one answer: a group is shown in all of them or in none, so that no column of figures gives away what another one hides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

K = 5
"""The fewest people a figure may be about."""

Person = tuple[str, ...]
"""The group that somebody is in, by division."""
_NEAR = 1e-6
"""A hidden group nearer than this (squared) to what the shown ones span counts as worked out; what is not is far away, for counts are integers."""

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown: figures of everybody, and by division those of these groups."""

    everybody: bool
    groups: tuple[frozenset[str], ...]


def shown(populations: Sequence[Sequence[Person]], divisions: int, k: int = K, *, marks: Sequence[Sequence[bool]] = ()) -> Shown:
    """What may be shown of all these populations; one in which there is nobody hides nothing. `marks` are of the first population's people, by place.

    Takes memory and time of groups squared, and once or a few times groups cubed for the second part of the rule.
    """
    tables = [[(*person, "") for person in people] for people in populations if people]  # everybody is the only group of one more division
    names = sorted({at for people in tables for person in people for at in enumerate(person)})
    place = {at: number for number, at in enumerate(names)}
    division = np.array([number for number, _ in names], np.int64)
    marked = bool(populations and populations[0])
    counted = [_Population(people, place, marks if marked and not number else ()) for number, people in enumerate(tables)]
    size = np.max([table.people for table in counted], axis=0) if counted else np.zeros(0, np.int64)
    visible = np.ones(len(names), bool)
    for table in counted:
        visible &= (table.people == 0) | (table.people >= k)
    while (hide := next((one for table in counted if (one := _next(table, division, visible, size, k)) is not None), None)) is not None:
        visible[hide] = False
    by_division = [
        frozenset(name for (number, name), one in zip(names, visible, strict=True) if number == wanted and one)
        for wanted in range(divisions + 1)
    ]
    return Shown(bool(by_division[-1]), tuple(by_division[:-1]))


class _Population:
    """Some people: how many are in each group, in each two groups at once, and how many combinations of groups there are of each two.

    `marked` are how many of each group are, for each of the marks.
    """

    def __init__(self, people: Sequence[Person], place: dict[tuple[int, str], int], marks: Sequence[Sequence[bool]]) -> None:
        held = [[place[at] for at in enumerate(person)] for person in people]
        self.overlap = _together(held, len(place))
        self.people: Ints = self.overlap.diagonal()
        self.marked = [_counted([groups for groups, one in zip(held, mark, strict=True) if one], len(place)) for mark in marks]
        self.combinations = _together(sorted(set(map(tuple, held))), len(place)).astype(np.float64)


def _together(rows: Sequence[Sequence[int]], groups: int) -> Ints:
    """(groups, groups): in how many of the rows, each a list of groups, two groups come together."""
    together = np.zeros((groups, groups), np.int64)
    columns = np.array(rows, np.int64).T
    for one in columns:
        for other in columns:
            np.add.at(together, (one, other), 1)
    return together


def _counted(rows: Sequence[Sequence[int]], groups: int) -> Ints:
    """(groups,): in how many of the rows a group comes."""
    return np.bincount(np.array(rows, np.int64).ravel(), minlength=groups)


def _next(table: _Population, division: Ints, visible: Mask, size: Ints, k: int) -> int | None:
    """One more group to hide because of this population; None when all is well."""
    hide = _left_over(table, division, visible, size, k)
    return _spanned(table, visible, size) if hide is None else hide


def _smallest(candidates: Mask, size: Ints) -> int:
    places = np.flatnonzero(candidates)
    return int(places[np.argmin(size[places])])


def _left_over(table: _Population, division: Ints, visible: Mask, size: Ints, k: int) -> int | None:
    """What to hide where a subtraction leaves a few people, or people who are all marked, or none of whom is."""
    there = visible & (table.people > 0)
    within = (table.overlap == table.people) & there  # [a, b]: b lies wholly within a
    for number in range(int(division[-1])):
        inside = within & (division == number)
        left = table.people - inside @ table.people
        tells = left < k
        for marked in table.marked:
            mixed = (marked > 0) & (marked < table.people)
            rest = marked - inside @ marked
            tells |= mixed & ((rest == 0) | (rest == left))
        wholes = np.flatnonzero(there & (left > 0) & tells)
        if len(wholes):
            return _smallest(inside[wholes[0]], size)
    return None


def _spanned(table: _Population, visible: Mask, size: Ints) -> int | None:
    """What to hide where a hidden group is a combination of shown ones."""
    there = table.people > 0
    known, hidden = np.flatnonzero(visible & there), np.flatnonzero(~visible & there)
    if not len(hidden) or not len(known):
        return None
    asked = table.combinations[np.ix_(known, hidden)]
    weights = np.linalg.pinv(table.combinations[np.ix_(known, known)], hermitian=True) @ asked
    itself = table.combinations[hidden, hidden]
    distance = itself - (asked * weights).sum(axis=0)
    derived = np.flatnonzero(distance < _NEAR * itself)
    if not len(derived):
        return None
    used = np.zeros(len(visible), bool)
    used[known[np.abs(weights[:, derived[0]]) > _NEAR]] = True
    return _smallest(used, size)
