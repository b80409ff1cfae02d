"""`amont demo`: a made-up group plays a programme on the four real services, in one process, in simulated time; then there is a page to look at."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from amont.common import hosting, logging
from amont.common.cli import out, print_json
from amont.common.clock import FixedClock
from amont.local.demo.figures import figures, what_only_the_demo_knows
from amont.local.demo.folder import Folder, fresh
from amont.local.demo.play import START, Play
from amont.local.demo.stages import Stages, look
from amont.local.demo.world import a_world
from amont.local.group import PEOPLE, WISHES, made_up
from amont.local.history import History, Tail

KNOWN_TO_THE_DEMO, FIGURES = "demo.json", "figures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is played."""

    people: int = PEOPLE
    wishes: int = WISHES
    months: int = 6


async def play(folder: Folder, clock: FixedClock, stages: Stages, *, seed: int, scale: Scale) -> dict[str, Any]:
    """Play it all; the figures, with the seconds of each stage."""
    began = time.perf_counter()
    with stages.stage("A group is made up") as stage:
        group = made_up(seed, START, people=scale.people, wishes=scale.wishes)
        stage.says(f"{len(group.people)} people, {len(group.wishes)} want to take part (seed {seed})")
    async with a_world(folder, clock, seed) as world:
        played = await Play(world, group, stages, seed=seed, months=scale.months).all()
        with stages.stage("It is counted") as stage:
            found = await figures(world, group, played, History(Tail(world.log, "counting")), folder)
            stage.says(f"{found['mails']['files']} mails, {sum(found['events'].values())} events")
    found = {"seed": seed, **found, "seconds": {**stages.taken, "in all": round(time.perf_counter() - began, 2)}}
    (folder.path / KNOWN_TO_THE_DEMO).write_text(json.dumps(what_only_the_demo_knows(played), indent=2), encoding="utf-8")
    (folder.path / FIGURES).write_text(json.dumps(found, indent=2), encoding="utf-8")
    return found
