"""What each pair is worth: held against solving again without it, and against itself with every pair in the graph."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from tests.services.matching.domain.dense import ScipySolver
from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_person, random_policy, random_pool
from tests.services.matching.verifier.proved_answers import valued

from amont.matching.domain.engine import Engine
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.generation import FAR, Market
from amont.matching.domain.engine.kernel import Scanner
from amont.matching.domain.engine.optimum import optimise
from amont.matching.domain.engine.worth import worth_of
from amont.matching.domain.policy import Order, Policy, Rule
from amont.matching.domain.pool import Pool

ORDERS: list[Order] = ["pairs, worst, total", "pairs, total", "total"]


def check(pool: Pool, policy: Policy) -> list[int | None]:
    """Hold every worth against solving again; what they are."""
    solution = Engine(threads=1).solve(pool, policy, explain=True)
    slow = ScipySolver().solve(pool, policy)
    assert solution.objective.total == slow.objective.total
    for pair in solution.pairs:
        expected = valued(pair, slow, pool, policy).worth
        assert pair.worth == expected, pair
        assert (pair.worth is None) == (pair.worth_reason is not None)
    return [pair.worth for pair in solution.pairs]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("order", ORDERS)
def test_a_pair_is_worth_what_the_total_loses_without_it(order: Order, seed: int) -> None:
    random = Random(f"{order} {seed}")
    policy = random_policy(random, order=order)
    check(random_pool(random, random.randint(1, 9), random.randint(1, 9)), replace(policy, off=policy.off - {Rule.NOT_FORBIDDEN}))


@pytest.mark.parametrize("order", ORDERS)
def test_so_it_is_where_everybody_is_in_both_roles(order: Order) -> None:
    """Forbidding somebody as a mentor forbids them as a mentee of the same person."""
    both = []
    for seed in range(20):
        random = Random(seed)
        people = [replace(random_person(random, place), grade=random.randint(5, 6)) for place in range(4)]
        pool = pool_of(*people, *(replace(one, role="mentor", topics={"ai": random.randint(1, 3)}) for one in people))
        policy = Policy(order=order, min_grade_gap=-3, across="none", min_common_hours=0, max_zone_hours=26)
        both += check(pool, policy)
    assert sum(one is not None for one in both) > 10


def test_a_pin_has_a_reason_and_so_has_a_pair_that_nothing_can_replace() -> None:
    pool = pool_of(mentee(id="a"), mentee(id="b"), mentor(id="x", capacity=1), mentor(id="y", capacity=1), pinned=(("a", "x"),))
    for order in ORDERS:
        pinned, other = Engine(threads=1).solve(pool, Policy(order=order), explain=True).pairs
        assert (pinned.worth, pinned.worth_reason) == (None, "it is pinned")
        if order == "total":
            assert (other.worth, other.worth_reason) == (782, None)
        else:
            assert other.worth is None
            assert "fewer pairs" in (other.worth_reason or "")
            assert ("lowest score" in (other.worth_reason or "")) == (order == "pairs, worst, total")


def test_nothing_is_worth_anything_where_nobody_asks() -> None:
    (pair,) = Engine(threads=1).solve(pool_of(mentee(), mentor()), Policy()).pairs
    assert (pair.worth, pair.worth_reason) == (None, None)


@pytest.mark.parametrize("order", ORDERS)
def test_a_sparse_start_finds_what_every_pair_in_the_graph_does(order: Order) -> None:
    random = Random(order)
    pool = replace(random_pool(random, 300, 280), pinned=())
    policy = Policy(order=order, min_common_hours=0, stickiness=20)
    sparse, full = at_rest(pool, policy), at_rest(pool, policy)
    full.learn_within(np.full(300, FAR), np.zeros(280, np.int64), full.open_rows, np.zeros(0, np.int32))
    rows = np.flatnonzero(sparse.state.mate >= 0).astype(np.int32)
    found, expected = (worth_of(market, rows, counting=order != "total") for market in (sparse, full))
    assert found.tolist() == expected.tolist()
    assert len(rows) > 100
    assert sparse.edges.row.size < full.edges.row.size / 2


def at_rest(pool: Pool, policy: Policy) -> Market:
    table = compact(pool, policy).table
    return optimise(table, Scanner(table, 1), policy, np.zeros((2, 0), np.int32), lambda *_: None).market
