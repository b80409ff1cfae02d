"""No round waits for the compiler: warming has compiled every form of every loop that larger pools need."""

from importlib import import_module
from random import Random
from typing import Any

from tests.services.matching.domain.pools import random_policy, random_pool

from amont.matching.domain.engine import Engine, warm

ROOMS = ("assignment", "changing", "cover", "explaining", "generation", "kernel", "lines", "stretches", "worth")


def forms() -> dict[str, Any]:
    """The argument types each compiled function has been made for."""
    rooms = [import_module(f"amont.matching.domain.engine.{room}") for room in ROOMS]
    return {name: one.signatures for room in rooms for name, one in vars(room).items() if hasattr(one, "signatures")}


def test_after_warming_nothing_is_compiled() -> None:
    warm()
    warmed = forms()
    assert {"settle", "scan_chunk", "reach_chunk", "points_of"} <= warmed.keys()
    for seed in range(60):
        random = Random(seed)
        Engine(threads=2).solve(random_pool(random, 30, 25), random_policy(random), explain=True)
    assert forms() == warmed


def test_the_second_time_there_is_nothing_to_do() -> None:
    warm()
    told: list[str] = []
    warm(lambda stage, *_, **__: told.append(stage))
    assert not told
