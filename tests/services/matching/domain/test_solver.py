"""The engine finds the best pairs: held against all the matchings there are and a flow solver, whatever the order of the input."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from tests.services.matching.domain.pools import MENTEE, MENTOR, THOROUGHNESS, mentee, mentor, pool_of, random_policy, random_pool

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.change import Change
from amont.matching.domain.engine import Engine
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Order, Policy, Rule, Weights
from amont.matching.domain.pool import Pool
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import NextBest, Objective, PinsRefused, Solution, SolvedPair, Unmatched

ORDERS: list[Order] = ["pairs, worst, total", "pairs, total", "total"]
Pairs = tuple[tuple[str, str], ...]


def solve(pool: Pool, policy: Policy | None = None, **choices: Any) -> Solution:
    return Engine(threads=1).solve(pool, policy or Policy(**choices), explain=True)


def made(solution: Solution) -> dict[str, str]:
    return {pair.mentee: pair.mentor for pair in solution.pairs}


def test_the_round_of_the_contract() -> None:
    pool = pool_of(
        MENTEE,
        MENTOR,
        managers={"fr:e42": ("fr:e7",), "fr:e7": ("fr:e1", "de:e9")},
        forbidden=(("fr:e42", "de:e9"),),
        current=(("fr:e42", "de:e5"),),
    )
    points = Points(topics=450, function=120, hours=52, grade_gap=80, meeting=80)
    pair = SolvedPair(
        mentee="fr:e42",
        mentor="de:e5",
        score=782,
        points=points,
        pinned=False,
        overrides=(),
        next_best=None,
        worth_reason="without it there would be fewer pairs or a lower lowest score",
    )
    proof = Certificate(
        reward=1001, floor=782, profits={"fr:e42": 1783}, prices={}, pairs_cover=Cover(mentees=("fr:e42",)), floor_cover=Cover()
    )
    assert solve(pool) == Solution(
        pairs=(pair,), unmatched=(), objective=Objective(pairs=1, worst=782, total=782), certificate=proof, blocking=0
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("people", [(), (MENTEE,), (MENTOR,), (MENTEE, mentor(grade=20))])
def test_a_round_in_which_nobody_can_be_paired(order: Order, people: Any) -> None:
    solution = solve(pool_of(*people), order=order)
    assert solution.objective == Objective(pairs=0, worst=None, total=0)
    assert [person.id for person in solution.unmatched] == sorted(person.id for person in people)


def test_a_mentor_with_two_places_takes_two() -> None:
    pool = pool_of(MENTEE, mentee(id="fr:e43"), mentee(id="fr:e44"), MENTOR)
    solution = solve(pool)
    assert [pair.mentor for pair in solution.pairs] == ["de:e5", "de:e5"]
    assert [person.role for person in solution.unmatched] == ["mentee"]
    assert solution.objective == Objective(pairs=2, worst=782, total=1564)


def test_a_mentor_with_one_place_of_two_used_is_matched() -> None:
    assert solve(pool_of(MENTEE, MENTOR)).unmatched == ()


A, B = mentee(id="a"), mentee(id="b")
WANTED, LESS, LEAST = mentor(id="x", capacity=1), mentor(id="y", capacity=1, topics={"ai": 2}), mentor(id="z", capacity=1, topics={"ai": 1})


def test_more_pairs_come_before_better_ones() -> None:
    pool = pool_of(A, B, WANTED, LEAST, forbidden=(("b", "z"),))
    assert made(solve(pool)) == {"a": "z", "b": "x"}
    assert made(solve(pool, order="pairs, total")) == {"a": "z", "b": "x"}


def test_the_worst_pair_comes_before_the_total() -> None:
    """Straight pairs score 932 and 372, crossed ones 812 and 492: the same total, but for one point that makes the straight ones better."""
    a, b = mentee(id="a", topics={"ai": 1}), mentee(id="b", topics={"ai": 1}, function="it")
    x, y = mentor(id="x", capacity=1, topics={"ai": 3}), mentor(id="y", capacity=1, topics={"ai": 1}, grade=7)
    pool = pool_of(a, b, x, y)
    scorer = Scorer(pool, Policy())
    straight, crossed = [scorer.score("a", "x"), scorer.score("b", "y")], [scorer.score("a", "y"), scorer.score("b", "x")]
    assert sum(straight) == sum(crossed)
    assert min(straight) < min(crossed)
    sticky = replace(pool, current=(("a", "x"),))
    assert made(solve(sticky, order="pairs, total", stickiness=1)) == {"a": "x", "b": "y"}
    assert made(solve(sticky, order="pairs, worst, total", stickiness=1)) == {"a": "y", "b": "x"}


def test_the_order_total_makes_fewer_pairs_where_that_is_worth_more() -> None:
    """Whoever gets the current pair has more than two pairs together."""
    pool = pool_of(A, B, WANTED, LEAST, forbidden=(("b", "z"),), current=(("a", "x"),))
    assert made(solve(pool, order="total", stickiness=1000)) == {"a": "x"}
    assert made(solve(pool, order="pairs, total", stickiness=1000)) == {"a": "z", "b": "x"}


@pytest.mark.parametrize(("stickiness", "expected"), [(483, {"a": "x"}), (481, {"a": "z", "b": "x"})])
def test_under_the_order_total_one_point_is_worth_a_pair(stickiness: int, expected: dict[str, str]) -> None:
    """The current pair has 782 points and the stickiness; the other two together 482 + 782."""
    for seed in "abcdefgh":
        pool = pool_of(A, B, WANTED, LEAST, forbidden=(("b", "z"),), current=(("a", "x"),), seed=seed)
        assert made(solve(pool, order="total", stickiness=stickiness)) == expected


@pytest.mark.parametrize("order", ORDERS[:2])
def test_one_more_pair_is_worth_any_number_of_points(order: Order) -> None:
    """Along a chain n pairs are worth nothing, and n - 1 are worth a thousand points each."""
    length = 30
    people = [
        make(id=f"{name}{place}", function=f"f{place}", capacity=1)
        for make, name in ((mentee, "e"), (mentor, "m"))
        for place in range(length)
    ]
    forbidden = tuple((f"e{one}", f"m{other}") for one in range(length) for other in range(length) if one - other not in (0, 1))
    only_function = Weights(topics=0, function=1000, hours=0, grade_gap=0, meeting=0)
    solution = solve(pool_of(*people, forbidden=forbidden), order=order, weights=only_function)
    assert solution.objective == Objective(pairs=length, worst=0, total=0)


def test_the_order_total_makes_no_pair_under_the_lowest_score() -> None:
    assert made(solve(pool_of(MENTEE, MENTOR), order="total", min_score=782)) == {"fr:e42": "de:e5"}
    solution = solve(pool_of(MENTEE, MENTOR), order="total", min_score=783)
    assert solution.objective == Objective(pairs=0, worst=None, total=0)
    assert [person.left for person in solution.unmatched] == [1, 1]


@pytest.mark.parametrize("order", ORDERS[:2])
def test_the_lowest_score_means_nothing_to_the_other_orders(order: Order) -> None:
    assert solve(pool_of(MENTEE, MENTOR), order=order, min_score=1000).objective.pairs == 1


def test_stickiness_decides_between_equals_and_counts_in_the_total() -> None:
    for kept in ("x", "w"):
        pool = pool_of(A, WANTED, replace(WANTED, id="w"), current=(("a", kept),))
        solution = solve(pool, stickiness=20)
        assert made(solution) == {"a": kept}
        assert solution.objective == Objective(pairs=1, worst=782, total=802)
        assert solution.pairs[0].score == 782


def test_pins_come_first_and_do_not_count() -> None:
    pool = pool_of(A, B, WANTED, LEAST, pinned=(("a", "z"),), current=(("a", "z"),))
    solution = solve(pool, stickiness=20)
    assert made(solution) == {"a": "z", "b": "x"}
    assert [(pair.pinned, pair.overrides) for pair in solution.pairs] == [(True, ()), (False, ())]
    assert solution.objective == Objective(pairs=1, worst=782, total=782)


def test_a_pin_takes_one_place_of_two() -> None:
    pool = pool_of(A, B, mentee(id="c"), MENTOR, pinned=(("b", "de:e5"),))
    assert solve(pool).objective == Objective(pairs=1, worst=782, total=782)


def test_a_pin_that_breaks_a_rule_is_refused_where_it_stands() -> None:
    pool = pool_of(A, B, WANTED, mentor(id="old", grade=9, subsidiary="fr"), pinned=(("a", "x"), ("b", "old")))
    with pytest.raises(PinsRefused) as refusal:
        solve(pool)
    assert [(fault.path, fault.reason) for fault in refusal.value.faults] == [("$.pinned[1]", "breaks mentor_is_junior, across")]


def test_a_pin_may_override_rules_when_the_policy_says_so() -> None:
    pool = pool_of(B, mentor(id="old", grade=9, subsidiary="fr", availability=()), pinned=(("b", "old"),))
    (pair,) = solve(pool, pins_override=True, off=frozenset({Rule.ACROSS})).pairs
    assert (pair.pinned, pair.overrides) == (True, (Rule.MENTOR_IS_JUNIOR, Rule.COMMON_HOURS))


def test_a_pin_may_break_a_rule_that_is_off() -> None:
    pool = pool_of(B, mentor(id="old", grade=9), pinned=(("b", "old"),))
    (pair,) = solve(pool, off=frozenset({Rule.MENTOR_IS_JUNIOR})).pairs
    assert (pair.pinned, pair.overrides) == (True, ())


def test_no_pin_makes_one_person_two() -> None:
    pool = pool_of(mentee(id="a"), mentor(id="a"), pinned=(("a", "a"),))
    with pytest.raises(PinsRefused, match=r"\$\.pinned\[0\]: a with a: breaks two_people"):
        solve(pool, pins_override=True)


def test_every_pin_that_cannot_be_made_is_told() -> None:
    pool = pool_of(A, B, WANTED, LESS, pinned=(("a", "x"), ("b", "x"), ("a", "y"), ("a", "nobody"), ("x", "a")))
    with pytest.raises(PinsRefused) as refusal:
        solve(pool)
    assert [(fault.path, fault.reason) for fault in refusal.value.faults] == [
        ("$.pinned[1]", "more pins than places"),
        ("$.pinned[2]", "more pins than places"),
        ("$.pinned[3]", "not a mentee and a mentor of this pool"),
        ("$.pinned[4]", "not a mentee and a mentor of this pool"),
    ]


def test_a_current_pair_that_is_not_allowed_is_not_made() -> None:
    pool = pool_of(MENTEE, mentor(grade=8), current=(("fr:e42", "de:e5"), ("gone", "de:e5")))
    assert solve(pool, stickiness=1000).pairs == ()


def test_somebody_alone_learns_which_rule_removed_how_many() -> None:
    pool = pool_of(
        mentee(id="e", languages=frozenset({"it"})),
        mentor(id="m1"),
        mentor(id="m2", grade=9),
        mentor(id="m3", languages=frozenset({"it"}), availability=()),
        mentor(id="e", grade=5),
    )
    solution = solve(pool)
    alone = {(person.id, person.role): person for person in solution.unmatched}
    assert list(alone) == [("e", "mentee"), ("e", "mentor"), ("m1", "mentor"), ("m2", "mentor"), ("m3", "mentor")]
    assert list(alone["e", "mentee"].removed.items()) == [
        (Rule.TWO_PEOPLE, 1),
        (Rule.MENTOR_IS_JUNIOR, 1),
        (Rule.SHARED_LANGUAGE, 1),
        (Rule.COMMON_HOURS, 1),
    ]
    assert alone["m1", "mentor"] == Unmatched(
        id="m1", role="mentor", removed={Rule.SHARED_LANGUAGE: 1}, left=0, change=Change(kind="language", opens=1, language="it")
    )


def test_somebody_alone_learns_how_many_were_left() -> None:
    solution = solve(pool_of(A, B, WANTED, current=(("a", "x"),)), stickiness=1)
    assert solution.unmatched == (Unmatched(id="b", role="mentee", removed={}, left=1),)


def test_the_next_best_is_the_best_other_allowed_mentor_taken_or_not() -> None:
    pool = pool_of(A, B, WANTED, LESS, LEAST, mentor(id="w", grade=9), forbidden=(("b", "x"), ("b", "z")))
    solution = solve(pool)
    assert made(solution) == {"a": "x", "b": "y"}
    assert [pair.next_best for pair in solution.pairs] == [NextBest(mentor="y", score=632), None]


def test_of_equal_next_bests_the_first_by_id_is_told() -> None:
    others = [mentor(id=name, capacity=1) for name in "tsuv"]
    for seed in "abcdefgh":
        pool = pool_of(A, *others, mentor(id="r", topics={"ai": 1}), pinned=(("a", "s"),), seed=seed)
        assert solve(pool).pairs[0].next_best == NextBest(mentor="t", score=782)


def matchings(scorer: Scorer, mentees: list[str], places: Counter[str], floor: int) -> Iterator[Pairs]:
    """Every way to make pairs of allowed people with at least that score."""
    if not mentees:
        yield ()
        return
    first, rest = mentees[0], mentees[1:]
    yield from matchings(scorer, rest, places, floor)
    for other in [name for name, free in places.items() if free and scorer.allowed(first, name) and scorer.score(first, name) >= floor]:
        for further in matchings(scorer, rest, places - Counter([other]), floor):
            yield ((first, other), *further)


def best_by_trying_all(pool: Pool, policy: Policy) -> Objective:
    scorer = Scorer(pool, policy)
    pinned = Counter(other for _, other in pool.pinned)
    places = Counter({name: profile.person.capacity - pinned[name] for name, profile in scorer.mentors.items()})
    free = [name for name in scorer.mentees if name not in dict(pool.pinned)]

    def reached(pairs: Pairs) -> Objective:
        worst = min((scorer.score(*pair) for pair in pairs), default=None)
        return Objective(pairs=len(pairs), worst=worst, total=sum(scorer.value(*pair) for pair in pairs))

    def rank(objective: Objective) -> tuple[int, ...]:
        match policy.order:
            case "pairs, worst, total":
                return objective.pairs, objective.worst or 0, objective.total
            case "pairs, total":
                return objective.pairs, objective.total
            case "total":
                return objective.total, objective.pairs

    return max((reached(pairs) for pairs in matchings(scorer, free, places, policy.min_score if policy.order == "total" else 0)), key=rank)


def check_feasible(pool: Pool, policy: Policy, solution: Solution) -> None:
    """Pins are made, every other pair is allowed, capacities hold, everybody is accounted for and the objective is that of the pairs."""
    scorer = Scorer(pool, policy)
    beyond = [pair for pair in solution.pairs if not pair.pinned]
    assert {(pair.mentee, pair.mentor) for pair in solution.pairs if pair.pinned} == set(pool.pinned)
    assert all(scorer.allowed(pair.mentee, pair.mentor) and pair.overrides == () for pair in beyond)
    assert all(pair.score == scorer.score(pair.mentee, pair.mentor) == pair.points.score for pair in solution.pairs)
    used = Counter([("mentee", pair.mentee) for pair in solution.pairs] + [("mentor", pair.mentor) for pair in solution.pairs])
    assert all(used[person.role, person.id] <= person.capacity for person in pool.people)
    assert {(person.role, person.id) for person in solution.unmatched} == {(person.role, person.id) for person in pool.people} - set(used)
    for person in solution.unmatched:
        assert sum(person.removed.values()) + person.left == len(scorer.in_role("mentor" if person.role == "mentee" else "mentee"))
    assert solution.objective == Objective(
        pairs=len(beyond),
        worst=min((pair.score for pair in beyond), default=None),
        total=sum(scorer.value(pair.mentee, pair.mentor) for pair in beyond),
    )


sides = st.integers(0, 5)
randoms = st.randoms(use_true_random=False)


@pytest.mark.parametrize("order", ORDERS)
@settings(deadline=None, max_examples=int(40 * THOROUGHNESS))
@given(mentees=sides, mentors=sides, random=randoms)
def test_no_matching_is_better_than_the_solvers(order: Order, mentees: int, mentors: int, random: Random) -> None:
    pool, policy = random_pool(random, mentees, mentors), random_policy(random, order=order)
    solution = solve(pool, policy)
    check_feasible(pool, policy, solution)
    best = best_by_trying_all(pool, policy)
    if order == "pairs, worst, total":
        assert solution.objective == best
    assert solution.objective.total == best.total
    assert order == "total" or solution.objective.pairs == best.pairs


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("order", ORDERS)
def test_no_matching_is_better_in_a_full_pool(order: Order, seed: int) -> None:
    random = Random(seed)
    pool, policy = random_pool(random, 5, 4), random_policy(random, order=order, min_grade_gap=-19, off=frozenset({Rule.ACROSS}))
    solution, best = solve(pool, policy), best_by_trying_all(pool, policy)
    check_feasible(pool, policy, solution)
    assert (solution.objective.pairs, solution.objective.total) == (best.pairs, best.total)
    assert order != "pairs, worst, total" or solution.objective.worst == best.worst


def best_by_flow(pool: Pool, policy: Policy) -> tuple[int, int]:
    """The most pairs, and of those the largest total value, by OR-tools; for pools without pins."""
    scorer = Scorer(pool, policy)
    node = {("mentee", name): 2 + place for place, name in enumerate(scorer.mentees)}
    node |= {("mentor", name): 2 + len(node) + place for place, name in enumerate(scorer.mentors)}
    flow = SimpleMinCostFlow()
    for name in scorer.mentees:
        flow.add_arc_with_capacity_and_unit_cost(0, node["mentee", name], 1, 0)
        for other in scorer.mentors:
            if scorer.allowed(name, other):
                flow.add_arc_with_capacity_and_unit_cost(node["mentee", name], node["mentor", other], 1, -scorer.value(name, other))
    for other, profile in scorer.mentors.items():
        flow.add_arc_with_capacity_and_unit_cost(node["mentor", other], 1, profile.person.capacity, 0)
    supply = len(scorer.mentees)
    flow.set_node_supply(0, supply)
    flow.set_node_supply(1, -supply)
    assert flow.solve_max_flow_with_min_cost() == flow.OPTIMAL
    return flow.maximum_flow(), -flow.optimal_cost()


@pytest.mark.parametrize("seed", range(int(100 * THOROUGHNESS)))
def test_a_flow_solver_finds_no_better_total(seed: int) -> None:
    """Thorough twenty times over this is 2,000 pools of up to 60 people."""
    random = Random(seed)
    most = 30 if seed % 10 == 0 else 15
    pool = replace(random_pool(random, random.randint(3, most), random.randint(3, most)), pinned=())
    policy = random_policy(random, order="pairs, total")
    solution = solve(pool, policy)
    check_feasible(pool, policy, solution)
    assert (solution.objective.pairs, solution.objective.total) == best_by_flow(pool, policy)


@pytest.mark.parametrize("seed", range(int(12 * THOROUGHNESS)))
def test_a_floor_one_higher_would_cost_a_pair(seed: int) -> None:
    """The larger pools' lowest score, held against a flow on the pairs above it."""
    random = Random(seed)
    pool, policy = replace(random_pool(random, 20, 20), pinned=()), random_policy(random)
    policy = replace(policy, order="pairs, worst, total")
    solution = solve(pool, policy)
    check_feasible(pool, policy, solution)
    assert solution.objective.worst is not None
    assert solution.objective.pairs == best_by_flow(pool, policy)[0]
    scorer = Scorer(pool, policy)
    low = tuple((one, other) for one in scorer.mentees for other in scorer.mentors if scorer.score(one, other) <= solution.objective.worst)
    above = replace(pool, forbidden=low if Rule.NOT_FORBIDDEN in policy.off else (*pool.forbidden, *low))
    assert best_by_flow(above, replace(policy, off=policy.off - {Rule.NOT_FORBIDDEN}))[0] < solution.objective.pairs


