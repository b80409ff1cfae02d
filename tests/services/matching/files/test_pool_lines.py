"""Pools and policies written as files: what is read back is what was written."""

from dataclasses import replace
from random import Random

import pytest
from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_policy, random_pool

from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.scorer import Scorer
from amont.matching.files import Unwritable, pool_lines, read_policy, read_pool, write_policy


def again(pool: Pool) -> Pool:
    return read_pool("".join(f"{line}\n" for line in pool_lines(pool)).encode())


@pytest.mark.parametrize("seed", range(40))
def test_a_pool_is_read_back_as_it_was_written(seed: int) -> None:
    random = Random(seed)
    pool = random_pool(random, random.randint(1, 9), random.randint(1, 9))
    upwards = {report: tuple(one for one in some if one > report) for report, some in pool.managers.items()}
    pool = replace(pool, managers=upwards)
    read = again(pool)
    assert list(pool_lines(read)) == list(pool_lines(pool))
    for role in ("mentee", "mentor"):
        ours = {one.id: one for one in pool.in_role(role)}  # type: ignore[arg-type]  # a role
        assert {one.id for one in read.in_role(role)} == ours.keys()  # type: ignore[arg-type]
    assert _answers(read) == _answers(pool)


def _answers(pool: Pool) -> dict[tuple[str, str], object]:
    """Of every two different people, which rules they break and what they would have."""
    scorer = Scorer(pool, Policy(across="business_unit"))
    couples = ((one, two) for one in scorer.mentees for two in scorer.mentors if one != two)
    return {(one, two): (scorer.all_broken(one, two), scorer.points(one, two)) for one, two in couples}


def test_what_is_unknown_equals_nothing_in_the_file_either() -> None:
    unknown = {"team": "", "site": "", "function": "", "business_unit": "", "subsidiary": "fr"}
    pool = pool_of(mentee(**unknown), mentor(**unknown, meeting="in-person"), mentor(id="de:e6", **unknown))
    assert _answers(again(pool)) == _answers(pool)


def test_the_same_contents_in_another_order_are_the_same_file() -> None:
    pool = random_pool(Random(7), 9, 9)
    turned = replace(pool, people=pool.people[::-1], forbidden=tuple((two, one) for one, two in pool.forbidden[::-1]))
    assert list(pool_lines(turned)) == list(pool_lines(pool))


def test_whom_the_pool_does_not_have_stays_out_of_what_is_forbidden() -> None:
    pool = pool_of(mentee(), mentor(), forbidden=(("fr:e42", "de:e5"), ("fr:e42", "xx:earlier")))
    assert again(pool).forbidden == (("de:e5", "fr:e42"),)


def test_a_pool_that_the_format_has_no_place_for_is_refused() -> None:
    for pool in (pool_of(), pool_of(mentee(id="a"), mentor(id="a"))):
        with pytest.raises(Unwritable):
            list(pool_lines(pool))


@pytest.mark.parametrize("seed", range(40))
def test_a_policy_is_read_back_as_it_was_written(seed: int) -> None:
    policy = random_policy(Random(seed))
    assert read_policy(write_policy(policy).encode()) == policy
