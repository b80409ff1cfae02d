"""What is kept of earlier solves saves work and changes no answer."""

from dataclasses import replace
from random import Random

from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_pool
from tests.services.matching.domain.test_repairs import as_good

from amont.matching.domain.engine import Engine
from amont.matching.domain.engine.keeping import Keeper
from amont.matching.domain.policy import Policy

ENGINE = Engine(threads=1)


def test_a_second_pool_of_the_programme_is_a_repair_and_as_good() -> None:
    pool = replace(random_pool(Random(3), 12, 12), pinned=())
    keeper = Keeper(ENGINE)
    first = keeper.solve(pool, Policy(), explain=True)
    gone = first.pairs[0]
    later = replace(pool, seed="round-4", forbidden=(*pool.forbidden, (gone.mentee, gone.mentor)), people=pool.people[1:])
    second = keeper.solve(later, Policy(), explain=True)
    assert keeper.repaired == 1
    fresh = ENGINE.solve(later, Policy(), explain=True)
    assert as_good(second, fresh, Policy())
    assert [pair.worth_reason is None for pair in second.pairs] == [pair.worth is not None for pair in second.pairs]


def test_another_policy_another_week_or_too_many_changes_begin_again() -> None:
    pool = pool_of(mentee(), mentor())
    keeper = Keeper(ENGINE)
    keeper.solve(pool, Policy())
    keeper.solve(pool, Policy(min_common_hours=1))
    keeper.solve(replace(pool, week_of=pool.week_of.replace(day=18)), Policy(min_common_hours=1))
    keeper.solve(replace(pool, people=tuple(mentee(id=f"e{n}") for n in range(200))), Policy(min_common_hours=1))
    assert keeper.repaired == 0


def test_another_programme_is_another_pool() -> None:
    pool = pool_of(mentee(), mentor())
    keeper = Keeper(ENGINE)
    for programme in ("one", "other"):
        assert keeper.solve(replace(pool, programme=programme), Policy()).objective.pairs == 1
    assert keeper.repaired == 0


def test_no_more_is_kept_than_there_is_room_for() -> None:
    pool = pool_of(mentee(), mentor())
    keeper = Keeper(ENGINE, most_bytes=1)
    for _ in range(2):
        assert keeper.solve(pool, Policy()).objective.pairs == 1
    assert (keeper.repaired, keeper.nbytes) == (0, 0)


def test_pins_are_solved_and_not_kept() -> None:
    pool = pool_of(mentee(id="a"), mentee(id="b"), mentor(id="x"), pinned=(("a", "x"),))
    keeper = Keeper(ENGINE)
    assert [pair.pinned for pair in keeper.solve(pool, Policy()).pairs] == [True, False]
    assert keeper.nbytes == 0
