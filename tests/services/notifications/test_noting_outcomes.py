"""Between the mail server's 250 and the note of it lies the one gap in which a mail can be doubled: it must be as short as it can be."""

import asyncio
from email.message import EmailMessage
from typing import Any

import pytest

from amont.common.errors import Unavailable
from amont.notifications.commands import Letterhead, Post, deliveries
from amont.notifications.mails import Address

LETTERHEAD = Letterhead(sender=Address("amont@group.example", "Amont"), public_url="https://amont.example", domain="group.example")


class Store:
    """Runs commands as a service does whose store is away for the next few notes."""

    def __init__(self, away: int) -> None:
        self.away = away
        self.noted: list[Any] = []

    async def run(self, command: Any, *args: Any) -> Any:
        if command is deliveries.write_message:
            return EmailMessage()
        if self.away:
            self.away -= 1
            raise Unavailable("away")
        self.noted.append((command, args))
        return None


class Server:
    """Takes everything."""

    def __init__(self) -> None:
        self.took = 0

    async def send(self, _: EmailMessage) -> None:
        self.took += 1


async def test_a_mail_that_has_left_is_noted_although_the_store_was_away_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found while the simulator was written, and seen by it since: the claim ran out, and the mail left again, without any crash."""
    monkeypatch.setattr(deliveries, "NOTE_PAUSE_SECONDS", 0.0)
    store, server = Store(away=3), Server()
    await Post(server, LETTERHEAD, store.run, asyncio.Event, last_seconds=20.0).send("d1", 1)
    assert server.took == 1
    assert store.noted == [(deliveries.record_sent, ("d1",))]


async def test_a_store_that_stays_away_is_left_to_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "NOTE_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(deliveries, "NOTE_SECONDS", 0.0)
    store, server = Store(away=3), Server()
    with pytest.raises(Unavailable):
        await Post(server, LETTERHEAD, store.run, asyncio.Event, last_seconds=20.0).send("d1", 1)
    assert server.took == 1
    assert store.noted == []
