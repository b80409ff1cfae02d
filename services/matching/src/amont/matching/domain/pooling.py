"""From what the other services told us to what the core computes with: people, policy and pool. The one place where the two meet.

The core trusts its pool; so whoever cannot be computed with (never heard of, a zone or a window that cannot be read) stays out here, and a round
says so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from amont.common import events
from amont.common.events.values import EmployeeStatus, Meeting, Role
from amont.matching.domain import pool as core
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.hours import load_zone, parse_window
from amont.matching.domain.lines import Untangled
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person
from amont.matching.domain.policy import Policy, Rule, Weights
from amont.matching.domain.pool import Pool, PoolPerson

_ROLES: Mapping[Role, core.Role] = {Role.MENTEE: "mentee", Role.MENTOR: "mentor"}
_MEETINGS: Mapping[Meeting, core.Meeting] = {Meeting.IN_PERSON: "in-person", Meeting.REMOTE: "remote", Meeting.EITHER: "either"}
_SWITCHABLE = {rule.value: rule for rule in Rule if rule is not Rule.TWO_PEOPLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An active enrolment that no round can use, and why."""

    enrolment: str
    person: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A pool and what it was made of: the enrolment behind each (role, person), who stayed out, management links dropped for a cycle."""

    pool: Pool
    enrolments: Mapping[tuple[core.Role, str], Enrolment]
    left_out: tuple[LeftOut, ...]
    dropped_links: tuple[tuple[str, str], ...]


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


def common_topics(mentee: Enrolment, mentor: Enrolment) -> tuple[str, ...]:
    """What the mentee wishes and the mentor offers: the strongest wishes first, equal ones by name."""
    return tuple(sorted(mentee.topics.keys() & mentor.topics.keys(), key=lambda topic: (-mentee.topics[topic], topic)))


def free_seats(enrolments: Iterable[Enrolment], live: Iterable[Pair]) -> dict[str, int]:
    """How many more pairs each enrolment may have; never below 0."""
    taken = Counter(enrolment for pair in live for enrolment in (pair.mentee_enrolment, pair.mentor_enrolment))
    return {enrolment.id: max(0, enrolment.capacity - taken[enrolment.id]) for enrolment in enrolments}


def gather(
    *,
    programme: str,
    seed: str,
    week_of: date,
    enrolments: Iterable[Enrolment],
    people: Mapping[str, Person],
    pairs: Iterable[Pair],
    untangled: Untangled,
) -> Gathered:
    """The pool of a round: active enrolments with a free seat; two who ever were a pair in this programme are not proposed again."""
    pairs = list(pairs)
    active = sorted((one for one in enrolments if one.active), key=lambda one: one.id)
    free = free_seats(active, (pair for pair in pairs if pair.live))
    left_out, used, members = [], {}, []
    for enrolment in active:
        person = people.get(enrolment.person)
        reason = why_unusable(person, enrolment)
        key = (_ROLES[enrolment.role], enrolment.person)
        if person is None or reason is not None:
            left_out.append(LeftOut(enrolment=enrolment.id, person=enrolment.person, reason=reason or ""))
        elif free[enrolment.id] and key not in used:
            used[key] = enrolment
            members.append(pool_person(person, enrolment, capacity=free[enrolment.id]))
    pool = Pool(
        programme=programme,
        seed=seed,
        week_of=week_of,
        people=tuple(members),
        managers=untangled.managers(),
        forbidden=tuple(sorted({(pair.mentee, pair.mentor) for pair in pairs})),
    )
    dropped = tuple((link.report, link.manager) for link in untangled.dropped)
    return Gathered(pool=pool, enrolments=used, left_out=tuple(left_out), dropped_links=dropped)
