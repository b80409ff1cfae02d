"""Every pair of a pool, a mentee at a time: who is allowed, and what each pair scores. Two forms, held against each other by the tests.

`PlainBoard` asks the definition for every pair. `RowBoard` is for large pools: plain numpy, one mentee against all mentors at once, so that
memory grows with the people and not with the pairs. Rules and points are written anew here; nothing is shared with a solver.

Whoever asks says from which score on a pair matters, mentor by mentor: a pair can break a proof only by a score above what its two people are said to gain and
cost. So of every pair the points for topics are worked out first; with all that the other criteria could give they are too few for nearly all, and only
the rest is looked at to the end, the lines of management last, since walking them takes longest.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.lines import Lines
from amont.matching.domain.points import TOP_LEVEL, grade_gap_points, hours_points
from amont.matching.domain.policy import FULL_SCORE, Policy, Rule
from amont.matching.domain.pool import Pool, Role
from amont.matching.domain.scorer import Scorer
from amont.matching.verifier.crowd import Codes, Crowd, Numbered

Integers = NDArray[np.int64]
Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

SMALL = 20_000
"""Pools of up to so many pairs are looked at with the definition itself."""

LAST = {Rule.COMMON_HOURS, Rule.OUTSIDE_THE_LINE}
"""Rules that are asked of the few pairs that are left: they take longest."""

_WIDEST_GAP = 19
_COMMON = 16
"""A topic that one mentor in so many offers is kept as a whole column."""


class Board(Protocol):
    """The pairs of one pool under one policy. Mentees and mentors are known by their places in the pool's order."""

    def row(self, mentee: int, least: Integers | None = None) -> tuple[Places, Integers]:
        """The mentors allowed for that mentee, ascending, and the score of each pair; only scores above `least` (mentors,), where that is given."""
        ...

    def removed(self, role: Role, one: int) -> tuple[Mapping[Rule, int], int]:
        """How many of the other role each rule is the first to remove, without zeros, and how many are left."""
        ...


def board_of(pool: Pool, policy: Policy) -> Board:
    """The definition where that is quick enough, else the rows."""
    pairs = len(pool.in_role("mentee")) * len(pool.in_role("mentor"))
    return PlainBoard(pool, policy) if pairs <= SMALL else RowBoard(pool, policy)


class PlainBoard:
    """Every pair by the definition."""

    def __init__(self, pool: Pool, policy: Policy) -> None:
        """Work out every person's profile."""
        self._scorer = Scorer(pool, policy)
        self._ids = {"mentee": tuple(self._scorer.mentees), "mentor": tuple(self._scorer.mentors)}

    def row(self, mentee: int, least: Integers | None = None) -> tuple[Places, Integers]:
        """See `Board.row`."""
        id_ = self._ids["mentee"][mentee]
        allowed = np.array([place for place, mentor in enumerate(self._ids["mentor"]) if self._scorer.allowed(id_, mentor)], dtype=np.intp)
        scores = np.array([self._scorer.score(id_, self._ids["mentor"][place]) for place in allowed], dtype=np.int64)
        above = slice(None) if least is None else scores > least[allowed]
        return allowed[above], scores[above]

    def removed(self, role: Role, one: int) -> tuple[Mapping[Rule, int], int]:
        """See `Board.removed`."""
        id_ = self._ids[role][one]
        others = self._ids["mentor" if role == "mentee" else "mentee"]
        first = Counter(self._scorer.first_broken(*((id_, other) if role == "mentee" else (other, id_))) for other in others)
        return {rule: first[rule] for rule in Rule if first[rule]}, first[None]


