"""What notifications tells: what became of each delivery. Ids only, no address and no text."""

from typing import ClassVar

from amont.common.events.envelope import Event
from amont.common.events.values import DeliveryStatus, Instant, PersonId, tenant_of


class DeliveryFact(Event):
    """One message to one person by one channel."""

    topic: ClassVar[str] = "notifications-deliveries"
    subject_field: ClassVar[str] = "delivery"
    key_field: ClassVar[str | None] = "person"

    delivery: str
    person: PersonId
    channel: str
    kind: str
    about: str
    """The event that the message is about."""
    status: DeliveryStatus
    at: Instant

    @property
    def owner(self) -> str:
        return tenant_of(self.person)


class NotificationSent(DeliveryFact):
    """The channel took the message."""


class NotificationFailed(DeliveryFact):
    """The channel refused the message for good."""

    reason: str
