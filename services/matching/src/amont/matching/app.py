"""The house: the only file that sees every room of matching."""

from amont.common.service import Parts, Service
from amont.matching import api
from amont.matching.commands import DUE, PUBLISHES
from amont.matching.documents import COLLECTIONS
from amont.matching.domain.engine import Engine
from amont.matching.domain.solver import Solver
from amont.matching.reactions import CONSUMES


def build(parts: Parts) -> Service:
    """Assemble matching from its outside parts; tests hand in others, for instance `tools={Solver: …}`."""
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
