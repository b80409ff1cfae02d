"""The composition root of enrolment: the only file that sees every room."""

from amont.common.service import Parts, Service
from amont.enrolment import api
from amont.enrolment.commands import JOBS, PUBLISHES
from amont.enrolment.documents import COLLECTIONS
from amont.enrolment.reactions import CONSUMES, DUE


def build(parts: Parts) -> Service:
    """Assemble enrolment from its outside parts; tests hand in others."""
    return Service("enrolment", parts, consumes=CONSUMES, publishes=PUBLISHES, keeps=COLLECTIONS, due=DUE, jobs=JOBS, routers=api.ROUTERS)
