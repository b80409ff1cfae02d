"""Who had to be told what, worked out from the log alone, and whether those who were not told could not be.

This is written a second time on purpose: it looks at the fields of events as they are on the log and knows nothing of how notifications decides, so
that a fault there cannot hide itself here. The rules are those of the service's canvas (`services/notifications/README.md`).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from amont.common.documents import Document
from amont.common.events.values import DeliveryStatus, EnrolmentStatus, Role
from amont.common.log import Received
from amont.common.testing.promises.evidence import Evidence

KINDS: Mapping[str, str] = {
    "EmployeeEnrolled": "enrolled",
    "EmployeeWithdrawn": "withdrawn",
    "EmployeeWaitlisted": "waitlisted",
    "PairProposed": "proposal",
    "PairAccepted": "proposal",
    "PairConfirmed": "pair-confirmed",
    "PairDeclined": "pair-declined",
    "PairExpired": "pair-expired",
    "PairSuspended": "pair-suspended",
    "PairResumed": "pair-resumed",
    "PairEnded": "pair-ended",
    "SessionProposed": "session-proposed",
    "SessionScheduled": "session-scheduled",
    "SessionRescheduled": "session-rescheduled",
    "SessionCancelled": "session-cancelled",
    "SessionCompleted": "session-completed",
    "SessionMissed": "session-missed",
}
"""What each event is told as; the others tell nobody anything."""
NOT_CARRIED = "not-carried"
"""What an end is told as that came because the person is somebody else's now."""
TOPICS = ("enrolment-enrolments", "enrolment-seats", "matching-pairs", "scheduling-sessions")
"""Where these events are."""
BOTH = ("mentee", "mentor")
MAIL = "mail"
A_DAY = timedelta(days=1)
"""How long a mail waits for facts that have not come, and for a mail server that does not answer."""
LAST_PAUSE = timedelta(hours=1)
"""How much less than a day the pauses between the attempts may come to."""
MOST_ATTEMPTS = 26


class Due(NamedTuple):
    """Something that somebody must be told: which event, whom, as what, by which channel."""

    about: str
    person: str
    kind: str
    channel: str


class Fact(NamedTuple):
    """An event as the log has it."""

    id: str
    type: str
    at: datetime
    body: Mapping[str, Any]


def facts_on(evidence: Evidence, topic: str) -> list[Fact]:
    """The events of a topic, each once, in the order of their `seq`."""
    found: dict[str, Fact] = {}
    for record in evidence.log.get(topic, ()):
        fact = _fact(record)
        found.setdefault(fact.id, fact)
    return sorted(found.values(), key=lambda one: one.body["seq"])


def _fact(record: Received) -> Fact:
    said = {name: (value or b"").decode() for name, value in record.headers if name.startswith("ce_")}
    return Fact(said["ce_id"], said["ce_type"].split(".")[-2], datetime.fromisoformat(said["ce_time"]), json.loads(record.value or b"{}"))


def due(evidence: Evidence) -> dict[Due, Fact]:
    """Everything that the log asks to be told, each with the event it is about."""
    asked: set[str] = set()
    """The pairs whose mentor has been asked, and so knows of them."""
    with_a_time: set[str] = set()
    """The sessions that have had a time."""
    found: dict[Due, Fact] = {}
    for topic in TOPICS:
        for fact in facts_on(evidence, topic):
            body = fact.body
            if fact.type == "PairAccepted" and body["by"] == Role.MENTEE:
                asked.add(body["pair"])
            if fact.type == "SessionScheduled":
                with_a_time.add(body["session"])
            for person in _people(fact, mentor_knows=body.get("pair") in asked, had_a_time=body.get("session") in with_a_time):
                found[Due(fact.id, person, NOT_CARRIED if body.get("moved_from") else KINDS[fact.type], MAIL)] = fact
    return found


def _people(fact: Fact, *, mentor_knows: bool, had_a_time: bool) -> Sequence[str]:
    """Whom an event concerns who may know of it."""
    body, sides = fact.body, tuple[str, ...]()
    match fact.type:
        case said if said not in KINDS:
            pass
        case "EmployeeEnrolled" | "EmployeeWaitlisted":
            sides = ("person",)
        case "EmployeeWithdrawn":
            sides = ("person",) if body["status"] == EnrolmentStatus.WITHDRAWN else ()
        case "PairProposed":
            sides = ("mentee",)
        case "PairAccepted":
            sides = ("mentor",) if body["by"] == Role.MENTEE else ()
        case "SessionProposed":
            sides = BOTH if body["options"] else ()
        case said if said.startswith("Session"):
            sides = BOTH if had_a_time else ()
        case _:
            sides = BOTH if mentor_knows else ("mentee",)
    return [body[side] for side in sides]


