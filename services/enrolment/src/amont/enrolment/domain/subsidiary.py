"""A subsidiary, which is a tenant: its zone, its languages and its own grade table, without which no staff record of its can be understood.

What else it owns may be left out: it begins with a default, and stays as it is in a change. What is not here: what is wrong with such data
(`subsidiary_faults`) and its feed's tokens (`tokens`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict, DomainError, Fault, Invalid
from amont.common.events import SubsidiaryChanged, SubsidiaryRemoved
from amont.common.identity import Resource
from amont.enrolment.domain.history import known_until
from amont.enrolment.domain.ruling import Ruling, Verb, noted, ruled, still_known
from amont.enrolment.domain.subsidiary_faults import faults_in, faults_in_grades
from amont.enrolment.domain.words import is_slug

LEAVER_SHARE = 0.05
"""The share of its people that a subsidiary's feed may remove within an hour, unless the subsidiary says otherwise."""


class UnknownTenant(DomainError):
    """A staff record came for a subsidiary that nobody has added."""

    code = "unknown-tenant"
    title = "There is no such subsidiary"

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"There is no subsidiary {tenant!r}. Add it with its grade table (PUT /api/enrolment/v1/subsidiaries/{tenant}), then replay the record."
        )


class UnknownGrade(DomainError):
    """A staff record has a grade that its subsidiary's table does not name."""

    code = "unknown-grade"
    title = "The grade table does not have this code"

    def __init__(self, grade: str, tenant: str) -> None:
        super().__init__(
            f"Grade {grade[:100]!r} is not in the grade table of {tenant!r}. "
            f"Add the code (PUT /api/enrolment/v1/subsidiaries/{tenant}/grades replaces the whole table: GET the subsidiary first, and send its ETag "
            f"in If-Match; `amont subsidiaries change {tenant} --grades FILE` does the same), then replay the record."
        )


class SubsidiaryExists(Conflict):
    """The id is taken by a subsidiary that says something else."""

    code = "subsidiary-exists"
    title = "The subsidiary exists with other data"

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"Subsidiary {tenant!r} exists with other data. To change it, read it and send its version in If-Match "
            f"(`amont subsidiaries change {tenant}` does both)."
        )


