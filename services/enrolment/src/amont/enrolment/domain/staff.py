"""A staff record as we understand it: whose, from when on, with the subsidiary's codes resolved, and with what cannot be right left out.

Records of one person are ordered by `Position`, never by arrival. What is not here: what a record does to an employee (`employee`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from amont.common.errors import DomainError
from amont.common.events import StaffLeft, StaffRecorded
from amont.common.events.hris import StaffFact
from amont.common.events.values import EmployeeStatus, Instant, tenant_of
from amont.common.events.words import is_address, is_zone, person_id
from amont.enrolment.domain.subsidiary import Subsidiary
from amont.enrolment.domain.words import one_line
from amont.enrolment.domain.zones import held, start_of


class UnknownZone(DomainError):
    """A staff record names a time zone that there is not."""

    code = "unknown-zone"
    title = "There is no such time zone"

    def __init__(self, zone: str, person: str) -> None:
        super().__init__(
            f"The record of {person!r} has the zone {zone[:64]!r}, which the tz database does not know. "
            "Send a name as in 'Europe/Paris', or none to use the subsidiary's."
        )


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a record stands among all of one person's: the last position wins, whatever arrived when.

    `event` is the record's own event id; it only breaks ties, so that the order is total.
    """

    effective_at: Instant
    occurred_at: Instant
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of somebody who works in the group: EmployeeChanged's fields but the status and the instant."""

    given_name: str
    family_name: str
    email: str | None
    preferred_language: str | None
    band: int
    job_title: str
    function: str
    business_unit: str
    team: str
    site: str
    zone: str
    languages: tuple[str, ...]
    managers: tuple[str, ...]
    joined_on: date | None

    def facts(self) -> Mapping[str, Any]:
        return dict(zip(_PROFILE_FIELDS, _VALUES_OF(self), strict=True))


_PROFILE_FIELDS = tuple(field.name for field in fields(Profile))
_VALUES_OF = attrgetter(*_PROFILE_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffEntry:
    """One record, understood. `profile` is None exactly when the person leaves: nothing but the fact is kept of a leaver."""

    position: Position
    status: EmployeeStatus
    profile: Profile | None = None
    former: str | None = None
    """The person's id in another subsidiary, if the record names one."""

    def reporting_instead(self, manager: str, above: tuple[str, ...], *, but: str) -> "StaffEntry":
        """The same with others in a manager's place; nobody reports to themselves (`but`). Was it the person's own id elsewhere, it is named no more."""
        if self.former == manager:
            return replace(self, former=None).reporting_instead(manager, above, but=but)
        if self.profile is None or manager not in self.profile.managers:
            return self
        return replace(self, profile=replace(self.profile, managers=instead_of(manager, above, self.profile.managers, but=but)))


def instead_of(manager: str, above: tuple[str, ...], managers: tuple[str, ...], *, but: str) -> tuple[str, ...]:
    """Managers with others in the place of one, each once."""
    return tuple(dict.fromkeys(new for one in managers for new in ((one,) if one != manager else above) if new != but))


@dataclass(frozen=True, slots=True)
class Understood:
    """A record, and which parts of it contradicted themselves and were left out."""

    entry: StaffEntry
    dropped: tuple[str, ...] = ()


def understand_left(event: StaffLeft, subsidiary: Subsidiary, event_id: str) -> Understood:
    """A leaving. Without a zone of its own its day begins in the subsidiary's: the same whatever else has arrived. Raises UnknownZone."""
    return Understood(StaffEntry(position=_position(event, _zone(event, subsidiary), event_id), status=EmployeeStatus.LEFT))


def understand_recorded(event: StaffRecorded, subsidiary: Subsidiary, event_id: str) -> Understood:
    """A record. Raises UnknownGrade, UnknownZone."""
    band = subsidiary.band_of(event.grade)
    zone = _zone(event, subsidiary)
    dropped: list[str] = []
    profile = Profile(
        given_name=one_line(event.given_name),
        family_name=one_line(event.family_name),
        email=_address(event.email, dropped),
        preferred_language=event.preferred_language,
        band=band,
        job_title=one_line(event.job_title),
        function=one_line(event.function),
        business_unit=one_line(event.business_unit),
        team=one_line(event.team),
        site=one_line(event.site),
        zone=zone,
        languages=tuple(dict.fromkeys(event.languages)) or subsidiary.languages,
        managers=_managers(event, dropped),
        joined_on=event.joined_on,
    )
    former = _former(event, dropped)
    entry = StaffEntry(position=_position(event, zone, event_id), status=EmployeeStatus(event.status), profile=profile, former=former)
    return Understood(entry, tuple(dropped))


def _zone(event: StaffFact, subsidiary: Subsidiary) -> str:
    zone = event.zone or subsidiary.zone
    if not is_zone(zone):
        raise UnknownZone(zone, event.person)
    return zone


def _position(event: StaffFact, zone: str, event_id: str) -> Position:
    at = event.effective_at
    return Position(held(at) if isinstance(at, datetime) else start_of(at, zone), held(event.occurred_at), event_id)


def _address(text: str | None, dropped: list[str]) -> str | None:
    address = (text or "").strip()
    if address and not is_address(address):
        dropped.append("email")
        return None
    return address or None


def _former(event: StaffRecorded, dropped: list[str]) -> str | None:
    """The id in another subsidiary; nobody moves within their own, where their id is to stay."""
    former = person_id(event.former_id, event.tenant) if event.former_id else None
    if event.former_id and (former is None or tenant_of(former) == event.tenant):
        dropped.append("former-id")
        return None
    return former


def _managers(event: StaffRecorded, dropped: list[str]) -> tuple[str, ...]:
    """The solid line first, then dotted ones, each once; links that cannot be are left out by name."""
    managers: dict[str, None] = {}
    for text in (event.manager_id, *event.dotted_manager_ids):
        if not text:
            continue
        manager = person_id(text, event.tenant)
        if manager is None:
            dropped.append("manager")
        elif manager == event.person:
            dropped.append("own-manager")
        else:
            managers[manager] = None
    return tuple(managers)
