"""What the enrolment tests share: subsidiaries, staff records, a programme, people to ask as. A test says only what matters to it."""

from datetime import date, datetime, timedelta
from typing import Any

from amont.common.events import Policy, StaffLeft, StaffRecorded
from amont.common.events.values import ProgrammeStatus
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import START, Hearing
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.subsidiary import Subsidiary

GROUP = Actor("fr:boss", "fr", frozenset({Privilege.GROUP_COORDINATOR}))
COORDINATOR = Actor("fr:coord", "fr", frozenset({Privilege.COORDINATOR}))
ELSEWHERE = Actor("de:coord", "de", frozenset({Privilege.COORDINATOR}))
LEA = "fr:lea"
BOB = "fr:bob"


def oneself(person: str) -> Actor:
    return Actor(person, person.partition(":")[0], frozenset({Privilege.PARTICIPANT}))


def fr(**more: Any) -> Subsidiary:
    given: dict[str, Any] = {"name": "France", "zone": "Europe/Paris", "languages": ("fr",), "grades": {"C1": 5, "C2": 6, "DIR": 14}}
    return Subsidiary(id="fr", **{**given, **more})


def de(**more: Any) -> Subsidiary:
    return Subsidiary(id="de", **{"name": "Allemagne", "zone": "Europe/Berlin", "languages": ("de",), "grades": {"AT": 5}, **more})


def recorded(
    employee: str = "lea", *, at: datetime | date = START - timedelta(days=30), wrote: datetime | None = None, **more: Any
) -> StaffRecorded:
    """A record of `fr:<employee>`, true since a month ago unless said otherwise."""
    given = {"tenant": "fr", "given_name": employee.title(), "family_name": "Test", "grade": "C1", "joined_on": date(2020, 1, 1), **more}
    return StaffRecorded(employee_id=employee, effective_at=at, occurred_at=wrote or START - timedelta(days=30), **given)


def left(
    employee: str = "lea", *, at: datetime | date = START - timedelta(days=1), wrote: datetime | None = None, tenant: str = "fr"
) -> StaffLeft:
    return StaffLeft(tenant=tenant, employee_id=employee, effective_at=at, occurred_at=wrote or START - timedelta(days=1))


def programme(**more: Any) -> Programme:
    """An open programme of the French and the German subsidiary with the default policy."""
    given: dict[str, Any] = {
        "id": "digital",
        "name": "Digital",
        "tenants": ("fr", "de"),
        "topics": ("ai", "data", "social"),
        "policy": Policy(),
        "status": ProgrammeStatus.OPEN,
        "request": "made",
    }
    return Programme(**{**given, **more})


FORM: dict[str, Any] = {"topics": {"ai": 3}, "availability": ["mon 09:00-11:30"], "charter_accepted": True}
"""The least that enrols."""


async def settled(hearing: Hearing) -> Hearing:
    """Two subsidiaries, an open programme, a junior (lea) and a director (bob); what was said until now is forgotten."""
    await hearing.given(fr())
    await hearing.given(de())
    await hearing.given(programme())
    await hearing.hears(recorded("lea"), recorded("bob", grade="DIR"))
    await hearing.said()
    return hearing
