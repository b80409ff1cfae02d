"""The verbs on deliveries: deliver when the time has come, write down what became of it, let people look.

Sending is an effect, so it happens between two commands: `deliver` saves the claim, then the `Post` writes the message with what is known at that
moment, hands it to the mail port and runs the command that records the outcome. Whatever breaks in between, the claim's lease runs out and
`deliver` is called again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from functools import partial
from typing import Any

from opentelemetry.trace import SpanKind

from amont.common.aggregate import Decision
from amont.common.errors import Unavailable
from amont.common.events import NotificationFailed, NotificationSent
from amont.common.events.values import DeliveryStatus, tenant_of
from amont.common.identity import Action, Actor, Privilege, Resource, authorize
from amont.common.metrics import DELIVERIES
from amont.common.retention import let_go
from amont.common.tracing import TRACING, carried
from amont.common.work import Due, Work
from amont.notifications.commands.letters import Letterhead, write_letter
from amont.notifications.documents import deliveries_to
from amont.notifications.domain.delivery import Delivery
from amont.notifications.domain.people import Known, Programme, Recipient, Subsidiary
from amont.notifications.mails import BadAddress
from amont.notifications.sending import FolderSender, MailRefused, MailSender, MailUnavailable

PUBLISHES = (NotificationSent, NotificationFailed)

NOTE_SECONDS = 120.0
"""How long an outcome is tried to be written down while the store is away: a claim that runs out before is handed over again."""
NOTE_PAUSE_SECONDS = 1.0
HAND_OVER_SECONDS = 180.0
"""How long handing over one message may take. With the latest start before it and the longest noting after it, a lease is not over."""

Run = Callable[..., Awaitable[Any]]


class Post:
    """Takes claimed deliveries to the mail port and has the outcome recorded. `run` runs a command of this service.

    Once the service stops, claims that were not begun are given back, and mails that are being handed over have `last_seconds`.
    """

    def __init__(
        self, sender: MailSender, letterhead: Letterhead, run: Run, stopping: Callable[[], asyncio.Event], *, last_seconds: float
    ) -> None:
        self._sender, self._letterhead, self._run = sender, letterhead, run
        self._stopping, self._last_seconds = stopping, last_seconds

    async def send(self, delivery_id: str, attempt: int) -> None:
        """Hand over the message of a claim, if the claim still holds. Raises Unavailable when the store stays away: the lease will run out."""
        if self._stopping().is_set():
            await self._run(hand_back, delivery_id, attempt)
            return
        message = await self._run(write_message, delivery_id, attempt, self._letterhead)
        if message is None:
            return
        try:
            with TRACING.span("notifications hands over a mail", carried(), kind=SpanKind.CLIENT, id=delivery_id):
                await self._hand_over(message)
        except MailRefused as error:
            await self._note(record_refused, delivery_id, attempt, f"refused-{error.code}")
        except (MailUnavailable, TimeoutError):
            await self._note(record_unavailable, delivery_id, attempt)
        else:
            await self._note(record_sent, delivery_id)

    async def forget(self, delivery_id: str) -> None:
        """Remove the mail of a delivery where mails are kept on this machine; what a mail server took is beyond reach."""
        if isinstance(self._sender, FolderSender):
            await self._sender.forget(self._letterhead.message_id(delivery_id))

    async def _hand_over(self, message: EmailMessage) -> None:
        """Raises TimeoutError when it takes too long, or longer than a stop can wait: whether the server has taken the message is then not known."""
        async with asyncio.timeout(HAND_OVER_SECONDS) as limit:
            hurrying = asyncio.create_task(self._hurry(limit), name="hurry a mail")
            try:
                await self._sender.send(message)
            finally:
                hurrying.cancel()

    async def _hurry(self, limit: asyncio.Timeout) -> None:
        await self._stopping().wait()
        last = asyncio.get_running_loop().time() + self._last_seconds
        limit.reschedule(min(last, limit.when() or last))

    async def _note(self, record: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Write down what became of a claim. While the store is away, try again: a mail whose leaving nobody noted leaves twice."""
        loop = asyncio.get_running_loop()
        until = loop.time() + NOTE_SECONDS
        while True:
            try:
                await self._run(record, *args)
            except Unavailable:
                if loop.time() >= until:
                    raise
                await asyncio.sleep(NOTE_PAUSE_SECONDS)
            else:
                return


