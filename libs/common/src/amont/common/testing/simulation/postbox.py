"""The mail server of a run, and each process's way to it. It is told who is at which delivery, so it knows exactly which mail may come again.

It refuses some mails for good, the same ones however often they are handed over.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.message import EmailMessage
from importlib import import_module
from typing import Any
from unittest.mock import patch

from amont.common.documents import Document
from amont.common.errors import Unavailable
from amont.common.events.values import DeliveryStatus
from amont.common.testing.simulation.loop import PROCESS
from amont.common.testing.simulation.storm import Line


@dataclass(slots=True)
class _InHand:
    """One process at one delivery, from its claim until it is done with it."""

    delivery: str
    process: str
    attempt: int
    until: str
    """When its claim runs out."""
    since: float | None = None
    """When the mail server had answered, by the loop's time."""
    taken: int = 0
    over: bool = False
    cut_off: bool = False


NOTED_WITHIN_SECONDS = 120.0
"""A store that is away for longer cuts off what is to be noted in it."""

_IN_HAND: ContextVar[_InHand] = ContextVar("in_hand")


class Postbox:
    """The mail server. It counts what it takes, and how often handing over was cut off after a mail was taken and before that was noted: exactly so
    often may the mail come again. What is noted, the store says: a delivery that is no longer under the claim has its outcome.
    """

    def __init__(self, deliveries: Mapping[str, Document], now: Callable[[], str], refusal: Callable[[str], Any]) -> None:
        self.received: Counter[str] = Counter()
        self.addressed: dict[str, set[str]] = defaultdict(set)
        self.refused: dict[str, int] = {}
        self._refusal = refusal
        self._deliveries, self._now = deliveries, now
        self._held: list[_InHand] = []

    @property
    def cut_off(self) -> Counter[str]:
        """By Message-ID: how often it was taken from somebody who was cut off before noting it."""
        found: Counter[str] = Counter()
        for one in self._held:
            if one.cut_off and one.taken:
                found[message_id(one.delivery)] += one.taken
        return found

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See who is at which delivery meanwhile. What mails say is no matter here, and takes a third of the time to write."""
        module = import_module("amont.notifications.commands.deliveries")
        whole = module.Post.send

        async def send(post: Any, delivery_id: str, attempt: int) -> None:
            process, loop = PROCESS.get(), asyncio.get_running_loop()
            self.ran_out()
            one = _InHand(delivery_id, process.name if process else "", attempt, self._deliveries[delivery_id]["due_at"] or "")
            self._held.append(one)
            _IN_HAND.set(one)
            try:
                await whole(post, delivery_id, attempt)
            except Unavailable:
                one.cut_off |= one.since is not None and loop.time() - one.since >= NOTED_WITHIN_SECONDS
                raise
            finally:
                one.over = True

        def write_letter(delivery: Any, known: Any, _: Any) -> EmailMessage:
            letter = EmailMessage()
            letter["Message-ID"], letter["To"] = message_id(delivery.id), known.recipient.email
            return letter

        with patch.object(module.Post, "send", send), patch.object(module, "write_letter", write_letter):
            yield

    def take(self, one: _InHand, address: str) -> None:
        """Raises the refusal of a mail that is refused for good."""
        name = message_id(one.delivery)
        self.addressed[name].add(address)
        if refusal := self._refusal(one.delivery):
            self.refused[name] = refusal.code
            raise refusal
        self.received[name] += 1
        one.taken += 1

    def died(self, process: str) -> None:
        """Whatever it had in hand, and had not noted, was cut off."""
        for one in self._held:
            one.cut_off |= one.process == process and self._stands(one)

    def ran_out(self) -> None:
        """Whoever is still at a mail under a claim that holds no longer is cut off."""
        now = self._now()
        for one in self._held:
            one.cut_off |= one.until <= now and self._stands(one)

    def _stands(self, one: _InHand) -> bool:
        if one.over:
            return False
        there = self._deliveries[one.delivery]
        return bool(there["status"] == DeliveryStatus.SENDING and there["attempts"] == one.attempt)


class Sender:
    """The mail port of one process."""

    def __init__(self, postbox: Postbox, line: Line) -> None:
        self._postbox, self._line = postbox, line

    async def send(self, message: EmailMessage) -> None:
        """An answer that never comes cuts off: the mail may have been taken, or may be yet, and the process cannot know."""
        one = _IN_HAND.get()
        try:
            await self._line(f"mail {message['Message-ID']}", lambda: self._postbox.take(one, message["To"]))
        except BaseException:  # that its caller waits no longer, too
            one.cut_off = True
            raise
        one.since = asyncio.get_running_loop().time()


def message_id(delivery: str) -> str:
    return f"<{delivery}@house.example>"
