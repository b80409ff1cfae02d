"""A dead letter as a document: the record as it came, why it was not taken, and everything that has happened to it since. Pure.

What a record is parked *for* is the consumer's business, how letters reach topic and store is `parking`'s, what people do with them is in `commands`,
and how one is taken up again in `replaying`.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.documents import Index
from amont.common.documents.collection import Collection
from amont.common.errors import Conflict
from amont.common.events.values import Instant, instant_text, tenant_of
from amont.common.log import RawHeaders, Received
from amont.common.tracing import trace_id_in

BLOCKED_BY = "blocked-by"
"""The reason of a record that has no fault of its own: one before it, under the same key, waits to be resolved."""
TAKEN_BACK = "taken-back"
"""The reason of one that waited behind another and was taken back: it stays, and what follows it, until somebody asks for it."""
UNREADABLE_DOCUMENT = "unreadable-document"
"""The reason of one for which a document must be read that this release cannot load: another process may, so it is tried again by itself."""
LARGEST_VALUE = 1_500_000
"""What is kept of a record's value, in bytes: more than any broker takes by default."""
RETENTION = timedelta(days=30)
"""How long a letter is kept after the last thing that happened to it."""
MOST_NOTES = 50
"""How many notes a letter keeps; the shell's own go first."""
SHELL = "amont"
"""Who did it when it was nobody."""


class Status(StrEnum):
    """Where a letter stands."""

    OPEN = "open"
    REPLAYING = "replaying"
    REPLAYED = "replayed"
    DROPPED = "dropped"


