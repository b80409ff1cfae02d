"""The verbs on preferences: what somebody wants no messages about, of what one may do without. A person's own business and nobody else's."""

from collections.abc import Collection

from amont.common.errors import Conflict
from amont.common.identity import Action, Actor, authorize
from amont.common.work import Work
from amont.notifications.domain.people import Recipient


class NotKnownYet(Conflict):
    """Who asks is not, or not yet, among the people of the group here."""

    code = "not-known-yet"
    title = "Nobody by that name is known here yet"

    def __init__(self, person: str) -> None:
        super().__init__(f"{person!r} is not known here yet, so there are no messages to them. Try again in a minute.")


async def preferences(work: Work, actor: Actor) -> Recipient:
    """The actor's own. Raises NotAllowed."""
    authorize(actor, Action.SET_PREFERENCES, Recipient(id=actor.person).resource)
    return await work.get_or_new(Recipient, actor.person)


async def set_preferences(work: Work, actor: Actor, muted: Collection[str]) -> Recipient:
    """Want no more messages about these, and about all else again. Raises NotAllowed, NotKnownYet."""
    authorize(actor, Action.SET_PREFERENCES, Recipient(id=actor.person).resource)
    recipient = await work.peek(Recipient, actor.person)
    if recipient is None or recipient.has_left:
        raise NotKnownYet(actor.person)
    return work.save(recipient.mute(muted))
