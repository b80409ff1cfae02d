"""One record, one event, one reaction: what the batches of the log and the replays of dead letters have in common.

What becomes of a refusal is the caller's business: the consumer parks, the replayer notes it in the letter.
"""

import asyncio
import hashlib
import traceback
from dataclasses import dataclass

import structlog
from opentelemetry.trace import SpanKind

from amont.common.errors import DomainError, Unacceptable, Unavailable, Unreadable, UnreadableDocument
from amont.common.events.envelope import Envelope, Event
from amont.common.events.topics import TOPICS, TYPES
from amont.common.log import Received
from amont.common.service.letters.letter import UNREADABLE_DOCUMENT
from amont.common.service.unreadable import unreadable
from amont.common.tracing import TRACING
from amont.common.work import Reaction, Reactions, Work

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A record that could be read."""

    envelope: Envelope
    event: Event


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not taken: a bounded reason, and a sentence that holds ids only."""

    reason: str
    detail: str


def read(record: Received, topic: str) -> Heard | None:
    """Decode a record; None for a tombstone and for a type of the topic that is known but not asked for. Raises Unreadable."""
    if record.value is None:
        return None
    try:
        key = record.key.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("broken-key", "The key is not UTF-8.") from None
    if "\0" in key:
        raise Unreadable("broken-key", "The key holds a NUL, which names nobody.")
    envelope = Envelope.parse(record.headers, key=key)
    kind = TYPES.get(envelope.type)
    if kind is None or kind.topic != topic:
        known = ", ".join(one.type_name() for one in TOPICS[topic].types)
        raise Unreadable("unknown-type", f"{envelope.type[:120]!r} is not a type of {topic}. Known here: {known}.")
    event = kind.decode(record.value)
    if event.key != key:
        raise Unreadable(
            "wrong-key",
            f"The key does not name what the event is about; {topic} is keyed by {kind.__name__}'s subject, here it would be {event.key!r}.",
        )
    if event.guarded and envelope.subject != event.subject:
        raise Unreadable("wrong-subject", "ce_subject does not name the event's own subject.")
    return Heard(envelope, event)


async def react(service: str, reactions: Reactions, work: Work, one: Heard) -> Refused | None:
    """Let the event's reaction decide; why it was refused, None when it was taken, now or before. Raises Unavailable.

    What is refused has left nothing in the work.
    """
    reaction = reactions[type(one.event)]
    handle = reaction.handle if isinstance(reaction, Reaction) else reaction
    name = f"{service} hears {type(one.event).__name__}"
    step = None
    try:
        with (
            TRACING.span(name, one.envelope.traceparent, kind=SpanKind.CONSUMER, event=one.envelope.id, subject=one.envelope.subject),
            work.step(one.envelope, seq=one.event.seq if one.event.guarded else 0) as step,
        ):
            await handle(one.event, work)
    except (Unavailable, asyncio.CancelledError):
        raise
    except UnreadableDocument as error:
        return unread(service, error)
    except DomainError as error:
        if step is not None and work.applied_before(step):
            work.ignored += 1
            return None
        return Refused(error.code, str(error))
    except Exception as error:
        _logger.exception("reaction_failed", service=service, type=one.envelope.type, id=one.envelope.id)
        return Refused("defect", _trace_hash(error))
    return None


def not_taken(service: str, error: Exception) -> Refused:
    """Why an event is not taken about which the store, or what it holds, says no for good; anything else is a defect of ours."""
    if isinstance(error, UnreadableDocument):
        return unread(service, error)
    if isinstance(error, (Unacceptable, ValueError)):
        return Refused("refused-by-the-store", type(error).__name__)
    _logger.error("batch_of_one_failed", service=service, exc_info=error)
    return Refused("defect", _trace_hash(error))


def unread(service: str, error: UnreadableDocument) -> Refused:
    """Why an event is not taken for which a document must be read that cannot be."""
    unreadable(service, error.collection, error.id, error)
    return Refused(UNREADABLE_DOCUMENT, str(error))


def _trace_hash(error: Exception) -> str:
    """Which defect it was, without what it was about: the type and a hash of where it was raised."""
    frames = "".join(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__))
    return f"{type(error).__name__} at {hashlib.sha256(frames.encode()).hexdigest()[:16]}"