def shuffled(pool: Pool, random: Random) -> Pool:
    def mixed(values: Any) -> Any:
        return tuple(random.sample(values, len(values)))

    people = [replace(one, availability=mixed(one.availability), topics=dict(mixed(tuple(one.topics.items())))) for one in pool.people]
    return replace(
        pool,
        people=mixed(people),
        managers=dict(mixed(tuple(pool.managers.items()))),
        forbidden=tuple(mixed(pair) for pair in mixed(pool.forbidden)),
        pinned=mixed(pool.pinned),
        current=mixed(pool.current),
    )


@pytest.mark.parametrize("order", ORDERS)
@settings(deadline=None, max_examples=int(20 * THOROUGHNESS))
@given(mentees=st.integers(1, 8), mentors=st.integers(1, 8), random=randoms)
def test_the_order_of_the_input_does_not_matter(order: Order, mentees: int, mentors: int, random: Random) -> None:
    pool, policy = random_pool(random, mentees, mentors), random_policy(random, order=order)
    assert solve(shuffled(pool, random), policy) == solve(pool, policy)


ALIKE = pool_of(*(mentee(id=f"e{place}") for place in range(12)), *(mentor(id=f"m{place}", capacity=1) for place in range(9)))


@pytest.mark.parametrize("order", ORDERS)
def test_nor_does_it_where_all_people_are_alike(order: Order) -> None:
    solutions = [solve(shuffled(ALIKE, Random(seed)), order=order) for seed in range(5)]
    assert all(solution == solutions[0] for solution in solutions)


def test_another_seed_may_choose_another_of_the_equal_optima_and_nothing_worse() -> None:
    solutions = [solve(replace(ALIKE, seed=f"round-{seed}")) for seed in range(5)]
    assert {solution.objective for solution in solutions} == {Objective(pairs=9, worst=782, total=9 * 782)}
    assert len({tuple(made(solution).items()) for solution in solutions}) > 1


@pytest.mark.parametrize("order", ORDERS)
def test_nor_does_the_order_of_current_pairs_between_equals(order: Order) -> None:
    people = [*(mentee(id=f"a{place}") for place in range(6)), *(mentor(id=f"b{place}", capacity=1) for place in range(4))]
    couples = tuple((f"a{one}", f"b{other}") for one in range(6) for other in range(4))
    there, back = (pool_of(*people, current=current) for current in (couples, couples[::-1]))
    assert solve(there, order=order, stickiness=20) == solve(back, order=order, stickiness=20)
