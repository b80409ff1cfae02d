"""A policy that exists is within its limits."""

import re
from typing import Any

import pytest

from amont.common.events import RULES_TO_SWITCH_OFF
from amont.matching.domain.policy import Policy, Rule, Weights


def test_the_defaults_are_the_contracts() -> None:
    policy = Policy()
    assert (policy.min_grade_gap, policy.across, policy.max_zone_hours, policy.min_common_hours) == (2, "subsidiary", 6, 2)
    assert policy.weights == Weights(topics=600, function=120, hours=120, grade_gap=80, meeting=80)
    assert (policy.order, policy.min_score, policy.stickiness, policy.pins_override) == ("pairs, worst, total", 0, 0, False)
    assert policy.off == frozenset()


def test_the_rules_have_the_contracts_names_and_order() -> None:
    assert [rule.value for rule in Rule] == [
        "two_people",
        "mentor_is_junior",
        "outside_the_line",
        "different_team",
        "across",
        "shared_language",
        "close_zones",
        "common_hours",
        "not_forbidden",
    ]


def test_what_a_programme_may_switch_off_is_any_rule_but_the_one_that_there_are_two() -> None:
    assert [rule.value for rule in Rule if rule is not Rule.TWO_PEOPLE] == list(RULES_TO_SWITCH_OFF)


LIMITS = [
    ("min_grade_gap", -19, 19),
    ("max_zone_hours", 0, 26),
    ("min_common_hours", 0, 168),
    ("min_score", 0, 1000),
    ("stickiness", 0, 1000),
]


@pytest.mark.parametrize(("field", "low", "high"), LIMITS)
def test_both_limits_of_a_number_are_allowed(field: str, low: int, high: int) -> None:
    chosen: list[dict[str, Any]] = [{field: low}, {field: high}]
    assert [getattr(Policy(**choice), field) for choice in chosen] == [low, high]


@pytest.mark.parametrize(("field", "low", "high"), LIMITS)
@pytest.mark.parametrize("wrong", ["below", "above", 2.0, True, None, "2"])
def test_a_number_out_of_its_limits_is_refused_by_name(field: str, low: int, high: int, wrong: object) -> None:
    value = {"below": low - 1, "above": high + 1}.get(wrong, wrong) if isinstance(wrong, str) else wrong
    choice: dict[str, Any] = {field: value}
    with pytest.raises(ValueError, match=re.escape(f"{field} must be an integer from {low} to {high}, not {value!r}")):
        Policy(**choice)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"across": "country"}, "across must be one of 'subsidiary', 'business_unit', 'none', not 'country'"),
        ({"order": "total, pairs"}, "order must be one of 'pairs, worst, total', 'pairs, total', 'total', not 'total, pairs'"),
        ({"off": frozenset({Rule.TWO_PEOPLE})}, "off must be one of 'mentor_is_junior'"),
        ({"off": frozenset({"be_nice"})}, "not 'be_nice'"),
        ({"pins_override": 1}, "pins_override must be true or false, not 1"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused_by_name(choice: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Policy(**choice)


def test_every_rule_but_the_first_may_be_off() -> None:
    assert len(Policy(off=frozenset(Rule) - {Rule.TWO_PEOPLE}).off) == 8


def test_weights_add_up_to_a_thousand() -> None:
    with pytest.raises(ValueError, match="weights must add up to 1000, not 999"):
        Weights(topics=600, function=120, hours=120, grade_gap=80, meeting=79)


def test_no_weight_is_negative() -> None:
    with pytest.raises(ValueError, match=re.escape("weights.meeting must be an integer from 0 to 1000, not -1")):
        Weights(topics=1000, function=1, hours=0, grade_gap=0, meeting=-1)
