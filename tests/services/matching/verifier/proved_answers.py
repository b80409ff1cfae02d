"""Answers with a certificate for the tests of the verifier: the pairs by the engine, the proofs by linear programming, what pairs are worth by
solving again. Small pools only."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
from scipy.optimize import linprog
from tests.services.matching.domain.pools import random_policy, random_pool
from tests.services.matching.files.pool_documents import document_of, policy_document, written

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.engine import Engine
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import Solution, SolvedPair
from amont.matching.files import NO_POLICY, Origin, digest, read_policy, read_pool, write_result

Edge = tuple[str, str]


def proved(pool: Pool, policy: Policy) -> Solution:
    """The answer with its certificate, and with what each pair is worth."""
    solution = Engine().solve(pool, policy, explain=True)
    scorer = Scorer(pool, policy)
    pins, places = set(pool.pinned), {("mentor", person.id): person.capacity for person in pool.in_role("mentor")}
    places |= {("mentee", person.id): 1 for person in pool.in_role("mentee")}
    for mentee, mentor in pins:
        places["mentee", mentee] -= 1
        places["mentor", mentor] -= 1
    edges = [(e, m) for e in scorer.mentees for m in scorer.mentors if places["mentee", e] and places["mentor", m] and scorer.allowed(e, m)]
    return replace(
        solution,
        pairs=tuple(valued(pair, solution, pool, policy) for pair in solution.pairs),
        certificate=certificate(solution, scorer, edges, places),
    )


def certificate(solution: Solution, scorer: Scorer, edges: list[Edge], places: dict[Edge, int]) -> Certificate:
    made, order = solution.objective, scorer.policy.order
    floor = {"total": scorer.policy.min_score, "pairs, total": 0}.get(order, made.worst or 0)
    reward = 0 if order == "total" else 2_000 * made.pairs
    within = [edge for edge in edges if scorer.score(*edge) >= floor]
    duals = least(within, [reward + scorer.value(*edge) for edge in within], places)
    covers = None if order == "total" else cover(edges, places)
    lowest = order == "pairs, worst, total" and made.pairs > 0
    above = cover([edge for edge in edges if scorer.score(*edge) > floor], places) if lowest else None
    return Certificate(
        reward=reward,
        floor=floor,
        profits={id_: amount for (role, id_), amount in duals.items() if role == "mentee"},
        prices={id_: amount for (role, id_), amount in duals.items() if role == "mentor"},
        pairs_cover=covers,
        floor_cover=above,
    )


def cover(edges: list[Edge], places: dict[Edge, int]) -> Cover:
    amounts = least(edges, [1] * len(edges), places)
    ids = {wanted: tuple(id_ for (role, id_), amount in amounts.items() if role == wanted and amount) for wanted in ("mentee", "mentor")}
    return Cover(ids["mentee"], ids["mentor"])


def least(edges: list[Edge], due: Iterable[int], places: dict[Edge, int]) -> dict[Edge, int]:
    """Amounts of the least sum, places counted, so that the two ends of each edge have together what is due. Integers, since the matrix is
    totally unimodular."""
    if not edges:
        return {}
    ends = sorted({end for edge in edges for end in zip(("mentee", "mentor"), edge, strict=True)})
    at = {end: place for place, end in enumerate(ends)}
    matrix = np.zeros((len(edges), len(ends)))
    for row, (mentee, mentor) in enumerate(edges):
        matrix[row, [at["mentee", mentee], at["mentor", mentor]]] = -1
    answer = linprog([places[end] for end in ends], A_ub=matrix, b_ub=-np.array(list(due)), bounds=(0, None), method="highs-ds")
    return {end: round(amount) for end, amount in zip(ends, answer.x, strict=True) if round(amount)}


def valued(pair: SolvedPair, solution: Solution, pool: Pool, policy: Policy) -> SolvedPair:
    if pair.pinned:
        return replace(pair, worth_reason="pinned")
    without = Engine().solve(
        replace(pool, forbidden=(*pool.forbidden, (pair.mentee, pair.mentor))), replace(policy, off=policy.off - {"not_forbidden"})
    )
    made = solution.objective
    if policy.order != "total" and (without.objective.pairs, without.objective.worst or 0) < (
        made.pairs,
        (made.worst or 0) * (policy.order != "pairs, total"),
    ):
        return replace(pair, worth_reason="fewer pairs, or a lower lowest score")
    return replace(pair, worth=made.total - without.objective.total)


def random_case(random: Random, **fixed: Any) -> tuple[bytes, bytes]:
    """A pool file and a policy file. No rule about forbidden pairs is off, since that is how the tests forbid one."""
    policy = random_policy(random, **fixed)
    policy = replace(policy, off=policy.off - {"not_forbidden", "two_people"})
    document = document_of(random_pool(random, random.randint(1, 7), random.randint(1, 7)))
    document["managers"] = {report: above for report, above in document["managers"].items() if above[0] < report}
    for person in document["people"]:
        for field in ("business_unit", "team", "function", "site"):
            person[field] = person[field] or "unknown"
    return written(document), written(policy_document(policy))


def result_of(pool: bytes, policy: bytes = NO_POLICY, *, explain: bool = True) -> bytes:
    """The result file of the proved answer."""
    rules = read_policy(policy)
    origin = Origin(pool=digest(pool), policy=digest(policy), engine="0.0.0", tzdata=tzdata_version(), load_seconds=0.1, solve_seconds=0.4)
    return b"".join(write_result(proved(read_pool(pool, rules), rules), origin, explain=explain))
