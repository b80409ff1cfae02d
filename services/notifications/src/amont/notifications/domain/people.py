"""What this service remembers of others' facts, so that a message can be written: people, subsidiaries, programmes.

Names and addresses live in `Recipient` and nowhere else here; a delivery holds ids and looks them up at the last moment. Each of the three is
its topic's full state, so a later fact simply replaces an earlier one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from amont.common.aggregate import Aggregate, Decision
from amont.common.events import EmployeeChanged, ProgrammeChanged, SubsidiaryChanged
from amont.common.events.values import EmployeeStatus, tenant_of
from amont.common.identity import Resource

FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient(Aggregate):
    """Somebody who may be written to or spoken of; the id is the person's. Invariant: of somebody who has left, nothing but the id is kept."""

    status: EmployeeStatus = EmployeeStatus.ACTIVE
    given_name: str = ""
    family_name: str = ""
    email: str | None = None
    language: str | None = None
    """The person's own; None when they have none, and the subsidiary's first one is taken."""
    zone: str = ""
    job_title: str = ""
    function: str = ""
    muted: tuple[str, ...] = ()
    """The kinds of messages that the person wants no more; of those that one may do without."""

    @property
    def resource(self) -> Resource:
        return Resource("preferences", self.id, frozenset({tenant_of(self.id)}), frozenset({self.id}))

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def has_left(self) -> bool:
        return self.status is EmployeeStatus.LEFT

    def learn(self, event: EmployeeChanged) -> Decision["Recipient"]:
        """The person as they are now."""
        return self.becomes(
            status=event.status,
            given_name=event.given_name,
            family_name=event.family_name,
            email=event.email or None,
            language=event.preferred_language or next(iter(event.languages), None),
            zone=event.zone,
            job_title=event.job_title,
            function=event.function,
        )

    def mute(self, kinds: Iterable[str]) -> Decision["Recipient"]:
        """Want no more of these, and of no others."""
        return self.becomes(muted=tuple(sorted(set(kinds))))

    def leave(self) -> Decision["Recipient"]:
        """The person has left: forget everything but that."""
        return Decision(Recipient(id=self.id, seq=self.seq, status=EmployeeStatus.LEFT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subsidiary(Aggregate):
    """A subsidiary, as far as messages need it."""

    name: str = ""
    zone: str = ""
    languages: tuple[str, ...] = ()

    def learn(self, event: SubsidiaryChanged) -> Decision["Subsidiary"]:
        """The subsidiary as it is now."""
        return self.becomes(name=event.name, zone=event.zone, languages=event.languages)

    def forget(self) -> Decision["Subsidiary"]:
        """The subsidiary is gone."""
        return self.becomes(name="", zone="", languages=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme(Aggregate):
    """A programme, as far as messages need it."""

    name: str = ""

    def learn(self, event: ProgrammeChanged) -> Decision["Programme"]:
        """The programme as it is now."""
        return self.becomes(name=event.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known now of those whom a delivery is for and about; None is somebody or something that we have not heard of yet."""

    recipient: Recipient | None
    partner: Recipient | None
    programme: Programme | None
    subsidiary: Subsidiary | None

    @property
    def language(self) -> str:
        """The recipient's own language, else the first of their subsidiary, else English."""
        theirs = self.subsidiary.languages if self.subsidiary else ()
        return (self.recipient and self.recipient.language) or next(iter(theirs), FALLBACK_LANGUAGE)
