"""Handing mails over: to a folder, and to a real SMTP server on this machine's loopback."""

import asyncio
import email
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from amont.native.ports import free_ports
from amont.notifications.mails import Address, Facts, MailKind, compose
from amont.notifications.sending import FolderSender, MailRefused, MailUnavailable, SmtpSender, Tls, file_name, sender_from

ADDRESS = "zoe.simkova@example.com"


def a_mail(message_id: str = "<0190-email@amont.example.com>", given_name: str = "Zoë") -> EmailMessage:
    facts = Facts(given_name=given_name, programme="Digital 2027", page_url="https://amont.example.com/")
    sender = Address("mentorat@example.com", "Mentorat inversé")
    date = datetime(2027, 1, 8, 9, tzinfo=UTC)
    return compose(
        MailKind.WITHDRAWN, to=Address(ADDRESS, "Zoë Šimková"), language="fr", facts=facts, message_id=message_id, date=date, sender=sender
    )


class Postbox:
    """A server that keeps what it is given, or answers what it is told to answer."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.answers: dict[str, str] = {}

    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" not in self.answers:
            self.received.append(envelope)
        return self.answers.get("DATA", "250 OK")

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        return self.answers.get("QUIT", "221 Bye")


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def port(postbox: Postbox) -> Iterator[int]:
    controller = Controller(postbox, hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    yield controller.port
    controller.stop()


async def test_a_folder_receives_the_message_as_it_was_composed(tmp_path: Path) -> None:
    await FolderSender(tmp_path / "mails").send(a_mail())
    [file] = files(tmp_path / "mails")
    assert file.name.startswith("0190-email_amont.example.com-")
    assert file.suffix == ".eml"
    assert file.read_bytes() == bytes(a_mail())
    assert email.message_from_bytes(file.read_bytes(), policy=default)["To"].addresses[0].display_name == "Zoë Šimková"


async def test_sending_twice_to_a_folder_leaves_one_file(tmp_path: Path) -> None:
    for name in ("Zoë", "Zoé"):
        await FolderSender(tmp_path).send(a_mail(given_name=name))
    [file] = files(tmp_path)
    assert file.read_bytes() == bytes(a_mail(given_name="Zoé"))


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "mails").write_text("a file stands where the folder should be")
    with pytest.raises(MailUnavailable):
        await FolderSender(tmp_path / "mails").send(a_mail())


async def test_a_write_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    (tmp_path / file_name(a_mail()["Message-ID"])).mkdir()
    with pytest.raises(MailUnavailable):
        await FolderSender(tmp_path).send(a_mail())
    assert [entry.is_dir() for entry in files(tmp_path)] == [True]


@pytest.mark.parametrize("message_id", ["<../../etc/passwd@a.example>", "<a/b@c.example>", "<.@c.example>", f"<{'x' * 180}@c.example>"])
def test_a_file_name_stays_in_its_folder_and_is_not_too_long(message_id: str) -> None:
    name = file_name(message_id)
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name) <= 100


def test_different_ids_never_share_a_file() -> None:
    assert len({file_name(name) for name in ("<a/b@c.example>", "<a_b@c.example>", "<a__b@c.example>")}) == 3


async def test_a_server_receives_the_message_as_it_was_composed(postbox: Postbox, port: int) -> None:
    await SmtpSender("127.0.0.1", port).send(a_mail())
    [envelope] = postbox.received
    assert (envelope.mail_from, envelope.rcpt_tos) == ("mentorat@example.com", [ADDRESS])
    assert envelope.content == bytes(a_mail())


@pytest.mark.parametrize(("command", "stage"), [("MAIL", "sender"), ("RCPT", "recipient"), ("DATA", "content")])
async def test_a_final_answer_is_a_refusal_that_names_nobody(postbox: Postbox, port: int, command: str, stage: str) -> None:
    postbox.answers[command] = f"550 5.1.1 <{ADDRESS}>: no zoe.simkova here"
    with pytest.raises(MailRefused) as refused:
        await SmtpSender("127.0.0.1", port).send(a_mail())
    assert (refused.value.code, refused.value.enhanced, refused.value.stage) == (550, "5.1.1", stage)
    assert str(refused.value) == f"the mail server refused the {stage} for good: 550 5.1.1"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_come_back_later_is_not_a_refusal(postbox: Postbox, port: int, command: str) -> None:
    postbox.answers[command] = f"451 4.7.1 <{ADDRESS}> greylisted"
    with pytest.raises(MailUnavailable, match="451") as later:
        await SmtpSender("127.0.0.1", port).send(a_mail())
    assert "zoe" not in str(later.value)


async def test_a_demand_to_sign_in_is_ours_to_mend(postbox: Postbox, port: int) -> None:
    postbox.answers["MAIL"] = "530 5.7.0 Authentication required"
    with pytest.raises(MailUnavailable, match="530"):
        await SmtpSender("127.0.0.1", port).send(a_mail())


async def test_what_goes_wrong_after_the_server_took_the_message_is_no_failure(postbox: Postbox, port: int) -> None:
    postbox.answers["QUIT"] = "451 not now"
    await SmtpSender("127.0.0.1", port).send(a_mail())
    assert len(postbox.received) == 1


async def test_nobody_listening_is_unavailable() -> None:
    with pytest.raises(MailUnavailable):
        await SmtpSender("127.0.0.1", free_ports(1)[0]).send(a_mail())


async def test_a_server_that_says_nothing_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailUnavailable, match="Timeout"):
        await SmtpSender("127.0.0.1", silent.getsockname()[1], timeout=0.2).send(a_mail())


async def test_a_password_never_travels_in_the_clear(postbox: Postbox, port: int) -> None:
    with pytest.raises(MailUnavailable):
        await SmtpSender("127.0.0.1", port, "amont", "secret", Tls.REQUIRED).send(a_mail())
    assert postbox.received == []


async def test_many_messages_at_once_all_arrive(postbox: Postbox, port: int) -> None:
    sender = SmtpSender("127.0.0.1", port)
    await asyncio.gather(*(sender.send(a_mail(f"<{number}@a.example>")) for number in range(10)))
    assert len(postbox.received) == 10


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("folder:///var/spool/amont%20mails", FolderSender(Path("/var/spool/amont mails"))),
        ("smtp://127.0.0.1:1025", SmtpSender("127.0.0.1", 1025, tls=Tls.WHEN_OFFERED)),
        ("smtp://mail.example.com", SmtpSender("mail.example.com", 587)),
        ("smtp://[::1]:25/", SmtpSender("::1", 25)),
        (
            "smtp://amont%40example.com:p%2Fss%3Aword@mail.example.com",
            SmtpSender("mail.example.com", 587, "amont@example.com", "p/ss:word", Tls.REQUIRED),
        ),
        ("smtps://amont:secret@mail.example.com", SmtpSender("mail.example.com", 465, "amont", "secret", Tls.IMPLICIT)),
    ],
)
def test_a_url_names_its_sender(url: str, sender: Any) -> None:
    assert sender_from(url) == sender


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.com:25",
        "http://mail.example.com",
        "folder://mails",
        "folder:///",
        "folder:mails",
        "smtp://",
        "smtp://host:secret",
        "smtp://host:99999",
        "smtp://amont@host",
        "smtp://amont:secret@host/path",
        "smtp://amont:secret@host?tls=no",
        "smtp://[::1",
        "smtps:///secret",
    ],
)
def test_a_bad_url_is_refused_with_what_is_accepted_and_without_the_secret(url: str) -> None:
    with pytest.raises(ValueError, match=r"folder:///absolute/path, smtp://.*smtps://") as refused:
        sender_from(url)
    assert "secret" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(sender_from("smtps://amont:secret@mail.example.com"))


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())
