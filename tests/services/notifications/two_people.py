"""A mentee in Paris, a mentor in New York, their programme and everything that may happen to them: events as notifications hears them.

Names and addresses are such that nothing else contains them by chance, so that a test can look for them everywhere.
"""

import email
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeInvited,
    EmployeeWaitlisted,
    EmployeeWithdrawn,
    Event,
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairResumed,
    PairSuspended,
    Policy,
    ProgrammeChanged,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
    Slot,
    SubsidiaryChanged,
)
from amont.common.events.values import (
    EmployeeStatus,
    EndReason,
    EnrolmentStatus,
    Meeting,
    PairStatus,
    ProgrammeStatus,
    Role,
    SessionStatus,
    SuspendReason,
)
from amont.common.testing.hearing import Hearing, hearing
from amont.notifications.app import build
from amont.notifications.sending import FolderSender, MailSender

MENTEE, MENTOR = "fr:e-1", "us:e-2"
PROGRAMME = "digital-2027"
BOTH = (Role.MENTEE, Role.MENTOR)
NAMES = {MENTEE: ("Cunégonde", "Quatrefages"), MENTOR: ("Zebulon", "Wojciechowski")}
ADDRESSES = {MENTEE: "c.quatrefages@example.com", MENTOR: "z.wojciechowski@example.com"}
PERSONAL = [text for names in NAMES.values() for text in names] + list(ADDRESSES.values())
SLOT = Slot(starts_at=datetime(2027, 1, 14, 14, tzinfo=UTC), ends_at=datetime(2027, 1, 14, 15, tzinfo=UTC))
"""15:00 in Paris, 09:00 in New York."""
LATER = Slot(starts_at=SLOT.starts_at + timedelta(days=1), ends_at=SLOT.ends_at + timedelta(days=1))


def employee(person: str = MENTEE, *, seq: int = 1, **changes: Any) -> EmployeeChanged:
    given_name, family_name = NAMES.get(person, ("Somebody", "Else"))
    known: dict[str, Any] = {
        "person": person,
        "status": EmployeeStatus.ACTIVE,
        "given_name": given_name,
        "family_name": family_name,
        "email": ADDRESSES.get(person, f"{person.replace(':', '.')}@example.com"),
        "preferred_language": "fr",
        "band": 12,
        "job_title": "Archiviste en chef",
        "function": "Archives",
        "business_unit": "B",
        "team": "T",
        "site": "S",
        "zone": "Europe/Paris",
        "languages": ("fr", "en"),
        "managers": (),
        "effective_at": datetime(2027, 1, 1, tzinfo=UTC),
        "joined_on": None,
    }
    return EmployeeChanged(seq=seq, **(known | changes))


def subsidiary(tenant: str = "fr", *, seq: int = 1, languages: tuple[str, ...] = ("fr", "en")) -> SubsidiaryChanged:
    return SubsidiaryChanged(seq=seq, subsidiary=tenant, name="Banque", zone="Europe/Paris", languages=languages, grades={})


def programme(*, seq: int = 1, name: str = "Digital 2027") -> ProgrammeChanged:
    return ProgrammeChanged(
        seq=seq,
        programme=PROGRAMME,
        name=name,
        status=ProgrammeStatus.RUNNING,
        tenants=("fr", "us"),
        topics=("ai",),
        policy=Policy(),
        policy_version=1,
    )


def everybody(language: str = "fr") -> list[Event]:
    """All the facts that a message may need."""
    people = [employee(person, preferred_language=language) for person in (MENTEE, MENTOR)]
    return [subsidiary("fr"), subsidiary("us"), programme(), *people]


def enrolment(kind: Callable[..., Event] = EmployeeEnrolled, *, seq: int = 1, **changes: Any) -> Event:
    known: dict[str, Any] = {
        "enrolment": "enrolment-1",
        "person": MENTEE,
        "programme": PROGRAMME,
        "role": Role.MENTEE,
        "status": EnrolmentStatus.ENROLLED,
        "capacity": 1,
        "topics": {},
        "languages": ("fr",),
        "availability": (),
        "meeting": Meeting.EITHER,
    }
    return kind(seq=seq, **(known | changes))


def invited(number: int = 1, *, seq: int = 1, **changes: Any) -> EmployeeInvited:
    known: dict[str, Any] = {"person": MENTOR, "programme": PROGRAMME, "role": Role.MENTOR, "invited_at": datetime(2027, 1, 3, tzinfo=UTC)}
    return EmployeeInvited(seq=seq, number=number, **(known | changes))


def waitlisted() -> EmployeeWaitlisted:
    at = datetime(2027, 1, 3, tzinfo=UTC)
    return EmployeeWaitlisted(seq=3, enrolment="enrolment-2", person=MENTOR, programme=PROGRAMME, role=Role.MENTOR, asked_at=at)


