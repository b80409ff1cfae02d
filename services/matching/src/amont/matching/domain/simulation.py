"""A simulation: what other policies would reach on the seats that are free now. It proposes nobody to anybody, and can never be published.

Computed by a job as a round is, kept for a week, then removed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from amont.common.aggregate import Decision
from amont.common.events import Policy
from amont.common.events.values import Instant
from amont.common.identity import Resource
from amont.matching.domain.comparing import Comparison
from amont.matching.domain.job import Job

KEPT = timedelta(days=7)
"""How long a simulation can be read once it is solved."""


class SimulationStatus(StrEnum):
    """Where it stands; a failed one could not be computed."""

    REQUESTED = "requested"
    SOLVED = "solved"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation(Job):
    """See the module. `policies` are one or two; `rules` asks what each of their rules costs."""

    programme: str
    tenants: tuple[str, ...]
    status: SimulationStatus = SimulationStatus.REQUESTED
    seed: str
    policies: tuple[Policy, ...]
    rules: bool
    requested_by: str
    requested_at: Instant
    solved_at: Instant | None = None
    people: int | None = None
    """How many people have a free seat."""
    comparison: Comparison | None = None

    @property
    def resource(self) -> Resource:
        return Resource("simulation", self.id, frozenset(self.tenants))

    @property
    def waits(self) -> bool:
        return self.status is SimulationStatus.REQUESTED

    @property
    def kept_until(self) -> datetime | None:
        """When it is removed."""
        return None if self.waits else self.due_at

    def give_up(self, now: datetime) -> Decision["Simulation"]:
        """Nothing can be computed: see the log of whoever tried."""
        return self.becomes(status=SimulationStatus.FAILED, claimed_until=None, seen=None, due_at=now + KEPT)

    def solve(self, comparison: Comparison, people: int, tenants: Iterable[str], now: datetime) -> Decision["Simulation"]:
        """It can be read from now on, by whoever answers for these tenants too, whose people it counts."""
        return self.becomes(
            status=SimulationStatus.SOLVED,
            comparison=comparison,
            tenants=tuple(sorted({*self.tenants, *tenants})),
            people=people,
            solved_at=now,
            claimed_until=None,
            seen=None,
            due_at=now + KEPT,
        )
