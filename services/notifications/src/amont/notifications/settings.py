"""What notifications asks of the environment beyond what every service does: how mail leaves, who signs it, where its links lead."""

import re
from dataclasses import dataclass
from email.utils import parseaddr
from types import MappingProxyType

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from amont.notifications.mails import Address
from amont.notifications.sending import FolderSender, MailSender, sender_from

ON_THIS_MACHINE = MappingProxyType({"mail_sender": "Amont <amont@localhost>", "public_url": "http://127.0.0.1:8000"})
"""What is assumed while no mail leaves the machine: it goes into a folder, or the way to send is handed in (tests, the demo)."""

_BASE = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9._~-]+)*")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class ReachedAt:
    """Where people reach Amont, as who starts it knows; the environment's word goes before it."""

    url: str


class MailSettings(BaseSettings):
    """How mail leaves and what it shows. Where it leaves by SMTP, nothing is assumed. `mail_url` is None where the way to send is handed in."""

    model_config = SettingsConfigDict(env_prefix="AMONT_", env_ignore_empty=True, extra="ignore", frozen=True)

    mail_url: SecretStr | None = Field(description="folder:///folder, smtp://[user:password@]host[:port] or smtps://…")
    mail_sender: str = Field(default="", description="who signs the mails: Reverse mentoring <mentoring@example.com>")
    public_url: str = Field(default="", description="where people reach Amont, the base of links in mails: https://amont.example.com")
    mail_domain: str | None = Field(default=None, description="right side of Message-IDs; the sender's domain when absent")

    @property
    def way_to_send(self) -> MailSender:
        """What the URL names."""
        return _way(self.mail_url)

    @property
    def sender(self) -> Address:
        """Who signs."""
        return _mailbox(self.mail_sender)

    @property
    def domain(self) -> str:
        """Of Message-IDs."""
        return self.mail_domain or self.sender.email.rpartition("@")[2]

    @field_validator("mail_url")
    @classmethod
    def _names_a_way_to_send(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            _way(url)
        return url

    @field_validator("mail_sender", "public_url")
    @classmethod
    def _is_said_where_mail_leaves(cls, value: str, info: ValidationInfo) -> str:
        if value:
            return value
        url = info.data.get("mail_url", SecretStr(""))
        if url is None or (url and isinstance(_way(url), FolderSender)):
            return ON_THIS_MACHINE[info.field_name or ""]
        raise ValueError("it is missing, and needed where mail leaves this machine")

    @field_validator("mail_sender")
    @classmethod
    def _can_be_written_in_a_header(cls, sender: str) -> str:
        _mailbox(sender)
        return sender

    @field_validator("public_url")
    @classmethod
    def _can_be_continued(cls, url: str) -> str:
        url = url.rstrip("/")
        if not _BASE.fullmatch(url):
            raise ValueError("write an http or https address without query, for instance https://amont.example.com")
        return url

    @field_validator("mail_domain")
    @classmethod
    def _is_a_domain(cls, domain: str | None) -> str | None:
        if domain is not None and not _DOMAIN.fullmatch(domain):
            raise ValueError("write a domain, for instance amont.example.com")
        return domain


def _way(url: SecretStr | None) -> MailSender:
    return sender_from(url.get_secret_value() if url else "")


def _mailbox(text: str) -> Address:
    name, email = parseaddr(text)
    return Address(email, name)
