from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.libs.common.shell import Shell
from tests.libs.common.shell import shell as opened


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Many tests make the shell complain on purpose."""
    with capture_logs():
        yield


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with opened(tmp_path) as one:
        yield one
