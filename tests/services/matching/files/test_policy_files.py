"""A policy file is read, or refused with every fault at its exact path."""

import json
import tracemalloc
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.matching.domain.pools import random_policy
from tests.services.matching.files.pool_documents import policy_document

from amont.matching.domain.policy import Policy, Rule, Weights
from amont.matching.files import Refused, faults, fields, read_policy

WEIGHTS = {"topics": 600, "function": 120, "hours": 120, "grade_gap": 80, "meeting": 80}

HUGE = 10**4300 - 1
"""As many digits as Python reads; it writes no sum of two of these."""


def paths(document: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        read_policy(document if isinstance(document, bytes) else json.dumps(document).encode())
    assert all(fault.reason for fault in refused.value.faults)
    return [fault.path for fault in refused.value.faults]


def test_without_a_file_and_with_an_empty_one_the_defaults_hold() -> None:
    assert read_policy() == read_policy(b"{}") == read_policy(b'{"amont": "policy/1"}') == Policy()


def test_the_contracts_example_is_the_default() -> None:
    raw = b"""{ "amont": "policy/1", "min_grade_gap": 2, "across": "subsidiary", "max_zone_hours": 6, "min_common_hours": 2, "off": [],
  "weights": {"topics": 600, "function": 120, "hours": 120, "grade_gap": 80, "meeting": 80},
  "order": "pairs, worst, total", "min_score": 0, "stickiness": 0, "pins_override": false }"""
    assert read_policy(raw) == Policy()


@given(st.randoms(use_true_random=False), st.sampled_from(["pairs, worst, total", "pairs, total", "total"]))
def test_a_policy_that_is_written_is_read_again(random: Random, order: str) -> None:
    policy = random_policy(random, order=order)
    assert read_policy(json.dumps(policy_document(policy)).encode()) == policy


LIMITS = {
    "min_grade_gap": (-19, 19),
    "max_zone_hours": (0, 26),
    "min_common_hours": (0, 168),
    "min_score": (0, 1_000),
    "stickiness": (0, 1_000),
}


@pytest.mark.parametrize(("field", "low", "high"), [(field, *limits) for field, limits in LIMITS.items()])
def test_an_integer_is_held_within_its_limits(field: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(read_policy(json.dumps({field: value}).encode()), field) == value
    for value in (low - 1, high + 1, 1.0, True, "1", None, float("nan"), 10**5_000):
        raw = b'{"%s": 1%s}' % (field.encode(), b"0" * 5_000) if value == 10**5_000 else json.dumps({field: value}).encode()
        assert paths(raw) == [f"$.{field}"]


FAULTS: list[tuple[Any, list[str]]] = [
    ({"amont": "policy/2"}, ["$.amont"]),
    ({"amont": None}, ["$.amont"]),
    ({"min_grade_gab": 2}, ["$.min_grade_gab"]),
    ({"across": "team"}, ["$.across"]),
    ({"order": "worst"}, ["$.order"]),
    ({"order": "pairs,worst,total"}, ["$.order"]),
    ({"order": ["total"]}, ["$.order"]),
    ({"pins_override": 1}, ["$.pins_override"]),
    ({"pins_override": "false"}, ["$.pins_override"]),
    ({"off": "across"}, ["$.off"]),
    ({"off": ["across", "two_people"]}, ["$.off[1]"]),
    ({"off": ["Across", 1]}, ["$.off[0]", "$.off[1]"]),
    ({"weights": []}, ["$.weights"]),
    ({"weights": None}, ["$.weights"]),
    ({"weights": {}}, [f"$.weights.{criterion}" for criterion in WEIGHTS]),
    ({"weights": {**WEIGHTS, "topics": 599}}, ["$.weights"]),
    ({"weights": {**WEIGHTS, "topics": 1001}}, ["$.weights.topics"]),
    ({"stickiness": -1, "weights": {**WEIGHTS, "topics": HUGE, "hours": HUGE}}, ["$.weights.topics", "$.weights.hours", "$.stickiness"]),
    ({"weights": {**WEIGHTS, "topics": -1}}, ["$.weights.topics"]),
    ({"weights": {**WEIGHTS, "topics": 600.0}}, ["$.weights.topics"]),
    ({"weights": {**WEIGHTS, "age": 0}}, ["$.weights.age"]),
    ({"weights": {key: WEIGHTS[key] for key in WEIGHTS if key != "hours"}}, ["$.weights.hours"]),
    ({"weights": 1000, "off": [1], "x-y": 1, "stickiness": -1}, ["$.off[0]", "$.weights", "$.stickiness", "$['x-y']"]),
    (b'{"off": [], "off": []}', ["$.off"]),
    (b'{"weights": {"topics": 600, "topics": 600, "function": 120, "hours": 120, "grade_gap": 80, "meeting": 80}}', ["$.weights.topics"]),
    ([], ["$"]),
    (None, ["$"]),
    (b"", ["$"]),
    (b"{", ["$"]),
    (b"\xef\xbb\xbf{}", ["$"]),
    (b'{"across": "\xff"}', ["$"]),
    (b"[" * 100_000, ["$"]),
]


@pytest.mark.parametrize(("document", "expected"), FAULTS, ids=lambda value: repr(value)[:60])
def test_a_fault_is_told_with_its_path(document: Any, expected: list[str]) -> None:
    assert paths(document) == expected


def test_unknown_fields_are_told_in_the_order_of_the_file() -> None:
    names = [f"x{number}" for number in range(20)][::-1]
    assert paths({**dict.fromkeys(names), "across": "team"}) == ["$.across", *(f"$.{name}" for name in names)]


def test_a_slip_is_told_with_the_field_that_is_meant() -> None:
    with pytest.raises(Refused, match="did you mean 'min_common_hours'"):
        read_policy(b'{"min_comon_huors": 2}')


def test_a_very_long_field_takes_little_more_memory_than_the_file() -> None:
    raw = b'{"%s": 1}' % (b"ab" * 500_000)
    tracemalloc.start()
    try:
        assert len(paths(raw)) == 1
        assert tracemalloc.get_traced_memory()[1] < 10 * len(raw)
    finally:
        tracemalloc.stop()


def test_nothing_is_suggested_once_no_fault_is_kept_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(faults, "MOST_FAULTS", 3)
    monkeypatch.setattr(fields, "get_close_matches", lambda key, *_, **__: asked.append(key) or [])
    assert paths({f"x{number}": 1 for number in range(9)}) == ["$.x0", "$.x1", "$.x2", "$"]
    assert asked == ["x0", "x1", "x2", "x3"]


def test_every_rule_but_the_first_can_be_switched_off_more_than_once() -> None:
    names = [rule.value for rule in Rule if rule is not Rule.TWO_PEOPLE]
    assert read_policy(json.dumps({"off": names + names}).encode()).off == frozenset(names)


def test_a_weight_may_be_all_or_nothing() -> None:
    weights = {"topics": 0, "function": 0, "hours": 0, "grade_gap": 0, "meeting": 1000}
    assert read_policy(json.dumps({"weights": weights}).encode()).weights == Weights(**weights)
