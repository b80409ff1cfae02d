"""What one round is computed from: the people who may be paired, who manages whom, and the pairs decided beforehand.

Frozen values and nothing else. Reading a pool from a file, with every fault listed, is another module's work; so is building one from what
the other services told us. Whoever builds a pool answers for the limits of the scoring contract: nothing here checks them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Role = Literal["mentee", "mentor"]
Meeting = Literal["in-person", "remote", "either"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPerson:
    """One person in one role; somebody in both roles appears twice, with the same id.

    `business_unit`, `team`, `function` and `site` may be empty when the HRIS did not say: unknown. An unknown value equals nothing, not
    even another unknown one. So two people of one subsidiary whose teams are unknown are *not* in the same team, and nobody shares an
    unknown site.

    Attributes:
        capacity: how many pairs at most; 1 for a mentee, 1 or 2 for a mentor.
        grade: 1 to 20, higher is more senior.
        zone: a name of the tzdata package.
        languages: BCP 47 primary tags.
        availability: weekly windows in the zone's local time, `ddd HH:MM-HH:MM`, on the half-hour.
        topics: a mentee's wishes or a mentor's levels, 1 to 3.
    """

    id: str
    role: Role
    capacity: int = 1
    grade: int
    subsidiary: str
    business_unit: str
    team: str
    function: str
    site: str
    zone: str
    languages: frozenset[str]
    meeting: Meeting
    availability: tuple[str, ...]
    topics: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Everything a round depends on but the policy.

    Attributes:
        seed: chooses among equally good answers, and has no other effect.
        week_of: the Monday of the week in which local hours are turned into UTC.
        people: in any order; the order has no effect on the answer.
        managers: each person's direct managers, the solid line first, then the dotted ones; may name people outside the pool; no cycle.
        forbidden: unordered pairs of ids; ids outside the pool do nothing.
        pinned: `(mentee, mentor)` pairs to be made before anything else.
        current: `(mentee, mentor)` pairs that exist already, to which stickiness applies.
    """

    programme: str
    seed: str
    week_of: date
    people: Sequence[PoolPerson]
    managers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forbidden: tuple[tuple[str, str], ...] = ()
    pinned: tuple[tuple[str, str], ...] = ()
    current: tuple[tuple[str, str], ...] = ()

    def in_role(self, role: Role) -> tuple[PoolPerson, ...]:
        """Everybody in that role, in the pool's order."""
        return tuple(person for person in self.people if person.role == role)


def same(one: str, other: str) -> bool:
    """Whether two values are known and equal; an empty one is unknown and equals nothing."""
    return one == other != ""
