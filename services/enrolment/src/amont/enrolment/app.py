"""The composition root of enrolment: the only file that sees every room."""

from typing import cast

from amont.common.service import Parts, Service
from amont.common.settings import read_settings
from amont.common.web.limits import RateLimit
from amont.enrolment import api
from amont.enrolment.api.scim import Door
from amont.enrolment.commands import JOBS, PUBLISHES
from amont.enrolment.documents import COLLECTIONS
from amont.enrolment.reactions import CONSUMES, DUE
from amont.enrolment.settings import Retention

SCIM_LIMIT = (100.0, 500)
"""Requests of one feed over SCIM: a second on average, and at once. Entra asks for 25 a second at least."""


def build(parts: Parts) -> Service:
    """Assemble enrolment from its outside parts; tests hand in others. Raises MissingSettings for a setting that says nothing sensible."""
    limit = cast("RateLimit", parts.tools.get(RateLimit) or RateLimit(*SCIM_LIMIT))
    return Service(
        "enrolment",
        parts,
        consumes=CONSUMES,
        publishes=PUBLISHES,
        keeps=COLLECTIONS,
        due=DUE,
        jobs=JOBS,
        routers=api.ROUTERS,
        doors=[Door(limit)],
        tools={Retention: read_settings(Retention)},
    )
