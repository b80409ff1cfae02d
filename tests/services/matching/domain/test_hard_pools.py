"""Pools on which a solver may lose its way finish and are proved: equal scores, one mentor for all, nobody, few mentors, one long line, many topics.

What is found is judged by the verifier, which shares no code with the engine.
"""

from collections.abc import Iterator
from random import Random

import pytest
from tests.services.matching.domain.pools import mentee, mentor, pool_of
from tests.services.matching.files.pool_documents import document_of, written

from amont.matching.domain.certificate import Cover
from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.solver import Objective
from amont.matching.files import NO_POLICY, Origin, digest, write_result
from amont.matching.verifier import verify


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    warm()


def solved(pool: Pool) -> Objective:
    """What the engine reaches in the default order, once the verifier agrees."""
    solution = Engine().solve(pool, Policy())
    raw = written(document_of(pool))
    origin = Origin(pool=digest(raw), policy=digest(NO_POLICY), engine="test", tzdata=tzdata_version(), load_seconds=0, solve_seconds=0)
    report = verify(raw, b"".join(write_result(solution, origin, explain=False)))
    assert report.right, report.faults[:3]
    return solution.objective


def mentees(count: int) -> Iterator[PoolPerson]:
    return (mentee(id=f"a{place}") for place in range(count))


def mentors(count: int) -> Iterator[PoolPerson]:
    return (mentor(id=f"b{place}", capacity=1) for place in range(count))


def test_all_scores_are_equal() -> None:
    made = solved(pool_of(*mentees(2_000), *mentors(2_000)))
    assert made.pairs == 2_000


def test_scores_differ_by_twenty_grades_only() -> None:
    random = Random(5)
    people = [
        make(id=f"{make.__name__}{place}", capacity=1, grade=random.randint(1, 20)) for make in (mentee, mentor) for place in range(2_000)
    ]
    made = solved(pool_of(*people))
    assert made.pairs > 1_700


def test_one_mentor_is_wanted_by_all() -> None:
    others = (mentor(id=f"b{place}", capacity=1, topics={"cloud": 1}) for place in range(1_999))
    made = solved(pool_of(*mentees(2_000), mentor(capacity=1), *others))
    assert made.pairs == 2_000


def test_nobody_is_allowed() -> None:
    others = (mentor(id=f"b{place}", grade=20) for place in range(2_000))
    assert solved(pool_of(*mentees(2_000), *others)) == Objective(pairs=0, worst=None, total=0)


def test_twenty_thousand_mentees_want_ten_mentors() -> None:
    """All pairs are allowed and have one score, so that the proof can be read: the mentors cover everything, and are worth all there is."""
    solution = Engine().solve(pool_of(*mentees(20_000), *mentors(10)), Policy())
    proof, score = solution.certificate, solution.pairs[0].score
    assert proof is not None
    assert {pair.score for pair in solution.pairs} == {score}
    assert len(solution.pairs) == 10
    assert proof.pairs_cover == Cover(mentors=tuple(f"b{place}" for place in range(10)))
    assert (proof.floor, proof.floor_cover) == (score, Cover())
    assert proof.prices == {f"b{place}": proof.reward + score for place in range(10)}
    assert not proof.profits


def test_a_line_is_ten_thousand_deep() -> None:
    """Every 25th of the line takes part, cut in two at 9,000: nobody may be paired but across the cut, below which are twenty of each role."""
    people = [(mentee if place % 2 else mentor)(id=f"p{place}", capacity=1) for place in range(0, 10_000, 25)]
    managers = {f"p{place}": (f"p{place - 1}",) for place in range(1, 10_000) if place != 9_000}
    assert solved(pool_of(*people, managers=managers)).pairs == 40


def test_everybody_has_topics_of_their_own() -> None:
    people = [
        make(id=f"{make.__name__}{place}", capacity=1, topics={f"topic-{place}": 3, f"topic-{(place * 7 + 1) % 2_000}": 2})
        for make in (mentee, mentor)
        for place in range(2_000)
    ]
    assert solved(pool_of(*people)).pairs == 2_000
