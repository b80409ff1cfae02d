"""Matching on the embedded adapters, and an office that tells it things."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from tests.services.matching.matching_facts import Office

from amont.common.testing.hearing import Hearing, hearing
from amont.matching.app import build
from amont.matching.domain.solver import Solver


@pytest.fixture
async def matching(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as heard:
        yield heard


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def matching_of(tmp_path: Path) -> Callable[[Solver], AbstractAsyncContextManager[Hearing]]:
    """Matching with a solver of the test's."""
    return lambda solver: hearing(build, tmp_path, tools={Solver: solver})
