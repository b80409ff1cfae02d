"""What has changed between two pools, in the order in which it is to be told. A decline, an expiry, somebody who withdraws, enrols, moves or is promised to
somebody: all that a round depends on is in its pool, so two pools side by side say everything, whatever events were behind it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from amont.matching.domain.engine.repair.crowd import Outgrown
from amont.matching.domain.pool import Pool, PoolPerson, Role

Key = tuple[Role, str]


@dataclass(frozen=True, kw_only=True)
class Differences:
    """What to tell a living pool so that it becomes `pool`.

    Attributes:
        gone: who is not there any more, or not as they were.
        forbidden: couples who must not meet any more.
        seats: those with other places than before: mentees before mentors, fewer places before more.
        come: who is new, or as they are now.
    """

    pool: Pool
    gone: tuple[Key, ...]
    forbidden: tuple[tuple[str, str], ...]
    seats: tuple[tuple[Role, str, int], ...]
    come: tuple[PoolPerson, ...]

    @property
    def size(self) -> int:
        """How many things have changed."""
        return len(self.gone) + len(self.forbidden) + len(self.seats) + len(self.come)

    @property
    def come_again(self) -> set[Key]:
        return {(person.role, person.id) for person in self.come}

    @cached_property
    def below(self) -> Mapping[str, list[str]]:
        """Who reports to whom, by the one above."""
        return reports(self.pool)

    def forbidden_of(self, id_: str) -> set[str]:
        """With whom a person is forbidden."""
        return self._partners.get(id_, set())

    @cached_property
    def _partners(self) -> Mapping[str, set[str]]:
        partners: dict[str, set[str]] = defaultdict(set)
        for one, other in self.pool.forbidden:
            partners[one].add(other)
            partners[other].add(one)
        return partners


def differences(old: Pool, new: Pool) -> Differences:
    """From the one pool to the other.

    Raises:
        Outgrown: another week, or a couple of two who stay that may meet again.
    """
    if old.week_of != new.week_of:
        raise Outgrown("another week")
    before, after = ({couple(*one) for one in pool.forbidden} for pool in (old, new))
    was, are = ({(person.role, person.id): person for person in pool.people} for pool in (old, new))
    both = was.keys() & are.keys()
    if free := before - after:
        staying = {id_ for _, id_ in both}
        if any(staying.issuperset(one) for one in free):
            raise Outgrown("a couple that may meet again")
    moved = _moved(old, new)
    stay = {key for key in both if _same(was[key], are[key]) and key[1] not in moved}
    seats = [(key, are[key].capacity) for key in stay if was[key].capacity != are[key].capacity]
    return Differences(
        pool=new,
        gone=tuple(sorted(was.keys() - stay)),
        forbidden=tuple(sorted(after - before)),
        seats=tuple((*key, places) for key, places in sorted(seats, key=lambda one: (one[0][0], one[1] > was[one[0]].capacity, one[0]))),
        come=tuple(are[key] for key in sorted(are.keys() - stay)),
    )


def couple(one: str, other: str) -> tuple[str, str]:
    """Two people whichever comes first."""
    return (one, other) if one < other else (other, one)


def reports(pool: Pool) -> Mapping[str, list[str]]:
    """Who reports to whom, by the one above."""
    below: dict[str, list[str]] = defaultdict(list)
    for person, managers in pool.managers.items():
        for manager in managers:
            below[manager].append(person)
    return below


def _moved(old: Pool, new: Pool) -> set[str]:
    """Everybody above whom something has changed: who got other managers, and all below them."""
    if old.managers == new.managers:
        return set()
    changed = {one for one in old.managers.keys() | new.managers.keys() if old.managers.get(one, ()) != new.managers.get(one, ())}
    below = reports(new)
    moved, waiting = set(changed), list(changed)
    while waiting:
        for report in below.get(waiting.pop(), ()):
            if report not in moved:
                moved.add(report)
                waiting.append(report)
    return moved


def _same(one: PoolPerson, other: PoolPerson) -> bool:
    return one == other or replace(one, capacity=other.capacity) == other
