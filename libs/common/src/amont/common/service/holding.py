"""Which documents must be said again before their outboxes may be cleared, so that the newest state of each comes last on a compacted topic.

Several processes write one document, and each says what it has written; between write and log any of them may be slow. Three rules keep an older
state from staying last, without asking the store for anything that it was not asked for before:

- only who has written a version says it, and only within `SAY_WITHIN_SECONDS` of having known that it is the document's; who comes later leaves it to
  the sweep, which writes a document again before it says it;
- who writes over an outbox that is not empty may meet somebody who is still saying it. So it says everything at once, keeps the outbox, says it again
  when nothing older can come any more (`SETTLED_SECONDS`), and clears it then;
- the same after a call to the log that failed, because what was sent may still come.

Times are differences on this process's own clock: nobody's clock has to agree with anybody's. `docs/decisions/0013` has the interleavings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from amont.common.work import COMPACTED, Entry, Key

SAY_WITHIN_SECONDS = 5.0
"""How long after a version was known to be the document's it may be given to the log."""
APPEND_SECONDS = 15.0
"""How long the log may take for one call, however it ends (the adapters hold to it)."""
LANDS_WITHIN_SECONDS = 10.0
"""How long after a call has ended, or its process has, what was sent may still come onto the log."""
SETTLED_SECONDS = SAY_WITHIN_SECONDS + APPEND_SECONDS + LANDS_WITHIN_SECONDS
"""After so long, nothing of a version that was written over comes any more."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A version of ours whose outbox stays until `until` (seconds of the loop) and is said again then; and at once unless it is `said`."""

    version: int
    until: float
    said: bool = False


class Holding:
    """What this process holds: some of its own documents whose outboxes are not empty."""

    def __init__(self) -> None:
        self._held: dict[Key, Hold] = {}

    def version(self, key: Key) -> int | None:
        """Which version of a document is held; None when none is."""
        held = self._held.get(key)
        return None if held is None else held.version

    def due(self, now: float) -> list[tuple[Key, bool]]:
        """What is to be said now, and whether it was said before: what could not be said yet, and what can be said for the last time."""
        return [(key, held.said) for key, held in self._held.items() if not held.said or held.until <= now]

    def forget(self, key: Key) -> None:
        """Somebody has written over it, and has to see to it."""
        self._held.pop(key, None)

    def shorten(self, entry: Entry) -> None:
        """Drop from what an entry carries on what is on the log and nobody needs again: all but the last of each compacted topic."""
        held = self._held.get(entry.key)
        if held is not None and held.said and held.version == entry.version:
            last: Mapping[str, int] = {one["topic"]: number for number, one in enumerate(entry.out[: entry.carried])}
            kept = [entry.out[number] for topic, number in last.items() if topic in COMPACTED]
            entry.out, entry.carried = (*kept, *entry.out[entry.carried :]), len(kept)

    def begins(self, entry: Entry) -> None:
        """An entry is being given to the log: until that has ended, nobody knows that it was said."""
        held = self._held.get(entry.key)
        if held is not None and held.version == entry.version:
            self._held[entry.key] = replace(held, said=False)

    def failed(self, entry: Entry, called: float, now: float) -> None:
        """A call made at `called` has failed: what was sent may still come."""
        if entry.compacted and (self.version(entry.key) or 0) <= (entry.version or 0):
            until = max(self._until(entry, called), now + LANDS_WITHIN_SECONDS)
            self._held[entry.key] = Hold(entry.version or 0, until)

    def settles(self, entry: Entry, called: float) -> bool:
        """The log has taken what a call made at `called` gave it: whether the outbox may be cleared."""
        if (self.version(entry.key) or 0) > (entry.version or 0):
            return False
        until = self._until(entry, called)
        if until <= called:
            self._held.pop(entry.key, None)
            return True
        self._held[entry.key] = Hold(entry.version or 0, until, said=True)
        return False

    def _until(self, entry: Entry, called: float) -> float:
        """Until when an older state may come. Who writes over what it has said itself waits for no more than it waited for before."""
        held = self._held.get(entry.key)
        if held is not None and (held.version == entry.version or (held.said and held.version + 1 == entry.version)):
            return held.until
        return called + SETTLED_SECONDS if entry.carried and entry.compacted else called
