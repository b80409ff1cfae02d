"""What a Kafka reader's watchdog has seen, and since when. What it looks at and how long is too long (all in seconds) its reader says."""

from aiokafka import TopicPartition

_Stood = dict[TopicPartition, tuple[int, float]]
"""Where each partition stands, and since when."""


class Watch:
    """See the module. Begun anew whenever what was seen says nothing any more: the broker was away, or partitions have moved."""

    def __init__(self) -> None:
        self._looked: float | None = None
        self._idle_since: float | None = None
        self._moves_since: float | None = None
        self._stood: _Stood = {}
        self._uncommitted: _Stood = {}

    def is_time(self, now: float, every: float) -> bool:
        if self._looked is not None and now - self._looked < every:
            return False
        self._looked = now
        return True

    def stands_still(self, now: float, waits: dict[TopicPartition, int], most: float) -> TopicPartition | None:
        """The first partition that has records to read and stood where it stands for too long."""
        self._idle_since = None
        self._stood = _stand(self._stood, now, waits)
        return _first(self._stood, now - most)

    def commits_nothing(self, now: float, uncommitted: dict[TopicPartition, int], most: float) -> TopicPartition | None:
        """The first partition whose position could not be committed for too long."""
        self._uncommitted = _stand(self._uncommitted, now, uncommitted)
        return _first(self._uncommitted, now - most)

    def moves(self, now: float, most: float) -> bool:
        """Whether partitions have been on the move for too long."""
        self._moves_since = self._moves_since or now
        return now - self._moves_since >= most

    def idle(self, now: float, most: float) -> bool:
        """Whether there has been nothing to read from for too long."""
        self._stood = {}
        self._idle_since = self._idle_since or now
        return now - self._idle_since >= most


def _stand(known: _Stood, now: float, positions: dict[TopicPartition, int]) -> _Stood:
    return {at: known[at] if at in known and known[at][0] == position else (position, now) for at, position in positions.items()}


def _first(stood: _Stood, by: float) -> TopicPartition | None:
    return next((at for at, (_, since) in stood.items() if since <= by), None)
