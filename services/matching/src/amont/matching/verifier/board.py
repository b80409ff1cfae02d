"""Every pair of a pool, a mentee at a time: who is allowed, and what each pair scores. Two forms, held against each other by the tests.

`PlainBoard` asks the definition for every pair. `RowBoard` is for large pools: plain numpy, one mentee against all mentors at once, so that
memory grows with the people and not with the pairs. Rules and points are written anew here; nothing is shared with a solver.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.lines import Lines
from amont.matching.domain.points import TOP_LEVEL, grade_gap_points, hours_points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, Role
from amont.matching.domain.scorer import Scorer
from amont.matching.verifier.crowd import Codes, Crowd, Numbered

Integers = NDArray[np.int64]
Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

SMALL = 20_000
"""Pools of up to so many pairs are looked at with the definition itself."""

_WIDEST_GAP = 19
_COMMON = 16
"""A topic that one mentor in so many offers is kept as a whole column."""


class Board(Protocol):
    """The pairs of one pool under one policy. Mentees and mentors are known by their places in the pool's order."""

    def row(self, mentee: int) -> tuple[Places, Integers]:
        """The mentors allowed for that mentee, ascending, and the score of each pair."""
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

    def row(self, mentee: int) -> tuple[Places, Integers]:
        """See `Board.row`."""
        id_ = self._ids["mentee"][mentee]
        allowed = [place for place, mentor in enumerate(self._ids["mentor"]) if self._scorer.allowed(id_, mentor)]
        scores = [self._scorer.score(id_, self._ids["mentor"][place]) for place in allowed]
        return np.array(allowed, dtype=np.intp), np.array(scores, dtype=np.int64)

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

    def row(self, mentee: int) -> tuple[Places, Integers]:
        """See `Board.row`."""
        policy, mentors = self._policy, self._mentors
        mask = np.ones(len(mentors), dtype=np.bool_)
        for rule in self._in_force:
            if rule is not Rule.COMMON_HOURS:
                mask &= self._holds(rule, "mentee", mentee)
        allowed = np.flatnonzero(mask)
        hours = _common(self._mentees, mentee, mentors, allowed)
        if Rule.COMMON_HOURS not in policy.off:
            enough = hours >= 2 * policy.min_common_hours
            allowed, hours = allowed[enough], hours[enough]
        return allowed, self._scores(mentee, allowed, hours)

    def removed(self, role: Role, one: int) -> tuple[Mapping[Rule, int], int]:
        """See `Board.removed`."""
        others = self._mentors if role == "mentee" else self._mentees
        left = np.ones(len(others), dtype=np.bool_)
        removed = {}
        for rule in self._in_force:
            holds = self._holds(rule, role, one)
            count = int(np.count_nonzero(left & ~holds))
            left &= holds
            if count:
                removed[rule] = count
        return removed, int(np.count_nonzero(left))

    def _holds(self, rule: Rule, role: Role, one: int) -> Mask:
        """Which of the other role the rule holds for. But for the grades, no rule asks which of the two is the mentee."""
        me, others = (self._mentees, self._mentors) if role == "mentee" else (self._mentors, self._mentees)
        holds: Mask
        match rule:
            case Rule.TWO_PEOPLE:
                holds = _all_but(others, [me.ids[one]])
            case Rule.MENTOR_IS_JUNIOR:
                gap = me.grade[one] - others.grade
                holds = (gap if role == "mentee" else -gap) >= self._policy.min_grade_gap
            case Rule.OUTSIDE_THE_LINE:
                holds = _all_but(others, self._up.ancestors(me.ids[one]) | self._down.ancestors(me.ids[one]))
            case Rule.DIFFERENT_TEAM:
                holds = ~_same(me.team, one, others.team)
            case Rule.ACROSS:
                holds = self._across(me, one, others)
            case Rule.SHARED_LANGUAGE:
                holds = np.any(others.languages & me.languages[:, one, np.newaxis], axis=0)
            case Rule.CLOSE_ZONES:
                holds = np.abs(others.offset - me.offset[one]) <= self._policy.max_zone_hours * 3600
            case Rule.COMMON_HOURS:
                holds = _common(me, one, others, None) >= 2 * self._policy.min_common_hours
            case Rule.NOT_FORBIDDEN:
                holds = _all_but(others, self._forbidden.get(me.ids[one], ()))
        return holds

    def _across(self, me: Crowd, one: int, others: Crowd) -> Mask:
        match self._policy.across:
            case "subsidiary":
                return ~_same(me.subsidiary, one, others.subsidiary)
            case "business_unit":
                return ~_same(me.business_unit, one, others.business_unit)
            case "none":
                return np.ones(len(others), dtype=np.bool_)

    def _scores(self, one: int, allowed: Places, hours: Integers) -> Integers:
        """The scores of that mentee with these mentors, with whom they have so many half-hours in common."""
        me, mentors, weights = self._mentees, self._mentors, self._policy.weights
        wishes = me.topics[one]
        best = TOP_LEVEL * sum(wishes.values())
        served = np.zeros(len(allowed), dtype=np.int64)
        for topic, wish in wishes.items():
            served += wish * self._levels.of(topic)[allowed].astype(np.int64)
        score = weights.topics * served // best if best else served
        score += self._hours_points[hours]
        score += self._gap_points[me.grade[one].astype(np.int64) - mentors.grade[allowed] + _WIDEST_GAP]
        score[~_same(me.function, one, mentors.function[allowed])] += weights.function
        in_person = ~mentors.remote_only[allowed] & _same(me.site, one, mentors.site[allowed]) & (not me.remote_only[one])
        score[in_person | (~mentors.on_site_only[allowed] & (not me.on_site_only[one]))] += weights.meeting
        return score


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


def _common(me: Crowd, one: int, others: Crowd, places: Places | None) -> Integers:
    """How many half-hours that person has in common with those at these places, or with everybody."""
    common = np.zeros(len(others) if places is None else len(places), dtype=np.int64)
    for mine, theirs in zip(me.free[:, one], others.free, strict=True):
        if mine:
            common += np.bitwise_count((theirs if places is None else theirs[places]) & mine)
    return common


def _same(mine: Codes, one: int, theirs: Codes) -> Mask:
    """Where the other's name is known and equal to this person's."""
    equal: Mask = theirs == mine[one] if mine[one] >= 0 else np.zeros(len(theirs), dtype=np.bool_)
    return equal


def _all_but(others: Crowd, ids: Iterable[str]) -> Mask:
    mask = np.ones(len(others), dtype=np.bool_)
    mask[[others.place[id_] for id_ in ids if id_ in others.place]] = False
    return mask


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
