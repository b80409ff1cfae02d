"""Policies side by side: everything is counted over all pairs, whichever pins hold under each."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_policy, random_pool

from amont.matching.domain.comparing import Comparison, Reached, compare
from amont.matching.domain.engine import Engine
from amont.matching.domain.pinning import Pin, hold
from amont.matching.domain.policy import Order, Policy, Rule
from amont.matching.domain.pool import Pool

NOW = datetime(2027, 1, 11, tzinfo=UTC)
ORDERS: list[Order] = ["pairs, worst, total", "pairs, total"]


def _pins(random: Random, pool: Pool) -> list[Pin]:
    """Of anybody with anybody: some hold, some do not, and which ones depends on the rules."""
    sides = [[person.id for person in pool.in_role(role)] for role in ("mentee", "mentor")]  # type: ignore[arg-type]  # roles
    return [Pin(mentee=random.choice(sides[0]), mentor=random.choice(sides[1]), at=NOW, override=random.random() < 0.2) for _ in range(4)]


def _compared(pool: Pool, *policies: Policy, pins: list[Pin], rules: bool = False) -> Comparison:
    return compare(Engine(threads=1), pool, policies, pins=pins, rules=rules)


@pytest.mark.parametrize("seed", range(40))
def test_a_difference_is_that_of_all_pairs_pinned_ones_among_them(seed: int) -> None:
    random = Random(seed)
    pool = replace(random_pool(random, 8, 8), pinned=(), current=())
    pins = _pins(random, pool)
    policies = [random_policy(random, pins_override=False) for _ in range(2)]
    found = _compared(pool, *policies, pins=pins)
    scores = []
    for policy, column in zip(policies, found.columns, strict=True):
        held, lenient, _ = hold(pool, policy, pins)
        scores.append([pair.score for pair in Engine(threads=1).solve(held, lenient).pairs])
        assert column.objective == Reached(pairs=len(scores[-1]), worst=min(scores[-1], default=None), total=sum(scores[-1]))
    assert found.difference is not None
    assert found.difference.pairs == len(scores[1]) - len(scores[0])
    assert found.difference.total == sum(scores[1]) - sum(scores[0])
    assert found.difference.worst == (min(scores[1]) - min(scores[0]) if all(scores) else None)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("order", ORDERS)
def test_no_rule_costs_fewer_than_no_pairs(order: Order, seed: int) -> None:
    random = Random(f"{order} {seed}")
    pool = replace(random_pool(random, 8, 8), pinned=())
    [column] = _compared(pool, random_policy(random, order=order, pins_override=False), pins=_pins(random, pool), rules=True).columns
    assert all(cost.costs >= 0 for cost in column.rules)
    assert all(cost.costs == cost.without.pairs - column.objective.pairs for cost in column.rules)


def test_a_rule_is_not_said_to_cost_less_than_nothing_because_a_pin_would_hold_without_it() -> None:
    """Without the rule the pin of Ann with Moe would hold, and nobody be left for Bea."""
    pool = pool_of(
        mentee(id="ann"),
        mentee(id="bea", subsidiary="it", languages=frozenset({"fr"})),
        mentor(id="max", capacity=1),
        mentor(id="moe", capacity=1, subsidiary="fr", languages=frozenset({"en", "fr"})),
    )
    pin = Pin(mentee="ann", mentor="moe", at=NOW)
    [column] = _compared(pool, Policy(), pins=[pin], rules=True).columns
    [cost] = [cost for cost in column.rules if cost.rule is Rule.ACROSS]
    assert (column.objective.pairs, cost.costs, cost.without.pairs) == (2, 0, 2)
    unruled = _compared(pool, Policy(off=frozenset({Rule.ACROSS})), pins=[pin]).columns[0]
    assert unruled.objective.pairs == 1
