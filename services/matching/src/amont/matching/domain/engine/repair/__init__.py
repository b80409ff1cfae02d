"""Living rounds: a pool solved once, and repaired at the optimum whenever somebody declines, comes, goes, or is promised to somebody.

`sparse` keeps the known pairs, `market` mends the prices, `most` the proof that there are no more pairs, `optimum` puts the policy's stages on top, `crowd`
knows where people stand in the table, and `differences` tells what has changed between two pools. This page speaks of people. After a repair the
pairs are as good as those of a solve from the beginning, and the certificate is as complete; which of several equal answers it is depends on the
one before, to which it stays close. Everything here is a cache of what pool and policy say, and can be thrown away at any time.
"""

from collections.abc import Iterable

import numpy as np

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.engine.repair.crowd import Crowd, Outgrown, relatives
from amont.matching.domain.engine.repair.differences import Differences, differences
from amont.matching.domain.engine.repair.optimum import LivingOptimum
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, PoolPerson, Role
from amont.matching.domain.progress import Progress, unseen

__all__ = ["Living", "Outgrown"]

ROOM = 64
"""People in either role who can come before everything is begun again, and an eighth of the pool."""


class Living:
    """The optimum of a pool that changes. Somebody whose capacity is 0 is here, and takes no part until that changes."""

    def __init__(self, pool: Pool, policy: Policy, threads: int, progress: Progress = unseen) -> None:
        """Solve the pool, telling `progress` of it.

        Raises:
            ValueError: it pins pairs (give those who have a pair no capacity instead), or has hours, zones or lines that cannot be used.
        """
        if pool.pinned:
            raise ValueError("a living pool pins nobody: give the two one place less")
        self.pool = pool
        self._policy = policy
        self._crowd = Crowd(pool, policy, ROOM + len(pool.people) // 8)
        self._current = set(pool.current)
        sticky = np.array(sorted(self._crowd.places(self._current)), np.int32).reshape(-1, 2).T
        self._best = LivingOptimum(self._crowd.table, policy, threads, np.ascontiguousarray(sticky), progress)

    @property
    def nbytes(self) -> int:
        """About what is held."""
        return self._crowd.nbytes + self._best.nbytes

    def become(self, pool: Pool) -> None:
        """Be the optimum of this pool, whatever has changed.

        Raises:
            Outgrown: too much has; this object is of no use any more.
        """
        changed = differences(self.pool, pool)
        if changed.size > ROOM + len(pool.people) // 4:
            raise Outgrown("more than a quarter of the pool")
        self.pool = pool
        self._apply(changed)
        self.repair()

    def decline(self, mentee: str, mentor: str) -> None:
        """These two may not be a pair any more, in whatever roles."""
        if Rule.NOT_FORBIDDEN in self._policy.off:
            return
        for row, column in self._crowd.places([(mentee, mentor), (mentor, mentee)]):
            self._crowd.forbid([(row, column)])
            self._best.forbid(row, column, self._crowd.table)

    def leave(self, role: Role, id_: str) -> None:
        """Somebody is gone."""
        self.seats(role, id_, 0)
        self._crowd.leave(role, id_)

    def join(self, person: PoolPerson, apart: Iterable[str]) -> None:
        """Somebody comes; `apart` are those they may never meet: themselves, their line, and with whom they are forbidden.

        Raises:
            Outgrown: there is no room.
        """
        self._crowd.join(person, apart)
        self._best.use(self._crowd.table)
        self.seats(person.role, person.id, person.capacity)

    def seats(self, role: Role, id_: str, places: int) -> None:
        """Somebody has that many places now."""
        if role == "mentor":
            self._best.resize(self._crowd.column[id_], places)
        elif bool(places) != self._best.market.is_open(self._crowd.row[id_]):
            (self._best.open_row if places else self._best.close_row)(self._crowd.row[id_])

    def stick(self, mentee: str, mentor: str, *, sticks: bool) -> None:
        """Whether the two are a current pair."""
        for row, column in self._crowd.places([(mentee, mentor)]):
            self._best.stick(row, column, sticks=sticks)

    def repair(self) -> None:
        """Find the optimum again, after any number of changes."""
        self._best.repair()

    @property
    def pairs(self) -> dict[str, str]:
        """Each mentee's mentor."""
        mate = self._best.market.state.mate
        return {self._crowd.mentee_ids[row]: self._crowd.mentor_ids[mate[row]] for row in np.flatnonzero(mate >= 0).tolist()}

    @property
    def certificate(self) -> Certificate:
        """Why no answer can be better."""
        market, crowd = self._best.market, self._crowd
        profit, price = market.state.profit, market.state.price
        rows = market.open_rows[profit[market.open_rows] > 0]
        columns = np.flatnonzero((market.state.places > 0) & (price > 0))
        return Certificate(
            reward=market.reward,
            floor=market.floor,
            profits={crowd.mentee_ids[row]: int(profit[row]) for row in rows.tolist()},
            prices={crowd.mentor_ids[column]: int(price[column]) for column in columns.tolist()},
            pairs_cover=self._cover(self._best.pairs_cover),
            floor_cover=self._cover(self._best.floor_cover),
        )

    def _cover(self, cover: tuple[np.ndarray, np.ndarray] | None) -> Cover | None:
        if cover is None:
            return None
        rows, columns = cover
        ids = self._crowd
        return Cover(tuple(sorted(ids.mentee_ids[row] for row in rows)), tuple(sorted(ids.mentor_ids[column] for column in columns)))

    def _apply(self, changed: Differences) -> None:
        """Those who go first, and seats that are taken before seats that are free."""
        for role, id_ in changed.gone:
            self.leave(role, id_)
        for couple in changed.forbidden:
            self.decline(*couple)
        for role, id_, places in changed.seats:
            self.seats(role, id_, places)
        for person in changed.come:
            self.join(person, self._apart(person, changed))
        current = set(self.pool.current)
        for couples, sticks in ((self._current - current, False), (current - self._current, True)):
            for couple in sorted(couples):
                self.stick(*couple, sticks=sticks)
        for couple in sorted(current & self._current):
            if {("mentee", couple[0]), ("mentor", couple[1])} & changed.come_again:
                self.stick(*couple, sticks=True)
        self._current = current

    def _apart(self, person: PoolPerson, changed: Differences) -> set[str]:
        forbidden = set() if Rule.NOT_FORBIDDEN in self._policy.off else changed.forbidden_of(person.id)
        return relatives(self.pool, self._policy, changed.below, person.id) | forbidden
