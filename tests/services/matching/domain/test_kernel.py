"""The engine's compact form and its scan say of every pair what the definition says, whatever the threads; and the certificate holds on hard pools."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_policy, random_pool
from tests.services.matching.verifier.proved_answers import random_case

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.engine import Engine
from amont.matching.domain.engine.columns import Compact, compact
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import Scanner, points_of
from amont.matching.domain.engine.narrow import NarrowScanner
from amont.matching.domain.engine.plain import PlainScanner
from amont.matching.domain.engine.vectors import promising, promising_by_numpy
from amont.matching.domain.policy import Order, Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import Solution

ORDERS: list[Order] = ["pairs, worst, total", "pairs, total", "total"]
LOW = -(1 << 20)
KERNELS = [Scanner, PlainScanner]


def case(seed: int) -> tuple[Pool, Policy]:
    random = Random(seed)
    return random_pool(random, random.randint(1, 25), random.randint(1, 25)), random_policy(random)


def all_scores(whole: Compact, scorer: Scorer) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Every score by the definition; `LOW` where the pair is not allowed."""
    return np.array(
        [[scorer.score(e, m) if scorer.allowed(e, m) else LOW for m in whole.mentor_ids] for e in whole.mentee_ids], np.int64
    ).reshape(len(whole.mentee_ids), len(whole.mentor_ids))


@pytest.mark.parametrize("seed", range(60))
def test_points_and_rules_are_the_definitions_for_every_pair(seed: int) -> None:
    pool, policy = case(seed)
    whole, scorer = compact(pool, policy), Scorer(pool, policy)
    rows, columns = (side.ravel().astype(np.int32) for side in np.indices((len(whole.mentee_ids), len(whole.mentor_ids))))
    points, allowed = points_of(whole.table, rows, columns)
    for row, column, reached, fine in zip(rows, columns, points.tolist(), allowed, strict=True):
        pair = whole.mentee_ids[row], whole.mentor_ids[column]
        assert tuple(reached) == tuple(scorer.points(*pair))
        assert fine == scorer.allowed(*pair)


@pytest.mark.parametrize("kernel", [*KERNELS, NarrowScanner])
@pytest.mark.parametrize("seed", range(60))
def test_a_scan_finds_what_looking_at_every_pair_finds(seed: int, kernel: type[Scanner]) -> None:
    pool, policy = case(seed)
    random = Random(seed)
    whole = compact(pool, policy)
    scores = all_scores(whole, Scorer(pool, policy))
    rows = np.arange(len(scores), dtype=np.int32)
    price = np.array([random.choice([0, 0, 7, 300, 5000]) for _ in whole.mentor_ids], np.int32)
    least = np.array([random.choice([-9000, 0, 250, 480]) for _ in rows], np.int32)
    floor, keep = random.choice([0, 300]), random.choice([1, 3, 40])
    scanner = kernel(whole.table, threads=2)
    found = scanner.scan(rows, least, price, keep=keep, floor=floor)
    for row in rows:
        offers = [(j, int(scores[row, j]) - int(price[j])) for j in scanner.order if scores[row, j] >= floor]
        expected = sorted((offer for offer in offers if offer[1] > least[row]), key=lambda offer: -offer[1])[:keep]
        assert [(j, value) for j, value in zip(found.where[row].tolist(), found.best[row].tolist(), strict=True) if j >= 0] == expected


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("seed", range(30))
def test_reaching_finds_the_first_who_may(seed: int, kernel: type[Scanner]) -> None:
    pool, policy = case(seed)
    whole = compact(pool, policy)
    scores = all_scores(whole, Scorer(pool, policy))
    columns = np.arange(0, len(whole.mentor_ids), 2, dtype=np.int32)
    by = kernel(whole.table, threads=1).reach(np.arange(len(scores), dtype=np.int32), columns, 250)
    for column, row in zip(columns, by, strict=True):
        may = np.flatnonzero(scores[:, column] >= 250)
        assert row == (may[0] if len(may) else -1)


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_every_kernel_chooses_the_same_of_equals(seed: int, *, alike: bool) -> None:
    """In pools of several chunks and tiles, in which most offers are equal."""
    random = Random(f"{seed} {alike}")
    pool, policy = random_pool(random, 300, 2_300), random_policy(random, min_common_hours=0)
    if alike:
        pool = replace(pool, people=tuple(replace(one, grade=9 if one.role == "mentee" else 5, topics={"ai": 1}) for one in pool.people))
    table = compact(pool, policy).table
    rows, columns = (np.arange(len(side.grade), dtype=np.int32) for side in (table.mentees, table.mentors))
    price = np.array([random.choice([0, 0, 0, 40]) for _ in columns], np.int32)
    some = np.array(random.sample(columns.tolist(), 1_500), np.int32)
    for asked in (None, some):
        for spread in (False, True):
            one, other = (
                kernel(table, 1).scan(rows, np.full(len(rows), 200, np.int32), price, keep=5, columns=asked, spread=spread)
                for kernel in KERNELS
            )
            assert one.best.tolist() == other.best.tolist()
            assert one.where.tolist() == other.where.tolist()
    one_by, other_by = (kernel(table, 1).reach(rows, np.sort(some), 700).tolist() for kernel in KERNELS)
    assert one_by == other_by


