"""Which mails may come again, as far as it can be known from outside: from when the mail server took them, when processes were cut off, and when the
log says that the outcome was noted.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from amont.common.events import NotificationSent
from amont.common.log import Received

ON_ITS_WAY_SECONDS = 1.0
"""How long after its sender was killed a mail may still reach the mail server."""

Span = tuple[float, float]
"""Seconds since 1970, from and to."""


def noted_at(deliveries: Sequence[Received]) -> dict[str, float]:
    """When each delivery was noted as sent, by its id, from the records of `notifications-deliveries`."""
    found: dict[str, float] = {}
    for record in deliveries:
        headers = dict(record.headers)
        if headers["ce_type"] == NotificationSent.type_name().encode():
            at = datetime.fromisoformat((headers["ce_time"] or b"").decode()).timestamp()
            found.setdefault(json.loads(record.value or b"{}")["delivery"], at)
    return found


def cut_off(taken: Mapping[str, Sequence[float]], noted: Mapping[str, float], cuts: Sequence[Span]) -> dict[str, int]:
    """How often each Message-ID was cut off: taken, then a cut, before it was noted and before it was taken again."""
    found = {}
    for message_id, times in taken.items():
        until = noted.get(message_id.strip("<>").partition("@")[0], float("inf"))
        found[message_id] = sum(
            any(end >= first - ON_ITS_WAY_SECONDS and begin <= min(again, until) for begin, end in cuts) for first, again in pairwise(times)
        )
    return {message_id: count for message_id, count in found.items() if count}
