"""The three proofs of a certificate, each checked by one pass over the possible pairs (the scoring contract, "The certificate").

Pins are taken out first: a mentee with a pin and a mentor without a place left are no part of any proof, and a mentor counts for the places
that are left. The objective is taken as the result claims it, since it is held against the pairs elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amont.matching.domain.certificate import Cover
from amont.matching.domain.pool import Role
from amont.matching.files.faults import Path
from amont.matching.verifier.board import Integers, Mask, Places
from amont.matching.verifier.claims import ROLES, Ground
from amont.matching.verifier.findings import Findings
from amont.matching.verifier.reading import Result

_CERTIFICATE: Path = ("$", "certificate")
_PAIRS_COVER: Path = (_CERTIFICATE, "pairs_cover")
_FLOOR_COVER: Path = (_CERTIFICATE, "floor_cover")


@dataclass(frozen=True, slots=True)
class Row:
    """A mentee without a pin, the mentors with a place left who are allowed for them, and what each such pair scores and is worth."""

    mentee: int
    mentors: Places
    scores: Integers
    values: Integers


class Proofs:
    """What the certificate claims, laid out in the pool's order: shown every row once, then asked what is wrong."""

    def __init__(self, result: Result, ground: Ground, found: Findings) -> None:
        """Check all that needs no look at the pairs."""
        self._found = found
        self._claimed = result.certificate
        self._ids: dict[Role, tuple[str, ...]] = {role: tuple(ground.people[role]) for role in ROLES}
        self._place: dict[Role, dict[str, int]] = {role: {id_: place for place, id_ in enumerate(self._ids[role])} for role in ROLES}
        self._left = ground.places
        self._floor = _due_floor(result, ground)
        self._hold_form(result, ground)
        self._profits = self._amounts("mentee", self._claimed.profits, (_CERTIFICATE, "profits"))
        self._prices = self._amounts("mentor", self._claimed.prices, (_CERTIFICATE, "prices"))
        self._hold_sum(result)
        self._pairs = self._touched(self._claimed.pairs_cover, _PAIRS_COVER, result.pairs_made, exactly=True)
        self._above = self._touched(self._claimed.floor_cover, _FLOOR_COVER, result.pairs_made, exactly=False)
        self._pairs_missed, self._above_missed, self._cheap = _Missed(), _Missed(), _Missed()

    def least(self, mentee: int, sticky: Sequence[int], stickiness: int) -> Integers:
        """For each mentor the score up to which that mentee's pair breaks no proof; the pairs with `sticky` mentors are worth more than they score."""
        least = self._prices + (int(self._profits[mentee]) - self._claimed.reward)
        least[sticky] -= stickiness
        np.maximum(least, self._floor - 1, out=least)
        for cover, enough in ((self._pairs, -1), (self._above, self._floor)):
            if cover is not None and not cover.by["mentee"][mentee]:
                least[~cover.by["mentor"]] = np.minimum(least[~cover.by["mentor"]], enough)
        return least

    def see(self, row: Row) -> None:
        """Hold one mentee's pairs against the proofs."""
        if self._pairs is not None:
            self._pairs_missed.take(row, self._pairs.missed(row))
        if self._above is not None:
            self._above_missed.take(row, self._above.missed(row) & (row.scores > self._floor))
        due = self._claimed.reward + row.values
        self._cheap.take(row, (self._profits[row.mentee] + self._prices[row.mentors] < due) & (row.scores >= self._floor))

    def conclude(self) -> None:
        """Tell what the rows have shown."""
        self._tell(self._pairs_missed, _PAIRS_COVER, "does not touch every allowed pair: more pairs may be possible")
        self._tell(self._above_missed, _FLOOR_COVER, f"does not touch every allowed pair that scores more than {self._floor}")
        self._tell(self._cheap, _CERTIFICATE, "profit and price together are under reward and value: the total may be able to rise")

    def _hold_form(self, result: Result, ground: Ground) -> None:
        """What the order says of reward, floor and covers, with all its special cases."""
        ranked, lowest = ground.policy.order != "total", ground.policy.order == "pairs, worst, total" and result.pairs_made > 0
        self._found.expect((_CERTIFICATE, "floor"), self._claimed.floor, self._floor)
        if not ranked:
            self._found.expect((_CERTIFICATE, "reward"), self._claimed.reward, 0)
        for path, cover, due in ((_PAIRS_COVER, self._claimed.pairs_cover, ranked), (_FLOOR_COVER, self._claimed.floor_cover, lowest)):
            if (cover is not None) != due:
                self._found.add(path, "is missing: the order needs it" if due else "must be null: the order has no use for it")

    def _hold_sum(self, result: Result) -> None:
        prices = self._left["mentor"]
        dual = sum(self._profits.tolist()) + sum(
            price * prices.get(id_, 0) for id_, price in zip(self._ids["mentor"], self._prices.tolist(), strict=True)
        )
        primal = self._claimed.reward * result.pairs_made + result.total
        if dual != primal:
            self._found.add(_CERTIFICATE, f"profits and prices add up to {dual}, and rewards and values to {primal}: they must be equal")

    def _amounts(self, role: Role, claimed: Mapping[str, int], path: Path) -> Integers:
        amounts = np.zeros(len(self._ids[role]), dtype=np.int64)
        for id_, amount in claimed.items():
            if id_ in self._left[role]:
                amounts[self._place[role][id_]] = amount
            else:
                self._found.add((path, id_), f"is not a {role} of this pool with a place that the pins leave")
        return amounts

    def _touched(self, cover: Cover | None, path: Path, pairs: int, *, exactly: bool) -> "_Touched | None":
        if cover is None:
            return None
        size, touched = 0, _Touched({role: np.zeros(len(self._ids[role]), dtype=np.bool_) for role in ROLES})
        for role, ids in zip(ROLES, (cover.mentees, cover.mentors), strict=True):
            for place, id_ in enumerate(ids):
                if id_ not in self._left[role]:
                    self._found.add(((path, f"{role}s"), place), f"{id_!r} is not a {role} of this pool with a place that the pins leave")
                elif touched.by[role][self._place[role][id_]]:
                    self._found.add(((path, f"{role}s"), place), f"{id_!r} stands there already")
                else:
                    touched.by[role][self._place[role][id_]] = True
                    size += self._left[role][id_]
        if exactly and size != pairs:
            self._found.add(path, f"has the size {size}, and must have that of the answer, {pairs}")
        elif not exactly and size >= pairs:
            self._found.add(path, f"has the size {size}, and must be smaller than the answer, {pairs}")
        return touched

    def _tell(self, missed: "_Missed", path: Path, reason: str) -> None:
        if missed.example is not None:
            mentee, mentor = missed.example
            which = f"{self._ids['mentee'][mentee]!r} with {self._ids['mentor'][mentor]!r}"
            self._found.add(path, f"{reason} ({missed.count:,} such pair(s), for instance {which})")


def _due_floor(result: Result, ground: Ground) -> int:
    match ground.policy.order:
        case "total":
            return ground.policy.min_score
        case "pairs, total":
            return 0
        case "pairs, worst, total":
            return result.worst or 0


@dataclass(frozen=True, slots=True)
class _Touched:
    """Who is in a cover."""

    by: Mapping[Role, Mask]

    def missed(self, row: Row) -> Mask:
        """Which of the row's pairs it does not touch."""
        return np.zeros(len(row.mentors), dtype=np.bool_) if self.by["mentee"][row.mentee] else ~self.by["mentor"][row.mentors]


class _Missed:
    """How many pairs failed, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.example: tuple[int, int] | None = None

    def take(self, row: Row, failed: Mask) -> None:
        count = int(np.count_nonzero(failed))
        if count and self.example is None:
            self.example = (row.mentee, int(row.mentors[int(np.argmax(failed))]))
        self.count += count