class RowBoard:
    """One person against all of the other role, in plain numpy."""

    def __init__(self, pool: Pool, policy: Policy) -> None:
        """Lay both roles out as columns."""
        numbered = Numbered()
        tags = sorted({tag for person in pool.people for tag in person.languages})
        self._policy = policy
        self._in_force = tuple(rule for rule in Rule if rule not in policy.off)
        self._mentees = Crowd(pool.in_role("mentee"), pool.week_of, numbered, tags)
        self._mentors = Crowd(pool.in_role("mentor"), pool.week_of, numbered, tags)
        self._up, self._down = Lines(pool.managers), Lines(_turned(pool.managers))
        self._forbidden = _partners(pool)
        self._levels = _Levels(self._mentors)
        weights = policy.weights
        self._gap_points = np.array([grade_gap_points(weights.grade_gap, gap) for gap in range(-_WIDEST_GAP, _WIDEST_GAP + 1)])
        self._hours_points = np.array([hours_points(weights.hours, hours) for hours in range(337)])

    def row(self, mentee: int, least: Integers | None = None) -> tuple[Places, Integers]:
        """See `Board.row`."""
        topics = self._topics(mentee)
        places = np.arange(len(self._mentors), dtype=np.intp)
        if least is not None:
            places = np.flatnonzero(topics + (FULL_SCORE - self._policy.weights.topics) > least)
        for rule in self._in_force:
            if rule not in LAST and len(places):
                places = places[self._holds(rule, "mentee", mentee, places)]
        hours = _common(self._mentees, mentee, self._mentors, places)
        if Rule.COMMON_HOURS in self._in_force:
            enough = hours >= 2 * self._policy.min_common_hours
            places, hours = places[enough], hours[enough]
        scores = topics[places] + self._other_points(mentee, places, hours)
        if least is not None:
            above = scores > least[places]
            places, scores = places[above], scores[above]
        if Rule.OUTSIDE_THE_LINE in self._in_force and len(places):
            outside = self._holds(Rule.OUTSIDE_THE_LINE, "mentee", mentee, places)
            places, scores = places[outside], scores[outside]
        return places, scores

    def removed(self, role: Role, one: int) -> tuple[Mapping[Rule, int], int]:
        """See `Board.removed`."""
        others = self._mentors if role == "mentee" else self._mentees
        left, everybody = np.ones(len(others), dtype=np.bool_), np.arange(len(others), dtype=np.intp)
        removed = {}
        for rule in self._in_force:
            holds = self._holds(rule, role, one, everybody)
            count = int(np.count_nonzero(left & ~holds))
            left &= holds
            if count:
                removed[rule] = count
        return removed, int(np.count_nonzero(left))

    def _holds(self, rule: Rule, role: Role, one: int, places: Places) -> Mask:
        """For which of the other role at these places the rule holds. But for the grades, no rule asks which of the two is the mentee."""
        me, others = (self._mentees, self._mentors) if role == "mentee" else (self._mentors, self._mentees)
        holds: Mask
        match rule:
            case Rule.TWO_PEOPLE:
                holds = _all_but(others, [me.ids[one]], places)
            case Rule.MENTOR_IS_JUNIOR:
                gap = me.grade[one] - others.grade[places]
                holds = (gap if role == "mentee" else -gap) >= self._policy.min_grade_gap
            case Rule.OUTSIDE_THE_LINE:
                holds = _all_but(others, self._up.ancestors(me.ids[one]) | self._down.ancestors(me.ids[one]), places)
            case Rule.DIFFERENT_TEAM:
                holds = ~_same(me.team, one, others.team[places])
            case Rule.ACROSS:
                holds = self._across(me, one, others, places)
            case Rule.SHARED_LANGUAGE:
                holds = np.any(others.languages[:, places] & me.languages[:, one, np.newaxis], axis=0)
            case Rule.CLOSE_ZONES:
                holds = np.abs(others.offset[places] - me.offset[one]) <= self._policy.max_zone_hours * 3600
            case Rule.COMMON_HOURS:
                holds = _common(me, one, others, places) >= 2 * self._policy.min_common_hours
            case Rule.NOT_FORBIDDEN:
                holds = _all_but(others, self._forbidden.get(me.ids[one], ()), places)
        return holds

    def _across(self, me: Crowd, one: int, others: Crowd, places: Places) -> Mask:
        match self._policy.across:
            case "subsidiary":
                return ~_same(me.subsidiary, one, others.subsidiary[places])
            case "business_unit":
                return ~_same(me.business_unit, one, others.business_unit[places])
            case "none":
                return np.ones(len(places), dtype=np.bool_)

    def _topics(self, one: int) -> Integers:
        """The points for topics of that mentee with every mentor."""
        wishes = self._mentees.topics[one]
        best = TOP_LEVEL * sum(wishes.values())
        served = np.zeros(len(self._mentors), dtype=np.uint8)
        for topic, wish in wishes.items():
            served += np.uint8(wish) * self._levels.of(topic)
        points: Integers = self._policy.weights.topics * np.arange(best + 1, dtype=np.int64) // max(best, 1)
        return points[served]

    def _other_points(self, one: int, places: Places, hours: Integers) -> Integers:
        """All other points of that mentee with these mentors, with whom they have so many half-hours in common."""
        me, mentors, weights = self._mentees, self._mentors, self._policy.weights
        points = self._hours_points[hours]
        points += self._gap_points[me.grade[one].astype(np.int64) - mentors.grade[places] + _WIDEST_GAP]
        points[~_same(me.function, one, mentors.function[places])] += weights.function
        in_person = ~mentors.remote_only[places] & _same(me.site, one, mentors.site[places]) & (not me.remote_only[one])
        points[in_person | (~mentors.on_site_only[places] & (not me.on_site_only[one]))] += weights.meeting
        return points


