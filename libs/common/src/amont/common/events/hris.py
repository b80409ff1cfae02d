"""What an HRIS tells us, on the inbound topic: full state, one record per employee, from any Kafka client that speaks CloudEvents.

Ordering is by (`effective_at`, `occurred_at`), not by arrival, so `seq` is not asked for. No photo, birth date, gender or salary: such fields are
not in the contract and are dropped at the door.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from amont.common.events.envelope import Event
from amont.common.events.values import EffectiveAt, EmployeeId, Instant, Language, TenantId

Text = Annotated[str, StringConstraints(max_length=500)]


def _written_out(value: object) -> object:
    """A number is no day and no instant: pydantic would take it for seconds since 1970, so that 20260101 becomes an August night of that year."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and _is_number(value)):
        raise ValueError("a number is no day: write 2026-12-01, or an instant as in 2026-12-01T08:00:00Z")
    return value


def _is_number(text: str) -> bool:
    """With an exponent, too, as spreadsheets write it: 2.0260101E+07."""
    if text[:4].isdigit() and text[4:5] == "-":  # a day, nearly always
        return False
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


_WrittenOut = BeforeValidator(_written_out)


class StaffFact(Event):
    """What both kinds of staff record say."""

    topic: ClassVar[str] = "hris-staff"
    subject_field: ClassVar[str] = "person"
    guarded: ClassVar[bool] = False

    seq: int = Field(default=0, ge=0, lt=2**53)
    """Not asked for and not looked at."""
    tenant: TenantId
    employee_id: EmployeeId
    effective_at: Annotated[EffectiveAt, _WrittenOut]
    """When it becomes true; may lie ahead or behind. A day begins at midnight in the site's zone."""
    occurred_at: Annotated[Instant, _WrittenOut]
    """When the HRIS wrote it."""
    zone: Text | None = None
    """The site's IANA zone, in which a day begins; the subsidiary's when absent."""

    @property
    def person(self) -> str:
        return f"{self.tenant}:{self.employee_id}"

    @property
    def owner(self) -> str:
        return self.tenant


class StaffRecorded(StaffFact):
    """An employee as the HRIS knows them from `effective_at` on."""

    status: Literal["active", "on_leave"] = "active"
    given_name: Text = ""
    family_name: Text = ""
    email: Text | None = None
    preferred_language: Language | None = None
    grade: Text
    """The subsidiary's own code; its grade table turns it into a band."""
    job_title: Text = ""
    function: Text = ""
    business_unit: Text = ""
    team: Text = ""
    site: Text = ""
    languages: tuple[Language, ...] = Field(default=(), max_length=20)
    manager_id: Text | None = None
    """An id in the same subsidiary, or `tenant:employee_id`."""
    dotted_manager_ids: tuple[Text, ...] = Field(default=(), max_length=50)
    joined_on: Annotated[date | None, _WrittenOut] = None
    former_id: Text | None = None
    """Whoever moved here from another subsidiary: `tenant:employee_id` there. What they take part in comes with them once they have left there."""


class StaffLeft(StaffFact):
    """An employee leaves the group at `effective_at`."""
