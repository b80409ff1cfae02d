"""How large a campaign is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything; 0 leaves a stage out. Seconds are seconds."""

    people: int
    staff_events: int
    """At least so many, over all stages."""
    rate: float
    """Staff events a second while something is done to the services."""
    kills: int
    rolls: int
    storms: int = 0
    kafka_kills: int = 0
    freezes: int = 0
    network: int = 0
    poison_seconds: float = 0.0
    outage_seconds: float = 0.0
    redeliveries: int = 0
    """More than so many must be seen, or the run has shown nothing."""


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
