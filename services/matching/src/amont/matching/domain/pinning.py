"""Which pins can hold in a pool, and why the others cannot.

A pin stands until it is released, while people withdraw, get a partner or move. So a round takes those that hold now and says of each other one why it
does not: none is dropped without a word, and none keeps a round from being solved.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from amont.common.events.values import Instant
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import pinned_only


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Two who are to be a pair, since when, and whether the rules may be broken for it."""

    mentee: str
    mentor: str
    at: Instant
    override: bool = False


class Hindrance(StrEnum):
    """Why a pin does not hold."""

    NO_MENTEE = "no-mentee"
    NO_MENTOR = "no-mentor"
    NO_PLACE = "no-place"
    RULES = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpinned:
    """A pin that does not hold in a round.

    Attributes:
        why: the mentee or the mentor takes no part with a free place, the mentor's places went to earlier pins, or rules stand in the way.
        broken: every rule in force that the two break, in rule order, where that is why.
    """

    mentee: str
    mentor: str
    why: Hindrance
    broken: tuple[Rule, ...] = ()


def hold(pool: Pool, policy: Policy, pins: Sequence[Pin]) -> tuple[Pool, Policy, tuple[Unpinned, ...]]:
    """The pool with the pins that hold in it, the policy that lets them, and the other pins; the earlier of two comes to a place first.

    The policy lets pins break rules only where one that holds breaks any. Nobody is ever paired with themselves.
    """
    in_turn = sorted(pins, key=lambda pin: (pin.at, pin.mentee, pin.mentor))
    couples = tuple((pin.mentee, pin.mentor) for pin in in_turn)
    scorer = Scorer(pinned_only(replace(pool, pinned=couples)), policy)
    outcome = list(_outcome(scorer, in_turn))
    held = tuple((pin.mentee, pin.mentor) for pin, other in zip(in_turn, outcome, strict=True) if other is None)
    overridden = policy.pins_override or any(scorer.all_broken(*couple) for couple in held)
    unpinned = sorted((one for one in outcome if one is not None), key=lambda one: (one.mentee, one.mentor))
    return replace(pool, pinned=held), replace(policy, pins_override=overridden), tuple(unpinned)


def _outcome(scorer: Scorer, pins: Sequence[Pin]) -> Iterator[Unpinned | None]:
    places: Counter[tuple[str, str]] = Counter()
    for pin in pins:
        why, broken = _hindrance(scorer, pin, places)
        if why is None:
            places.update([("mentee", pin.mentee), ("mentor", pin.mentor)])
            yield None
        else:
            yield Unpinned(mentee=pin.mentee, mentor=pin.mentor, why=why, broken=broken)


def _hindrance(scorer: Scorer, pin: Pin, taken: Mapping[tuple[str, str], int]) -> tuple[Hindrance | None, tuple[Rule, ...]]:
    if pin.mentee not in scorer.mentees:
        return Hindrance.NO_MENTEE, ()
    if pin.mentor not in scorer.mentors:
        return Hindrance.NO_MENTOR, ()
    if taken["mentee", pin.mentee] or taken["mentor", pin.mentor] >= scorer.mentors[pin.mentor].person.capacity:
        return Hindrance.NO_PLACE, ()
    broken = scorer.all_broken(pin.mentee, pin.mentor)
    if broken and (not (pin.override or scorer.policy.pins_override) or Rule.TWO_PEOPLE in broken):
        return Hindrance.RULES, broken
    return None, ()
