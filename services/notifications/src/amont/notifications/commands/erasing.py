"""What notifications holds of somebody who is erased: their name and address go, what they were to be told is not said any more, and deliveries stay as
counts, nameless. Mails that were kept in a folder (on this machine) are removed; what a mail server took is in people's mailboxes.
"""

from collections.abc import Iterable

from amont.common.aggregate import Decision
from amont.common.erasing import AT_ONCE, Look, clear, renamed
from amont.common.events import ErasedFromNotifications
from amont.common.events.values import DeliveryStatus, EmployeeStatus
from amont.notifications import documents
from amont.notifications.commands.deliveries import Post
from amont.notifications.domain.delivery import Delivery
from amont.notifications.domain.people import Recipient


async def sweep(look: Look) -> None:
    """Take away or make nameless what is there, as far as its time has come."""
    await look.tombstone(documents.RECIPIENTS, Recipient(id=look.person, status=EmployeeStatus.LEFT))
    found = [one async for one in look.work.find(documents.deliveries_to(look.person))]
    found += [one async for one in look.work.find(documents.deliveries_about(look.person)) if one.person != look.person]
    over = [one for one in found if _may_be_renamed(one, look.person)]
    look.waits = look.waits or len(over) < len(found)
    await _erase(look, over[: max(0, AT_ONCE - look.touched)])


def _may_be_renamed(delivery: Delivery, person: str) -> bool:
    """Nobody takes it up any more; what was only to be told to the person never will be."""
    return delivery.is_over or (delivery.person == person and delivery.status is DeliveryStatus.PENDING)


async def _erase(look: Look, deliveries: Iterable[Delivery]) -> None:
    """The mail first: a delivery that is nameless is not found again."""
    post = look.work.tool(Post)
    for delivery in deliveries:
        await post.forget(delivery.id)
        decision = Decision(delivery) if delivery.is_over else delivery.suppress("left")
        look.change(documents.DELIVERIES, Decision(renamed(documents.DELIVERIES, decision.state, look.names)))


wake_clearing = clear(sweep, ErasedFromNotifications)
