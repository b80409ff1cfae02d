"""A subsidiary, which is a tenant: its zone, its languages and its own grade table, without which no staff record of its can be understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict, DomainError, Fault, Invalid
from amont.common.events import SubsidiaryChanged
from amont.common.events.words import is_zone
from amont.common.identity import Resource
from amont.enrolment.domain.ruling import Ruling, Verb, noted, ruled
from amont.enrolment.domain.words import MAX_NAME, is_language, is_slug

BANDS = range(1, 21)
MAX_GRADES = 2_000
MAX_LANGUAGES = 20
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
            "in If-Match), then replay the record."
        )


class SubsidiaryExists(Conflict):
    """The id is taken by a subsidiary that says something else."""

    code = "subsidiary-exists"
    title = "The subsidiary exists with other data"

    def __init__(self, tenant: str) -> None:
        super().__init__(f"Subsidiary {tenant!r} exists with other data. To change it, read it and send its version in If-Match.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subsidiary(Aggregate):
    """One tenant. `grades` maps its HR system's codes to the group's bands, 1 to 20.

    `leaver_share` is the share of its people, 0 to 1, above which leavers within an hour trip the breaker: 0 holds every leaver, 1 none.
    """

    name: str
    zone: str
    languages: tuple[str, ...]
    grades: Mapping[str, int]
    leaver_share: float = LEAVER_SHARE
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
        return {"subsidiary": self.id, "name": self.name, "zone": self.zone, "languages": self.languages, "grades": dict(self.grades)}

    @classmethod
    def added(
        cls, id_: str, *, name: str, zone: str, languages: Sequence[str], grades: Mapping[str, Any], leaver_share: float = LEAVER_SHARE
    ) -> Decision[Self]:
        """A new tenant. Raises Invalid with every fault."""
        faults = () if is_slug(id_, 32) else (Fault("path:/subsidiary_id", "1 to 32 of a-z, 0-9 and the hyphen"),)
        _refuse((*faults, *faults_in(name, zone, languages, grades, leaver_share)), id_)
        new = cls(
            id=id_,
            name=name.strip(),
            zone=zone,
            languages=tuple(dict.fromkeys(languages)),
            grades=dict(grades),
            leaver_share=float(leaver_share),
        )
        return Decision(new).saying(SubsidiaryChanged)

    def change(
        self, *, name: str, zone: str, languages: Sequence[str], grades: Mapping[str, Any], leaver_share: float | None = None
    ) -> Decision[Self]:
        """Other data for the same tenant; says nothing when it is the same. Raises Invalid with every fault.

        What may be left out stays as it is. A changed zone or grade table holds for the records that arrive from now on.
        """
        share = self.leaver_share if leaver_share is None else float(leaver_share)
        _refuse(faults_in(name, zone, languages, grades, share), self.id)
        decision = self.becomes(
            name=name.strip(), zone=zone, languages=tuple(dict.fromkeys(languages)), grades=dict(grades), leaver_share=share
        )
        return decision if decision.state == self else decision.saying(SubsidiaryChanged)

    def take_grades(self, grades: Mapping[str, Any]) -> Decision[Self]:
        """Another grade table in place of the present one. Raises Invalid with every fault."""
        _refuse(tuple(faults_in_grades(grades, "")), self.id)
        return self.change(name=self.name, zone=self.zone, languages=self.languages, grades=grades)

    def pause(self, by: str, why: str, now: datetime) -> Decision[Self]:
        """Hold what the feed brings from now on; a second time changes nothing. Raises Invalid."""
        ruling = ruled(Verb.PAUSE, by, now, why)
        return self.becomes() if self.paused else self.becomes(pauses=noted(self.pauses, ruling))

    def resume(self, by: str, why: str, now: datetime) -> Decision[Self]:
        """Take what the feed brings, and (as soon as that is written) what was held; a second time changes nothing. Raises Invalid."""
        ruling = ruled(Verb.RESUME, by, now, why)
        return self.becomes(pauses=noted(self.pauses, ruling), due_at=now) if self.paused else self.becomes()

    def band_of(self, grade: str) -> int:
        """The group's band of a code of this subsidiary's. Raises UnknownGrade."""
        try:
            return self.grades[grade]
        except KeyError:
            raise UnknownGrade(grade, self.id) from None


def _refuse(faults: Sequence[Fault], id_: str) -> None:
    if faults:
        raise Invalid(f"Subsidiary {id_[:64]!r} cannot be taken as it is: {len(faults)} fault(s).", faults)


def faults_in(
    name: str, zone: str, languages: Sequence[str], grades: Mapping[str, Any], leaver_share: float = LEAVER_SHARE
) -> tuple[Fault, ...]:
    """Everything that is wrong with a subsidiary's data."""
    faults = []
    if not name.strip() or len(name) > MAX_NAME:
        faults.append(Fault("/name", f"a name of 1 to {MAX_NAME} characters"))
    if not is_zone(zone):
        faults.append(Fault("/zone", f"{zone[:64]!r} is not a time zone: write a name of the tz database, as in 'Europe/Paris'"))
    if not 1 <= len(languages) <= MAX_LANGUAGES:
        faults.append(Fault("/languages", f"1 to {MAX_LANGUAGES} languages: they stand in for staff records that have none"))
    faults.extend(
        Fault(f"/languages/{at}", f"{one[:64]!r} is not a BCP 47 tag, as in 'fr' or 'pt-BR'")
        for at, one in enumerate(languages)
        if not is_language(one)
    )
    if not 0 <= leaver_share <= 1:
        faults.append(Fault("/leaver_share", "a share from 0 (every leaver is held) to 1 (none is)"))
    return (*faults, *faults_in_grades(grades, "/grades"))


def faults_in_grades(grades: Mapping[str, Any], where: str) -> list[Fault]:
    """Everything that is wrong with a grade table, each code by its own pointer."""
    faults = []
    if not 1 <= len(grades) <= MAX_GRADES:
        faults.append(Fault(where, f"1 to {MAX_GRADES} codes; without a table no staff record can be taken"))
    for code, band in grades.items():
        pointer = f"{where}/{code[:100].replace('~', '~0').replace('/', '~1')}"
        if not code.strip() or len(code) > MAX_NAME:
            faults.append(Fault(pointer, f"a code of 1 to {MAX_NAME} characters"))
        if type(band) is not int or band not in BANDS:
            faults.append(Fault(pointer, "the band is a whole number from 1 (most junior) to 20 (most senior)"))
    return faults
