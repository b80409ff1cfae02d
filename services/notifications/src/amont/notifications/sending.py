"""Handing a finished message over: the mail port and its two adapters.

`FolderSender` writes .eml files, for trying Amont and for tests; `SmtpSender` speaks SMTP. Errors come in two families by what happens
next: `MailRefused` is final and the delivery fails, `MailUnavailable` is tried again later. Neither ever carries an address, a name or
the server's own words, which often repeat one.

    Exception
      MailRefused        the server will never take this message (5xx to MAIL, RCPT or DATA)
      MailUnavailable    anything else: unreachable, busy, time-out, sign-in or TLS trouble, full disk
"""

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

ACCEPTED = "expected folder:///absolute/path, smtp://[user:password@]host[:port] or smtps://[user:password@]host[:port]"

FAREWELL_SECONDS = 2.0
"""How long a server may take to say goodbye: until then its 250 is not noted."""

_ENHANCED_CODE = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_OURS_TO_MEND = frozenset({530, 534, 535, 538})


class MailRefused(Exception):
    """The server refused this message for good. `code` is its answer (5xx), `stage` the command it refused."""

    def __init__(self, code: int, stage: str, enhanced: str = "") -> None:
        super().__init__(f"the mail server refused the {stage} for good: {f'{code} {enhanced}'.strip()}")
        self.code = code
        self.stage = stage
        self.enhanced = enhanced


class MailUnavailable(Exception):
    """The message could not be handed over now; trying again may help."""


class MailSender(Protocol):
    """The port. `send` returns once the message is somebody else's duty; raises MailRefused or MailUnavailable."""

    async def send(self, message: EmailMessage) -> None:
        """Hand over one message, composed by `amont.notifications.mails`."""


class Tls(StrEnum):
    """How the connection is protected: from the first byte, by STARTTLS or not at all, or by STARTTLS when the server offers it."""

    IMPLICIT = "implicit"
    REQUIRED = "required"
    WHEN_OFFERED = "when-offered"


@dataclass(frozen=True, slots=True)
class FolderSender:
    """Writes each message into `folder` as one .eml file, named after its Message-ID: sent twice, it is still one file.

    Not `durable`, a file is whole or not there all the same, but a power cut may take the latest ones.
    """

    folder: Path
    durable: bool = True

    async def send(self, message: EmailMessage) -> None:
        """Write the file whole or not at all. Raises MailUnavailable when the disk says no."""
        await asyncio.to_thread(self._write, file_name(message["Message-ID"]), bytes(message))

    async def forget(self, message_id: str) -> None:
        """Remove the file of a message, if it is there."""
        await asyncio.to_thread((self.folder / file_name(message_id)).unlink, missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _replace(self.folder / name, content, durable=self.durable)
        except OSError as error:
            raise MailUnavailable(f"cannot write to the mail folder: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """Sends each message over a connection of its own. `timeout` is in seconds, for each exchange with the server."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls = Tls.WHEN_OFFERED
    timeout: float = 30.0

    async def send(self, message: EmailMessage) -> None:
        """Raises MailRefused on a final answer to this message, MailUnavailable on anything else."""
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.tls is Tls.IMPLICIT,
            start_tls={Tls.IMPLICIT: False, Tls.REQUIRED: True, Tls.WHEN_OFFERED: None}[self.tls],
            timeout=self.timeout,
        )
        sender, recipient = (message[header].addresses[0].addr_spec for header in ("From", "To"))
        try:
            await client.connect()
            await client.sendmail(sender, recipient, bytes(message))
            with contextlib.suppress(
                aiosmtplib.SMTPException, OSError
            ):  # it is the server's duty already, whatever becomes of the farewell
                await client.quit(timeout=FAREWELL_SECONDS)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _family(error) from None  # the cause quotes the address
        finally:
            client.close()  # the client's own exit waits for an answer to QUIT even when it was cancelled


def sender_from(url: str) -> MailSender:
    """The adapter that a URL names.

    `smtps` is TLS from the first byte (port 465 unless given); `smtp` is STARTTLS (port 587 unless given), required when there is a
    password to protect, otherwise used when offered. User and password are percent-encoded. Raises ValueError, which never repeats the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"unreadable mail URL: {ACCEPTED}") from error
    if parts.query or parts.fragment:
        raise ValueError(f"a mail URL has no query and no fragment; {ACCEPTED}")
    match parts.scheme:
        case "folder":
            return _folder(parts)
        case "smtp" | "smtps":
            return _smtp(parts, port)
        case _:
            raise ValueError(f"unknown scheme in the mail URL: {ACCEPTED}")


def file_name(message_id: str) -> str:
    """A name that is safe on any file system, readable, and different for different ids."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", message_id).strip("_.")[:80]
    return f"{readable}-{hashlib.sha256(message_id.encode()).hexdigest()[:12]}.eml"


def _folder(parts: SplitResult) -> FolderSender:
    path = Path(unquote(parts.path))
    if parts.netloc or path == Path("/") or not path.is_absolute():
        raise ValueError(f"the mail folder must be an absolute path, after three slashes; {ACCEPTED}")
    return FolderSender(path)


def _smtp(parts: SplitResult, port: int | None) -> SmtpSender:
    if not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"a mail server is a host and nothing after it; {ACCEPTED}")
    if (parts.username is None) != (parts.password is None):
        raise ValueError(f"a mail server takes a user and a password, or neither; {ACCEPTED}")
    username, password = (unquote(part) if part is not None else None for part in (parts.username, parts.password))
    if parts.scheme == "smtps":
        return SmtpSender(parts.hostname, port or 465, username, password, Tls.IMPLICIT)
    return SmtpSender(parts.hostname, port or 587, username, password, Tls.WHEN_OFFERED if username is None else Tls.REQUIRED)


def _replace(path: Path, content: bytes, *, durable: bool) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _family(error: Exception) -> MailRefused | MailUnavailable:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return _family(error.recipients[0])
    stage = _stage(error)
    if stage and isinstance(error, aiosmtplib.SMTPResponseException) and 500 <= error.code < 600 and error.code not in _OURS_TO_MEND:
        enhanced = _ENHANCED_CODE.match(error.message)
        return MailRefused(error.code, stage, enhanced[1] if enhanced else "")
    code = f" ({error.code})" if isinstance(error, aiosmtplib.SMTPResponseException) else ""
    return MailUnavailable(f"the mail server could not take the message: {type(error).__name__}{code}")


def _stage(error: Exception) -> str:
    """Which part of this very message the server spoke of; nothing when it spoke of the connection or of us."""
    stages = {aiosmtplib.SMTPRecipientRefused: "recipient", aiosmtplib.SMTPSenderRefused: "sender", aiosmtplib.SMTPDataError: "content"}
    return next((stage for family, stage in stages.items() if isinstance(error, family)), "")