def test_without_a_compiler_the_answer_is_the_same_to_the_byte(tmp_path: Path) -> None:
    pool, policy = random_case(Random(8), order="pairs, worst, total")
    for name, raw in (("pool.json", pool), ("policy.json", policy)):
        (tmp_path / name).write_bytes(raw)
    answers = []
    for answer in ("yes", "no"):
        command = [Path(sys.executable).parent / "amont", "match", "pool.json", "--policy", "policy.json", "--explain", "--json"]
        ended = subprocess.run(command, cwd=tmp_path, env={**os.environ, "AMONT_ENGINE_COMPILED": answer}, capture_output=True, check=True)
        answers.append([line for line in ended.stdout.splitlines() if not line.startswith(b'"seconds"')])
    assert answers[0] == answers[1]
    assert len(answers[0]) > 20


@compiled
def by_vectors(*arguments: Any) -> Any:
    return promising(*arguments)


@pytest.mark.parametrize(("top", "wishes", "factor"), [(9, 8, 1_779), (3, 1, 42_668)])
@pytest.mark.parametrize("seed", range(10))
def test_vectors_and_numpy_promise_the_same(seed: int, top: int, wishes: int, factor: int) -> None:
    dice = np.random.default_rng(seed)
    read = np.concatenate([dice.integers(0, top + 1, (2, 10, 128), np.uint8), dice.integers(0, 256, (2, 10, 128), np.uint8)], axis=1)
    wish, free = dice.integers(0, 10, 10).astype(np.int32), dice.integers(10, 20, 42).astype(np.int32)
    bits = dice.integers(0, 256, 42, np.uint8)
    plane = dice.choice([-31_700, -29_000, 0, 200, 26_000], (3, 256)).astype(np.int16)
    function, site = dice.integers(-2, 4, (2, 256)).astype(np.int16)
    half_hours, need = dice.choice([[0, -30_500], [4, 0], [40, 700], [255, 25_999]])
    asked = np.array([1, 2, np.uint16(factor).view(np.int16), 120, 80, 120, half_hours, need], np.int16)
    lanes = dice.integers(0, 1 << 63, 2, np.uint64)
    kept, others = (lanes.copy(), lanes.copy())
    ends = (np.int64(1), np.int64(1 + wishes)), (np.int64(0), dice.integers(0, 43))
    left = [
        look(read, 1, wish, ends[0], free, bits, ends[1], plane, 2, function, site, asked, bits_of, 0, 2)
        for look, bits_of in ((by_vectors, kept), (promising_by_numpy, others))
    ]
    assert left[0] == left[1]
    assert kept.tolist() == others.tolist()


