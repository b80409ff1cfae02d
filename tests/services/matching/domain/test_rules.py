"""Each hard rule, on either side of its boundary, and the order in which they speak."""

from typing import Any

import pytest
from tests.services.matching.domain.pools import MENTEE, MENTOR, mentee, mentor, pool_of

from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import PoolPerson
from amont.matching.domain.rules import RULES, first_broken
from amont.matching.domain.scorer import Scorer


def broken(one: PoolPerson = MENTEE, other: PoolPerson = MENTOR, policy: Policy | None = None, **pool: Any) -> Rule | None:
    return Scorer(pool_of(one, other, **pool), policy or Policy()).first_broken(one.id, other.id)


def test_the_pair_of_the_contract_is_allowed() -> None:
    assert broken() is None


def test_the_rules_are_in_the_contracts_order() -> None:
    assert [rule for rule, _ in RULES] == list(Rule)


def test_nobody_mentors_themselves() -> None:
    assert broken(mentee(id="x"), mentor(id="x")) is Rule.TWO_PEOPLE


@pytest.mark.parametrize(("grade", "expected"), [(7, None), (8, Rule.MENTOR_IS_JUNIOR), (20, Rule.MENTOR_IS_JUNIOR)])
def test_a_mentor_is_at_least_two_grades_below(grade: int, expected: Rule | None) -> None:
    assert broken(other=mentor(grade=grade)) is expected


@pytest.mark.parametrize(("grade", "expected"), [(12, None), (13, Rule.MENTOR_IS_JUNIOR)])
def test_the_grade_gap_may_be_negative(grade: int, expected: Rule | None) -> None:
    assert broken(other=mentor(grade=grade), policy=Policy(min_grade_gap=-3)) is expected


@pytest.mark.parametrize(
    "managers",
    [
        {"de:e5": ("fr:e42",)},
        {"fr:e42": ("de:e5",)},
        {"de:e5": ("boss", "fr:e42")},
        {"de:e5": ("away",), "away": ("boss", "further"), "further": ("fr:e42",)},
    ],
)
def test_a_chain_of_links_in_either_direction_keeps_two_people_apart(managers: dict[str, tuple[str, ...]]) -> None:
    assert broken(managers=managers) is Rule.OUTSIDE_THE_LINE


def test_a_common_manager_does_not() -> None:
    assert broken(managers={"de:e5": ("boss",), "fr:e42": ("boss",)}) is None


def test_a_team_is_a_team_of_its_subsidiary() -> None:
    across_units = Policy(across="business_unit")
    assert broken(other=mentor(subsidiary="fr", team="t-17"), policy=across_units) is Rule.DIFFERENT_TEAM
    assert broken(other=mentor(subsidiary="fr", team="t-3"), policy=across_units) is None
    assert broken(other=mentor(subsidiary="de", team="t-17"), policy=across_units) is None


def test_an_unknown_team_is_nobodys_team() -> None:
    assert broken(mentee(team=""), mentor(subsidiary="fr", team=""), Policy(across="none")) is None


@pytest.mark.parametrize(
    ("across", "subsidiary", "unit", "expected"),
    [
        ("subsidiary", "fr", "risk", Rule.ACROSS),
        ("subsidiary", "de", "retail", None),
        ("business_unit", "de", "retail", Rule.ACROSS),
        ("business_unit", "fr", "risk", None),
        ("none", "fr", "retail", None),
    ],
)
def test_the_field_that_must_differ_is_the_policys_choice(across: Any, subsidiary: str, unit: str, expected: Rule | None) -> None:
    assert broken(other=mentor(subsidiary=subsidiary, business_unit=unit), policy=Policy(across=across)) is expected


def test_an_unknown_business_unit_is_nobodys() -> None:
    assert broken(mentee(business_unit=""), mentor(business_unit=""), Policy(across="business_unit")) is None


