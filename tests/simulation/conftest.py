"""Seeds and mutants are played by processes of their own, on every core at the lowest priority, from the moment the tests are chosen: most of it is
done while other tests wait for servers. So the tests that look at them come last.
"""

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor

import pytest
from tests.simulation.mutants import MUTANTS, first_found
from tests.support.beside import end_with_the_tests

from amont.common.testing.simulation import Outcome, simulate

SEEDS = int(os.environ.get("AMONT_SIMULATED_SEEDS", "500"))
FIRST = int(os.environ.get("AMONT_SIMULATED_FIRST", "0"))
WITHIN = 500
"""How many seeds a bug that was put back may hide from."""
_LOWEST = 19


def _begin() -> None:
    os.nice(_LOWEST)
    end_with_the_tests()


class Playing:
    """What is being played. Only what some test asks for."""

    def __init__(self, *, seeds: bool, mutants: bool) -> None:
        self._pool = ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
        self._found = {name: self._pool.submit(first_found, name, WITHIN) for name in MUTANTS} if mutants else {}
        self._outcomes: list[Future[Outcome]] = [self._pool.submit(simulate, seed) for seed in range(FIRST, FIRST + SEEDS)] if seeds else []

    def outcomes(self) -> list[Outcome]:
        return [one.result() for one in self._outcomes]

    def found(self, mutant: str) -> int | None:
        return self._found[mutant].result()

    def end(self) -> None:
        """Whatever is not done is not needed any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()


_PLAYING = pytest.StashKey[Playing]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "playing" in getattr(item, "fixturenames", ()))


def pytest_collection_finish(session: pytest.Session) -> None:
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if "playing" in wanted and not session.config.option.collectonly:
        session.config.stash[_PLAYING] = Playing(seeds="outcomes" in wanted, mutants="mutant" in wanted)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if playing := session.config.stash.get(_PLAYING, None):
        playing.end()


@pytest.fixture(scope="session")
def playing(request: pytest.FixtureRequest) -> Playing:
    return request.config.stash[_PLAYING]


@pytest.fixture(scope="session")
def outcomes(playing: Playing) -> list[Outcome]:
    return playing.outcomes()
