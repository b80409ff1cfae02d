"""What notifications holds of somebody who asks for it: how to reach them, and what they were told when. Texts are written when they are sent, and not kept."""

from amont.common.events import ExportedFromNotifications
from amont.common.exporting import MOST_OF_A_KIND, Kinds, answer, plain
from amont.common.work import Work
from amont.notifications import documents
from amont.notifications.domain.people import Recipient


async def gather(work: Work, person: str, private: bool) -> Kinds:  # noqa: ARG001, FBT001 - the shape of a `Gather`; nothing here is private
    """Everything, by kind."""
    recipient = await work.peek(Recipient, person)
    told = sorted([one async for one in work.find(documents.deliveries_to(person))], key=lambda one: one.planned_at)
    return {
        "recipient": plain(documents.RECIPIENTS, [recipient] if recipient else []),
        "messages": plain(documents.DELIVERIES, told[-MOST_OF_A_KIND:], without=("attempts",)),
    }


wake_answer = answer(gather, ExportedFromNotifications)