@pytest.mark.parametrize(("languages", "expected"), [({"en"}, None), ({"de", "es"}, Rule.SHARED_LANGUAGE), (set(), Rule.SHARED_LANGUAGE)])
def test_they_share_a_language(languages: set[str], expected: Rule | None) -> None:
    assert broken(other=mentor(languages=frozenset(languages))) is expected


LONG = ("mon 00:00-24:00", "tue 00:00-24:00")


@pytest.mark.parametrize(
    ("zone", "hours", "expected"),
    [
        ("America/New_York", 6, None),
        ("America/New_York", 5, Rule.CLOSE_ZONES),
        ("Asia/Kathmandu", 5, None),
        ("Asia/Kathmandu", 4, Rule.CLOSE_ZONES),
        ("Europe/Berlin", 0, None),
    ],
)
def test_zones_are_at_most_so_many_hours_apart(zone: str, hours: int, expected: Rule | None) -> None:
    """New York is six hours from Paris, Kathmandu four and three quarters."""
    policy = Policy(max_zone_hours=hours)
    assert broken(mentee(availability=LONG), mentor(zone=zone, availability=LONG), policy) is expected


@pytest.mark.parametrize(("until", "expected"), [("11:00", None), ("10:30", Rule.COMMON_HOURS)])
def test_they_have_two_hours_a_week_in_common(until: str, expected: Rule | None) -> None:
    assert broken(other=mentor(availability=(f"mon 08:00-{until}",))) is expected


def test_no_common_hour_is_enough_where_none_is_asked() -> None:
    assert broken(other=mentor(availability=()), policy=Policy(min_common_hours=0)) is None


@pytest.mark.parametrize("forbidden", [("fr:e42", "de:e5"), ("de:e5", "fr:e42")])
def test_a_forbidden_pair_is_unordered(forbidden: tuple[str, str]) -> None:
    assert broken(forbidden=(forbidden,)) is Rule.NOT_FORBIDDEN


def test_forbidding_somebody_else_changes_nothing() -> None:
    assert broken(forbidden=(("fr:e42", "de:e9"), ("x", "de:e5"))) is None


BREAKS_ALL_BUT_THE_FIRST: dict[str, Any] = {
    "one": mentee(team="t", subsidiary="fr"),
    "other": mentor(grade=9, team="t", subsidiary="fr", languages=frozenset({"pt"}), zone="Pacific/Auckland", availability=()),
    "managers": {"de:e5": ("fr:e42",)},
    "forbidden": (("fr:e42", "de:e5"),),
}


@pytest.mark.parametrize("place", range(1, len(Rule)))
def test_the_first_rule_in_force_that_is_broken_is_the_one_reported(place: int) -> None:
    off = frozenset(list(Rule)[1:place])
    assert broken(**BREAKS_ALL_BUT_THE_FIRST, policy=Policy(off=off)) is list(Rule)[place]


def test_rules_that_are_off_remove_nobody() -> None:
    assert broken(**BREAKS_ALL_BUT_THE_FIRST, policy=Policy(off=frozenset(Rule) - {Rule.TWO_PEOPLE})) is None


def test_all_broken_rules_are_told_in_rule_order() -> None:
    people = (BREAKS_ALL_BUT_THE_FIRST["one"], BREAKS_ALL_BUT_THE_FIRST["other"])
    pool = pool_of(*people, managers=BREAKS_ALL_BUT_THE_FIRST["managers"], forbidden=BREAKS_ALL_BUT_THE_FIRST["forbidden"])
    scorer = Scorer(pool, Policy(off=frozenset({Rule.ACROSS})))
    assert scorer.all_broken("fr:e42", "de:e5") == tuple(rule for rule in Rule if rule not in (Rule.TWO_PEOPLE, Rule.ACROSS))
    assert first_broken(scorer.mentees["fr:e42"], scorer.mentors["de:e5"], scorer.policy) is Rule.MENTOR_IS_JUNIOR
