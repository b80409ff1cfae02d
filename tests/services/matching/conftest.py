"""Matching on the embedded adapters, and an office that tells it things."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.services.matching.matching_facts import Office

from amont.common.testing.hearing import Hearing, hearing
from amont.matching.app import build


@pytest.fixture
async def matching(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as heard:
        yield heard


@pytest.fixture
def office() -> Office:
    return Office()
