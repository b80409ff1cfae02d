"""The composition root of enrolment: the only file that sees every room."""

from amont.common.service import Parts, Service
from amont.common.settings import read_settings
from amont.enrolment import api
from amont.enrolment.api.scim import Door
from amont.enrolment.commands import JOBS, PUBLISHES
from amont.enrolment.documents import COLLECTIONS
from amont.enrolment.pages import DOOR
from amont.enrolment.reactions import CONSUMES, DUE
from amont.enrolment.settings import Retention


def build(parts: Parts) -> Service:
    """Assemble enrolment from its outside parts; tests hand in others. Raises MissingSettings for a setting that says nothing sensible."""
    return Service(
        "enrolment",
        parts,
        consumes=CONSUMES,
        publishes=PUBLISHES,
        keeps=COLLECTIONS,
        due=DUE,
        jobs=JOBS,
        routers=api.ROUTERS,
        doors=[Door(), DOOR],
        tools={Retention: read_settings(Retention)},
    )
