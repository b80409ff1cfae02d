"""Figures by group, what they hide, and the pairs that would rather have each other."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_policy, random_pool

from amont.matching.domain.engine import Engine
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.kernel import Scanner
from amont.matching.domain.engine.plain import PlainScanner
from amont.matching.domain.fairness import DIVISIONS, LOWEST_FROM, QUARTILES_FROM, Group, Scores, fairness
from amont.matching.domain.policy import Order, Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import Solution
from amont.matching.domain.suppression import K

ORDERS: list[Order] = ["pairs, worst, total", "pairs, total", "total"]


def _blocking(pool: Pool, policy: Policy, solution: Solution) -> int:
    """By the words of the definition, pair by pair."""
    scorer = Scorer(pool, policy)
    least = policy.min_score if policy.order == "total" else 0
    mine = {pair.mentee: pair.score for pair in solution.pairs}
    count = 0
    for one in scorer.mentees:
        for other, profile in scorer.mentors.items():
            theirs = [pair.score for pair in solution.pairs if pair.mentor == other]
            free = len(theirs) < profile.person.capacity
            score = scorer.score(one, other)
            better_for_one = one not in mine or score > mine[one]
            better_for_other = free or score > min(theirs)
            count += scorer.allowed(one, other) and score >= least and better_for_one and better_for_other
    return count


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("order", ORDERS)
def test_pairs_that_would_rather_have_each_other_are_counted(order: Order, seed: int) -> None:
    random = Random(f"{order} {seed}")
    policy = random_policy(random, order=order)
    pool = random_pool(random, random.randint(1, 12), random.randint(1, 12))
    solution = Engine(threads=1 + seed % 2).solve(pool, policy, explain=True)
    assert solution.blocking == _blocking(pool, policy, solution)


@pytest.mark.parametrize("seed", range(20))
def test_without_a_compiler_they_are_the_same(seed: int) -> None:
    random = Random(seed)
    table = compact(random_pool(random, random.randint(1, 12), random.randint(1, 12)), random_policy(random)).table
    mine, theirs = (np.array([random.randint(-1, 900) for _ in side.grade], np.int32) for side in (table.mentees, table.mentors))
    assert Scanner(table, 2).above(mine, theirs) == PlainScanner(table, 1).above(mine, theirs)


def test_a_couple_kept_apart_for_the_sake_of_all_blocks() -> None:
    """Ann would rather have Max, and Max her; but then Bea could have nobody."""
    ann, bea = mentee(id="ann", topics={"ai": 1}), mentee(id="bea", topics={"ai": 1, "green": 3}, languages=frozenset({"fr"}))
    both = frozenset({"en", "fr"})
    pool = pool_of(
        ann, bea, mentor(id="max", capacity=1, languages=both), mentor(id="moe", capacity=1, topics={"ai": 1}, languages=frozenset({"en"}))
    )
    solution = Engine(threads=1).solve(pool, Policy(), explain=True)
    assert [(pair.mentee, pair.mentor) for pair in solution.pairs] == [("ann", "moe"), ("bea", "max")]
    assert solution.blocking == 1


def _group(found: tuple[Group, ...], name: str) -> Group:
    [group] = [one for one in found if one.name == name]
    return group


def test_shares_and_scores_are_told_by_group() -> None:
    mentees = [mentee(id=f"e{n}", subsidiary="fr" if n < 24 else "it", function="finance", site="", grade=9) for n in range(48)]
    mentors = [mentor(id=f"m{n}", function="it", site="FRA", grade=5) for n in range(48)]
    made = [(f"e{n}", f"m{n}", 500 + 10 * n) for n in range(20)]
    [figures] = fairness(pool_of(*mentees, *mentors), [made])
    assert set(figures.divisions) == set(DIVISIONS)
    scores = Scores(lowest=500, quartiles=(540, 590, 640))
    assert figures.everybody == Group(name="", people=96, matched=40, scores=scores)
    assert _group(figures.divisions["subsidiary"], "fr") == Group(name="fr", people=24, matched=20, scores=scores)
    assert _group(figures.divisions["subsidiary"], "it") == Group(name="it", people=24, matched=0, scores=None)
    assert _group(figures.divisions["role"], "mentor") == Group(name="mentor", people=48, matched=20, scores=scores)
    assert [one.name for one in figures.divisions["grade_band"]] == ["05", "09"]
    assert _group(figures.divisions["site"], "").people == 48


@pytest.mark.parametrize(("pairs", "lowest", "quartiles"), [(9, None, False), (10, 500, False), (19, 500, False), (20, 500, True)])
def test_a_lowest_score_takes_ten_matched_people_and_quartiles_take_twenty(pairs: int, lowest: int | None, quartiles: bool) -> None:  # noqa: FBT001
    """With the lowest and the quartiles of five, four of the five would be told."""
    pool = pool_of(*(mentee(id=f"e{n}") for n in range(25)), *(mentor(id=f"m{n}") for n in range(25)))
    [figures] = fairness(pool, [[(f"e{n}", f"m{n}", 500 + n) for n in range(pairs)]])
    scores = _group(figures.divisions["role"], "mentee").scores
    assert (scores.lowest if scores else None) == lowest
    assert bool(scores and scores.quartiles) == quartiles


def test_scores_of_a_few_are_hidden_and_those_of_another_group_with_them_while_shares_are_shown() -> None:
    mentees = [mentee(id=f"e{n}", subsidiary="fr" if n < 10 else "it") for n in range(20)]
    mentors = [mentor(id=f"m{n}") for n in range(20)]
    made = [(f"e{n}", f"m{n}", 500 + n) for n in (*range(8), 10, 11)]
    [figures] = fairness(pool_of(*mentees, *mentors), [made])
    subsidiaries = figures.divisions["subsidiary"]
    assert (_group(subsidiaries, "it").matched, _group(subsidiaries, "it").scores) == (2, None)
    assert (_group(subsidiaries, "fr").matched, _group(subsidiaries, "fr").scores) == (8, None)
    assert _group(subsidiaries, "de").scores is not None


def test_of_two_answers_side_by_side_neither_shows_what_the_other_one_hides() -> None:
    mentees = [mentee(id=f"e{n}", subsidiary="fr" if n < 10 else "it") for n in range(30)]
    mentors = [mentor(id=f"m{n}") for n in range(30)]
    few = [(f"e{n}", f"m{n}", 500 + n) for n in (*range(8), *range(10, 13))]
    many = [(f"e{n}", f"m{n}", 500 + n) for n in range(30)]
    for figures in fairness(pool_of(*mentees, *mentors), [few, many]):
        assert _group(figures.divisions["subsidiary"], "it").scores is None
        assert _group(figures.divisions["subsidiary"], "it").people == 20


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_no_figure_is_about_fewer_than_k_people(seed: int) -> None:
    random = Random(seed)
    pool = random_pool(random, random.randint(0, 30), random.randint(0, 30))
    solution = Engine(threads=1).solve(replace(pool, pinned=()), Policy(min_grade_gap=0, across="none"))
    [figures] = fairness(pool, [[(pair.mentee, pair.mentor, pair.score) for pair in solution.pairs]])
    for group in (figures.everybody, *(one for groups in figures.divisions.values() for one in groups)):
        assert group.people is None or group.people >= K
        assert (group.people is None) == (group.matched is None)
        assert group.scores is None or (group.matched or 0) >= LOWEST_FROM
        assert group.scores is None or group.scores.quartiles is None or (group.matched or 0) >= QUARTILES_FROM
