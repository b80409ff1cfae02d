"""What each service answers when somebody's data is asked for: all it holds of them, sealed for the one archive that it is for.

Names and addresses do not travel in the open: the answer is encrypted for a key that is made for this export and forgotten with it, so that what is
left of it on a topic can never be read again.
"""

from typing import ClassVar

from amont.common.events.envelope import Event
from amont.common.events.values import Instant, PersonId, tenant_of


class ExportRequested(Event):
    """Somebody's data is wanted: whoever reads this answers with what they hold, sealed with `seal`."""

    topic: ClassVar[str] = "enrolment-exports"
    subject_field: ClassVar[str] = "reference"

    reference: str
    person: PersonId
    seal: str
    """The public key of this export: X25519, the `x` of its JWK (RFC 8037)."""
    private: bool
    """Whether the person asks for themselves: what they said for nobody else to read is theirs to have."""
    requested_at: Instant

    @property
    def owner(self) -> str:
        return tenant_of(self.person)


class ExportFact(Event):
    """All that a service holds of somebody."""

    subject_field: ClassVar[str] = "reference"

    reference: str
    sealed: str
    """JSON, compressed (zlib), as a compact JWE (RFC 7516): ECDH-ES, A256GCM."""
    at: Instant


class ExportedFromMatching(ExportFact):
    """What matching holds."""

    topic: ClassVar[str] = "matching-exports"


class ExportedFromScheduling(ExportFact):
    """What scheduling holds."""

    topic: ClassVar[str] = "scheduling-exports"


class ExportedFromNotifications(ExportFact):
    """What notifications holds."""

    topic: ClassVar[str] = "notifications-exports"
