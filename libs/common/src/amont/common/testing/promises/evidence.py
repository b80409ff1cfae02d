"""What is left of a run when all is quiet, as plain data: a promise is judged by nothing else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from amont.common.documents import Document
from amont.common.log import Received

Documents = Mapping[str, Mapping[str, Sequence[Document]]]
"""By service and collection."""


class Place(NamedTuple):
    """Where a record is on the log, and so which one it is."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic} {self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that nobody could take, and must be found as a dead letter: `everywhere` it is on the log, unless the fault was mended meanwhile."""

    key: bytes
    value: bytes | None
    reason: str
    everywhere: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is left of a run when all is quiet."""

    documents: Documents
    """Everything in the stores."""
    log: Mapping[str, Sequence[Received]]
    """Every record by topic; in order within a partition."""
    mails: Mapping[str, int] = field(default_factory=dict)
    """How often the mail server took each Message-ID."""
    addressed: Mapping[str, Collection[str]] = field(default_factory=dict)
    """The addresses that each Message-ID was for."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """The Message-IDs that the mail server refused for good, and its code."""
    crashes: Mapping[str, int] = field(default_factory=dict)
    """How often a process of each service was cut off: killed, or unable to do what it had begun."""
    cut_off: Mapping[str, int] = field(default_factory=dict)
    """How often each Message-ID was taken from somebody who was cut off before noting it: so often may it have come again."""
    replayed: Documents | None = None
    """What `replay` makes of the log; None when it was not asked."""
    poison: Mapping[str, Collection[Poison]] = field(default_factory=dict)
    """The dead letters there must be, by service; where a service is not named, none."""
    heard_again: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By service, the writes that let an older event of a stream take effect behind a newer one; nothing where the store does not look."""
    may_be_parked: Mapping[str, Mapping[Place, int]] | None = None
    """By service, how often each record may be on its dead-letter topic: as often as it was handed over, and as telling it got no answer. None when
    nobody has counted."""
    ended_at: datetime | None = None
    """When all was quiet, by the house's clock."""