def pair(kind: Callable[..., Event] = PairProposed, *, seq: int = 1, accepted_by: tuple[Role, ...] = (), **changes: Any) -> Event:
    known: dict[str, Any] = {
        "pair": "pair-1",
        "programme": PROGRAMME,
        "round": "round-1",
        "mentee": MENTEE,
        "mentor": MENTOR,
        "mentee_enrolment": "enrolment-1",
        "mentor_enrolment": "enrolment-2",
        "status": PairStatus.PROPOSED,
        "score": 700,
        "topics": ("ai",),
        "expires_at": datetime(2027, 1, 11, 8, tzinfo=UTC),
    }
    return kind(seq=seq, accepted_by=accepted_by, **(known | changes))


def session(kind: Callable[..., Event] = SessionScheduled, *, seq: int = 1, **changes: Any) -> Event:
    known: dict[str, Any] = {
        "pair": "pair-1",
        "session": "session-1",
        "number": 1,
        "planned": 6,
        "programme": PROGRAMME,
        "mentee": MENTEE,
        "mentor": MENTOR,
        "status": SessionStatus.SCHEDULED,
        "options": (),
        "slot": SLOT,
        "mentee_zone": "Europe/Paris",
        "mentor_zone": "America/New_York",
        "mentee_local": "2027-01-14T15:00",
        "mentor_local": "2027-01-14T09:00",
        "invitation_sequence": 0,
    }
    return kind(seq=seq, **(known | changes))


def proposed_session(seq: int = 1) -> Event:
    return session(
        SessionProposed, seq=seq, status=SessionStatus.PROPOSED, options=(SLOT, LATER), slot=None, mentee_local=None, mentor_local=None
    )


TELLING: dict[type[Event], tuple[Event, set[tuple[str, str]]]] = {
    type(event): (event, {(person, kind) for person in people})
    for event, kind, people in [
        (enrolment(), "enrolled", [MENTEE]),
        (enrolment(EmployeeWithdrawn, seq=2, status=EnrolmentStatus.WITHDRAWN), "withdrawn", [MENTEE]),
        (invited(), "invited", [MENTOR]),
        (waitlisted(), "waitlisted", [MENTOR]),
        (pair(), "proposal", [MENTEE]),
        (pair(PairAccepted, seq=2, accepted_by=(Role.MENTEE,), by=Role.MENTEE), "proposal", [MENTOR]),
        (pair(PairConfirmed, seq=3, accepted_by=BOTH, status=PairStatus.CONFIRMED), "pair-confirmed", [MENTEE, MENTOR]),
        (pair(PairDeclined, seq=4, accepted_by=(Role.MENTEE,)), "pair-declined", [MENTEE, MENTOR]),
        (pair(PairExpired, seq=5, accepted_by=(Role.MENTEE,)), "pair-expired", [MENTEE, MENTOR]),
        (pair(PairSuspended, seq=6, accepted_by=BOTH, reason=SuspendReason.LINE_CONFLICT), "pair-suspended", [MENTEE, MENTOR]),
        (pair(PairResumed, seq=7, accepted_by=BOTH), "pair-resumed", [MENTEE, MENTOR]),
        (pair(PairEnded, seq=8, accepted_by=BOTH, reason=EndReason.COMPLETED), "pair-ended", [MENTEE, MENTOR]),
        (proposed_session(), "session-proposed", [MENTEE, MENTOR]),
        (session(seq=2), "session-scheduled", [MENTEE, MENTOR]),
        (session(SessionRescheduled, seq=3, slot=LATER, invitation_sequence=1), "session-rescheduled", [MENTEE, MENTOR]),
        (session(SessionCancelled, seq=4, slot=LATER, invitation_sequence=2, by=Role.MENTEE), "session-cancelled", [MENTEE, MENTOR]),
        (session(SessionCompleted, seq=5), "session-completed", [MENTEE, MENTOR]),
        (session(SessionMissed, seq=6), "session-missed", [MENTEE, MENTOR]),
    ]
}
"""For each class of event that tells somebody something: one such event, and who is told what."""


class Postman:
    """A mail sender that says what it was told to say, in turn, and then puts mails into a folder. `handed` are the Message-IDs it was given."""

    def __init__(self, folder: Path, *answers: BaseException) -> None:
        self._folder, self._answers = FolderSender(folder), list(answers)
        self.handed: list[str] = []

    async def send(self, message: EmailMessage) -> None:
        self.handed.append(message["Message-ID"])
        if self._answers:
            raise self._answers.pop(0)
        await self._folder.send(message)


def notifications(folder: Path, sender: MailSender | None = None) -> AbstractAsyncContextManager[Hearing]:
    """The service, with mails in `folder / "mails"`."""
    return hearing(build, folder, tools={MailSender: sender or FolderSender(folder / "mails")})


def mails(folder: Path) -> list[EmailMessage]:
    """The mails in the folder, read back as a mail program reads them."""
    files = sorted((folder / "mails").glob("*.eml")) if (folder / "mails").exists() else []
    return [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]


def mail_to(folder: Path, person: str) -> EmailMessage:
    """The only mail that somebody got."""
    [found] = [mail for mail in mails(folder) if recipient(mail) == person]
    return found


def recipient(mail: EmailMessage) -> str:
    address = mail["To"].addresses[0].addr_spec
    return next((person for person, known in ADDRESSES.items() if known == address), address)


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")
