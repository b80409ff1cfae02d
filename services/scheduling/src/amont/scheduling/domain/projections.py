"""What scheduling knows of others' facts: copies kept from events, read-only for every decision made here.

Only what a plan needs is copied: no name, no address, no grade. What a plan decides with it lives in `plan` and `hours`.
"""

from dataclasses import dataclass

from amont.common.aggregate import Aggregate
from amont.common.events.values import EmployeeStatus, EnrolmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a programme's pairs meet: how many sessions, how long, how often, and how long after its end an unconfirmed one counts as missed."""

    sessions: int
    minutes: int
    every_days: int
    grace_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Aggregate):
    """An employee's zone and whether they are there. `zone` is None while only their leaving is known."""

    zone: str | None = None
    status: EmployeeStatus = EmployeeStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment(Aggregate):
    """When one person can meet in one programme: weekly windows in their own zone."""

    person: str
    availability: tuple[str, ...]
    status: EnrolmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme(Aggregate):
    """The part of a programme's policy that is about sessions."""

    pace: Pace