async def deliver(delivery: Delivery, work: Work) -> None:
    """The delivery's time has come: claim it and post it, wait for what is not known yet, or drop it; or let go of it, long after."""
    if delivery.is_over:
        await work.tool(Post).forget(delivery.id)  # the mail first: where mails are kept, nothing else leads to it
        let_go(work, delivery, "deliveries")
        return
    after = _save(work, delivery, delivery.take_up(await _known(work, delivery), work.now))
    if after.status is DeliveryStatus.SENDING:
        work.afterwards(partial(work.tool(Post).send, after.id, after.attempts))


async def write_message(work: Work, delivery_id: str, attempt: int, letterhead: Letterhead) -> EmailMessage | None:
    """The message of a claim, with names as they are now; None when there is none to be sent any more, which is then recorded."""
    delivery = await work.get(Delivery, delivery_id)
    if not delivery.is_held(attempt, work.now):
        _save(work, delivery, delivery.give_back(attempt, work.now))
        return None
    known = await _known(work, delivery)
    if reason := delivery.obstacle(known):
        _save(work, delivery, delivery.suppress(reason))
        return None
    try:
        return write_letter(delivery, known, letterhead)
    except BadAddress:
        _save(work, delivery, delivery.fail("bad-address", work.now))
    except ValueError:
        _save(work, delivery, delivery.fail("cannot-compose", work.now))
    return None


async def hand_back(work: Work, delivery_id: str, attempt: int) -> None:
    """The claim was not used: whoever comes next may take it at once."""
    delivery = await work.get(Delivery, delivery_id)
    work.save(delivery.give_back(attempt, work.now))


async def record_sent(work: Work, delivery_id: str) -> None:
    """The channel took the message."""
    delivery = await work.get(Delivery, delivery_id)
    _save(work, delivery, delivery.hand_over(work.now))


async def record_refused(work: Work, delivery_id: str, attempt: int, reason: str) -> None:
    """The channel will never take the message."""
    delivery = await work.get(Delivery, delivery_id)
    _save(work, delivery, delivery.refuse(attempt, reason, work.now))


async def record_unavailable(work: Work, delivery_id: str, attempt: int) -> None:
    """The channel did not answer."""
    delivery = await work.get(Delivery, delivery_id)
    _save(work, delivery, delivery.postpone(attempt, work.now))


async def list_deliveries(work: Work, actor: Actor, person: str | None, after: tuple[str] | None, limit: int) -> list[tuple[Delivery, int]]:
    """A page of what `person` was told, with versions; without `person` the actor's own, for operations everybody's. Raises NotFound, NotAllowed."""
    if person is None and Privilege.OPS not in actor.privileges:
        person = actor.person
    about = Resource("deliveries of", person, frozenset({tenant_of(person)}), frozenset({person})) if person else Resource("deliveries", "")
    authorize(actor, Action.READ_DELIVERY, about)
    page = await work.page(deliveries_to(person), after=after, limit=limit)
    return [(delivery, work.version_of(delivery)) for delivery in page]


async def read_delivery(work: Work, actor: Actor, delivery_id: str) -> tuple[Delivery, int]:
    """One delivery and its version. Raises NotFound, NotAllowed."""
    delivery = await work.get(Delivery, delivery_id)
    authorize(actor, Action.READ_DELIVERY, delivery.resource)
    return delivery, work.version_of(delivery)


async def _known(work: Work, delivery: Delivery) -> Known:
    person, matter = delivery.person, delivery.matter
    people = await work.get_many(Recipient, [person, *([matter.partner] if matter.partner else [])])
    return Known(
        recipient=people.get(person),
        partner=people.get(matter.partner or ""),
        programme=await work.peek(Programme, matter.programme),
        subsidiary=await work.peek(Subsidiary, tenant_of(person)),
    )


def _save(work: Work, before: Delivery, decision: Decision[Delivery]) -> Delivery:
    """Save, and count the outcome once it is saved: sent, failed, suppressed, or back to pending."""
    after = work.save(decision)
    if after.status not in {before.status, DeliveryStatus.SENDING}:
        work.afterwards(partial(_count, after.channel, after.status))
    return after


async def _count(channel: str, outcome: str) -> None:
    outcome = "postponed" if outcome == DeliveryStatus.PENDING else outcome
    DELIVERIES.labels(channel, outcome).inc()


DUE: Due = {Delivery: deliver}
