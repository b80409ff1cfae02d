"""A whole verification, from three files to a report."""

from collections import defaultdict
from hashlib import sha256

import numpy as np

from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import FULL_SCORE
from amont.matching.domain.progress import Progress, unseen
from amont.matching.files.faults import Refused
from amont.matching.files.policies import NO_POLICY, read_policy
from amont.matching.files.pools import read_pool
from amont.matching.verifier.board import Integers, Places, board_of
from amont.matching.verifier.claims import Ground, check_claims
from amont.matching.verifier.explained import Worth, check_alone, check_next_best, least_for_next_best
from amont.matching.verifier.findings import UNCHECKED_ORIGIN, UNCHECKED_REASONS, UNCHECKED_WRONG, Findings, Report
from amont.matching.verifier.proofs import Proofs, Row
from amont.matching.verifier.reading import ClaimedPair, Result, read_result

_TELL_EVERY = 64


def verify(pool: bytes, result: bytes, policy: bytes = NO_POLICY, progress: Progress = unseen) -> Report:
    """Everything that is wrong with a result, or nothing.

    Args:
        pool: the pool file.
        result: the result file that is doubted.
        policy: the policy file.
        progress: told how many mentees have been looked at.

    Raises:
        Refused: the pool or the policy cannot be used, so that nothing can be said about the result.
    """
    rules = read_policy(policy)
    ground = Ground(read_pool(pool, rules), rules)
    found = Findings()
    try:
        claimed = read_result(result)
    except Refused as refused:
        return Report(faults=refused.faults)
    if claimed.pool_sha256 != sha256(pool).hexdigest():
        found.add(("$", "pool_sha256"), "is of another pool file than the one given: to the byte it must be the one that was matched")
    if claimed.policy_sha256 != sha256(policy).hexdigest():
        found.add(
            ("$", "policy_sha256"),
            "is of another policy than the one given: give the file that was matched with (--policy), or none if none was",
        )
    if claimed.tzdata != (here := tzdata_version()):
        found.add(
            ("$", "tzdata"),
            f"was made with the time zones of tzdata {claimed.tzdata[:20]}, and these are {here}, so that hours may differ: check it where that version is "
            f"installed (pip install tzdata=={claimed.tzdata[:20]})",
        )
    found.unchecked.append(UNCHECKED_ORIGIN)
    if any(pair.explained.get("worth_reason") for pair in claimed.pairs):
        found.unchecked.append(UNCHECKED_REASONS)
    check_claims(claimed, ground, found)
    looked_at = _look_at_every_pair(claimed, ground, found, progress)
    return Report(faults=tuple(found.faults), pairs=len(claimed.pairs), looked_at=looked_at, unchecked=tuple(found.unchecked))


class _Rows:
    """Narrows the pairs of a mentee to those that the pins leave, and adds stickiness."""

    def __init__(self, ground: Ground) -> None:
        self._ids = tuple(ground.people["mentee"])
        self._free = ground.places["mentee"]
        place = {id_: at for at, id_ in enumerate(ground.people["mentor"])}
        self._left = np.array([id_ in ground.places["mentor"] for id_ in place], dtype=np.bool_)
        self._extra = np.zeros(len(place), dtype=np.int64)
        self.stickiness = ground.policy.stickiness
        self._current: defaultdict[str, list[int]] = defaultdict(list)
        for mentee, mentor in ground.current:
            self._current[mentee].append(place[mentor])

    def free(self, mentee: int) -> bool:
        """Whether the mentee has no pin."""
        return self._ids[mentee] in self._free

    def current(self, mentee: int) -> list[int]:
        """The mentors with whom that mentee is a pair already."""
        return self._current.get(self._ids[mentee], [])

    def nothing(self) -> Integers:
        """Above every score."""
        return np.full(len(self._left), FULL_SCORE, dtype=np.int64)

    def left(self, mentee: int, mentors: Places, scores: Integers) -> Row | None:
        """The row as the proofs see it; none for a mentee who is pinned."""
        if not self.free(mentee):
            return None
        kept = self._left[mentors]
        mentors, scores = mentors[kept], scores[kept]
        current = self.current(mentee)
        self._extra[current] = self.stickiness
        values = scores + self._extra[mentors]
        self._extra[current] = 0
        return Row(mentee, mentors, scores, values)


def _least_of_interest(mentee: int, made: ClaimedPair | None, proofs: Proofs, rows: _Rows) -> Integers:
    """For each mentor the score up to which the pair says nothing about the proofs, nor about the next best of the pair that was made."""
    least = proofs.least(mentee, rows.current(mentee), rows.stickiness) if rows.free(mentee) else rows.nothing()
    return least if made is None else np.minimum(least, least_for_next_best(made))


def _look_at_every_pair(result: Result, ground: Ground, found: Findings, progress: Progress) -> int:
    """One pass over the possible pairs, which everything that needs one shares; gives their number."""
    progress("lay out", 0, None)
    board = board_of(ground.pool, ground.policy)
    mentees, mentors = tuple(ground.people["mentee"]), tuple(ground.people["mentor"])
    made = {pair.mentee: place for place, pair in enumerate(result.pairs) if result.explained and pair.mentor in ground.people["mentor"]}
    proofs, rows = Proofs(result, ground, found), _Rows(ground)
    worth = None
    if result.explained and found.faults:
        found.unchecked.append(UNCHECKED_WRONG)
    elif result.explained:
        worth = Worth(result, ground, found)
    for mentee, id_ in enumerate(mentees):
        if mentee % _TELL_EVERY == 0:
            progress("look at every pair", mentee, len(mentees))
        place = made.get(id_)
        whole = worth is not None and worth.small and rows.free(mentee)
        least = None if whole else _least_of_interest(mentee, None if place is None else result.pairs[place], proofs, rows)
        allowed, scores = board.row(mentee, least)
        if place is not None:
            check_next_best(result.pairs[place], (("$", "pairs"), place), mentee, board, (allowed, scores), mentors, found)
        row = rows.left(mentee, allowed, scores)
        if row is not None:
            proofs.see(row)
            if worth is not None:
                worth.see(row)
    proofs.conclude()
    if worth is not None:
        worth.conclude()
    if result.explained:
        check_alone(result, ground, board, found)
    return len(mentees) * len(mentors)
