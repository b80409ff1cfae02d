"""The made-up group's people: a management tree from one chief executive down, and what the HR systems write about them.

The tree is built top-down; the feed is not: an HR system lists people by its own ids, so a manager often arrives after the people who report to
them. Some records are wrong, as in every feed: those are named in `Dirt`, so that what becomes of them can be counted.
"""

import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from amont.common.events import StaffRecorded
from amont.local.group.words import COMPANIES, FUNCTIONS, GROUP, Company, Function

DEPARTMENT, TEAM = 26, 7
"""How many people a department and a team have, at most."""
COMPANY_OF = {company.tenant: company for company in COMPANIES}


class Dirt(StrEnum):
    """What is wrong with a record."""

    UNKNOWN_GRADE = "unknown-grade"
    UNKNOWN_ZONE = "unknown-zone"
    UNKNOWN_MANAGER = "unknown-manager"
    OWN_MANAGER = "own-manager"
    NO_GRADE = "no-grade"
    SENT_TWICE = "sent-twice"


REFUSED = frozenset({Dirt.UNKNOWN_GRADE, Dirt.UNKNOWN_ZONE, Dirt.NO_GRADE})
"""Such a record cannot be taken; the others can, without the part that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One made-up employee."""

    tenant: str
    employee_id: str
    given_name: str
    family_name: str
    email: str
    band: int
    function: str
    business_unit: str
    team: str
    job_title: str
    site: str
    zone: str
    languages: tuple[str, ...]
    joined_on: date
    manager: str | None = None
    dotted: tuple[str, ...] = ()
    on_leave: bool = False
    dirt: Dirt | None = None

    @property
    def id(self) -> str:
        return f"{self.tenant}:{self.employee_id}"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def company(self) -> Company:
        return COMPANY_OF[self.tenant]

    def record(self, *, effective_at: date | datetime | None = None, occurred_at: datetime) -> StaffRecorded:
        """What the HR system writes about them."""
        return StaffRecorded(
            tenant=self.tenant,
            employee_id=self.employee_id,
            effective_at=effective_at or self.joined_on,
            occurred_at=occurred_at,
            status="on_leave" if self.on_leave else "active",
            given_name=self.given_name,
            family_name=self.family_name,
            email=self.email,
            preferred_language=self.languages[0],
            grade="ZZ9" if self.dirt is Dirt.UNKNOWN_GRADE else self.company.codes[self.band - 1],
            job_title=self.job_title,
            function=self.function,
            business_unit=self.business_unit,
            team=self.team,
            site=self.site,
            zone="Europe/Atlantis" if self.dirt is Dirt.UNKNOWN_ZONE else self.zone,
            languages=self.languages,
            manager_id=self._manager_as_written(),
            dotted_manager_ids=self.dotted,
            joined_on=self.joined_on,
        )

    def _manager_as_written(self) -> str | None:
        if self.dirt is Dirt.UNKNOWN_MANAGER:
            return "nobody-knows"
        if self.dirt is Dirt.OWN_MANAGER:
            return self.employee_id
        if self.manager is None:
            return None
        tenant, _, employee_id = self.manager.partition(":")
        return employee_id if tenant == self.tenant else self.manager


@dataclass(slots=True)
class _Hiring:
    """Makes people, one after the other, each different."""

    random: random.Random
    today: date
    people: list[Person] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)

    def hire(
        self, company: Company, band: int, manager: Person | None, *, title: str, function: Function | None = None, team: str
    ) -> Person:
        given, family = self._name(company)
        site, zone, _ = self.random.choices(company.sites, [weight for *_, weight in company.sites])[0]
        person = Person(
            tenant=company.tenant,
            employee_id=self._id(company),
            given_name=given,
            family_name=family,
            email=f"{_ascii(given)}.{_ascii(family)}@{GROUP.lower()}-{company.tenant}.example",
            band=band,
            function=function.name if function else "General management",
            business_unit=function.business_unit if function else "Corporate",
            team=team,
            job_title=title,
            site=site,
            zone=zone,
            languages=self._languages(company, band),
            joined_on=self._joined(band),
            manager=manager.id if manager else None,
        )
        self.people.append(person)
        return person

    def _name(self, company: Company) -> tuple[str, str]:
        while True:
            given, family = self.random.choice(company.given), self.random.choice(company.family)
            if (key := f"{company.tenant}/{_ascii(given)}.{_ascii(family)}") not in self._names:
                self._names.add(key)
                return given, family

    def _id(self, company: Company) -> str:
        """Ids say nothing about the tree."""
        while True:
            id_ = company.employee_id.format(self.random.randrange(1000, 10_000))
            if id_ not in self._ids:
                self._ids.add(id_)
                return id_

    def _languages(self, company: Company, band: int) -> tuple[str, ...]:
        spoken = [company.language]
        if self.random.random() < (0.97 if band >= 10 else 0.88):
            spoken.append("en")
        spoken += [other.language for other in COMPANIES if other is not company and self.random.random() < 0.08]
        return tuple(spoken)

    def _joined(self, band: int) -> date:
        if band <= 4 and self.random.random() < 0.12:
            return self.today - timedelta(days=self.random.randrange(10, 170))
        return self.today - timedelta(days=self.random.randrange(200, 500 + 450 * band))


