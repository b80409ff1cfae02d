"""What may be asked of notifications: look at deliveries, and, by the clock, deliver. `deliveries` has the verbs, `letters` turns ids into a message."""

from amont.notifications.commands.deliveries import DUE, PUBLISHES, Post, deliver, list_deliveries, read_delivery
from amont.notifications.commands.letters import Letterhead

__all__ = ["DUE", "PUBLISHES", "Letterhead", "Post", "deliver", "list_deliveries", "read_delivery"]
