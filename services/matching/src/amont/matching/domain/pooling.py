"""From what the other services told us to what the core computes with: people, policy and pool. The one place where the two meet.

The core trusts its pool; so whoever cannot be computed with (never heard of, a zone or a window that cannot be read) stays out here, and a round
says so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from amont.common import events
from amont.common.events.values import EmployeeStatus, Meeting, Role, tenant_of
from amont.matching.domain import pool as core
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.hours import load_zone, parse_window
from amont.matching.domain.lines import Link, among, break_cycles
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person
from amont.matching.domain.pinning import Pin
from amont.matching.domain.policy import Policy, Rule, Weights
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.ruling import Ruling, RulingKind

V = TypeVar("V")
_ROLES: Mapping[Role, core.Role] = {Role.MENTEE: "mentee", Role.MENTOR: "mentor"}
_MEETINGS: Mapping[Meeting, core.Meeting] = {Meeting.IN_PERSON: "in-person", Meeting.REMOTE: "remote", Meeting.EITHER: "either"}
_SWITCHABLE = {rule.value: rule for rule in Rule if rule is not Rule.TWO_PEOPLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An active enrolment with a free seat that no round can use, and why."""

    enrolment: str
    person: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A pool and what it was made of: the id of the enrolment behind each (role, person), who stayed out, management links dropped for a cycle.

    The pool has every line of management as it is, whoever is in it: see `naming_its_people`. The dropped links are those that touch one of the tenants, as
    the cycles do that their coordinators see. `pins` are those that no pair has fulfilled yet; which of them hold is a question to `pinning`, and the pool
    itself has none. `ruled_out` are those of the pool's forbidden couples whom a ruling keeps apart: see `forbidding`.
    """

    pool: Pool
    enrolments: Mapping[tuple[core.Role, str], str]
    left_out: tuple[LeftOut, ...]
    dropped_links: tuple[tuple[str, str], ...]
    pins: tuple[Pin, ...] = ()
    ruled_out: tuple[tuple[str, str], ...] = ()

    @property
    def tenants(self) -> frozenset[str]:
        """Whose people these are; a programme may be for fewer by now."""
        return _tenants(self.pool.people, self.left_out)


def naming_its_people(pool: Pool) -> Pool:
    """The same for everybody in it, to be read by those who answer for them: its lines of management name nobody else. A living round keeps the lines as they
    are, in which one who comes or goes changes nothing for those below.
    """
    return replace(pool, managers=among(pool.managers, {person.id for person in pool.people}))


def _tenants(people: Iterable[PoolPerson], left_out: Iterable[LeftOut]) -> frozenset[str]:
    return frozenset({*(person.subsidiary for person in people), *(tenant_of(one.person) for one in left_out)})


def core_policy(policy: events.Policy) -> Policy:
    """The rules and weights of a programme. A rule we do not have is off anyway; `two_people` is never off."""
    return Policy(
        min_grade_gap=policy.min_grade_gap,
        across=policy.across,
        max_zone_hours=policy.max_zone_hours,
        min_common_hours=policy.min_common_hours,
        off=frozenset(_SWITCHABLE[name] for name in policy.off if name in _SWITCHABLE),
        weights=Weights(**policy.weights.model_dump()),
        order=policy.order,
        min_score=policy.min_score,
        stickiness=policy.stickiness,
    )


def unknown_rules(policy: events.Policy) -> tuple[str, ...]:
    """What the policy switches off and is no rule that can be."""
    return tuple(name for name in policy.off if name not in _SWITCHABLE)


def pool_person(person: Person, enrolment: Enrolment, *, capacity: int = 1) -> PoolPerson:
    """A person in the role they enrolled in, with this many seats free."""
    return PoolPerson(
        id=person.id,
        role=_ROLES[enrolment.role],
        capacity=capacity,
        grade=person.band,
        subsidiary=person.tenant,
        business_unit=person.business_unit,
        team=person.team,
        function=person.function,
        site=person.site,
        zone=person.zone,
        languages=frozenset(tag.partition("-")[0] for tag in enrolment.languages),
        meeting=_MEETINGS[enrolment.meeting],
        availability=enrolment.availability,
        topics=enrolment.topics,
    )


def why_unusable(person: Person | None, enrolment: Enrolment) -> str | None:
    """Why nobody can compute with this enrolment now; None when all is well."""
    if person is None or person.status is None:
        return "person-not-heard-of"
    if person.status is not EmployeeStatus.ACTIVE:
        return "person-on-leave" if person.status is EmployeeStatus.ON_LEAVE else "person-left"
    return why_unreadable(person, enrolment)


def why_unreadable(person: Person, enrolment: Enrolment) -> str | None:
    """Whether zone and windows can be read."""
    try:
        load_zone(person.zone)
    except ValueError:
        return "zone-unknown"
    try:
        for window in enrolment.availability:
            parse_window(window)
    except ValueError:
        return "availability-unreadable"
    return None


def monday_of(now: datetime) -> date:
    """The Monday of that instant's week, in UTC."""
    return now.date() - timedelta(days=now.weekday())


