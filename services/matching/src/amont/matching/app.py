"""The house: the only file that sees every room of matching."""

from threading import Thread

from amont.common.service import Parts, Service
from amont.matching import api
from amont.matching.commands import DUE, PUBLISHES
from amont.matching.documents import COLLECTIONS
from amont.matching.domain.engine import Engine, warm
from amont.matching.domain.solver import Solver
from amont.matching.reactions import CONSUMES


def build(parts: Parts) -> Service:
    """Assemble matching from its outside parts; tests hand in others, for instance `tools={Solver: …}`.

    Meanwhile the engine warms up, so that no round waits for it.
    """
    Thread(target=warm, name="warm-up", daemon=True).start()
    return Service(
        "matching",
        parts,
        consumes=CONSUMES,
        publishes=PUBLISHES,
        keeps=COLLECTIONS,
        due=DUE,
        routers=[api.router],
        tools={Solver: Engine()},
    )
