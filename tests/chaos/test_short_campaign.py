"""The campaign in its short form: what `make chaos` does at length, on real servers and, kills and a rolling restart alone, on SQLite."""

import os
import random
from pathlib import Path

import pytest
from rich.console import Console
from tests.chaos.campaign import run
from tests.chaos.size import SHORT, SMALL, Size

from amont.local.demo.stages import Look, Stages
from amont.native.stack import available


@pytest.mark.parametrize(("footing", "size"), [("sqlite", SMALL), ("kafka", SHORT)], ids=["sqlite", "kafka"])
async def test_thirty_kills_lose_nothing_and_repeat_nothing(footing: str, size: Size, tmp_path: Path) -> None:
    if footing == "kafka" and (reason := available()):
        pytest.skip(reason)
    seed = os.environ.get("AMONT_CHAOS_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"\nAMONT_CHAOS_SEED={seed} footing={footing}")
    report = await run(footing, size, seed, tmp_path, Stages(Look.PIPE, Console()))
    print(report.text())
    assert not report.broken, f"seed {seed}: {report.broken}"
