"""Letting go of what was kept for a time, by the document's own due date: what the services have in common. How long is said in `kept`.

Nothing is told to anybody when the time is over. Each service knows itself when what it holds began to be history, no topic keeps an event nearly as long,
and what began before that begins nothing any more (`is_history`). So no order, no repetition and no replay of events can bring anything back.
"""

from datetime import timedelta
from functools import partial

from amont.common import metrics
from amont.common.aggregate import Aggregate
from amont.common.kept import HISTORY_KEPT
from amont.common.work import Work

SOON = timedelta(seconds=1)


def let_go(work: Work, aggregate: Aggregate, what: str) -> None:
    """Remove what its time is over of, and count it; look again in a second while the log lacks something that it has said."""
    if not work.all_said(aggregate):
        work.put_off(aggregate, work.now + SOON)
        return
    work.remove(aggregate, heard=True)
    count(work, what)


def count(work: Work, what: str) -> None:
    """Count, once this step is written, that something was let go of."""
    work.afterwards(partial(_counted, what))


def is_history(work: Work) -> bool:
    """Whether the event being handled is older than anything that is kept: what it would begin has ended, and was let go of."""
    return work.cause is not None and work.cause.time + HISTORY_KEPT <= work.now


async def _counted(what: str) -> None:
    metrics.RETENTION.labels(what).inc()