def certified(pool: Pool, policy: Policy, solution: Solution) -> None:
    """The three proofs, by the contract and the definition, for pools without pins."""
    scorer, made = Scorer(pool, policy), solution.objective
    proof = solution.certificate
    assert isinstance(proof, Certificate)
    places = {id_: profile.person.capacity for id_, profile in scorer.mentors.items()}
    allowed = [(e, m) for e in scorer.mentees for m in scorer.mentors if scorer.allowed(e, m)]

    def covers(cover: Cover, floor: int) -> int:
        assert all(e in cover.mentees or m in cover.mentors for e, m in allowed if scorer.score(e, m) >= floor)
        return len(cover.mentees) + sum(places[m] for m in cover.mentors)

    if policy.order != "total":
        assert proof.pairs_cover is not None
        assert covers(proof.pairs_cover, 0) == made.pairs
    if policy.order == "pairs, worst, total" and made.pairs:
        assert proof.floor_cover is not None
        assert proof.floor == made.worst
        assert covers(proof.floor_cover, proof.floor + 1) < made.pairs
    profit, price = proof.profits, proof.prices
    assert min([0, *profit.values(), *price.values()]) == 0
    for e, m in allowed:
        if scorer.score(e, m) >= proof.floor:
            assert profit.get(e, 0) + price.get(m, 0) >= proof.reward + scorer.value(e, m)
    assert sum(profit.values()) + sum(places[m] * asked for m, asked in price.items()) == proof.reward * made.pairs + made.total


CROWD = [mentee(id=f"a{place}") for place in range(40)]
HARD = {
    "all scores are equal": pool_of(*CROWD, *(mentor(id=f"b{place}", capacity=1) for place in range(40))),
    "one mentor is wanted by all": pool_of(
        *CROWD, mentor(capacity=2), *(mentor(id=f"b{place}", topics={"cloud": 1}) for place in range(30))
    ),
    "nobody is allowed": pool_of(*CROWD, *(mentor(id=f"b{place}", grade=20) for place in range(40))),
    "many mentees and few mentors": pool_of(
        *(mentee(id=f"a{place}") for place in range(400)), *(mentor(id=f"b{place}") for place in range(10))
    ),
    "a chain of everybody": pool_of(
        *(replace(person, id=f"p{2 * place}") for place, person in enumerate(CROWD)),
        *(mentor(id=f"p{2 * place + 1}", subsidiary=f"s{place}") for place in range(40)),
        managers={f"p{place}": (f"p{place - 1}",) for place in range(1, 80) if place != 40},
    ),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", HARD)
def test_hard_pools_are_solved_and_proved(name: str, order: Order) -> None:
    policy = Policy(order=order, stickiness=20)
    solution = Engine().solve(HARD[name], policy)
    certified(HARD[name], policy, solution)


@pytest.mark.parametrize("seed", range(3))
def test_threads_change_nothing(seed: int) -> None:
    random = Random(seed)
    pool, policy = random_pool(random, 600, 500), random_policy(random)
    assert Engine(threads=1).solve(pool, policy, explain=True) == Engine(threads=2).solve(pool, policy, explain=True)


def test_a_line_of_ten_thousand_is_told_apart() -> None:
    """Every second one is a mentee, every other a mentor, one above the other: nobody may be paired but across the cut."""
    people = [
        (mentee if place % 2 else mentor)(id=f"p{place}", subsidiary=f"s{place % 3}", grade=9 if place % 2 else 5)
        for place in range(10_000)
    ]
    managers = {f"p{place}": (f"p{place - 1}",) for place in range(1, 10_000) if place != 9_990}
    solution = Engine().solve(pool_of(*people, managers=managers), Policy(order="pairs, total"))
    for pair in solution.pairs:
        assert (int(pair.mentee[1:]) < 9_990) != (int(pair.mentor[1:]) < 9_990)
    assert solution.objective.pairs == 15  # five mentees, and five mentors with two places each
