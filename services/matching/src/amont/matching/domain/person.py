"""An employee as matching needs to know them: where they stand in the organisation, and who is above them. Ids only, no name, no address.

A change of anything that a hard rule looks at leaves a mark (`recheck`): live pairs are looked at again after the mark has been written, so
that no pair made at the same moment can slip through.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from amont.common.aggregate import Aggregate, Decision
from amont.common.events import EmployeeChanged, EmployeeLeft
from amont.common.events.values import EmployeeStatus, Instant, tenant_of
from amont.matching.domain.lines import Link


class Recheck(StrEnum):
    """Which live pairs are to be looked at again: the person's own, or all whose line of management passes through the person."""

    OWN = "own"
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Aggregate):
    """One employee, in whatever roles and programmes. `status` is None until we have heard of them."""

    status: EmployeeStatus | None = None
    band: int = 0
    business_unit: str = ""
    team: str = ""
    function: str = ""
    site: str = ""
    zone: str = ""
    managers: tuple[str, ...] = ()
    """The solid line first, then dotted ones."""
    since: tuple[date, ...] = ()
    """For each of them the earliest day on which HR named them; empty when we were not told."""
    managers_since: Instant | None = None
    """Otherwise: when they changed last, as far as we have heard."""
    recheck: Recheck | None = None

    @property
    def tenant(self) -> str:
        return tenant_of(self.id)

    @property
    def links(self) -> tuple[Link, ...]:
        """The person's place in the management graph."""
        days = self.since or (self.managers_since.date() if self.managers_since else date.max,) * len(self.managers)
        return tuple(
            Link(report=self.id, manager=manager, since=since, dotted=place > 0)
            for place, (manager, since) in enumerate(zip(self.managers, days, strict=True))
        )

    def hear(self, event: EmployeeChanged, now: datetime) -> Decision["Person"]:
        """Take over what HR says now."""
        moved = self.managers_since is None or event.managers != self.managers
        heard = self.becomes(
            status=event.status,
            band=event.band,
            business_unit=event.business_unit,
            team=event.team,
            function=event.function,
            site=event.site,
            zone=event.zone,
            managers=event.managers,
            since=event.managers_since,
            managers_since=event.effective_at if moved else self.managers_since,
        ).state
        return _marked(heard, self, now)

    def leave(self, event: EmployeeLeft, now: datetime) -> Decision["Person"]:
        """The person has left the group. The line through them stands until HR gives their reports another manager. Once they are released,
        nothing else is kept.
        """
        if event.released:
            return _marked(
                Person(id=self.id, seq=self.seq, status=EmployeeStatus.LEFT, recheck=self.recheck, due_at=self.due_at), self, now
            )
        left = self.becomes(status=EmployeeStatus.LEFT)
        if event.managers is not None:
            left = left.state.becomes(managers=event.managers, since=event.managers_since)
        return _marked(left.state, self, now)

    def checked(self, *, again_at: datetime | None) -> Decision["Person"]:
        """Live pairs have been looked at; once more at `again_at` when something was found."""
        return self.becomes(recheck=self.recheck if again_at else None, due_at=again_at)


def _marked(person: Person, before: Person, now: datetime) -> Decision[Person]:
    if person.links != before.links:
        return person.becomes(recheck=Recheck.LINE, due_at=now)
    if _ruled_by(person) != _ruled_by(before):
        return person.becomes(recheck=person.recheck or Recheck.OWN, due_at=now)
    return person.becomes()


def _ruled_by(person: Person) -> tuple[object, ...]:
    return person.status, person.band, person.business_unit, person.team, person.zone
