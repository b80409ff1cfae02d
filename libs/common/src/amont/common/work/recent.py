"""What a process wrote last, so that it need not read it again."""

from collections import OrderedDict
from collections.abc import Sequence

from amont.common.work.entry import Entry, Key


class Recent:
    """The aggregates that this process wrote last. Optimistic: a stale one fails its compare-and-set and is read again.

    Shared by the batches of one topic that are handled side by side; of one aggregate the newest version stays.
    """

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._entries: OrderedDict[Key, Entry] = OrderedDict()

    def get(self, key: Key) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, entry: Entry) -> None:
        key = entry.key
        known = self._entries.get(key)
        if known is None or (known.version or 0) <= (entry.version or 0):
            self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def forget(self, keys: Sequence[Key] | frozenset[Key]) -> None:
        for key in keys:
            self._entries.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()
