"""What a record that can be read still gets wrong: fields that are never stored, codes that nobody knows, parts that enrolment would leave out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amont.common.events.hris import StaffFact, StaffRecorded
from amont.common.events.values import tenant_of
from amont.common.events.words import is_address, is_spoken, is_zone, language_meant, person_id
from amont.common.feeds.findings import Finding, found, shown
from amont.common.feeds.grades import Grades
from amont.common.feeds.lines import Entry
from amont.common.feeds.record import FIELDS, Line, NotARecord, read_line, without
from amont.common.feeds.refused import never_stored

NOT_THERE = ("subsidiary-not-there", "grade-not-there")
"""Why enrolment would refuse a record; at most one of them for each."""
DEEPEST = 5
"""Levels of objects inside a record in which names are looked for: no HR system nests deeper."""
_MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|&(?:[a-z]{2,8}|#[0-9]{2,5});")
_TEXTS = ("given_name", "family_name", "job_title", "function", "business_unit", "team", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """The contract, and what else is known: the grade tables (None: not looked at) and the subsidiary that the feed belongs to (None: any).

    `there` is the tables that enrolment has, where its store is at hand: what it would refuse today is sent all the same, since it may know more tomorrow.
    """

    grades: Grades | None = None
    tenant: str | None = None
    there: Grades | None = None

    def look(self, entry: Entry) -> tuple[Line | None, list[Finding]]:
        """The record that an entry is, None when it is none, and everything found in it. An error among it keeps a record from being sent."""
        bad = any(one.is_error for one in entry.findings)
        if bad and not entry.value:
            return None, list(entry.findings)
        try:
            line = read_line(entry.line, entry.value, entry.kind)
        except NotARecord as error:
            return None, self._all(entry, error.findings, error.given)
        if bad:
            return None, self._all(entry, (), line.given)
        findings = [*entry.findings, *_names(entry.line, line.given, "", 1), *self.contents(entry.line, line.event)]
        if any(one.is_error for one in findings):  # it is not sent, so enrolment refuses nothing
            findings = [one for one in findings if one.kind.name not in NOT_THERE]
        return line, findings

    def _all(self, entry: Entry, faults: Iterable[Finding], given: Mapping[str, Any]) -> list[Finding]:
        """All that is found in what is no record, so that it is mended in one go: what its door found, what the contract has against the rest of it, and
        what the fields that both can read get wrong.
        """
        told = {_field(one) for one in entry.findings if one.is_error}
        if told & {"status", "left"} and "grade" not in given:  # it may be a leaving, which needs none
            told.add("grade")
        findings = [*entry.findings, *(one for one in faults if _field(one) not in told)]
        faulty = told | {_field(one) for one in findings if one.is_error}
        findings += _names(entry.line, given, "", 1)
        event = without(given, faulty, entry.kind)
        if event is None or "tenant" in faulty:  # whose it is decides about the rest
            return findings
        contents = self.contents(entry.line, event)
        return findings + [one for one in contents if _field(one) not in faulty and one.kind.name not in NOT_THERE]

    def contents(self, number: int, event: StaffFact) -> Iterator[Finding]:
        """What is found in the fields of a record that can be read."""
        elsewhere = self.tenant is not None and event.tenant != self.tenant
        if elsewhere:
            yield found(number, "wrong-tenant", "/tenant", f"{shown(event.tenant)} is another subsidiary than {self.tenant!r}")
        if event.zone and not is_zone(event.zone):
            yield found(number, "unknown-zone", "/zone", f"{shown(event.zone)} is not in the tz database")
        yield from _not_there(number, event, self.there)
        if isinstance(event, StaffRecorded):
            if self.grades is not None and not elsewhere and not self.grades.knows(event.tenant, event.grade):
                yield found(number, "unknown-grade", "/grade", f"{shown(event.grade)} is not in the grade table of {event.tenant!r}")
            address = (event.email or "").strip()
            if address and not is_address(address):
                yield found(number, "not-an-address", "/email", f"{shown(address)} is no e-mail address")
            yield from _languages(number, event)
            yield from _managers(number, event)
            yield from _former(number, event)
            yield from _markup(number, event)


def _field(finding: Finding) -> str:
    """The field of a record that a finding is about; "" for all of it."""
    return finding.where.partition("/")[2].partition("/")[0]


def _not_there(number: int, event: StaffFact, there: Grades | None) -> Iterator[Finding]:
    """Why enrolment would refuse a record as it is now, by the tables that it has."""
    if there is not None and event.tenant not in there.tenants:
        yield found(number, "subsidiary-not-there", "/tenant", f"enrolment has no subsidiary {shown(event.tenant)}")
    elif there is not None and isinstance(event, StaffRecorded) and not there.knows(event.tenant, event.grade):
        yield found(
            number, "grade-not-there", "/grade", f"{shown(event.grade)} is not in the grade table that enrolment has of {event.tenant!r}"
        )


def _languages(number: int, event: StaffRecorded) -> Iterator[Finding]:
    spoken = [(f"/languages/{at}", one) for at, one in enumerate(event.languages)]
    for where, tag in (("/preferred_language", event.preferred_language), *spoken):
        if tag and not is_spoken(tag):
            code = language_meant(tag)
            yield found(number, "unknown-language", where, f"{shown(tag)} is no language{f'; did you mean {code!r}?' if code else ''}")


def _managers(number: int, event: StaffRecorded) -> Iterator[Finding]:
    dotted = [(f"/dotted_manager_ids/{at}", one) for at, one in enumerate(event.dotted_manager_ids)]
    for where, text in (("/manager_id", event.manager_id), *dotted):
        if not text:
            continue
        manager = person_id(text, event.tenant)
        if manager is None:
            yield found(number, "not-a-person", where, f"{shown(text)} can be nobody's id")
        elif manager == event.person:
            yield found(number, "own-manager", where, f"{event.person!r} is their own manager")


def _former(number: int, event: StaffRecorded) -> Iterator[Finding]:
    if not event.former_id:
        return
    former = person_id(event.former_id, event.tenant)
    if former is None:
        yield found(number, "not-a-person", "/former_id", f"{shown(event.former_id)} can be nobody's id")
    elif tenant_of(former) == event.tenant:
        yield found(number, "same-subsidiary", "/former_id", f"{former!r} is of {event.tenant!r} itself, and nobody moves within it")


def _markup(number: int, event: StaffRecorded) -> Iterator[Finding]:
    for name in _TEXTS:
        text = getattr(event, name)
        if ("<" in text or "&" in text) and _MARKUP.search(text):
            yield found(number, "markup", f"/{name}", f"{shown(text)} looks like HTML")


def _names(number: int, given: Mapping[str, Any], where: str, depth: int) -> Iterator[Finding]:
    """Fields that the contract does not have: those that are refused wherever they are, others at the top."""
    for name, value in given.items():
        if depth == 1 and name in FIELDS:
            continue
        place = f"{where}/{name[:100].replace('~', '~0').replace('/', '~1')}"
        what = never_stored(name)
        if what is not None:
            yield found(number, "refused-field", place, f"a {what}, which Amont never stores")
        elif depth == 1:
            yield found(number, "unknown-field", place, "not a field of a staff record")
        if what is None and depth < DEEPEST:
            inner = value if isinstance(value, list) else [value]
            for one in inner:
                if isinstance(one, dict):
                    yield from _names(number, one, place, depth + 1)
