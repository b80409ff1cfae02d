"""Everything that can be wrong with a subsidiary's data, each fault by its own pointer. A field that is not given has none."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import holidays

from amont.common.errors import Fault
from amont.common.events.words import BANDS, MOST_GRADES, is_person, is_spoken, is_zone, language_meant
from amont.enrolment.domain.words import MAX_NAME, is_language

MAX_LANGUAGES = 20
MAX_COORDINATORS = 100


def faults_in(given: Mapping[str, Any]) -> tuple[Fault, ...]:
    """What is wrong with these fields of a subsidiary."""
    return tuple(fault for name, look in _LOOKS.items() if given.get(name) is not None for fault in look(given[name]))


def faults_in_grades(grades: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """What is wrong with a grade table."""
    if not 1 <= len(grades) <= MOST_GRADES:
        yield Fault(where, f"{len(grades):,} codes, and there are to be 1 to {MOST_GRADES:,}; without a table no staff record can be taken")
    for code, band in grades.items():
        pointer = f"{where}/{code[:100].replace('~', '~0').replace('/', '~1')}"
        if not code.strip() or len(code) > MAX_NAME:
            yield Fault(pointer, f"a code of 1 to {MAX_NAME} characters")
        if type(band) is not int or band not in BANDS:
            yield Fault(pointer, "the band is a whole number from 1 (most junior) to 20 (most senior)")


@cache
def calendars() -> frozenset[str]:
    """Every holiday calendar that there is: countries by ISO 3166-1, their parts by ISO 3166-2."""
    known = holidays.list_supported_countries(include_aliases=False)
    return frozenset({*known, *(f"{country}-{part}" for country, parts in known.items() for part in parts)})


def _name(name: str) -> Iterator[Fault]:
    if not name.strip() or len(name) > MAX_NAME:
        yield Fault("/name", f"a name of 1 to {MAX_NAME} characters")


def _zone(zone: str) -> Iterator[Fault]:
    if not is_zone(zone):
        yield Fault("/zone", f"{zone[:64]!r} is not a time zone: write a name of the tz database, as in 'Europe/Paris'")


def _languages(languages: list[str]) -> Iterator[Fault]:
    if not 1 <= len(languages) <= MAX_LANGUAGES:
        yield Fault("/languages", f"1 to {MAX_LANGUAGES} languages: they stand in for staff records that have none")
    for at, one in enumerate(languages):
        if not is_language(one):
            yield Fault(f"/languages/{at}", f"{one[:64]!r} is not a BCP 47 tag, as in 'fr' or 'pt-BR'{_or_meant(one)}")
        elif not is_spoken(one):
            yield Fault(f"/languages/{at}", f"{one[:64]!r} is no language: write its BCP 47 tag, as in 'fr' or 'pt-BR'{_or_meant(one)}")


def _or_meant(language: str) -> str:
    code = language_meant(language[:64])
    return f"; did you mean {code!r}?" if code else ""


def _leaver_share(share: float) -> Iterator[Fault]:
    if not 0 <= share <= 1:
        yield Fault("/leaver_share", "a share from 0 (every leaver is held) to 1 (none is)")


def _holidays(calendar: str) -> Iterator[Fault]:
    if calendar not in calendars():
        yield Fault(
            "/holidays", f"{calendar[:64]!r} is no holiday calendar: write a country or a country and its part, as in 'FR' or 'DE-BY'"
        )


def _coordinators(people: list[str]) -> Iterator[Fault]:
    if len(people) > MAX_COORDINATORS:
        yield Fault("/coordinators", f"{MAX_COORDINATORS} people at most")
    for at, one in enumerate(people):
        if not is_person(one):
            yield Fault(f"/coordinators/{at}", f"{one[:100]!r} is not a person's id, as in 'fr:e42'")


def _sender_name(name: str) -> Iterator[Fault]:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        yield Fault("/sender_name", f"a name of 1 to {MAX_NAME} printable characters: mails come from it")


def _kafka_principal(principal: str) -> Iterator[Fault]:
    if not principal.startswith("User:") or len(principal) > MAX_NAME or not principal.isprintable() or "'" in principal:
        yield Fault("/kafka_principal", f"{principal[:64]!r} is not a principal as Kafka writes it, as in 'User:hris-fr'")


_LOOKS: Mapping[str, Callable[[Any], Iterable[Fault]]] = {
    "name": _name,
    "zone": _zone,
    "languages": _languages,
    "grades": lambda grades: faults_in_grades(grades, "/grades"),
    "leaver_share": _leaver_share,
    "holidays": _holidays,
    "coordinators": _coordinators,
    "sender_name": _sender_name,
    "kafka_principal": _kafka_principal,
}