UNRESOLVED = (Status.OPEN, Status.REPLAYING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing that happened to a letter. `fields` are the names of what an edit changed."""

    at: Instant
    who: str
    what: str
    why: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A record's value and headers, each as base64, since they may be any bytes."""

    value: str | None
    headers: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def of(cls, value: bytes | None, headers: RawHeaders) -> "Content":
        return cls(value=_text(value), headers=tuple((name, _text(one)) for name, one in headers))

    @property
    def size(self) -> int:
        return sum(len(one) for pair in (("", self.value), *self.headers) for one in pair if one)

    @property
    def raw_value(self) -> bytes | None:
        return _bytes(self.value)

    @property
    def raw_headers(self) -> RawHeaders:
        return tuple((name, _bytes(one)) for name, one in self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter(Aggregate):
    """See the module. `due_at` is when it is forgotten, or given up when nobody has resolved it."""

    topic: str
    partition: int
    offset: int
    key: str
    """The record's key as text, for people and for queries."""
    key_bytes: str
    content: Content
    original: Content | None = None
    """The record as it came, once it has been edited."""
    truncated_from: int | None = None
    """How many bytes the value had, when it is not kept whole."""
    ordered: bool
    """Whether what follows under the same key waits for this one."""
    tenant: str | None = None
    """The subsidiary that the record says, or its key, for people and for queries; whose people it may name is `home`."""
    type: str | None = None
    event_id: str | None = None
    reason: str
    detail: str
    blocked_by: str | None = None
    """The first unresolved letter of the key when this one was parked behind it."""
    status: Status = Status.OPEN
    parked_at: Instant
    attempts: int = 1
    history: tuple[Note, ...] = ()

    @classmethod
    def of(cls, record: Received, *, reason: str, detail: str, blocked_by: str | None, ordered: bool, now: datetime) -> "DeadLetter":
        """The letter of a record that was not taken."""
        value, truncated_from = kept_of(record.value)
        said = said_in(record.headers)
        key = text_of(record.key)
        return cls(
            id=letter_id(record),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=key,
            key_bytes=_text(record.key) or "",
            content=Content.of(value, record.headers),
            truncated_from=truncated_from,
            ordered=ordered,
            tenant=_tenant_in(said, key),
            type=said.get("ce_type"),
            event_id=said.get("ce_id"),
            reason=reason,
            detail=detail[:2000],
            blocked_by=blocked_by,
            parked_at=now,
            due_at=now + RETENTION,
            history=(Note(at=now, who=SHELL, what="parked", why=reason),),
        )

    @property
    def outline(self) -> "DeadLetter":
        """The letter without what it says, for lists of any length: of the headers, the trace alone is kept."""
        trace = (("traceparent", self.traceparent.encode()),) if self.traceparent else ()
        return replace(self, content=Content.of(None, trace), original=None)

    @property
    def size(self) -> int:
        """How many characters what it says has in its document, about."""
        return self.content.size + (self.original.size if self.original else 0)

    @property
    def record(self) -> Received:
        """The record, as it is to be taken."""
        return Received(
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            key=_bytes(self.key_bytes) or b"",
            value=self.content.raw_value,
            headers=self.content.raw_headers,
        )

    @property
    def unresolved(self) -> bool:
        return self.status in UNRESOLVED

    @property
    def waits(self) -> bool:
        """Whether it is only here because of another one before it."""
        return self.status is Status.OPEN and self.reason == BLOCKED_BY

    @property
    def unread(self) -> bool:
        """Whether it is here because of a document that could not be read."""
        return self.status is Status.OPEN and self.reason == UNREADABLE_DOCUMENT

    @property
    def trace_id(self) -> str | None:
        """The trace that the record belongs to, whatever it was parked for; None when it came without one."""
        return trace_id_in(self.traceparent)

    @property
    def traceparent(self) -> str | None:
        return said_in((self.original or self.content).raw_headers).get("traceparent")

    @property
    def home(self) -> str | None:
        """The subsidiary as it came. Plain ids are those of its people: no edit makes a letter one of somebody else's."""
        return self.tenant if self.original is None else _tenant_in(said_in(self.original.raw_headers), self.key)

    @property
    def lane(self) -> str:
        """What it is in order with."""
        return lane_of(self.topic, self.key)

    @property
    def order(self) -> str:
        """Sorts letters by when they were parked, and those parked together as their records came."""
        return f"{instant_text(self.parked_at)} {self.topic} {self.partition:05d} {self.offset:019d}"

    def ask_replay(self, who: str, why: str | None, now: datetime) -> Decision["DeadLetter"]:
        """Have it taken up again; one that is or was is left as it is. Raises Conflict."""
        if self.status in (Status.REPLAYING, Status.REPLAYED):
            return Decision(self)
        if self.status is Status.DROPPED:
            raise Conflict(f"Dead letter {self.id} has been dropped; what was dropped is not replayed.")
        if self.truncated_from is not None:
            raise Conflict(
                f"Of dead letter {self.id} only a part is kept ({self.truncated_from:,} bytes came): drop it, and have it sent anew."
            )
        waits = {"reason": BLOCKED_BY, "detail": waits_behind(self.blocked_by)} if self.reason == TAKEN_BACK and self.blocked_by else {}
        return self._noted(Note(at=now, who=who, what="replay asked for", why=why), status=Status.REPLAYING, **waits)

    def take_back(self, who: str, why: str | None, now: datetime) -> Decision["DeadLetter"]:
        """Have it replayed no more, by itself neither; an open one that waits for nothing is left as it is. Raises Conflict."""
        if self.status is Status.OPEN and not self.waits:
            return Decision(self)
        if not self.unresolved:
            raise Conflict(f"Dead letter {self.id} has been {self.status.value} already: there is nothing to take back.")
        stays = (
            {"reason": TAKEN_BACK, "detail": "It waited behind another, and stays until it is asked for."}
            if self.reason == BLOCKED_BY
            else {}
        )
        return self._noted(Note(at=now, who=who, what="taken back", why=why), status=Status.OPEN, **stays)

    def must_be_open(self, what: str) -> None:
        """Raises Conflict, with what to do, when it is not; `what` is what was to be done with it, as in `edited`."""
        if self.status is Status.REPLAYING:
            raise Conflict(f"Dead letter {self.id} is to be replayed: take it back first (amont dlq take-back), then it can be {what}.")
        if self.status is not Status.OPEN:
            raise Conflict(f"Dead letter {self.id} has been {self.status.value}: it is settled, and cannot be {what} any more.")

    def applied(self, now: datetime, why: str | None = None) -> Decision["DeadLetter"]:
        """It has taken effect."""
        return self._noted(Note(at=now, who=SHELL, what="replayed", why=why), status=Status.REPLAYED)

    def refuse(self, reason: str, detail: str, now: datetime) -> Decision["DeadLetter"]:
        """It was tried and not taken again."""
        note = Note(at=now, who=SHELL, what="refused again", why=reason)
        return self._noted(note, status=Status.OPEN, reason=reason, detail=detail[:2000], attempts=self.attempts + 1, blocked_by=None)

    def put_back(self, behind: str, now: datetime) -> Decision["DeadLetter"]:
        """It was to be replayed, and one before it is in the way."""
        return self._noted(Note(at=now, who=SHELL, what="put back", why=f"{behind} comes before it"), status=Status.OPEN)

    def drop(self, who: str, why: str, now: datetime) -> Decision["DeadLetter"]:
        """Give it up; one that was given up is left as it is. Raises Conflict."""
        if self.status is Status.DROPPED:
            return Decision(self)
        self.must_be_open("dropped")
        return self._noted(Note(at=now, who=who, what="dropped", why=why), status=Status.DROPPED)

    def give_up(self, now: datetime) -> Decision["DeadLetter"]:
        """Nobody has resolved it in time: drop it, and keep nothing of what it said."""
        note = Note(at=now, who=SHELL, what="dropped", why=f"nobody resolved it within {RETENTION.days} days")
        return self._noted(note, status=Status.DROPPED, content=Content(value=None), original=None, tenant=self.home)

    def edit(self, content: Content, fields: tuple[str, ...], who: str, why: str, now: datetime) -> Decision["DeadLetter"]:
        """Say something else from now on; what came is kept beside it. Raises Conflict."""
        self.must_be_open("edited")
        note = Note(at=now, who=who, what="edited", why=why, fields=fields)
        said = said_in(content.raw_headers)
        return self._noted(
            note,
            content=content,
            original=self.original or self.content,
            tenant=_tenant_in(said, self.key),
            type=said.get("ce_type"),
            event_id=said.get("ce_id"),
            truncated_from=None,
        )

    def redacted(self, now: datetime) -> Decision["DeadLetter"]:
        """It named somebody who has been erased, and does no more; whoever has it replayed is to know."""
        return self._noted(Note(at=now, who=SHELL, what="redacted", why="it named somebody who has been erased"))

    def _noted(self, note: Note, **changes: Any) -> Decision["DeadLetter"]:
        notes = [*self.history, note]
        while len(notes) > MOST_NOTES:
            notes.pop(next((place for place, one in enumerate(notes[:-1]) if one.who == SHELL), 0))
        return self.becomes(history=tuple(notes), due_at=note.at + RETENTION, **changes)


def letter_id(record: Received) -> str:
    """Where the record stood and a fingerprint of it: the same record makes the same letter, and a topic that was made anew makes others."""
    seen = hashlib.sha256(repr((record.key, record.value, record.headers)).encode()).hexdigest()
    return f"{record.topic}.{record.partition}.{record.offset}.{seen[:8]}"


def waits_behind(id_: str) -> str:
    """Why a letter is here that has no fault of its own."""
    return f"It waits behind dead letter {id_} of the same key."


def lane_of(topic: str, key: str) -> str:
    """The records that are in order with each other."""
    return f"{topic} {key}"


def text_of(key: bytes) -> str:
    """A key for people; one that is not UTF-8 as far as it can be read, and without what ends a text in SQLite."""
    return key.decode("utf-8", "replace").replace("\0", "\ufffd")


def kept_of(value: bytes | None) -> tuple[bytes | None, int | None]:
    """What is kept of a value, and how many bytes it had when that is not all."""
    if value is None or len(value) <= LARGEST_VALUE:
        return value, None
    return value[:LARGEST_VALUE], len(value)


def said_in(headers: RawHeaders) -> dict[str, str]:
    """Headers as text, by their names in lower case, as far as they can be read."""
    return {name.lower(): value.decode("utf-8", "replace")[:200] for name, value in headers if value}


def _tenant_in(said: Mapping[str, str], key: str) -> str | None:
    return said.get("ce_tenant") or (tenant_of(key) if ":" in key else None)


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else b64decode(value)


def _keys_of(letter: DeadLetter) -> Mapping[str, Any]:
    keys: dict[str, Any] = {"order": letter.order}
    if letter.unresolved and letter.ordered:
        keys |= {"blocking": letter.topic, "lane": letter.lane}
    return keys


LETTERS = Collection(
    DeadLetter,
    "dead_letters",
    indexes=[
        Index(("blocking", "lane")),
        Index(("lane", "offset")),
        Index(("status", "order")),
        Index(("status", "reason", "blocked_by")),
        Index(("order",)),
    ],
    keys=_keys_of,
    due=True,
)
"""A room of every service's house."""
