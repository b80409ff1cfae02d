"""The house: the only file that sees every room of matching."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, cast

from amont.common.service import Parts, Service
from amont.matching import api
from amont.matching.commands import DUE, JOBS, PUBLISHES, Desk
from amont.matching.commands.solving import BrokenOff
from amont.matching.documents import COLLECTIONS
from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.engine.keeping import Keeper
from amont.matching.domain.solver import Solver
from amont.matching.reactions import CONSUMES


def build(parts: Parts) -> Service:
    """Assemble matching from its outside parts; tests hand in others, for instance `tools={Solver: …}`.

    The engine warms up while the service starts, so that no round waits for it.
    """

    async def run(command: Any, *args: Any) -> Any:
        return await service.run(command, *args)

    def stopping() -> asyncio.Event:
        return service.unit.stopping

    engine = Engine()
    solver = cast("Solver | None", parts.tools.get(Solver))
    service = Service(
        "matching",
        parts,
        consumes=CONSUMES,
        publishes=PUBLISHES,
        keeps=COLLECTIONS,
        due=DUE,
        jobs=JOBS,
        routers=[api.router],
        tools={Desk: Desk(solver or engine, solver or Keeper(engine), run, stopping)},
        warm=None if solver else _warm,
    )
    return service


def _warm(stops: Callable[[], bool]) -> None:
    """Warm the engine up; a stop waits for the loop that is being compiled and no longer."""

    def heard(*_: object, **__: object) -> None:
        if stops():
            raise BrokenOff

    with contextlib.suppress(BrokenOff):
        warm(heard)
