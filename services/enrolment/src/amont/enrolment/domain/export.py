"""An export: somebody's data, asked of all four services, kept sealed until the archive is fetched or its time is over.

The answers of the others lie here as they came, sealed for a key that is in this document alone; when the time is over, key, answers and person go, and
what is left on the topics can be read by nobody. What the archive looks like is in `commands.archive`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict, NotAllowed
from amont.common.events import ExportedFromMatching, ExportedFromNotifications, ExportedFromScheduling, ExportRequested
from amont.common.events.exporting import ExportFact
from amont.common.events.values import Instant
from amont.common.identity import Resource

KEPT = timedelta(days=7)
"""How long an archive can be fetched after it was asked for."""
ANSWERERS: Mapping[type[ExportFact], str] = MappingProxyType(
    {ExportedFromMatching: "matching", ExportedFromScheduling: "scheduling", ExportedFromNotifications: "notifications"}
)


class ExportNotReady(Conflict):
    """A service has not answered yet."""

    code = "export-not-ready"
    title = "The export is not ready yet"

    def __init__(self, reference: str, awaits: tuple[str, ...]) -> None:
        super().__init__(f"Export {reference} waits for {', '.join(awaits)}. Ask again in a moment.")


class ExportIsPersonal(NotAllowed):
    """What the person said for nobody else to read is in it."""

    code = "export-is-personal"
    title = "Only who asked for it may read it"

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"Export {reference} holds what the person said for nobody else to read. Ask for one on their behalf: it leaves that out."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Aggregate):
    """See the module. `own` is what enrolment itself holds, `sealed` what the others answered; both are empty once its time is over."""

    person: str
    tenant: str
    requested_by: str
    requested_at: Instant
    private: bool
    public: str
    secret: str
    own: Mapping[str, list[Any]] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)

    @property
    def resource(self) -> Resource:
        return Resource("export", self.id, frozenset({self.tenant}), frozenset({self.person}))

    @property
    def awaits(self) -> tuple[str, ...]:
        """The services that have not answered."""
        return tuple(name for name in ANSWERERS.values() if name not in self.sealed)

    @property
    def kept_until(self) -> datetime:
        return self.requested_at + KEPT

    def ask(self) -> Decision["Export"]:
        """Its first word."""
        asked = self.becomes(due_at=self.kept_until)
        more = {"person": self.person, "seal": self.public, "private": self.private, "requested_at": self.requested_at}
        return asked.saying(ExportRequested, reference=self.id, **more)

    def hear(self, fact: ExportFact) -> Decision["Export"]:
        """A service answers; once its time is over, nobody can read that any more."""
        if not self.person:
            return self.becomes()
        return self.becomes(sealed={**self.sealed, ANSWERERS[type(fact)]: fact.sealed})

    def forget(self) -> Decision["Export"]:
        """Its time is over."""
        return self.becomes(person="", requested_by="", public="", secret="", own={}, sealed={}, due_at=None)

    def must_be_readable(self, by: str) -> None:
        """Raises ExportIsPersonal, ExportNotReady."""
        if self.private and by != self.requested_by:
            raise ExportIsPersonal(self.id)
        if self.awaits:
            raise ExportNotReady(self.id, self.awaits)
