"""mentor-match's own job, 800 mentees and 800 mentors: people with a grade, an organisation and a profession, each in one pair at most.

Rules and points are written as its manual says: pairs within an organisation and under the least grade gap are disqualified, points for another profession
and for the gap. The engine is given the same by a policy whose other rules are off. Seconds are of the job alone in processes that have everything loaded;
memory is VmHWM of whole processes. The points of both answers are counted by our scorer. `BENCH_JOB=800` says how many.
"""

import json
import os
import time
from dataclasses import asdict, replace

import numpy as np
from tests.bench import figures
from tests.bench.pools import made_up
from tests.bench.processes import FOLDER, Missing, ask, match
from tests.services.matching.files.pool_documents import document_of, written

from amont.common.memory import settle
from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.policy import Order, Policy, Rule, Weights
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.scorer import Scorer

SIDE = int(os.environ.get("BENCH_JOB", "800"))
KEPT = {Rule.TWO_PEOPLE, Rule.MENTOR_IS_JUNIOR, Rule.ACROSS}
POLICY = Policy(off=frozenset(set(Rule) - KEPT), weights=Weights(topics=0, function=500, hours=0, grade_gap=500, meeting=0))
ORDERS: tuple[Order, ...] = ("pairs, worst, total", "pairs, total")
"""Ours, and the one that mentor-match has."""


async def main() -> None:
    whole = made_up(SIDE)
    pool = replace(whole, people=tuple(replace(person, capacity=1) for person in whole.people), managers={})
    FOLDER.mkdir(exist_ok=True)
    file, job = FOLDER / "job-pool.json", FOLDER / "job.json"
    file.write_bytes(written(document_of(pool)))
    job.write_text(json.dumps(job_of(pool)), encoding="utf-8")
    ours = match(file, {"off": sorted(POLICY.off), "weights": asdict(POLICY.weights)})
    spent, made = {}, {}
    for order in ORDERS:
        spent[order], made[order] = solved(pool, replace(POLICY, order=order))
        print(f"  {'the engine, ' + order:32} {spent[order]:8.3f} s  {told(pool, made[order])}")
    print(f"  `amont match` in a new process   {ours.seconds:8.3f} s, {ours.mb:,.0f} MB")
    try:
        peer = ask("mentor-match", job)
    except Missing as missing:
        print(f"  mentor-match cannot be asked: {missing}")
        figures.left_out("mentor-match's own job", "cannot be asked")
        return
    theirs = [(mentee, mentor) for mentee, mentor in peer.found["made"]]
    print(f"  {'mentor-match':32} {peer.seconds:8.3f} s  {told(pool, theirs)}; {peer.mb:,.0f} MB")
    what, other = f"mentor-match's own job at {SIDE:,}", scores(pool, theirs)
    for order in ORDERS:
        mine = scores(pool, made[order])
        figures.at_least(f"{what}, `{order}`", 100, peer.seconds / spent[order])
        figures.holds(f"{what}, `{order}`", "never fewer pairs", met=len(mine) >= len(other))
    figures.at_most(f"{what}, our memory", peer.mb / 10, ours.mb, "MB")
    figures.holds(f"{what}, `{ORDERS[0]}`", "never a worse worst pair", met=min(scores(pool, made[ORDERS[0]])) >= min(other))
    figures.holds(f"{what}, `{ORDERS[1]}`", "never a lower total", met=sum(scores(pool, made[ORDERS[1]])) >= sum(other))


def solved(pool: Pool, policy: Policy) -> tuple[float, list[tuple[str, str]]]:
    """Seconds of the middle one of three solutions, from people to proof, and its pairs."""
    warm()
    settle()
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        solution = Engine().solve(pool, policy)
        times.append(time.perf_counter() - begun)
    return float(np.median(times)), [(pair.mentee, pair.mentor) for pair in solution.pairs]


def scores(pool: Pool, made: list[tuple[str, str]]) -> list[int]:
    scorer = Scorer(pool, POLICY)
    return [scorer.score(*pair) for pair in made]


def told(pool: Pool, made: list[tuple[str, str]]) -> str:
    found = scores(pool, made)
    return f"{len(found):,} pairs, the worst {min(found):,}, together {sum(found):,}"


def job_of(pool: Pool) -> dict[str, object]:
    """The pool in mentor-match's words."""
    most = POLICY.weights.grade_gap
    return {
        "mentees": [_person(person) for person in pool.in_role("mentee")],
        "mentors": [_person(person) for person in pool.in_role("mentor")],
        "least_gap": POLICY.min_grade_gap,
        "function": POLICY.weights.function,
        "gap_points": {gap: max(0, most - most * abs(gap - 4) // 4) for gap in range(20)},
    }


def _person(person: PoolPerson) -> dict[str, object]:
    return {"email": person.id, "grade": person.grade, "organisation": person.subsidiary, "profession": person.function}
