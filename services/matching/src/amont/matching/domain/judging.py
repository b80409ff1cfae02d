"""Whether a live pair may live on: pure, from what we know of the two, their enrolments, the management graph and the policy.

The hard rules are asked through the definition (`scorer`), never re-implemented; rules switched off stay off. A pair is judged by the clocks of
the week its round was solved in, so that only facts change a verdict and the date does not.

What a coordinator forbids ends what is only proposed. Two who are confirmed are parted by whoever ends the pair, never by a ruling.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from amont.common.events.values import EmployeeStatus, EndReason, EnrolmentStatus, SuspendReason
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.pair import OPEN, Finding, Pair
from amont.matching.domain.person import Person
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.pooling import pool_person, why_unreadable
from amont.matching.domain.scorer import Scorer


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: who they are and what they enrolled with."""

    person: Person
    enrolment: Enrolment

    @property
    def gone(self) -> EndReason | None:
        """Why this side takes part no more."""
        if self.person.status is EmployeeStatus.LEFT or self.enrolment.status is EnrolmentStatus.ENDED:
            return EndReason.LEFT
        return EndReason.WITHDRAWN if self.enrolment.status is EnrolmentStatus.WITHDRAWN else None

    @property
    def away(self) -> bool:
        """On leave, whoever told us first."""
        return self.person.status is EmployeeStatus.ON_LEAVE or self.enrolment.status is EnrolmentStatus.SUSPENDED


def judge(
    pair: Pair, mentee: Side, mentor: Side, *, managers: Mapping[str, tuple[str, ...]], policy: Policy, forbidden: bool = False
) -> Finding:
    """What is to become of the pair: gone before broken, broken before away."""
    gone = {mentee.gone, mentor.gone}
    for reason in (EndReason.LEFT, EndReason.WITHDRAWN):
        if reason in gone:
            return reason
    broken = broken_rules(pair, mentee, mentor, managers=managers, policy=policy)
    if Rule.OUTSIDE_THE_LINE in broken:
        return SuspendReason.LINE_CONFLICT
    if broken or (forbidden and pair.status in OPEN):
        return SuspendReason.RULE_BROKEN
    return SuspendReason.ON_LEAVE if mentee.away or mentor.away else None


def broken_rules(pair: Pair, mentee: Side, mentor: Side, *, managers: Mapping[str, tuple[str, ...]], policy: Policy) -> tuple[Rule, ...]:
    """Every rule in force that the two break and may not. What cannot be read keeps no rule about hours."""
    if any(why_unreadable(side.person, side.enrolment) for side in (mentee, mentor)):
        return (Rule.CLOSE_ZONES, Rule.COMMON_HOURS)
    pool = Pool(
        programme=pair.programme,
        seed="",
        week_of=pair.week_of,
        people=(pool_person(mentee.person, mentee.enrolment), pool_person(mentor.person, mentor.enrolment)),
        managers=managers,
    )
    return tuple(rule for rule in Scorer(pool, policy).all_broken(pair.mentee, pair.mentor) if rule not in pair.overrides)
