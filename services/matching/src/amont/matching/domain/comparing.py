"""Other policies over the same pool, side by side: what each would reach, for whom, and which rule costs how many pairs. Nothing comes of it.

Everything is counted over all pairs, the pinned ones among them: under another policy other pins may hold, and what is counted beyond them could not be
subtracted. What a rule costs is found by solving again with that rule alone switched off and the same pins held: the pairs that are more then. Costs do not
add up, since a pair may be kept apart by several rules; where pairs are made only for their points (the order `total`), there may be fewer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from amont.matching.domain.answer import matched_percent
from amont.matching.domain.fairness import Fairness, Scores, fairness, scored
from amont.matching.domain.pinning import Pin, hold
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.solver import Solution, Solver


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What is reached over all pairs, pinned ones among them: their number, lowest score (`None` without any) and total value."""

    pairs: int
    worst: int | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCost:
    """What a policy would reach without one of its rules, and how many pairs the rule costs."""

    rule: Rule
    without: Reached
    costs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one policy reaches. `rules` is empty when it was not asked for."""

    objective: Reached
    matched_percent: int
    fairness: Fairness
    rules: tuple[RuleCost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDifference:
    """One group under the second policy less under the first; `None` where either hides it or has few or nobody matched."""

    name: str
    matched: int | None
    lowest: int | None
    median: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The second column less the first. `same` is how many pairs both make; `worst` is `None` unless both make any. Points can be compared where both weigh
    alike (`alike`).
    """

    pairs: int
    worst: int | None
    total: int
    matched_percent: int
    same: int
    divisions: Mapping[str, tuple[GroupDifference, ...]]
    alike: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One policy alone, or two and their difference."""

    columns: tuple[Column, ...]
    difference: Difference | None


def compare(
    solver: Solver, pool: Pool, policies: Sequence[Policy], *, pins: Sequence[Pin] = (), rules: bool, progress: Progress = unseen
) -> Comparison:
    """Solve for each policy, and with `rules` once more without each rule it has in force.

    Of `pins` those are made that hold under a policy; the pool's own are made as they stand.

    Raises:
        PinsRefused: see `Solver.solve`.
    """
    steps = len(policies) + sum(len(_in_force(policy)) for policy in policies if rules)
    done = iter(range(steps))

    def solved(held: Pool, policy: Policy, what: str) -> Solution:
        step = next(done)
        return solver.solve(
            held, policy, lambda stage, round_, _=None, detail="": progress(what, step, steps, f"{stage} {round_} {detail}")
        )

    asked = [hold(pool, policy, pins)[:2] if pins else (pool, policy) for policy in policies]
    solutions = [solved(held, policy, f"policy {number}") for number, (held, policy) in enumerate(asked, 1)]
    costs = [
        tuple(_costs(partial(solved, held), policy, one) if rules else ()) for (held, policy), one in zip(asked, solutions, strict=True)
    ]
    figures = fairness(pool, [scored(one) for one in solutions])
    columns = tuple(
        Column(objective=_reached(one), matched_percent=matched_percent(pool, len(one.pairs)), fairness=groups, rules=cost)
        for one, groups, cost in zip(solutions, figures, costs, strict=True)
    )
    alike = len({policy.weights for policy in policies}) == 1
    return Comparison(columns=columns, difference=_difference(columns, solutions, alike=alike) if len(columns) == 2 else None)


def _in_force(policy: Policy) -> list[Rule]:
    return [rule for rule in Rule if rule is not Rule.TWO_PEOPLE and rule not in policy.off]


def _costs(solved: Callable[[Policy, str], Solution], policy: Policy, whole: Solution) -> Iterator[RuleCost]:
    for rule in _in_force(policy):
        without = solved(replace(policy, off=policy.off | {rule}), f"without {rule}")
        yield RuleCost(rule=rule, without=_reached(without), costs=len(without.pairs) - len(whole.pairs))


def _reached(solution: Solution) -> Reached:
    return Reached(
        pairs=len(solution.pairs),
        worst=min((pair.score for pair in solution.pairs), default=None),
        total=solution.objective.total + sum(pair.score for pair in solution.pairs if pair.pinned),
    )


def _difference(columns: Sequence[Column], solutions: Sequence[Solution], *, alike: bool) -> Difference:
    one, other = columns
    made = [{(pair.mentee, pair.mentor) for pair in solution.pairs} for solution in solutions]
    return Difference(
        pairs=other.objective.pairs - one.objective.pairs,
        worst=_less(other.objective.worst, one.objective.worst),
        total=other.objective.total - one.objective.total,
        matched_percent=other.matched_percent - one.matched_percent,
        same=len(made[0] & made[1]),
        divisions={name: tuple(_groups(one.fairness, other.fairness, name)) for name in one.fairness.divisions},
        alike=alike,
    )


def _groups(one: Fairness, other: Fairness, division: str) -> Iterator[GroupDifference]:
    for before, after in zip(one.divisions[division], other.divisions[division], strict=True):
        lowest = median = None
        if before.scores is not None and after.scores is not None:
            lowest = after.scores.lowest - before.scores.lowest
            median = _less(_median(after.scores), _median(before.scores))
        yield GroupDifference(name=before.name, matched=_less(after.matched, before.matched), lowest=lowest, median=median)


def _median(scores: Scores) -> int | None:
    return scores.quartiles[1] if scores.quartiles else None


def _less(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other
