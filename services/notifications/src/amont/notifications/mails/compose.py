"""Envelope and body: from words to a message that can be sent.

Every mail is one multipart/alternative: plain text, HTML and, for what belongs in a calendar, text/calendar last. That is what Exchange
writes itself (MS-OXCMAIL §2.1.3.3.8) and what Gmail takes as an invitation. There is no second copy as an attached .ics file: Outlook reads
an invitation from the body only, shows the copy as a stray attachment, and mail gateways of large groups remove it.
"""

import hashlib
import re
from datetime import datetime
from email.headerregistry import Address as MailboxHeader
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache

from amont.notifications.mails.calendar import Method, invitation
from amont.notifications.mails.facts import Address, Facts, MailKind
from amont.notifications.mails.words import spoken, word, word_invitation

INVITATIONS = {
    MailKind.SESSION_SCHEDULED: Method.REQUEST,
    MailKind.SESSION_RESCHEDULED: Method.REQUEST,
    MailKind.SESSION_CANCELLED: Method.CANCEL,
}

_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,180}@[!-;=?A-~]{1,180}>")
_ONE_WORD_HEADERS = frozenset({"message-id", "list-unsubscribe"})


class WirePolicy(EmailPolicy):
    """SMTP line ends, ASCII headers, and long identifiers left whole.

    The standard library turns any word longer than a line into an encoded word (RFC 2047), even in a header where only a link or an id may
    stand (RFC 2369 §2): mail programs then find no link. Such headers stay on one line, within the 998 characters of RFC 5322 §2.1.1.
    And it may leave nothing on the first line of a header, which some servers take for an empty one (RFC 5322 §3.2.2).
    """

    def fold(self, name: str, value: str) -> str:
        """Write one header as text."""
        return f"{name}: {value}{self.linesep}" if name.lower() in _ONE_WORD_HEADERS else _fold(self, name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """Write one header as bytes."""
        return self.fold(name, value).encode("ascii")


@lru_cache(maxsize=1024)
def _fold(policy: WirePolicy, name: str, value: str) -> str:
    start = f"{name}:"
    folded: str = EmailPolicy.fold(policy, name, value)
    return start + folded.removeprefix(start).removeprefix(policy.linesep)


class RememberedHeaders(HeaderRegistry):
    """Reads a header once. Most headers of a mail are those of the mail before; reading them is the larger part of what the standard library costs."""

    def __call__(self, name: str, value: object) -> BaseHeader:
        """The header; a text seen before gives the same one, which nobody changes."""
        return _read_header(self, name, value) if type(value) is str else super().__call__(name, value)

    def read(self, name: str, value: str) -> BaseHeader:
        """Read it anew."""
        return super().__call__(name, value)


@lru_cache(maxsize=1024)
def _read_header(registry: RememberedHeaders, name: str, value: str) -> BaseHeader:
    return registry.read(name, value)


WIRE = WirePolicy(linesep="\r\n", raise_on_defect=False, header_factory=RememberedHeaders())


def compose(kind: MailKind, *, to: Address, language: str, facts: Facts, message_id: str, date: datetime, sender: Address) -> EmailMessage:
    """One finished message; the same arguments give the same bytes.

    `language` is a BCP 47 tag (French or English; any other is answered in English). `message_id` is `<id@domain>` and `date` carries an
    offset; both are given, so that a mail composed twice is recognised as one. Raises MissingFacts, ValueError on a malformed id or date.
    """
    language = spoken(language)
    wording = word(kind, language, facts, sender_name=sender.name or facts.programme)
    message = EmailMessage(policy=WIRE)
    _address(message, to=to, sender=sender, message_id=message_id, date=date)
    message["Subject"] = wording.subject
    _declare_automatic(message, facts.unsubscribe_url)
    message.set_content(wording.text, cte="quoted-printable")
    message.add_alternative(wording.html, subtype="html", cte="quoted-printable")
    if method := INVITATIONS.get(kind):
        entry = _calendar_entry(kind, method, to=to, language=language, facts=facts, date=date, sender=sender)
        message.add_alternative(entry, subtype="calendar", cte="base64", params={"method": method.value, "name": "invite.ics"})
    message["Content-Language"] = language  # only now: a Content- header set earlier would have moved into the first part
    message.set_boundary(f"amont-{hashlib.sha256(message_id.encode()).hexdigest()[:32]}")
    return message


def _address(message: EmailMessage, *, to: Address, sender: Address, message_id: str, date: datetime) -> None:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("message_id must look like <id@domain>, in ASCII, without spaces")
    if date.utcoffset() is None:
        raise ValueError("date must carry an offset")
    message["From"] = str(MailboxHeader(sender.name, addr_spec=sender.email))
    message["To"] = str(MailboxHeader(to.name, addr_spec=to.email))
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id


def _declare_automatic(message: EmailMessage, unsubscribe_url: str | None) -> None:
    """Nobody's holiday notice should answer us (RFC 3834 §5; Exchange reads its own header). RFC 8058 §3.1 asks for HTTPS."""
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if unsubscribe_url is None:
        return
    message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
    if unsubscribe_url.startswith("https://"):
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _calendar_entry(kind: MailKind, method: Method, *, to: Address, language: str, facts: Facts, date: datetime, sender: Address) -> str:
    session, partner, zone = facts.session, facts.partner, facts.zone
    if session is None or partner is None or zone is None:  # pragma: no cover - `word` has refused already
        raise AssertionError(kind)
    attendees = [to] if partner.email is None else [to, Address(partner.email, partner.name)]
    summary, description = word_invitation(kind, language, facts)
    return invitation(
        method,
        session,
        zone=zone,
        organiser=sender,
        attendees=attendees,
        summary=summary,
        description=description,
        stamp=date,
    )
