"""The fault is mended and the dead letters are replayed: who could not be taken must then be known to every reader, as without the fault (P5)."""

import asyncio
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.hands import Hands, Seen
from tests.chaos.poison import BAD_GRADE, refused_people
from tests.support.programme import GRADES, GROUP

from amont.local.demo.stages import Stage

AMONT = Path(sys.executable).with_name("amont")
PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the command said."""

    asked: int
    left: int
    code: int


def is_there() -> bool:
    """Whether this Amont can replay dead letters."""
    return importlib.util.find_spec("amont.common.cli.dlq") is not None


async def replay_letters(hands: Hands, _: Stage) -> tuple[Replayed, Seen]:
    """Add the grade that was missing, and have the letters that were parked for it taken up again."""
    answer = await hands.people.ask(
        "PUT", "enrolment", "/subsidiaries/fr/grades", GROUP, {**GRADES, BAD_GRADE: 5}, headers={"If-Match": "*"}
    )
    assert answer.is_success, answer.text
    await hands.house.settled()
    command = [str(AMONT), "dlq", "replay", "--service", "enrolment", "--reason", "unknown-grade", "--why", "the grade was added", "--json"]
    wait = ["--wait", str(PATIENCE_SECONDS)]
    environment = {**os.environ, "AMONT_STORE_URL": hands.house.store_url}
    process = await asyncio.create_subprocess_exec(*command, *wait, env=environment, stdout=asyncio.subprocess.PIPE)
    said, _nothing = await process.communicate()
    outcome: Any = json.loads(said)
    await hands.house.settled()
    replayed = Replayed(outcome["asked"], len(outcome["left"]), process.returncode or 0)
    return replayed, {
        "letters": replayed.asked,
        "refused again": replayed.left,
        "people it is about": len(refused_people(hands.staff.poison)),
    }
