"""A stop while a slow mail server has mails in hand: what can be finished is, what was not begun is given back, what cannot be finished may be doubled."""

import asyncio
import contextlib
import email
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage

import pytest
from tests.services.notifications.two_people import everybody, pair

from amont.common.clock import FixedClock
from amont.common.events.values import DeliveryStatus
from amont.common.ids import SeededIds
from amont.common.log import Record
from amont.common.service import Parts, Service
from amont.common.testing.hearing import START, record_of
from amont.common.testing.memory import Broker, Database, MemoryLog, MemoryStore
from amont.common.testing.waiting import until
from amont.notifications.app import build
from amont.notifications.sending import MailSender, SmtpSender

AT_ONCE = 8
MAILS = 20


class SlowServer:
    """Speaks SMTP, and says that it has taken a message only while it is `open`."""

    def __init__(self) -> None:
        self.took: Counter[str] = Counter()
        self.open = asyncio.Event()

    @property
    def in_hand(self) -> int:
        return sum(self.took.values())

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[SmtpSender]:
        conversations: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            conversations.add(task)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._talk(reader, writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield SmtpSender("127.0.0.1", server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in conversations:
                task.cancel()
            await asyncio.gather(*conversations)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        while line := await reader.readline():
            command = line[:4].upper()
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                message = await reader.readuntil(b"\r\n.\r\n")
                self.took[email.message_from_bytes(message)["Message-ID"]] += 1
                await self.open.wait()
            elif command == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            writer.write(b"250 mail.example\r\n")


class House:
    """Processes of notifications, one after the other, on one store and one log."""

    def __init__(self, sender: SmtpSender) -> None:
        self._sender, self._database, self._broker, self.clock = sender, Database(), Broker(partitions=1), FixedClock(START)
        proposals = [pair(pair=f"pair-{number}") for number in range(MAILS)]
        records: list[Record] = [record_of(event) for event in (*everybody(), *proposals)]
        for record in records:
            self._broker.append(record.topic, 0, [record])

    def process(self, number: int, *, drain_seconds: float = 20.0) -> Service:
        log = MemoryLog(self._broker, client_id="only", life=number)
        ids, tools = SeededIds(self.clock, number), {MailSender: self._sender}
        store = MemoryStore(self._database)
        return build(Parts(store=store, log=log, clock=self.clock, ids=ids, tools=tools, drain_seconds=drain_seconds))

    def statuses(self) -> Counter[str]:
        return Counter(one["status"] for one in self._database.collections["deliveries"].values())


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> SlowServer:
    for name in ("AMONT_MAIL_SENDER", "AMONT_PUBLIC_URL", "AMONT_MAIL_URL"):
        monkeypatch.delenv(name, raising=False)
    return SlowServer()


async def test_a_stop_finishes_the_mails_in_hand_and_gives_the_others_back_at_once(server: SlowServer) -> None:
    async with server.listening() as sender:
        house = House(sender)
        first = house.process(1)
        await first.start()
        await until(lambda: server.in_hand == AT_ONCE)
        stopping = asyncio.create_task(first.stop())
        await until(first.unit.stopping.is_set)
        server.open.set()
        await stopping
        assert house.statuses() == {DeliveryStatus.SENT: AT_ONCE, DeliveryStatus.PENDING: MAILS - AT_ONCE}
        async with house.process(2).running():
            await until(lambda: house.statuses() == {DeliveryStatus.SENT: MAILS})
    assert set(server.took.values()) == {1}
    assert len(server.took) == MAILS


async def test_a_server_that_is_slower_than_the_drain_doubles_no_more_than_one_process_sends_at_a_time(server: SlowServer) -> None:
    async with server.listening() as sender:
        house = House(sender)
        first = house.process(1, drain_seconds=0.5)
        await first.start()
        await until(lambda: server.in_hand == AT_ONCE)
        await first.stop()
        assert server.in_hand == AT_ONCE, "nothing new is begun"
        assert house.statuses() == {DeliveryStatus.PENDING: MAILS}, "no claim is left to its lease"
        server.open.set()
        house.clock.advance(timedelta(hours=1))
        async with house.process(2).running():
            await until(lambda: house.statuses() == {DeliveryStatus.SENT: MAILS})
    assert Counter(server.took.values()) == {2: AT_ONCE, 1: MAILS - AT_ONCE}


async def test_a_hand_over_that_is_cut_short_does_not_wait_for_a_farewell(server: SlowServer) -> None:
    """The client's own way out sends QUIT and waits thirty seconds for its answer, even when its caller has no time left."""
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "a@example.com", "b@example.com", "<1@example.com>"
    async with server.listening() as sender:
        sending = asyncio.create_task(sender.send(message))
        await until(lambda: server.in_hand == 1)
        sending.cancel()
        await until(sending.done)
    assert sending.cancelled()
