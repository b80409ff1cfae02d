"""Topics as records: who owns each, who writes, who reads, what is on it, how long it is kept. Everything that must agree is compared with this by a test.

Names have no dots (a dot and an underscore collide in Kafka's metric names). Partitions are fixed for life: a key must stay in its partition.
"""

from dataclasses import dataclass
from types import MappingProxyType

from amont.common.events import enrolment, erasure, exporting, hris, matching, notifications, scheduling
from amont.common.events.envelope import Event

SERVICES = ("enrolment", "matching", "scheduling", "notifications")
OUTSIDE = MappingProxyType(
    {
        "hris": "the subsidiaries' HR systems, through any Kafka client",
        "reporting": "the group's own data platform, which counts deliveries",
        "ops": "people, through the dead-letter commands",
    },
)
"""Parties on the log that are not services of ours."""

DAY_MS = 24 * 3600 * 1000
DEAD_LETTER_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. `types` is empty for dead letters, which hold any record as it came."""

    name: str
    what: str
    producers: frozenset[str]
    consumers: frozenset[str]
    types: tuple[type[Event], ...]
    partitions: int = 12
    compacted: bool = False
    retention_days: int = 7
    personal: bool = False
    """Whether names and addresses are on it."""

    def settings(self) -> dict[str, str]:
        """The topic's Kafka configuration. Dead letters get room for the reason beside a record of the largest size."""
        kept = (
            {"cleanup.policy": "compact"}
            if self.compacted
            else {"cleanup.policy": "delete", "retention.ms": str(self.retention_days * DAY_MS)}
        )
        return kept if self.types else {**kept, "max.message.bytes": str(DEAD_LETTER_BYTES)}


def _topic(
    name: str, what: str, producers: str, consumers: str, *types: type[Event], compacted: bool = False, personal: bool = False
) -> Topic:
    return Topic(
        name=name,
        what=what,
        producers=frozenset(producers.split()),
        consumers=frozenset(consumers.split()),
        types=types,
        compacted=compacted,
        personal=personal,
    )


def dead_letters_of(service: str) -> str:
    """The dead-letter topic of a service."""
    return f"dlq-{service}"


_ALL = (
    _topic(
        "hris-staff",
        "Staff records as HR systems emit them, and as enrolment reads them off its SCIM door",
        "hris enrolment",
        "enrolment",
        hris.StaffRecorded,
        hris.StaffLeft,
        personal=True,
    ),
    _topic(
        "enrolment-subsidiaries",
        "Subsidiaries and their grade tables",
        "enrolment",
        "notifications",
        enrolment.SubsidiaryChanged,
        enrolment.SubsidiaryRemoved,
        compacted=True,
    ),
    _topic(
        "enrolment-employees",
        "Employees as they are now; the only topic with names and addresses",
        "enrolment",
        "matching scheduling notifications",
        enrolment.EmployeeChanged,
        enrolment.EmployeeLeft,
        enrolment.EmployeeErased,
        compacted=True,
        personal=True,
    ),
    _topic(
        "enrolment-programmes",
        "Programmes with their policy",
        "enrolment",
        "enrolment matching scheduling notifications",
        enrolment.ProgrammeChanged,
        compacted=True,
    ),
    _topic(
        "enrolment-enrolments",
        "Who takes part, in which role, with what",
        "enrolment",
        "enrolment matching scheduling notifications",
        enrolment.EmployeeEnrolled,
        enrolment.EnrolmentChanged,
        enrolment.EnrolmentSuspended,
        enrolment.EnrolmentResumed,
        enrolment.EmployeeWithdrawn,
    ),
    _topic(
        "enrolment-seats",
        "Who asks for a seat where they are counted, and who waits for one",
        "enrolment",
        "enrolment notifications",
        enrolment.SeatRequested,
        enrolment.EmployeeWaitlisted,
    ),
    _topic(
        "enrolment-invitations",
        "Who is invited to enrol, and reminded of it",
        "enrolment",
        "notifications",
        enrolment.EmployeeInvited,
    ),
    _topic("matching-rounds", "Published rounds", "matching", "enrolment", matching.RoundPublished),
    _topic(
        "matching-pairs",
        "Pairs from proposal to end",
        "matching",
        "scheduling notifications",
        matching.PairProposed,
        matching.PairAccepted,
        matching.PairConfirmed,
        matching.PairDeclined,
        matching.PairExpired,
        matching.PairSuspended,
        matching.PairResumed,
        matching.PairEnded,
    ),
    _topic(
        "scheduling-sessions",
        "Sessions of pairs",
        "scheduling",
        "matching notifications",
        scheduling.SessionProposed,
        scheduling.SessionScheduled,
        scheduling.SessionRescheduled,
        scheduling.SessionCancelled,
        scheduling.SessionCompleted,
        scheduling.SessionMissed,
    ),
    _topic(
        "notifications-deliveries",
        "What became of each delivery",
        "notifications",
        "reporting",
        notifications.NotificationSent,
        notifications.NotificationFailed,
    ),
    _topic("matching-erasures", "What matching has erased of whom is to be erased", "matching", "enrolment", erasure.ErasedFromMatching),
    _topic("scheduling-erasures", "The same of scheduling", "scheduling", "enrolment", erasure.ErasedFromScheduling),
    _topic("notifications-erasures", "The same of notifications", "notifications", "enrolment", erasure.ErasedFromNotifications),
    _topic("enrolment-exports", "Whose data is wanted", "enrolment", "matching scheduling notifications", exporting.ExportRequested),
    _topic("matching-exports", "What matching holds of somebody, sealed", "matching", "enrolment", exporting.ExportedFromMatching),
    _topic("scheduling-exports", "The same of scheduling", "scheduling", "enrolment", exporting.ExportedFromScheduling),
    _topic("notifications-exports", "The same of notifications", "notifications", "enrolment", exporting.ExportedFromNotifications),
    *(
        Topic(
            name=dead_letters_of(service),
            what=f"Records that {service} could not take, as they came, with the reason",
            producers=frozenset({service}),
            consumers=frozenset({"ops"}),
            types=(),
            retention_days=30,
            personal=True,
        )
        for service in SERVICES
    ),
)

TOPICS = MappingProxyType({topic.name: topic for topic in _ALL})
"""Every topic there is, by name."""

TYPES = MappingProxyType({kind.type_name(): kind for topic in _ALL for kind in topic.types})
"""Every event class there is, by its CloudEvents type."""
