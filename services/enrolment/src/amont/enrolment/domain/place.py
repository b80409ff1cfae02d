"""A person's place in the line of management, made of all records of theirs, whatever came when.

Readers tell the newest link of a circle by since when each manager has been named, and a leaver stands between their reports and their manager until HR
gives the reports another one. Neither may depend on the order of arrival. So the first is a minimum and the second a maximum over the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

from amont.enrolment.domain.arrival import MOST_NAMED
from amont.enrolment.domain.staff import Position, StaffEntry, instead_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Whom somebody reported to by one record."""

    position: Position
    managers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`line` is whom the newest record that is true by now has named, `named` the earliest day for which any record has named each manager."""

    line: Reported | None = None
    named: Mapping[str, date] = field(default_factory=dict)

    @property
    def managers(self) -> tuple[str, ...]:
        """Whom they reported to last."""
        return self.line.managers if self.line else ()

    def since(self, managers: tuple[str, ...], otherwise: date) -> tuple[date, ...]:
        """Since when each of these managers has been named, in their order; `otherwise` for whom that was not kept."""
        return tuple(self.named.get(one, otherwise) for one in managers)

    def heard(self, entry: StaffEntry) -> Self:
        """With the managers that one more record names, true by now or not."""
        if entry.profile is None or not entry.profile.managers:
            return self
        day = entry.position.effective_at.date()
        earlier = {one: day for one in entry.profile.managers if one not in self.named or day < self.named[one]}
        if not earlier:
            return self
        others = {one: since for one, since in self.named.items() if one not in earlier}
        return replace(self, named=dict([*others.items(), *earlier.items()][-MOST_NAMED:]))

    def true(self, entry: StaffEntry) -> Self:
        """With one more record that is true by now."""
        if entry.profile is None or (self.line is not None and entry.position <= self.line.position):
            return self
        return replace(self, line=Reported(position=entry.position, managers=entry.profile.managers))

    def moved_up(self, manager: str, above: tuple[str, ...], *, but: str, reporting: bool) -> Self:
        """Without a manager who is erased, whose own managers take their place from the same day on, if any record is `reporting` to them still."""
        line = self.line and replace(self.line, managers=instead_of(manager, above, self.line.managers, but=but))
        named = {one: day for one, day in self.named.items() if one != manager}
        if manager in self.named and (reporting or line != self.line):
            day = self.named[manager]
            named |= {one: min(day, named.get(one, day)) for one in above if one != but}
        return replace(self, line=line, named=named)
