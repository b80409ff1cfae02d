"""How large a campaign is."""

from dataclasses import dataclass, field
from typing import Any


def _of(what: str, default: float | None = None) -> Any:
    """A figure of the campaign, and what it counts."""
    return field(metadata={"what": what}) if default is None else field(default=default, metadata={"what": what})


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything; 0 leaves a stage out. Seconds are seconds."""

    people: int = _of("people in the made-up group")
    staff_events: int = _of("staff events at least, over all stages")
    rate: float = _of("staff events a second while something is done to the services")
    kills: int = _of("SIGKILLs of services, two services at a time, each started again")
    rolls: int = _of("rounds in which every service is restarted (SIGTERM) under load")
    storms: int = _of("processes that join a service and leave it again, every second one killed", 0)
    kafka_kills: int = _of("SIGKILLs of Kafka", 0)
    freezes: int = _of("times the store is frozen for a while", 0)
    network: int = _of("times the network between services and servers is cut or slow", 0)
    poison_seconds: float = _of("seconds for which a share of the records is such that nobody can take them", 0.0)
    outage_seconds: float = _of("seconds for which Kafka, and then the store, is away", 0.0)
    redeliveries: int = _of("redeliveries of which more must be seen, or the run has shown nothing", 0)


FULL = Size(
    people=480,
    staff_events=20_000,
    rate=30,
    kills=200,
    rolls=20,
    storms=20,
    kafka_kills=20,
    freezes=5,
    network=20,
    poison_seconds=30,
    outage_seconds=600,
    redeliveries=100,
)
"""`make chaos`."""
SHORT = Size(people=160, staff_events=3_000, rate=60, kills=30, rolls=1, kafka_kills=1, freezes=1, network=2)
"""In `make test`, on the real servers."""
SMALL = Size(people=160, staff_events=3_000, rate=60, kills=30, rolls=1)
"""In `make test`, on SQLite."""
