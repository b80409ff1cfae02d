"""A made-up group, from a seed: three subsidiaries, their people in one management tree, and who among them wants to take part.

The same seed gives the same people, records and wishes. Nothing here knows how they reach the services: that is the demo's.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from amont.common.events import StaffLeft, StaffRecorded
from amont.local.group.staff import REFUSED, Dirt, Person, hired, moves, soiled, with_dotted_lines
from amont.local.group.wishes import Wish, wished
from amont.local.group.words import COMPANIES, PROGRAMME, PROGRAMME_NAME, TOPICS, Company

__all__ = ["COMPANIES", "PROGRAMME", "PROGRAMME_NAME", "REFUSED", "TOPICS", "Company", "Dirt", "Group", "Person", "Wish", "made_up"]

PEOPLE, WISHES = 600, 120


@dataclass(frozen=True, slots=True)
class Group:
    """The group at the instant `at`. `records` is what the HR systems have written by then, in their own order."""

    at: datetime
    people: Mapping[str, Person]
    records: tuple[StaffRecorded, ...]
    wishes: tuple[Wish, ...]

    def line_of(self, person: str) -> Iterator[str]:
        """Everybody above somebody by the solid line, nearest first."""
        manager = self.people[person].manager
        while manager is not None:
            yield manager
            manager = self.people[manager].manager

    def moved_below(self, person: str, manager: str, at: datetime) -> StaffRecorded:
        """The record of somebody who reports to another manager from now on."""
        return replace(self.people[person], manager=manager, team="Special projects").record(effective_at=at, occurred_at=at)

    def left(self, person: str, at: datetime) -> StaffLeft:
        """The record of somebody who leaves the group now."""
        one = self.people[person]
        return StaffLeft(tenant=one.tenant, employee_id=one.employee_id, effective_at=at, occurred_at=at)


def made_up(seed: int, at: datetime, *, people: int = PEOPLE, wishes: int = WISHES) -> Group:
    """The group that this seed gives, of about `people` people of whom about `wishes` want to take part."""
    chance = random.Random(seed)
    today = at.date()
    staff = soiled(chance, with_dotted_lines(chance, hired(chance, people, today)))
    ahead = [(moved, day) for moved, day in moves(chance, staff, today)]
    records = _as_written(staff, at)
    records += [moved.record(effective_at=day, occurred_at=at - timedelta(hours=1)) for moved, day in ahead]
    return Group(
        at=at,
        people=MappingProxyType({person.id: person for person in staff}),
        records=tuple(records),
        wishes=tuple(wished(chance, staff, wishes, today)),
    )


def _as_written(staff: list[Person], at: datetime) -> list[StaffRecorded]:
    """By subsidiary and id, as an HR system exports: never top-down. Some records come twice."""
    records = []
    for person in sorted(staff, key=lambda one: one.id):
        record = person.record(occurred_at=at - timedelta(hours=2))
        records += [record] * (2 if person.dirt is Dirt.SENT_TWICE else 1)
    return records
