"""The event-log port: append records, read them by group in order, commit positions after the effect. `kafka` and `sqlite` implement it.

Delivery is at least once. A reader hands over batches; when the handler returns, the positions behind the batch are committed; when it raises,
nothing is committed and the same records come again. Order holds within a key. Adapters raise `Unavailable` when the log does not answer and
nothing of their client ever leaves them. One contract suite holds them to it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from amont.common.events.envelope import Event

RawHeaders = tuple[tuple[str, bytes | None], ...]
"""As on the wire, where a header may have no value and any bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is written: bytes, as they are on the wire. `value` None is a tombstone."""

    topic: str
    key: str
    value: bytes | None
    headers: RawHeaders = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What is read. Keys and headers of other people's clients may be anything."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: RawHeaders = ()


BATCH_BYTES = 262_144
"""What a reader is handed of a partition at once, or one larger record."""

Handler = Callable[[Sequence[Received]], Awaitable[None]]


class Reader(Protocol):
    """One subscription of one group in this process."""

    async def start(self) -> None:
        """Begin to hand over batches, from the group's last committed position or the beginning of the log."""
        ...

    async def stop(self) -> None:
        """Stop fetching, let the batch in hand finish and commit, leave the group."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it still reads; False once its loop has died."""
        ...

    async def trouble(self) -> str | None:
        """Why only a new process can make it read again; None while it reads, rests, or the log is away. Cheap enough to ask every few seconds."""
        ...


class Log(Protocol):
    """The event log."""

    async def open(self) -> None:
        """Connect. Raises Unavailable."""
        ...

    async def close(self) -> None: ...

    async def ping(self) -> None:
        """Raise Unavailable unless the log answers now."""
        ...

    async def append(self, records: Sequence[Record]) -> None:
        """Return once every record is on the log for good (all in-sync replicas). Raises Unavailable: any part may be there.

        It takes 15 s at most, and what it was given comes within 10 s of its end or never. When its caller is cancelled, within 25 s of the call or
        never. Records that are not said again in time would bury newer ones (`service.holding`).
        """
        ...

    def reader(self, group: str, topic: str, handler: Handler, *, types: Sequence[type[Event]] = ()) -> Reader:
        """A reader of one topic; `types` is what it understands, for the AsyncAPI document."""
        ...


def log_from(url: str, *, client_id: str, options: Any = None) -> Log:
    """The log a URL names: `kafka://host:port,…` or `sqlite:///DIR`. Raises ValueError that says what is accepted."""
    scheme, _, rest = url.partition("://")
    if scheme == "kafka" and rest:
        from amont.common.log.kafka import KafkaLog  # noqa: PLC0415 - an embedded run must not need a client

        return KafkaLog(rest, client_id=client_id, options=options)
    if scheme == "sqlite" and rest:
        from amont.common.log.sqlite import SqliteLog  # noqa: PLC0415

        return SqliteLog.in_folder(rest)
    raise ValueError(f"AMONT_LOG_URL begins with {scheme[:20]!r}; write kafka://host:port or sqlite:///folder")
