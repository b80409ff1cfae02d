"""The campaign in its short form: what `make chaos` does at length, on real servers and, kills and a rolling restart alone, on SQLite."""

import asyncio
import os
import random
import tempfile
from pathlib import Path

import pytest
from rich.console import Console
from tests.chaos.campaign import run
from tests.chaos.report import Report
from tests.chaos.size import SHORT, SMALL, Size

from amont.local.demo.stages import Look, Stages
from amont.native.stack import available


def campaign(footing: str, size: Size) -> Report | None:
    """Its report; None where there are no servers to stand on."""
    if footing == "kafka" and available():
        return None
    seed = os.environ.get("AMONT_CHAOS_SEED") or str(random.SystemRandom().randrange(10**6))
    with tempfile.TemporaryDirectory(prefix="amont-chaos-") as folder:
        return asyncio.run(run(footing, size, seed, Path(folder), Stages(Look.PIPE, Console())))


@pytest.mark.parametrize(
    "footing",
    [
        pytest.param("kafka", marks=pytest.mark.beside(campaign, "kafka", SHORT)),
        pytest.param("sqlite", marks=pytest.mark.beside(campaign, "sqlite", SMALL)),
    ],
)
def test_thirty_kills_lose_nothing_and_repeat_nothing(footing: str, played: Report | None) -> None:
    if played is None:
        pytest.skip(available() or "")
    print(f"\nAMONT_CHAOS_SEED={played.seed} footing={footing}\n{played.text()}")
    assert not played.broken, f"seed {played.seed}: {played.broken}"