def common_topics(wishes: Mapping[str, int], offers: Mapping[str, int]) -> tuple[str, ...]:
    """What a mentee wishes and a mentor offers: the strongest wishes first, equal ones by name."""
    return tuple(sorted(wishes.keys() & offers.keys(), key=lambda topic: (-wishes[topic], topic)))


def free_seats(enrolments: Iterable[Enrolment], live: Iterable[Pair]) -> dict[str, int]:
    """How many more pairs each enrolment may have; never below 0."""
    taken = Counter(enrolment for pair in live for enrolment in (pair.mentee_enrolment, pair.mentor_enrolment))
    return {enrolment.id: max(0, enrolment.capacity - taken[enrolment.id]) for enrolment in enrolments}


class Gathering:
    """A pool in the making, of very many documents that are read some at a time: of each is kept what the pool needs, and equal values once.

    What coordinators decided comes first, then pairs, because they fulfil it and take seats; then enrolments with their people, and those above them, in
    any order.
    """

    def __init__(self, *, programme: str, seed: str, week_of: date) -> None:
        """Begin with nobody."""
        self._programme, self._seed, self._week_of = programme, seed, week_of
        self._taken: Counter[str] = Counter()
        self._ruled_out: set[tuple[str, str]] = set()
        self._met: set[tuple[str, str]] = set()
        self._pins: dict[tuple[str, str], Pin] = {}
        self._members: list[tuple[str, PoolPerson]] = []
        self._left_out: list[LeftOut] = []
        self._links: list[Link] = []
        self._values: dict[Any, Any] = {}

    def ruled(self, ruling: Ruling) -> None:
        """Two who are to be a pair, or never."""
        said = ruling.now
        couple = self._one(said.mentee), self._one(said.mentor)
        if said.kind is RulingKind.FORBIDDEN:
            self._ruled_out.add(couple)
        elif said.kind is RulingKind.PINNED:
            self._pins[couple] = Pin(mentee=couple[0], mentor=couple[1], at=said.at, override=said.override)

    def pair(self, pair: Pair) -> None:
        """Two who ever were a pair in this programme are not proposed again; a live pair has its seats. A pin is good for one proposal."""
        couple = self._one(pair.mentee), self._one(pair.mentor)
        self._met.add(couple)
        if couple in self._pins and self._pins[couple].at <= pair.proposed_at:
            del self._pins[couple]
        if pair.live:
            self._taken.update((pair.mentee_enrolment, pair.mentor_enrolment))

    def room(self, enrolment: Enrolment) -> int:
        """How many seats are free; who has none need not be looked at."""
        return max(0, enrolment.capacity - self._taken[enrolment.id])

    def enrolled(self, enrolment: Enrolment, person: Person | None) -> None:
        """Somebody takes part as far as the enrolment has a free seat, or is left out."""
        reason = why_unusable(person, enrolment)
        if person is None or reason is not None:
            self._left_out.append(LeftOut(enrolment=enrolment.id, person=enrolment.person, reason=reason or ""))
        elif free := self.room(enrolment):
            self._members.append((enrolment.id, self._shared(pool_person(person, enrolment, capacity=free))))

    def above(self, person: Person) -> None:
        """Whom somebody reports to, in the pool or above it."""
        one = self._one
        self._links += [replace(link, report=one(link.report), manager=one(link.manager), since=one(link.since)) for link in person.links]

    def gathered(self) -> Gathered:
        """The pool, which takes a while for many people. Of several enrolments of one person in one role the first by id counts."""
        untangled = break_cycles(self._links)
        used: dict[tuple[core.Role, str], str] = {}
        members = []
        for enrolment, person in sorted(self._members, key=lambda member: member[0]):
            if (person.role, person.id) not in used:
                used[person.role, person.id] = enrolment
                members.append(person)
        pool = Pool(
            programme=self._programme,
            seed=self._seed,
            week_of=self._week_of,
            people=tuple(members),
            managers=untangled.managers(),
            forbidden=tuple(sorted(self._met | self._ruled_out)),
        )
        left_out = tuple(sorted(self._left_out, key=lambda one: one.enrolment))
        tenants = _tenants(members, left_out)
        dropped = ((link.report, link.manager) for link in untangled.dropped)
        return Gathered(
            pool=pool,
            enrolments=used,
            left_out=left_out,
            dropped_links=tuple(link for link in dropped if not tenants.isdisjoint(map(tenant_of, link))),
            pins=tuple(self._pins.values()),
            ruled_out=tuple(sorted(self._ruled_out)),
        )

    def _one(self, value: V) -> V:
        """The first of all values equal to this one."""
        one: V = self._values.setdefault(value, value)
        return one

    def _shared(self, person: PoolPerson) -> PoolPerson:
        one = self._one
        return replace(
            person,
            id=one(person.id),
            subsidiary=one(person.subsidiary),
            business_unit=one(person.business_unit),
            team=one(person.team),
            function=one(person.function),
            site=one(person.site),
            zone=one(person.zone),
            languages=one(person.languages),
            availability=one(person.availability),
            topics={one(topic): level for topic, level in person.topics.items()},
        )