class StillInUse(Conflict):
    """The subsidiary has people, or takes part in something: it cannot be removed yet."""

    code = "subsidiary-in-use"
    title = "The subsidiary is still in use"

    def __init__(self, tenant: str, people: int, programmes: Sequence[str]) -> None:
        reasons, advice = [], []
        if people:
            reasons.append(f"it has {people:,} people")
            advice.append(
                "have its feed send that they leave (a complete CSV without them, StaffLeft, or active=false over SCIM), and stop the feed"
            )
        if programmes:
            reasons.append(f"it takes part in {', '.join(programmes)}")
            advice.append("close the programme, or take the subsidiary out of it")
        super().__init__(f"Subsidiary {tenant!r} cannot be removed: {' and '.join(reasons)}. First {'; '.join(advice)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subsidiary(Aggregate):
    """One tenant. `grades` maps its HR system's codes to the group's bands, 1 to 20.

    `leaver_share` is the share of its people, 0 to 1, above which leavers within an hour trip the breaker: 0 holds every leaver, 1 none. `holidays`
    is a calendar of the `holidays` library, a country or a country and its part (`FR`, `DE-BY`). `coordinators` are people's ids. `removed` is what
    is left of a tenant that is gone: it counts on, should the id be taken again.
    """

    name: str
    zone: str
    languages: tuple[str, ...]
    grades: Mapping[str, int]
    leaver_share: float = LEAVER_SHARE
    holidays: str | None = None
    coordinators: tuple[str, ...] = ()
    sender_name: str | None = None
    kafka_principal: str | None = None
    removed: bool = False
    pauses: tuple[Ruling, ...] = ()
    """When the feed was paused and resumed, by whom and why; the newest says which it is."""

    @property
    def paused(self) -> Ruling | None:
        """Who has paused the feed, when and why; None when it is not."""
        return self.pauses[-1] if self.pauses and self.pauses[-1].verb is Verb.PAUSE else None

    @property
    def resource(self) -> Resource:
        return Resource("subsidiary", self.id, tenants=frozenset({self.id}))

    def facts(self) -> Mapping[str, Any]:
        """What the other services need: neither the breaker nor a feed's principal is any business of theirs."""
        own = self.own()
        return {"subsidiary": self.id, **{name: own[name] for name in SubsidiaryChanged.model_fields if name in own}}

    def own(self) -> dict[str, Any]:
        """What a subsidiary tells about itself, by name: what `change` takes."""
        return {name: getattr(self, name) for name in OWN}

    @classmethod
    def added(cls, id_: str, **given: Any) -> Decision[Self]:
        """A new tenant. Raises Invalid with every fault."""
        faults = () if is_slug(id_, 32) else (Fault("path:/subsidiary_id", "1 to 32 of a-z, 0-9 and the hyphen"),)
        _refuse((*faults, *faults_in(given)), id_)
        return Decision(cls(id=id_, **_clean(given))).saying(SubsidiaryChanged)

    def change(self, **given: Any) -> Decision[Self]:
        """Other data for the same tenant; says nothing when it is the same. Raises Invalid with every fault.

        A changed zone or grade table holds for the records that arrive from now on.
        """
        _refuse(faults_in({**self.own(), **given}), self.id)
        decision = self.becomes(**_clean(given))
        return decision if decision.state == self else decision.saying(SubsidiaryChanged)

    def take_grades(self, grades: Mapping[str, Any]) -> Decision[Self]:
        """Another grade table in place of the present one. Raises Invalid with every fault."""
        _refuse(tuple(faults_in_grades(grades, "")), self.id)
        return self.change(grades=grades)

    def added_again(self, **given: Any) -> Decision[Self]:
        """The id of a removed tenant is taken by a new one. Raises Invalid with every fault."""
        return Decision(replace(self.added(self.id, **given).state, seq=self.seq)).saying(SubsidiaryChanged)

    def remove(self, people: int, programmes: Sequence[str]) -> Decision[Self]:
        """The tenant is gone. `people` work there, and the open `programmes` have it. Raises StillInUse."""
        if people or programmes:
            raise StillInUse(self.id, people, programmes)
        gone = type(self)(id=self.id, seq=self.seq, name="", zone="", languages=(), grades={}, removed=True)
        return Decision(replace(gone, seq=self.seq + 1), (SubsidiaryRemoved(seq=self.seq + 1, subsidiary=self.id),))

    def pause(self, by: str, why: str, now: datetime) -> Decision[Self]:
        """Hold what the feed brings from now on; a second time changes nothing. Raises Invalid."""
        ruling = ruled(Verb.PAUSE, by, now, why)
        pauses = noted(self.pauses, ruling)
        return self.becomes() if self.paused else self.becomes(pauses=pauses, due_at=known_until(pauses))

    def resume(self, by: str, why: str, now: datetime) -> Decision[Self]:
        """Take what the feed brings, and (as soon as that is written) what was held; a second time changes nothing. Raises Invalid."""
        ruling = ruled(Verb.RESUME, by, now, why)
        return self.becomes(pauses=noted(self.pauses, ruling), due_at=now) if self.paused else self.becomes()

    def goes_on(self, now: datetime) -> Decision[Self]:
        """What was held when the feed was resumed is being taken. The next to be done is to forget who paused and resumed it."""
        pauses = still_known(self.pauses, now)
        return self.becomes(pauses=pauses, due_at=known_until(pauses))

    def band_of(self, grade: str) -> int:
        """The group's band of a code of this subsidiary's. Raises UnknownGrade."""
        try:
            return self.grades[grade]
        except KeyError:
            raise UnknownGrade(grade, self.id) from None


OWN = ("name", "zone", "languages", "grades", "leaver_share", "holidays", "coordinators", "sender_name", "kafka_principal")
"""The fields that a subsidiary tells about itself."""


def _clean(given: Mapping[str, Any]) -> dict[str, Any]:
    """Data without faults as it is kept."""
    clean = dict(given)
    for name in ("languages", "coordinators"):
        if name in clean:
            clean[name] = tuple(dict.fromkeys(clean[name]))
    for name in ("name", "sender_name", "kafka_principal"):
        if clean.get(name) is not None:
            clean[name] = clean[name].strip()
    return clean


def _refuse(faults: Sequence[Fault], id_: str) -> None:
    if faults:
        raise Invalid(f"Subsidiary {id_[:64]!r} cannot be taken as it is: {len(faults)} fault(s).", faults)
