"""What the kernels read: people and policy as integers in columns. Mentees are rows, mentors columns, and the table between them is never written down."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.lines import Slices

Ints = NDArray[np.int32]
Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

NEVER = -(1 << 30)
"""Points of a pair that breaks a rule: far below any threshold, and half of what 32 bits can hold."""

GRADES = 20


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
