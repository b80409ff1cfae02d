"""What a mail may know.

Everything a template can print comes through `Facts`, and each kind of mail sees only the facts listed for it in `NEEDS`: the mail that
follows a declined proposal cannot name the other person, because it is not given one. Reasons are words from a closed list, never free
text, so that a private reason has no way in. Texts are cleaned and links, instants and zones checked here, once, so that templates and
headers need not be careful.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

_BIDIRECTIONAL_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST_ADDRESS = 254
_LINK = re.compile(r"https?://[!#-;=?-~]+")
_LONGEST_LINK = 900


class MailKind(StrEnum):
    """One per thing that people are told; also the name of its template in each language."""

    ENROLLED = "enrolled"
    WITHDRAWN = "withdrawn"
    NOT_CARRIED = "not-carried"
    WAITLISTED = "waitlisted"
    INVITED = "invited"
    REMINDED = "reminded"
    PROPOSAL = "proposal"
    PAIR_CONFIRMED = "pair-confirmed"
    PAIR_DECLINED = "pair-declined"
    PAIR_EXPIRED = "pair-expired"
    PAIR_SUSPENDED = "pair-suspended"
    PAIR_RESUMED = "pair-resumed"
    PAIR_ENDED = "pair-ended"
    SESSION_PROPOSED = "session-proposed"
    SESSION_SCHEDULED = "session-scheduled"
    SESSION_RESCHEDULED = "session-rescheduled"
    SESSION_CANCELLED = "session-cancelled"
    SESSION_COMPLETED = "session-completed"
    SESSION_MISSED = "session-missed"


class Role(StrEnum):
    """The reader's side of the pair: the mentor is the junior one, the mentee the executive."""

    MENTOR = "mentor"
    MENTEE = "mentee"


class SuspensionReason(StrEnum):
    """What may be said about a pause. Any other reason reads as OTHER: what we have no words for is not printed."""

    LINE_OF_MANAGEMENT = "line-of-management"
    LEAVE = "leave"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> "SuspensionReason":  # noqa: ARG003 - the point is to forget it
        return cls.OTHER


class EndReason(StrEnum):
    """What may be said about an end. Who left, withdrew or asked for it is nobody's business: such ends read as OTHER."""

    COMPLETED = "completed"
    LINE_OF_MANAGEMENT = "line-of-management"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> "EndReason":  # noqa: ARG003 - the point is to forget it
        return cls.OTHER


class BadAddress(ValueError):
    """The text is not an address that we can write to. The message never repeats it: it may be logged."""