class _Levels:
    """Which level each mentor offers of a topic, 0 where none: a column a topic, kept for topics that many offer."""

    def __init__(self, mentors: Crowd) -> None:
        self._count = len(mentors)
        offers: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, topics in enumerate(mentors.topics):
            for topic, level in topics.items():
                offers[topic].append((place, level))
        self._offers = {topic: np.array(some, dtype=np.int64).T for topic, some in offers.items()}
        self._kept = {topic: self._column(topic) for topic, some in offers.items() if len(some) * _COMMON >= self._count}

    def of(self, topic: str) -> NDArray[np.uint8]:
        kept = self._kept.get(topic)
        return self._column(topic) if kept is None else kept

    def _column(self, topic: str) -> NDArray[np.uint8]:
        column = np.zeros(self._count, dtype=np.uint8)
        if topic in self._offers:
            places, levels = self._offers[topic]
            column[places] = levels
        return column


def _common(me: Crowd, one: int, others: Crowd, places: Places) -> Integers:
    """How many half-hours that person has in common with those at these places."""
    common = np.zeros(len(places), dtype=np.int64)
    for mine, theirs in zip(me.free[:, one], others.free, strict=True):
        if mine:
            common += np.bitwise_count(theirs[places] & mine)
    return common


def _same(mine: Codes, one: int, theirs: Codes) -> Mask:
    """Where the other's name is known and equal to this person's."""
    equal: Mask = theirs == mine[one] if mine[one] >= 0 else np.zeros(len(theirs), dtype=np.bool_)
    return equal


def _all_but(others: Crowd, ids: Iterable[str], places: Places) -> Mask:
    mask = np.ones(len(others), dtype=np.bool_)
    mask[[others.place[id_] for id_ in ids if id_ in others.place]] = False
    kept: Mask = mask[places]
    return kept


def _partners(pool: Pool) -> dict[str, set[str]]:
    partners: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in pool.forbidden:
        partners[one].add(other)
        partners[other].add(one)
    return dict(partners)


def _turned(managers: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Each person's direct reports."""
    reports: defaultdict[str, list[str]] = defaultdict(list)
    for report, above in managers.items():
        for manager in above:
            reports[manager].append(report)
    return dict(reports)
