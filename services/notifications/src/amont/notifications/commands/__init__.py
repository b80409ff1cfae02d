"""What may be asked of notifications: look at deliveries, say what one wants no messages about, and, by the clock, deliver. `deliveries` has the verbs,
`letters` turns ids into a message, `erasing` forgets somebody, `exporting` gives them what is here of them.
"""

from collections.abc import Mapping

from amont.common.aggregate import Aggregate
from amont.common.erasing import Clearing
from amont.common.events import ErasedFromNotifications, ExportedFromNotifications
from amont.common.exporting import Answer
from amont.common.work import Handle
from amont.notifications.commands import deliveries
from amont.notifications.commands.deliveries import DUE, Post, deliver, list_deliveries, read_delivery
from amont.notifications.commands.erasing import wake_clearing
from amont.notifications.commands.exporting import wake_answer
from amont.notifications.commands.letters import Letterhead
from amont.notifications.commands.preferences import NotKnownYet, preferences, set_preferences

__all__ = [
    "DUE",
    "JOBS",
    "PUBLISHES",
    "Letterhead",
    "NotKnownYet",
    "Post",
    "deliver",
    "list_deliveries",
    "preferences",
    "read_delivery",
    "set_preferences",
]

PUBLISHES = (*deliveries.PUBLISHES, ErasedFromNotifications, ExportedFromNotifications)
JOBS: Mapping[type[Aggregate], Handle] = {Clearing: wake_clearing, Answer: wake_answer}
"""What looks through the whole store: nothing else waits for it."""
