"""Erasing somebody: the request, what has come of it so far, and what is kept so that they are not brought back.

An `Erasure` is a document of its own under a random reference. While it is under way it names the person; once it is done it holds what its certificate
says and nothing else. An `Erased` stands where the person's record would: it knows them by a digest of their id, refuses what the HR system goes on
sending of them, and keeps counting where their record ended.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict
from amont.common.events.erasure import ErasedFromMatching, ErasedFromNotifications, ErasedFromScheduling, ErasureFact
from amont.common.events.values import Instant
from amont.common.identity import Resource
from amont.common.kept import DECISIONS_KEPT

SOON = timedelta(seconds=1)
LOOK_AGAIN = timedelta(hours=1)
LATE_AFTER = timedelta(days=1)
"""How long the services may take before somebody is told."""
FORGOTTEN_AFTER = timedelta(days=8)
"""When the id goes, too: a day after the last topic has let go of what it held when the person was erased."""
WRITTEN_AGAIN = 1000
"""More than a document is written again, unchanged, by those who say what it has to say, before it is removed."""
OWN = "enrolment"
SERVICES: Mapping[type[ErasureFact], str] = MappingProxyType(
    {ErasedFromMatching: "matching", ErasedFromScheduling: "scheduling", ErasedFromNotifications: "notifications"}
)
"""Who answers, and how each is called in a certificate."""


class StillErasing(Conflict):
    """Whoever is being erased cannot come back before it is done."""

    code = "still-erasing"
    title = "The erasure is not done yet"

    def __init__(self, reference: str) -> None:
        super().__init__(f"Erasure {reference} is not done yet. Its certificate says when; then ask again.")


class Stage(StrEnum):
    """How far an erasure is.

    `requested`: our own records are being looked through. `ordered`: the others have been told. `cleared`: nobody holds anything but the bare id, where it
    keeps older facts out. `forgotten`: nor that.
    """

    REQUESTED = "requested"
    ORDERED = "ordered"
    CLEARED = "cleared"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one service has erased: when it had nothing left but ids, when not even those, and how many documents of each kind."""

    cleared_at: Instant | None = None
    forgotten_at: Instant | None = None
    removed: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure(Aggregate):
    """See the module. `names` is what takes the place of the person's ids here; it, `person` and `reason` are there until it is done."""

    person: str | None
    tenant: str
    reason: str | None
    requested_by: str | None
    requested_at: Instant
    stage: Stage = Stage.REQUESTED
    names: Mapping[str, str] = field(default_factory=dict)
    enrolments: tuple[str, ...] = ()
    ordered_at: Instant | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    done_at: Instant | None = None

    @property
    def resource(self) -> Resource:
        return Resource("erasure", self.id, frozenset({self.tenant}))

    @property
    def certificate(self) -> dict[str, Any]:
        """How far it is, and in the end what was erased, where and when. It names nobody."""
        services = {name: asdict(part) for name, part in sorted(self.parts.items())}
        return {
            "reference": self.id,
            "tenant": self.tenant,
            "stage": self.stage,
            "requested_at": self.requested_at,
            "ordered_at": self.ordered_at,
            "done_at": self.done_at,
            "final_from": self.final_from,
            "awaits": list(self.awaits),
            "services": services,
        }

    def named(self, names: Mapping[str, str], enrolments: tuple[str, ...], now: datetime) -> Decision["Erasure"]:
        """It is known what the person's ids are, and what will stand in their place."""
        return self.becomes(names=dict(names), enrolments=enrolments, due_at=now + SOON)

    def counted(self, removed: Mapping[str, int], changed: Mapping[str, int], now: datetime) -> Decision["Erasure"]:
        """A look has changed something: look again."""
        own = self.parts.get(OWN, Part())
        more = replace(own, removed=_sum(own.removed, removed), changed=_sum(own.changed, changed))
        return self.becomes(parts={**self.parts, OWN: more}, due_at=now + SOON)

    def order(self, now: datetime, removed: Mapping[str, int]) -> Decision["Erasure"]:
        """The others are told, and of the person's own record here nothing is left but that it counts on."""
        before = self.parts.get(OWN, Part())
        own = replace(before, cleared_at=now, removed=_sum(before.removed, removed))
        return self.becomes(stage=Stage.ORDERED, ordered_at=now, parts={**self.parts, OWN: own}, due_at=now + LOOK_AGAIN)

    def hear(self, fact: ErasureFact) -> Decision["Erasure"]:
        """A service answers. Once all have, everything is cleared; that everything is forgotten is seen when our own part is."""
        name = SERVICES[type(fact)]
        before = self.parts.get(name, Part())
        part = Part(
            cleared_at=before.cleared_at or fact.at,
            forgotten_at=fact.at if fact.stage == "forgotten" else before.forgotten_at,
            removed=dict(fact.removed),
            changed=dict(fact.changed),
        )
        parts = {**self.parts, name: part}
        cleared = self.stage is Stage.ORDERED and all(one in parts and parts[one].cleared_at for one in SERVICES.values())
        return self.becomes(parts=parts, stage=Stage.CLEARED if cleared else self.stage)

    @property
    def final_from(self) -> datetime | None:
        """The earliest that it can be done; None until the others have been told."""
        return self.ordered_at + FORGOTTEN_AFTER if self.ordered_at else None

    @property
    def awaits(self) -> tuple[str, ...]:
        """The services that have not answered."""
        return tuple(name for name in SERVICES.values() if name not in self.parts)

    def is_late(self, now: datetime) -> bool:
        return self.stage is Stage.ORDERED and self.ordered_at is not None and now >= self.ordered_at + LATE_AFTER

    def may_forget(self, now: datetime) -> bool:
        """Whether our own record may go: every service has answered, and no topic holds what was said before."""
        return self.stage is Stage.CLEARED and self.final_from is not None and now >= self.final_from

    def wait(self, now: datetime) -> Decision["Erasure"]:
        """Look again later."""
        end = self.final_from or now
        return self.becomes(due_at=min(now + LOOK_AGAIN, end) if end > now else now + LOOK_AGAIN)

    def forgotten(self, now: datetime) -> Decision["Erasure"]:
        """Our own record is gone. With the last of the others the erasure is done: whom it was about, and why, is forgotten here, too."""
        own = self.parts[OWN] if self.parts[OWN].forgotten_at else replace(self.parts[OWN], forgotten_at=now)
        parts = {**self.parts, OWN: own}
        if not all(part.forgotten_at for part in parts.values()):
            return self.becomes(parts=parts, due_at=now + LOOK_AGAIN)
        return self.becomes(
            parts=parts, stage=Stage.FORGOTTEN, done_at=now, person=None, reason=None, names={}, enrolments=(), due_at=now + DECISIONS_KEPT
        )

    def close(self) -> Decision["Erasure"]:
        """The audit's year is over: nobody needs to know any more who asked."""
        return self.becomes(requested_by=None, due_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Aggregate):
    """Somebody who was erased; the id is `digest_of` theirs.

    Attributes:
        counted, version: the `seq` and the version that their record had come to: whoever has heard it, or written it, would not hear one that began again.
        managers: whom they reported to. It takes their place as a manager of others, so that the line of management stays whole.
        readmitted: whether the HR system may bring them, or somebody else under their id, again.
    """

    counted: int = 0
    version: int = 0
    managers: tuple[str, ...] = ()
    readmitted: bool = False

    def readmit(self) -> Decision["Erased"]:
        return self.becomes(readmitted=True, managers=())

    def end_at(self, seq: int, version: int) -> Decision["Erased"]:
        """Their record goes, at this count. Somebody may write it again meanwhile, unchanged."""
        return self.becomes(counted=seq, version=version + WRITTEN_AGAIN)

    @classmethod
    def instead_of(cls, person: str, before: "Erased | None", managers: tuple[str, ...]) -> Decision["Erased"]:
        """From now on nothing is taken of the person."""
        return (before or cls(id=digest_of(person))).becomes(managers=managers, readmitted=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors(Aggregate):
    """Of a subsidiary: the marks of all who were ever erased, so that a record of anybody else need not be looked up among them. The id is the tenant's.

    A mark is the beginning of a digest. Others may share one; who has none was never erased.
    """

    marks: Mapping[str, bool] = field(default_factory=dict)

    def may_hide(self, person: str) -> bool:
        """Whether the person may have been erased."""
        return bool(self.marks) and _mark_of(person) in self.marks

    def shut(self, person: str) -> Decision["Doors"]:
        return self.becomes(marks={**self.marks, _mark_of(person): True})


def _mark_of(person: str) -> str:
    """Eight hexadecimal digits: of a million people beside ten thousand erased ones two share a mark with one of these."""
    return digest_of(person)[:8]


def digest_of(person: str) -> str:
    """By what an erased person is known: one-way, so nobody can read the id from it; whoever has an id can tell whether it was erased."""
    return sha256(f"erased {person}".encode()).hexdigest()[:40]


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
