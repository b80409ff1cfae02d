"""A long computation says how far it is, and ends at whichever word one likes."""

from collections import defaultdict
from collections.abc import Callable

import pytest
from tests.bench.pools import made_up

from amont.matching.domain.engine import Engine
from amont.matching.domain.engine.keeping import Keeper
from amont.matching.domain.policy import Policy
from amont.matching.domain.solver import Solver

EXPLAINING = {"explain", "worth", "unmatched", "blocking"}
POOL = made_up(150)


class Enough(Exception):
    """Somebody wants it to end."""


class Listener:
    """Hears words, and has enough after that many."""

    def __init__(self, last: int | None = None) -> None:
        self.stages: list[str] = []
        self.steps: defaultdict[str, list[int]] = defaultdict(list)
        self._last = last

    def __call__(self, stage: str, done: int, total: int | None = None, detail: str = "") -> None:
        self.stages.append(stage)
        if total is not None:
            assert done <= total, detail
            self.steps[stage].append(done)
        if len(self.stages) == self._last:
            raise Enough


def _engine() -> Solver:
    return Engine(threads=2)


def _keeper() -> Solver:
    return Keeper(Engine(threads=2))


@pytest.mark.parametrize("solver", [_engine, _keeper])
def test_every_stage_of_the_explanations_says_how_far_it_is(solver: Callable[[], Solver]) -> None:
    listener = Listener()
    solver().solve(POOL, Policy(), listener, explain=True)
    assert listener.steps.keys() == EXPLAINING
    assert all(len(done) > 1 for done in listener.steps.values())


@pytest.mark.parametrize("solver", [_engine, _keeper])
def test_an_answer_is_broken_off_at_any_word(solver: Callable[[], Solver]) -> None:
    whole = Listener()
    solver().solve(POOL, Policy(), whole, explain=True)
    first_words = [whole.stages.index(stage) + 1 for stage in dict.fromkeys(whole.stages)]
    for last in (*first_words, len(whole.stages)):
        listener = Listener(last)
        with pytest.raises(Enough):
            solver().solve(POOL, Policy(), listener, explain=True)
        assert listener.stages == whole.stages[:last]
