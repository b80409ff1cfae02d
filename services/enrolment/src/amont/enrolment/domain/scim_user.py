"""People and groups as an identity provider has written them over SCIM, kept so that it finds what it wrote (RFC 7644, section 3).

A user says to the inbound topic what its changes mean: a staff record when one of its fields differs from what was said, a leaving when `active` becomes
false or the user is deleted, a record again when they come back. A leaving that enrolment has not taken, since a coordinator dropped it, is said again
when the provider says again that the user is inactive. So every feed has one validation and one history, and this is no second one.
A user whose attributes miss something is kept and says nothing. A group says nothing at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict, DomainError
from amont.common.events import StaffLeft
from amont.common.events.values import Instant, tenant_of
from amont.enrolment.domain.scim_record import (
    BadAttribute,
    managers_in,
    missing,
    must_have_a_name,
    path_of,
    scim_id_of,
    staff_record,
    with_managers,
)
from amont.enrolment.domain.staff import UnknownZone, understand_recorded
from amont.enrolment.domain.subsidiary import Subsidiary, UnknownGrade

MOST_MEMBERS = 20_000
"""Members of a group: kept in one document."""
NEXT = timedelta(microseconds=1)


class PersonErased(DomainError):
    """Whoever was erased is not taken again by itself."""

    code = "person-erased"
    status = 403

    def __init__(self, employee_id: str) -> None:
        super().__init__(
            f"Employee {employee_id[:64]!r} was erased, and is kept out. Take them out of what you send; should they have come back, have a coordinator let "
            "them in again (`amont people readmit`)."
        )


class UserTaken(Conflict):
    """There is a user with that name or id already."""

    code = "user-taken"

    def __init__(self, attribute: str, value: str) -> None:
        super().__init__(
            f"There is a user with this {attribute} already ({value[:100]!r}): change that one (PATCH or PUT) in place of making another."
        )
        self.attribute = attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimUser(Aggregate):
    """One person; the id is `tenant:employee_id`. `present` is the last word to the inbound topic: that they are there. `due_at` is until when one who is
    inactive is kept, also when enrolment never hears of the person.

    `removed` is what is left of a deleted or erased user: no attribute, only that it counts on, should they come back.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    made_at: Instant | None = None
    changed_at: Instant | None = None
    effective_at: Instant | None = None
    said_at: Instant | None = None
    """When what was said last becomes true, and when it was said: what comes after it must not stand before it (`staff.Position`)."""
    present: bool = False
    removed: bool = False

    @property
    def tenant(self) -> str:
        return tenant_of(self.id)

    @property
    def employee_id(self) -> str:
        return self.id.partition(":")[2]

    @property
    def scim_id(self) -> str:
        return scim_id_of(self.employee_id)

    @property
    def managers(self) -> tuple[str, ...]:
        return managers_in(self.attributes, self.tenant)

    def facts(self) -> Mapping[str, Any]:
        return {"tenant": self.tenant, "employee_id": self.employee_id}

    def write(
        self, attributes: Mapping[str, Any], subsidiary: Subsidiary, now: datetime, *, until: datetime, still_here: datetime | None = None
    ) -> Decision["ScimUser"]:
        """Other attributes, all of them, kept `until` then if they are of somebody inactive; `still_here` as for `remove`.

        Raises BadAttribute, for a grade or a zone that the subsidiary does not know, too.
        """
        must_have_a_name(attributes)
        made_at = now if self.removed or self.made_at is None else self.made_at
        changed_at = self.changed_at if attributes == self.attributes and not self.removed else now
        written = replace(self, attributes=dict(attributes), made_at=made_at, changed_at=changed_at, removed=False)
        if attributes.get("active") is False:
            return _left(replace(written, due_at=self.due_at or until), now, still_here)
        written = replace(written, due_at=None)
        if missing(attributes):
            return Decision(written)
        when = self.next(now)
        record = staff_record(self.id, attributes, **when)
        _understood(record, subsidiary)
        if self.present and not missing(self.attributes) and staff_record(self.id, self.attributes, **when) == record:
            return Decision(written)
        said = replace(written, present=True, effective_at=when["effective_at"], said_at=when["occurred_at"], seq=self.seq + 1)
        return Decision(said, (record.model_copy(update={"seq": said.seq}),))

    def remove(self, now: datetime, *, still_here: datetime | None = None) -> Decision["ScimUser"]:
        """The user is deleted: the person leaves, and nothing is kept but that there was one. `still_here` is from when the record is by which enrolment has
        somebody here who was said to have left: it is said again.
        """
        decision = _left(self, now, still_here)
        return Decision(replace(decision.state.erased(), changed_at=now), decision.events)

    def erased(self) -> "ScimUser":
        """The same without any personal data, saying nothing: for an erasure, which tells by itself that the person is gone."""
        return ScimUser(id=self.id, seq=self.seq, effective_at=self.effective_at, said_at=self.said_at, removed=True)

    def moved_up(self, person: str, instead: str | None) -> Decision["ScimUser"]:
        """The same with somebody else, or nobody, in place of a manager who is erased. It says nothing: reports move up by themselves."""
        return self.becomes(attributes=with_managers(self.attributes, self.tenant, {person: instead}))

    def next(self, now: datetime) -> dict[str, datetime]:
        """`effective_at` and `occurred_at` of what is said now: it stands after what was said before, whatever the clocks of several processes say."""
        if self.effective_at is None or self.said_at is None:
            return {"effective_at": now, "occurred_at": now}
        return {"effective_at": max(now, self.effective_at), "occurred_at": max(now, self.said_at + NEXT)}


