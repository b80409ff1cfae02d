"""The envelope: CloudEvents 1.0 in binary mode over Kafka (the Kafka protocol binding, section 3.2).

An event's class says its type, major version and topic; its fields are the record's value in JSON; everything about the occurrence (id, time,
cause, trace) travels in headers. Strict when we write (unknown fields and loose types are refused), tolerant when we read (unknown fields are
ignored), so that a newer writer never breaks an older reader.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amont.common.errors import Unreadable
from amont.common.events.values import in_utc, instant_text
from amont.common.events.wording import in_words

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
LONGEST_ATTRIBUTE = 1024
"""Characters of an attribute. Some are repeated in every event said because of this one, and an event has to fit into a record."""

Headers = tuple[tuple[str, bytes], ...]
_READ = (
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_subject",
    "ce_time",
    "ce_tenant",
    "ce_seq",
    "ce_causationid",
    "ce_correlationid",
)
"""What is read of a record's headers, beside `traceparent`; whatever else a sender or a tool of theirs adds is nobody's concern, bytes or text."""
_ALWAYS: Headers = (("ce_specversion", SPEC_VERSION.encode()), ("content-type", CONTENT_TYPE.encode()))


class Event(BaseModel):
    """A fact in the past tense. Subclasses give `topic` and, when the shape breaks, the next `version`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: ClassVar[str]
    version: ClassVar[int] = 1
    subject_field: ClassVar[str]
    """The field that names the aggregate: with `seq` it orders and identifies the event."""
    key_field: ClassVar[str | None] = None
    """The field whose value is the record's key; the subject when None."""

    guarded: ClassVar[bool] = True
    """Whether `seq` tells a redelivery; False for what others write, who may count as they like."""

    tombstone: ClassVar[bool] = False
    """Whether the record has no value: on a compacted topic nothing of its key is left then. No reader decodes it."""

    seq: int = Field(ge=0, lt=2**53)

    @classmethod
    @cache
    def type_name(cls) -> str:
        """The CloudEvents type, `amont.<topic>.<Class>.v<major>`."""
        return f"amont.{cls.topic}.{cls.__name__}.v{cls.version}"

    @property
    def subject(self) -> str:
        return str(getattr(self, self.subject_field))

    @property
    def key(self) -> str:
        return str(getattr(self, self.key_field)) if self.key_field else self.subject

    @property
    def owner(self) -> str | None:
        """The subsidiary the fact belongs to, when it belongs to exactly one."""
        return None

    def encode(self) -> bytes:
        """The record's value: compact JSON in UTF-8."""
        return self.__pydantic_serializer__.to_json(self)

    @classmethod
    def decode(cls, value: bytes) -> "Event":
        """Read a value tolerantly; raises Unreadable with every fault's place and never the value itself."""
        try:
            event: Event = cls.__pydantic_validator__.validate_json(value, extra="ignore")
        except ValidationError as error:
            raise Unreadable("invalid-payload", faults_of(error)) from None
        return event


def faults_of(error: ValidationError) -> str:
    """Every fault of a payload as `pointer: what`, without the values (they may be personal)."""
    return "; ".join(f"/{'/'.join(str(part) for part in fault['loc'])}: {in_words(fault)}" for fault in error.errors(include_input=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is said about an event beside its fields."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    tenant: str | None = None
    seq: int | None = None
    causation: str | None = None
    correlation: str | None = None
    traceparent: str | None = None

    @property
    def stream(self) -> str:
        """Where `seq` counts: the topic that the type names, and the aggregate."""
        return f"{self.type.split('.')[1]}/{self.subject}"

    def headers(self) -> Headers:
        """As Kafka headers, absent ones left out."""
        return header_pairs(
            {
                "ce_id": self.id,
                "ce_type": self.type,
                "ce_source": self.source,
                "ce_subject": self.subject,
                "ce_time": instant_text(self.time),
                "ce_tenant": self.tenant,
                "ce_seq": None if self.seq is None else str(self.seq),
                "ce_causationid": self.causation,
                "ce_correlationid": self.correlation,
                "traceparent": self.traceparent,
            },
        )

    @classmethod
    def parse(cls, headers: Iterable[tuple[str, bytes | None]], *, key: str) -> "Envelope":
        """Read the headers of any CloudEvents producer. Header names are compared without case; those that are not read may hold anything.

        Raises Unreadable when the required attributes (id, source, type, specversion 1.x) are missing or broken, when one is longer than
        `LONGEST_ATTRIBUTE`, or when `seq` or `time` cannot be read. `subject` falls back to the key, `time` to the Unix epoch,
        and a `traceparent` that cannot be one to none (W3C Trace Context, section 3.3.2).
        """
        given = {name.lower(): value for name, value in headers if value is not None}
        known = {name: _text(name, given[name]) for name in _READ if name in given}
        missing = [name for name in ("ce_specversion", "ce_id", "ce_type", "ce_source") if not known.get(name)]
        if missing:
            raise Unreadable("missing-headers", f"CloudEvents headers missing: {', '.join(missing)}. Send CloudEvents 1.0 in binary mode.")
        if not known["ce_specversion"].startswith("1."):
            raise Unreadable("unknown-specversion", f"ce_specversion is {known['ce_specversion'][:20]!r}, 1.0 is spoken here.")
        return cls(
            id=known["ce_id"],
            type=known["ce_type"],
            source=known["ce_source"],
            subject=known.get("ce_subject") or key,
            time=_time(known.get("ce_time")),
            tenant=known.get("ce_tenant"),
            seq=_sequence(known.get("ce_seq")),
            causation=known.get("ce_causationid"),
            correlation=known.get("ce_correlationid"),
            traceparent=_traceparent(given.get("traceparent")),
        )


def header_pairs(values: Mapping[str, str | None]) -> Headers:
    """Header values as the wire wants them, with what every event of ours has; absent ones left out."""
    return (*_ALWAYS, *[(name, value.encode()) for name, value in values.items() if value is not None])


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("broken-headers", f"{name} is not UTF-8.") from None
    if len(text) > LONGEST_ATTRIBUTE:
        raise Unreadable("broken-headers", f"{name} has {len(text):,} characters; {LONGEST_ATTRIBUTE:,} is the most.")
    return text


def _traceparent(value: bytes | None) -> str | None:
    """The trace is a convenience: without one that can be read there is none."""
    return value.decode() if value and len(value) <= LONGEST_ATTRIBUTE and value.isascii() else None


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.fromtimestamp(0, UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable("broken-headers", f"ce_time is not an RFC 3339 instant: {text[:40]!r}.") from None
    if at.tzinfo is None:
        raise Unreadable("broken-headers", "ce_time has no offset; send RFC 3339 with Z or an offset.")
    try:
        return in_utc(at)
    except ValueError as error:
        raise Unreadable("broken-headers", f"ce_time is {error}: {text[:40]!r}.") from None


def _sequence(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # 18 digits fit in 64 bits
        raise Unreadable("broken-headers", f"ce_seq is not a whole number: {text[:40]!r}.")
    return int(text)
