"""The composition root of scheduling: the only file that sees every room."""

from amont.common.service import Parts, Service
from amont.scheduling import api
from amont.scheduling.commands import DUE, JOBS, PUBLISHES
from amont.scheduling.documents import COLLECTIONS
from amont.scheduling.reactions import CONSUMES


def build(parts: Parts) -> Service:
    """Assemble scheduling from its outside parts (store, log, clock, ids); tests hand in others."""
    return Service("scheduling", parts, consumes=CONSUMES, publishes=PUBLISHES, keeps=COLLECTIONS, due=DUE, jobs=JOBS, routers=[api.router])