def _left(user: ScimUser, now: datetime, still_here: datetime | None) -> Decision[ScimUser]:
    """The person is there no more, said if it was said that they were. Said again, it is a new fact about the same day, unless a later record has them here."""
    when = user.next(now)
    if not user.present:
        if still_here is None or user.effective_at is None:
            return Decision(user)
        if still_here <= user.effective_at:
            when["effective_at"] = user.effective_at
    left = replace(user, present=False, effective_at=when["effective_at"], said_at=when["occurred_at"])
    return Decision(left).saying(StaffLeft, **when)


def _understood(record: Any, subsidiary: Subsidiary) -> None:
    """Whether enrolment could take the record: what would be a dead letter later is refused now. Raises BadAttribute."""
    try:
        understand_recorded(record, subsidiary, "")
    except UnknownGrade:
        raise BadAttribute(
            path_of("grade"),
            f"{record.grade[:100]!r} is not in the grade table of {subsidiary.id!r}. Add the code (`amont subsidiaries change {subsidiary.id} --grades "
            "FILE`, or its API), or correct the user, and send it again",
        ) from None
    except UnknownZone:
        raise BadAttribute(
            path_of("zone"),
            f"{record.zone[:64]!r} is no name of the tz database: write one, as in 'Europe/Paris', or none to use the subsidiary's",
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimGroup(Aggregate):
    """One group; the id is `tenant:id`. It holds the ids of its members and no other personal data."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    made_at: Instant | None = None
    changed_at: Instant | None = None

    @property
    def tenant(self) -> str:
        return tenant_of(self.id)

    @property
    def scim_id(self) -> str:
        return self.id.partition(":")[2]

    def write(self, attributes: Mapping[str, Any], now: datetime) -> Decision["ScimGroup"]:
        """Other attributes, all of them. Raises BadAttribute."""
        if len(attributes.get("members", ())) > MOST_MEMBERS:
            raise BadAttribute(
                "members", f"a group has {MOST_MEMBERS:,} members at most here; groups have no effect in Amont, so leave it out"
            )
        return self.becomes(attributes=dict(attributes), made_at=self.made_at or now, changed_at=now)

    def without(self, member: str) -> Decision["ScimGroup"]:
        """The same without one member, by the id of its user."""
        members = [one for one in self.attributes.get("members", ()) if one.get("value") != member]
        return self.becomes(attributes={**self.attributes, "members": members})