def hired(seed: random.Random, size: int, today: date) -> list[Person]:
    """Everybody, the chief executive first, then top-down. No cycle, no dirt yet."""
    hiring = _Hiring(seed, today)
    chief = hiring.hire(COMPANIES[0], 20, None, title="Chief executive", team="Executive committee")
    for company, share in zip(COMPANIES, _shares(size - 1, [one.share for one in COMPANIES]), strict=True):
        head = hiring.hire(company, 18, chief, title=company.head, team="Executive committee")
        for function, people in zip(FUNCTIONS, _shares(share - 1, [one.share for one in FUNCTIONS]), strict=True):
            _staff_function(hiring, company, function, head, people)
    return hiring.people


def _staff_function(hiring: _Hiring, company: Company, function: Function, head: Person, people: int) -> None:
    """A director, departments below, teams below those; in a small function the department heads lead their people themselves."""
    if people < 1:
        return
    director = hiring.hire(
        company, hiring.random.randrange(15, 18), head, title=f"{function.name} director", function=function, team=f"{function.name} board"
    )
    for number, department in enumerate(_split(people - 1, DEPARTMENT), start=1):
        name = f"{function.name} {number}"
        chief = hiring.hire(
            company, hiring.random.randrange(12, 15), director, title=f"Head of {name}", function=function, team=f"{function.name} board"
        )
        if department - 1 <= TEAM:
            _staff_team(hiring, company, function, chief, department - 1, name)
            continue
        for letter, team in zip("ABCDEFGH", _split(department - 1, TEAM), strict=False):
            lead = hiring.hire(
                company, hiring.random.randrange(9, 12), chief, title=f"{function.trade} team lead", function=function, team=f"{name} leads"
            )
            _staff_team(hiring, company, function, lead, team - 1, f"{name}{letter}")


def _staff_team(hiring: _Hiring, company: Company, function: Function, lead: Person, people: int, name: str) -> None:
    """Members, the last of whom reports to the first in a full team: a depth that every real tree has somewhere."""
    senior: Person | None = None
    for number in range(people):
        band = hiring.random.choices((2, 3, 4, 5, 6, 7, 8), (2, 3, 4, 4, 3, 2, 1))[0]
        title = f"{function.trade} {'apprentice' if band == 2 else 'associate' if band < 5 else 'specialist' if band < 7 else 'expert'}"
        mentored = senior is not None and number == people - 1 and people >= TEAM - 1
        person = hiring.hire(
            company, min(band, 3) if mentored else band, senior if mentored else lead, title=title, function=function, team=name
        )
        senior = senior or person


def with_dotted_lines(seed: random.Random, people: Sequence[Person]) -> list[Person]:
    """Directors of a function report by a dotted line to their French colleague, and a few specialists to a team lead elsewhere."""
    directors = {person.function: person.id for person in people if person.tenant == "fr" and 15 <= person.band <= 17}
    leads = [person for person in people if 9 <= person.band <= 11]

    def dotted(person: Person) -> Person:
        if person.tenant != "fr" and 15 <= person.band <= 17 and person.function in directors:
            return replace(person, dotted=(directors[person.function],))
        if 5 <= person.band <= 8 and seed.random() < 0.03 and leads:
            lead = seed.choice(leads)
            return replace(person, dotted=(lead.id,)) if lead.id != person.manager and lead.tenant != person.tenant else person
        return person

    return [dotted(person) for person in people]


def soiled(seed: random.Random, people: Sequence[Person]) -> list[Person]:
    """Some are on leave; some records are wrong. Nobody with reports is touched, so that the tree stays whole."""
    managers = {person.manager for person in people} | {lead for person in people for lead in person.dotted}
    leaves = [person.id for person in people if person.id not in managers]
    seed.shuffle(leaves)
    wanted = [dirt for dirt, count in _dirt_in(len(people)).items() for _ in range(count)]
    dirt_of = dict(zip(leaves, wanted, strict=False))
    away = set(leaves[len(wanted) : len(wanted) + max(2, len(people) // 60)])
    return [replace(person, dirt=dirt_of.get(person.id), on_leave=person.id in away) for person in people]


def _dirt_in(people: int) -> dict[Dirt, int]:
    return {dirt: max(1, people // per) for dirt, per in zip(Dirt, (150, 300, 150, 300, 300, 60), strict=True)}


def moves(seed: random.Random, people: Sequence[Person], today: date) -> Iterator[tuple[Person, date]]:
    """A few people who will report to another team lead of their function, or be promoted, on a day that lies ahead."""
    leads = [person for person in people if 9 <= person.band <= 11]
    movers = [person for person in people if person.band <= 7 and person.dirt is None and not person.on_leave]
    for person in seed.sample(movers, max(2, len(people) // 75)):
        day = today + timedelta(days=seed.randrange(20, 150))
        near = [lead for lead in leads if lead.tenant == person.tenant and lead.id != person.manager and lead.manager != person.id]
        if near and seed.random() < 0.7:
            lead = seed.choice(near)
            yield replace(person, manager=lead.id, team=f"{lead.team.removesuffix(' leads')} projects"), day
        else:
            yield replace(person, band=person.band + 1), day


def _shares(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers in these proportions that sum to the total."""
    parts = [int(total * share / sum(shares)) for share in shares]
    for at in range(total - sum(parts)):
        parts[at % len(parts)] += 1
    return parts


def _split(total: int, most: int) -> list[int]:
    """The total in parts of at most `most`, as even as can be."""
    count = -(-total // most)
    return [total // count + (at < total % count) for at in range(count)] if count else []


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(char for char in plain if char.isascii() and char.isalnum()).lower()
