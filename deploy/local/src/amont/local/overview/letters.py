"""A mail as it lies in the folder: its headers, its HTML, its plain text and its calendar entry."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from amont.common.errors import NotFound

SHOWN = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe", "Content-Language")


@dataclass(frozen=True, slots=True)
class Letter:
    """See the module. `path` is the file."""

    path: Path
    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    calendar: str | None

    @property
    def shown(self) -> str:
        """The HTML for a frame: its links open in a window of their own, since no page of ours is shown in a frame."""
        return self.html.replace("<head>", '<head><base target="_blank">', 1)

    @property
    def subject(self) -> str:
        return dict(self.headers).get("Subject", "")


def letter(folder: Path, delivery: str) -> Letter:
    """The mail of a delivery. Raises NotFound when there is none, for instance because it was suppressed."""
    for path in folder.glob(f"{_safe(delivery)}*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        if isinstance(message, EmailMessage):
            return _read(path, message)
    raise NotFound("mail", delivery)


def _read(path: Path, message: EmailMessage) -> Letter:
    return Letter(
        path=path,
        headers=tuple((name, str(message[name])) for name in SHOWN if message[name] is not None),
        html=_part(message, "html") or "",
        text=_part(message, "plain") or "",
        calendar=_part(message, "calendar"),
    )


def _part(message: EmailMessage, kind: str) -> str | None:
    for part in message.walk():
        if part.get_content_type() == f"text/{kind}":
            return str(part.get_content())
    return None


def _safe(delivery: str) -> str:
    """Ids are hexadecimal with hyphens; anything else is nobody's mail."""
    if not delivery or any(char not in "0123456789abcdef-" for char in delivery):
        raise NotFound("mail", delivery)
    return delivery
