"""An aggregate as a work knows it: its document in the store, and what the shell keeps there beside it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from amont.common.aggregate import Aggregate
from amont.common.documents import Document
from amont.common.documents.collection import Collection
from amont.common.errors import UnreadableDocument
from amont.common.events.envelope import header_pairs
from amont.common.events.topics import TOPICS
from amont.common.events.values import instant_text
from amont.common.log import Record

Key = tuple[str, str]
"""A collection's name and an id."""
COMPACTED = frozenset(name for name, topic in TOPICS.items() if topic.compacted)
"""Where the last record of a key is all that is left in the end."""
SAID_AGAIN_WITHIN = timedelta(seconds=40)
"""When the sweeps of others look at a document that its writer will say again (`service.holding`): a little later than the writer."""

OUTBOX = ("_out", "_out_at")
"""Where a document keeps what it has to say."""


@dataclass(slots=True)
class Entry:
    """An aggregate as this work knows it, and what the shell keeps beside it."""

    collection: Collection[Any]
    aggregate: Aggregate
    version: int | None
    """The version in the store; None when it is not there yet."""
    seen: Mapping[str, int] = field(default_factory=dict)
    out: tuple[Mapping[str, Any], ...] = ()
    dirty: bool = False
    removed: bool = False
    """Whether the document is to be deleted."""
    trace: str | None = None
    """The traceparent of what set the aggregate's due date."""
    carried: int = 0
    """How many of `out` were in the store's outbox already: somebody else may be saying them."""
    known_at: float | None = None
    """When, at the latest, the version was the document's: seconds of the loop."""
    ended: asyncio.Event | None = None
    """Set once this process says it no more (`service.saying`)."""
    raw: Document | None = None
    """The document as it was found, as long as nothing is decided on it: a newer release may keep there what this one knows nothing of."""
    floor: int = 0
    """The version that a document which is not there yet counts on from."""

    @property
    def compacted(self) -> bool:
        """Whether anything that is to be said goes to a compacted topic."""
        return any(one["topic"] in COMPACTED for one in self.out)

    @property
    def key(self) -> Key:
        return (self.collection.name, self.aggregate.id)

    @property
    def next_version(self) -> int:
        return (self.floor if self.version is None else self.version) + 1

    @classmethod
    def of(cls, collection: Collection[Any], document: Document) -> "Entry":
        """Raises UnreadableDocument."""
        seen, out = document.get("_seen") or {}, tuple(document.get("_out") or ())
        trace = document.get("_trace")
        try:
            aggregate = collection.load(document)
        except ValueError as error:
            raise UnreadableDocument(collection.name, document["_id"]) from error
        return cls(collection, aggregate, document["v"], seen, out, trace=trace, carried=len(out), raw=document)

    @classmethod
    def unread(cls, collection: Collection[Any], document: Document) -> "Entry":
        """An entry that knows of the aggregate nothing but its id: for who says what is pending and decides nothing."""
        seen, out = document.get("_seen") or {}, tuple(document.get("_out") or ())
        return cls(collection, Aggregate(id=document["_id"]), document["v"], seen, out, carried=len(out), raw=document)

    def document(self, now: str) -> dict[str, Any]:
        """The whole document as it is to be written: the next version."""
        document = self.collection.dump(self.aggregate) if self.raw is None else _without_outbox(self.raw)
        document["v"] = self.next_version
        if self.seen:
            document["_seen"] = dict(self.seen)
        if self.out:
            document["_out"] = list(self.out)
            again = self.carried and self.compacted
            document["_out_at"] = instant_text(datetime.fromisoformat(now) + SAID_AGAIN_WITHIN) if again else now
        if self.trace and self.aggregate.due_at is not None:
            document["_trace"] = self.trace
        return document

    def records(self, source: str) -> list[Record]:
        """The pending events as records for the log, in the order they were said."""
        return [pending_record(entry, source) for entry in self.out]


def _without_outbox(document: Document) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in OUTBOX}


def pending_record(entry: Mapping[str, Any], source: str) -> Record:
    """A record from an outbox entry."""
    headers = header_pairs(
        {
            "ce_id": entry["id"],
            "ce_type": entry["type"],
            "ce_source": f"/amont/{source}",
            "ce_subject": entry["subject"],
            "ce_time": entry["at"],
            "ce_tenant": entry.get("tenant"),
            "ce_seq": str(entry["seq"]),
            "ce_causationid": entry.get("cause"),
            "ce_correlationid": entry.get("corr"),
            "traceparent": entry.get("trace"),
        },
    )
    data = entry["data"]
    return Record(topic=entry["topic"], key=entry["key"], value=None if data is None else data.encode(), headers=headers)
