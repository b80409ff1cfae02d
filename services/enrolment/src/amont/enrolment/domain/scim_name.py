"""A `userName` that is being taken: for the moment between the look whether it is free and the user who bears it.

Two users are two documents, and no write is about both; so whoever is to bear a name takes it first, by the compare-and-set of one document per name. Once
the user is written, their own document says whose the name is, and this one is let go of. It holds digests, and no name.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from amont.common.aggregate import Aggregate, Decision
from amont.common.events.values import Instant

TAKEN_FOR = timedelta(minutes=1)
"""How long a name is kept for whoever took it, also should they never write the user. They have half of it, so that clocks may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimName(Aggregate):
    """See the module. `due_at` is when it goes."""

    holder: str = ""
    taken_at: Instant | None = None

    @staticmethod
    def id_of(tenant: str, name: str) -> str:
        """Of a name as it is compared: its case does not matter."""
        return _digest(f"name {tenant} {name.casefold()}")

    def is_kept_from(self, person: str, now: datetime) -> bool:
        """Whether somebody else is taking it."""
        return self.holder not in ("", _digest(f"holder {person}")) and self.taken_at is not None and now < self.taken_at + TAKEN_FOR

    def is_held_by(self, person: str, now: datetime) -> bool:
        """Whether the person may be written under it now."""
        return self.holder == _digest(f"holder {person}") and self.taken_at is not None and now < self.taken_at + TAKEN_FOR / 2

    def take(self, person: str, now: datetime) -> Decision["ScimName"]:
        """For one who may have it, for a while from now on."""
        return self.becomes(holder=_digest(f"holder {person}"), taken_at=now, due_at=now + TAKEN_FOR)


def _digest(text: str) -> str:
    return sha256(f"scim {text}".encode()).hexdigest()[:40]
