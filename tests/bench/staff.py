"""Staff records of about 600 bytes as an HR system sends them, and an enrolment service that knows their subsidiary."""

import json
from datetime import date, timedelta

from amont.common.events import StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.events.values import instant_text
from amont.common.identity import Actor, Privilege
from amont.common.ids import derived
from amont.common.log import Record
from amont.common.service import Service
from amont.common.testing.hearing import START
from amont.enrolment import commands

PEOPLE = 10_000
GROUP = Actor("group:bench", "group", frozenset({Privilege.GROUP_COORDINATOR}))
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def staff_record(number: int, people: int = PEOPLE) -> Record:
    """One record; the second of a person changes their job title."""
    person = number % people
    body = {
        "tenant": "fr",
        "employee_id": f"e{person}",
        "given_name": "Camille",
        "family_name": f"Martin{person}",
        "email": f"camille.martin{person}@group.example",
        "grade": "C3",
        "job_title": f"Analyst, revision {number // people}, of the retail data office",
        "function": "data",
        "business_unit": "retail",
        "team": f"team-{person % 300}",
        "site": "Paris",
        "zone": "Europe/Paris",
        "languages": ["fr", "en"],
        "manager_id": f"e{person // 8}",
        "joined_on": "2020-01-01",
        "effective_at": (date(2024, 1, 1) + timedelta(days=30 * (number // people) + number % 28)).isoformat(),
        "occurred_at": instant_text(START - timedelta(days=1000) + timedelta(milliseconds=700 * number)),
    }
    envelope = Envelope(id=derived("bench", number), type=StaffRecorded.type_name(), source="/hris/fr", subject=f"fr:e{person}", time=START)
    return Record(topic="hris-staff", key=f"fr:e{person}", value=json.dumps(body).encode(), headers=envelope.headers())


async def with_subsidiary(service: Service) -> None:
    await service.run(commands.add_subsidiary, "fr", GROUP, name="France", zone="Europe/Paris", languages=("fr",), grades={"C3": 5})
