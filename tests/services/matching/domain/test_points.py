"""What a pair is worth, criterion by criterion, rounded down."""

import pytest
from tests.services.matching.domain.pools import MENTEE, MENTOR, mentee, mentor, pool_of

from amont.matching.domain.points import Points, can_meet, grade_gap_points, hours_points, topics_points
from amont.matching.domain.policy import Policy, Weights
from amont.matching.domain.pool import Meeting, PoolPerson
from amont.matching.domain.scorer import Scorer


def points(one: PoolPerson = MENTEE, other: PoolPerson = MENTOR, policy: Policy | None = None) -> Points:
    return Scorer(pool_of(one, other), policy or Policy()).points(one.id, other.id)


def test_the_pair_of_the_contract_scores_782() -> None:
    assert points() == Points(topics=450, function=120, hours=52, grade_gap=80, meeting=80)
    assert points().score == 782


@pytest.mark.parametrize(
    ("wishes", "levels", "expected"),
    [
        ({"ai": 3, "social-media": 1}, {"ai": 3}, 450),
        ({"ai": 3}, {"ai": 3, "data": 3}, 600),
        ({"ai": 1}, {"data": 3}, 0),
        ({"ai": 2, "data": 3, "green": 2}, {"ai": 1, "data": 1, "green": 1}, 200),
        ({"ai": 3, "data": 2, "green": 2}, {"ai": 1, "data": 2}, 200),
        ({"ai": 3, "data": 2, "green": 2}, {"ai": 2, "data": 1}, 228),
        ({}, {"ai": 3}, 0),
    ],
)
def test_topics_count_by_the_strength_of_the_wish_and_the_level_offered(
    wishes: dict[str, int], levels: dict[str, int], expected: int
) -> None:
    assert topics_points(600, wishes, levels) == expected


@pytest.mark.parametrize(("half_hours", "expected"), [(0, 0), (1, 7), (7, 52), (15, 112), (16, 120), (17, 120), (336, 120)])
def test_hours_count_up_to_sixteen_half_hours(half_hours: int, expected: int) -> None:
    assert hours_points(120, half_hours) == expected


@pytest.mark.parametrize(("gap", "expected"), [(4, 80), (3, 60), (5, 60), (2, 40), (0, 0), (8, 0), (9, 0), (-3, 0), (19, 0)])
def test_a_gap_of_four_grades_is_best(gap: int, expected: int) -> None:
    assert grade_gap_points(80, gap) == expected


def test_what_a_grade_off_costs_is_rounded_down() -> None:
    assert [grade_gap_points(81, gap) for gap in (3, 2, 1, 0, -1)] == [61, 41, 21, 0, 0]


@pytest.mark.parametrize(("function", "expected"), [("finance", 0), ("it", 120), ("", 120)])
def test_another_function_counts(function: str, expected: int) -> None:
    assert points(other=mentor(function=function)).function == expected


def test_an_unknown_function_is_nobodys() -> None:
    assert points(mentee(function=""), mentor(function="")).function == 120


@pytest.mark.parametrize(
    ("one", "other", "same_site", "elsewhere"),
    [
        ("either", "either", True, True),
        ("either", "remote", True, True),
        ("remote", "remote", True, True),
        ("either", "in-person", True, False),
        ("in-person", "in-person", True, False),
        ("in-person", "remote", False, False),
    ],
)
def test_a_way_of_meeting_suits_both(one: Meeting, other: Meeting, *, same_site: bool, elsewhere: bool) -> None:
    for mine, theirs in ((one, other), (other, one)):
        assert can_meet(mentee(meeting=mine, site="PAR"), mentor(meeting=theirs, site="PAR")) is same_site
        assert can_meet(mentee(meeting=mine, site="PAR"), mentor(meeting=theirs, site="FRA")) is elsewhere


def test_nobody_meets_on_an_unknown_site() -> None:
    assert not can_meet(mentee(meeting="in-person", site=""), mentor(meeting="in-person", site=""))


def test_weights_are_the_most_a_criterion_gives() -> None:
    weights = Weights(topics=0, function=0, hours=0, grade_gap=1, meeting=999)
    assert points(policy=Policy(weights=weights)) == Points(topics=0, function=0, hours=0, grade_gap=1, meeting=999)


def test_a_pair_that_is_not_allowed_has_points_too() -> None:
    assert points(other=mentor(grade=19)).grade_gap == 0
    assert points(other=mentor(id="fr:e42")).score == 782