class MissingFacts(ValueError):
    """A kind of mail was asked for without what it has to say."""

    def __init__(self, kind: MailKind, names: list[str]) -> None:
        super().__init__(f"a mail of the kind {kind} needs {', '.join(names)}")
        self.kind = kind
        self.names = names


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox and the name shown beside it.

    Raises BadAddress unless `email` is a plain ASCII dot-atom address (RFC 5321 §4.1.2) of at most 254 characters; quoted local parts
    and SMTPUTF8 are not supported.
    """

    email: str
    name: str = ""

    def __post_init__(self) -> None:
        if len(self.email) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(self.email):
            raise BadAddress("not an e-mail address we can write to: expected local-part@domain in plain ASCII, without spaces")
        _set(self, name=one_line(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """The other one of the pair, as far as the reader may know them. `email` is only used to name them in the invitation."""

    name: str
    email: str | None = None
    function: str = ""
    topics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _set(self, name=one_line(self.name), function=one_line(self.function), topics=tuple(one_line(topic) for topic in self.topics))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time on offer, and the link that takes it. Instants carry an offset."""

    starts_at: datetime
    ends_at: datetime
    choose_url: str

    def __post_init__(self) -> None:
        _check_period(self.starts_at, self.ends_at)
        _check_link("choose_url", self.choose_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One meeting: `uid` stays for its whole life, `sequence` grows with every change (RFC 5546 §2.1.4)."""

    uid: str
    sequence: int
    number: int
    starts_at: datetime
    ends_at: datetime
    place: str = ""

    def __post_init__(self) -> None:
        _check_period(self.starts_at, self.ends_at)
        if not self.uid or one_line(self.uid) != self.uid:
            raise ValueError("a session's uid is one line of text, without spaces around it")
        if self.sequence < 0:
            raise ValueError("a session's sequence is 0 or more")
        _set(self, place=one_line(self.place))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one mail is about. The first three are always needed; `NEEDS` says which others a kind asks for.

    `zone` is the reader's IANA zone; `page_url` is where the reader looks after the matter at hand; `unsubscribe_url` is given for the
    kinds that one may unsubscribe from, and only then. Raises ValueError on a link that is not http(s), an unknown zone, an instant
    without an offset.
    """

    given_name: str
    programme: str
    page_url: str
    unsubscribe_url: str | None = None
    role: Role | None = None
    zone: str | None = None
    partner: Partner | None = None
    expires_at: datetime | None = None
    accept_url: str | None = None
    decline_url: str | None = None
    withdraw_url: str | None = None
    mute_url: str | None = None
    suspension: SuspensionReason | None = None
    ending: EndReason | None = None
    slots: tuple[Slot, ...] | None = None
    session: Session | None = None

    def __post_init__(self) -> None:
        _set(self, given_name=one_line(self.given_name), programme=one_line(self.programme))
        for name in ("page_url", "unsubscribe_url", "accept_url", "decline_url", "withdraw_url", "mute_url"):
            _check_link(name, getattr(self, name))
        if self.expires_at is not None:
            _check_instant(self.expires_at)
        if self.zone is not None:
            _check_zone(self.zone)


ALWAYS = ("given_name", "programme", "page_url")

NEEDS: dict[MailKind, tuple[str, ...]] = {
    MailKind.ENROLLED: ("role", "withdraw_url"),
    MailKind.WITHDRAWN: (),
    MailKind.NOT_CARRIED: (),
    MailKind.WAITLISTED: ("role", "withdraw_url"),
    MailKind.INVITED: ("role", "mute_url"),
    MailKind.REMINDED: ("role", "mute_url"),
    MailKind.PROPOSAL: ("role", "partner", "accept_url", "decline_url", "expires_at", "zone"),
    MailKind.PAIR_CONFIRMED: ("role", "partner"),
    MailKind.PAIR_DECLINED: (),
    MailKind.PAIR_EXPIRED: (),
    MailKind.PAIR_SUSPENDED: ("partner", "suspension"),
    MailKind.PAIR_RESUMED: ("partner",),
    MailKind.PAIR_ENDED: ("partner", "ending"),
    MailKind.SESSION_PROPOSED: ("partner", "slots", "zone"),
    MailKind.SESSION_SCHEDULED: ("partner", "session", "zone"),
    MailKind.SESSION_RESCHEDULED: ("partner", "session", "zone"),
    MailKind.SESSION_CANCELLED: ("partner", "session", "zone"),
    MailKind.SESSION_COMPLETED: ("partner", "session", "zone"),
    MailKind.SESSION_MISSED: ("partner", "session", "zone"),
}


def told(kind: MailKind, facts: Facts) -> dict[str, Any]:
    """The facts that this kind of mail may print, and no others. Raises MissingFacts."""
    known = {name: getattr(facts, name) for name in (*ALWAYS, *NEEDS[kind])}
    missing = [name for name, value in known.items() if value is None or value in ("", ())]
    if missing:
        raise MissingFacts(kind, missing)
    return known


def one_line(text: str) -> str:
    """The text as one line: line breaks and control characters become spaces, marks that reverse the reading direction go."""
    return re.sub(" {2,}", " ", "".join(map(_harmless, text))).strip()


def _harmless(character: str) -> str:
    if character in _BIDIRECTIONAL_CONTROLS:
        return ""
    return " " if unicodedata.category(character) in _LINE_BREAKING else character


def _check_link(name: str, link: str | None) -> None:
    if link is not None and (len(link) > _LONGEST_LINK or not _LINK.fullmatch(link)):
        raise ValueError(f"{name} must be an absolute http or https link, percent-encoded, of at most {_LONGEST_LINK} characters")


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{zone!r} is not an IANA time zone such as Europe/Paris") from error


def _check_instant(instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError("an instant without an offset: give it a zone, or UTC")


def _check_period(starts_at: datetime, ends_at: datetime) -> None:
    _check_instant(starts_at)
    _check_instant(ends_at)
    if ends_at <= starts_at:
        raise ValueError("a period must end after it starts")


def _set(frozen: object, **cleaned: object) -> None:
    for name, value in cleaned.items():
        object.__setattr__(frozen, name, value)