def untold(evidence: Evidence, deliveries: Sequence[Document]) -> Iterator[str]:
    """What the log asks to be told and nobody has taken in hand, and what is in hand though nothing asks for it."""
    there = {Due(one["about"], one["person"], one["kind"], one["channel"]) for one in deliveries}
    wanted = due(evidence)
    yield from (f"{one.person} {one.kind} of {one.about} (is not in hand)" for one in sorted(wanted.keys() - there))
    yield from (f"{one.person} {one.kind} of {one.about} (nothing asks for it)" for one in sorted(there - wanted.keys()))


def unexcused(evidence: Evidence, deliveries: Sequence[Document]) -> Iterator[str]:
    """The deliveries that were given up for a reason that neither the log nor the mail server bears out."""
    people, wanted, failed_at = _people_on(evidence), due(evidence), _failed_at(evidence)
    for one in deliveries:
        match one["status"]:
            case DeliveryStatus.SUPPRESSED:
                about = wanted.get(Due(one["about"], one["person"], one["kind"], one["channel"]))
                excused = _suppressed(one, people, about)
            case DeliveryStatus.FAILED:
                excused = _failed(one, evidence, failed_at.get(one["_id"]))
            case _:
                continue
        if not excused:
            yield f"{one['_id']} ({one['status']}: {one.get('reason')})"


class _Person(NamedTuple):
    """What the log has ever said of somebody."""

    left: bool
    addresses: frozenset[str]
    without_address: bool


def _people_on(evidence: Evidence) -> Mapping[str, _Person]:
    said: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts_on(evidence, "enrolment-employees"):
        said[fact.body["person"]].append(fact)
    return {
        person: _Person(
            any(one.type == "EmployeeLeft" for one in facts),
            frozenset(one.body["email"] for one in facts if one.body.get("email")),
            any(one.type == "EmployeeChanged" and not one.body.get("email") for one in facts),
        )
        for person, facts in said.items()
    }


_NOBODY = _Person(left=False, addresses=frozenset(), without_address=False)


def _suppressed(delivery: Document, people: Mapping[str, _Person], about: Fact | None) -> bool:
    """Whether there was nobody to write to, or nothing to ask any more."""
    person = people.get(delivery["person"], _NOBODY)
    match delivery["reason"]:
        case "left":
            return person.left
        case "no-address":
            return person.without_address
        case "partner-left":
            partners = (
                {about.body["mentee"], about.body["mentor"]} - {delivery["person"]} if about and delivery["kind"] == "proposal" else ()
            )
            return any(people.get(one, _NOBODY).left for one in partners)
        case _:
            return False


def _failed(delivery: Document, evidence: Evidence, at: datetime | None) -> bool:
    """Whether the mail server refused it, or it was waited for long enough."""
    if at is None:
        return False
    reason = str(delivery["reason"])
    waited = at - datetime.fromisoformat(delivery["planned_at"])
    if reason.startswith("unknown-"):
        return waited >= A_DAY
    if reason == "unavailable":
        return waited >= A_DAY - LAST_PAUSE and delivery["attempts"] >= MOST_ATTEMPTS
    return any(reason == f"refused-{code}" for message_id, code in evidence.refused.items() if delivery_of(message_id) == delivery["_id"])


def _failed_at(evidence: Evidence) -> Mapping[str, datetime]:
    """When each delivery was said to have failed."""
    return {one.body["delivery"]: one.at for one in facts_on(evidence, "notifications-deliveries") if one.type == "NotificationFailed"}


def astray(evidence: Evidence, deliveries: Sequence[Document]) -> Iterator[str]:
    """The mails that went to an address which their reader never had. Only ids are named."""
    people, whose = _people_on(evidence), {one["_id"]: one["person"] for one in deliveries}
    for message_id, addresses in sorted(evidence.addressed.items()):
        person = whose.get(delivery_of(message_id))
        if person is not None and not set(addresses) <= people.get(person, _NOBODY).addresses:
            yield f"{message_id} for {person}"


def delivery_of(message_id: str) -> str:
    """A Message-ID is `<delivery@domain>`."""
    return message_id.strip("<>").partition("@")[0]
