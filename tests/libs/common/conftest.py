from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.libs.common.shell import Shell
from tests.libs.common.shell import shell as opened

from amont.common.service import holding


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Many tests make the shell complain on purpose."""
    with capture_logs():
        yield


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was sent is still on its way, so nothing is held (`service.holding`)."""
    for name in ("SETTLED_SECONDS", "LANDS_WITHIN_SECONDS"):
        monkeypatch.setattr(holding, name, 0.0)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with opened(tmp_path) as one:
        yield one
