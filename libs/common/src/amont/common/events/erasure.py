"""What each service answers once it has erased somebody: under the erasure's reference, how much of what it removed or made nameless. No id of anybody.

The order to do so is `enrolment.EmployeeErased`. Each service answers on a topic of its own, since only one service writes to a topic.
"""

from typing import ClassVar, Literal

from amont.common.events.envelope import Event
from amont.common.events.values import Instant


class ErasureFact(Event):
    """`cleared`: nothing of the person can be found any more but their id, where it keeps older facts from coming back. `forgotten`: nor that."""

    subject_field: ClassVar[str] = "reference"

    reference: str
    stage: Literal["cleared", "forgotten"]
    at: Instant
    removed: dict[str, int]
    """How many documents of each kind were removed."""
    changed: dict[str, int]
    """How many documents of each kind, which others have a part in, no longer name the person."""


class ErasedFromMatching(ErasureFact):
    """Matching holds nothing of the person any more."""

    topic: ClassVar[str] = "matching-erasures"


class ErasedFromScheduling(ErasureFact):
    """Scheduling holds nothing of the person any more."""

    topic: ClassVar[str] = "scheduling-erasures"


class ErasedFromNotifications(ErasureFact):
    """Notifications holds nothing of the person any more."""

    topic: ClassVar[str] = "notifications-erasures"
