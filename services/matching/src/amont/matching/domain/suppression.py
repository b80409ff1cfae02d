"""Which groups of people may be shown in figures: k-anonymity with complementary suppression, for several tables of the same people at once.

A table shows, for each group of several divisions (by subsidiary, by site, ...), a count of its people, and of everybody. A group of fewer than k people is
hidden; and further ones are, until neither a hidden group nor any other few people can be worked out in these ways:

1. every shown group, and everybody, less the shown groups that lie wholly within it leaves nobody or at least k people: less those of one division, and
   then less the largest ones of any other that lie wholly within what is left, one after the other; or less the largest ones of any division from the
   start. That is subtraction as people do it: a total less its parts, a subsidiary less its sites, a group less another that differs by three people, the
   total less two subsidiaries and the sites of a third. Where groups are nested, as sites in subsidiaries, no subtraction of disjoint groups is left out;
   where they cross, it is one for each division and one more, not every one there is;
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
    within = (table.overlap == table.people) & there & there[:, None]  # [a, b]: b lies wholly within a
    starts = [within & (division == number) for number in (*range(int(division[-1])), -1)]  # -1: no division
    every = np.flatnonzero(there)
    for inside in starts:
        telling = _tells(table, every, inside[every], k)
        if telling.any():
            return _smallest(inside[every[telling][0]], size)
    for inside in starts:
        taken = inside.astype(np.float64) @ table.overlap.astype(np.float64)  # [a, b]: people of b who are subtracted from a
        fits = within & (taken == 0) & (table.people < table.people[:, None])
        for whole in np.flatnonzero(fits.any(axis=1)):
            parts = _filled(table, inside[whole], fits[whole])
            if _tells(table, np.array([whole]), parts[None], k).any():
                return _smallest(parts, size)
    return None


def _filled(table: _Population, parts: Mask, fits: Mask) -> Mask:
    """These parts of a whole and all others that fit beside them, the largest first.

    With fewer of them, what is left tells no more: it is a few people only if nothing fits, and all marked only if what fits is shown to be.
    """
    parts = parts.copy()
    while fits.any():
        largest = int(np.argmax(np.where(fits, table.people, -1)))
        parts[largest] = True
        fits = fits & (table.overlap[largest] == 0)
    return parts


def _tells(table: _Population, wholes: Ints, parts: Mask, k: int) -> Mask:
    """Whether what is left of each whole without its parts is a few people, or people all or none of whom are marked where the whole's are neither."""
    people = table.people[wholes]
    left = people - parts @ table.people
    tells = left < k
    for every in table.marked:
        marked = every[wholes]
        rest = marked - parts @ every
        tells |= (marked > 0) & (marked < people) & ((rest == 0) | (rest == left))
    return tells & (left > 0)


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
