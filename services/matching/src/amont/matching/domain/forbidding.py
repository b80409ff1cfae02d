"""Whom a ruling forbids to each other stays apart under every policy.

The core knows one list of forbidden couples and one rule, `not_forbidden`, which a policy can switch off. In the service that list has two sources: two who
were a pair, and two whom somebody forbade. Switching the rule off is meant for the first alone. So where it is off, the former pairs leave the list and the
rule stays: the solver, its proof and the files of a round need know nothing of it.
"""

from collections.abc import Sequence
from dataclasses import replace

from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.solver import Solution, Solver

Couples = Sequence[tuple[str, str]]


def abide(pool: Pool, policy: Policy, ruled_out: Couples) -> tuple[Pool, Policy]:
    """The pool and policy under which these couples, all of them forbidden in the pool, stay apart whatever is switched off."""
    if Rule.NOT_FORBIDDEN not in policy.off:
        return pool, policy
    return replace(pool, forbidden=tuple(ruled_out)), replace(policy, off=policy.off - {Rule.NOT_FORBIDDEN})


class Abiding:
    """A `Solver` that keeps some couples apart under each policy it is asked for."""

    def __init__(self, solver: Solver, ruled_out: Couples) -> None:
        """Solve with that one."""
        self._solver, self._ruled_out = solver, ruled_out

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        """See `Solver.solve`."""
        return self._solver.solve(*abide(pool, policy, self._ruled_out), progress, explain=explain)
