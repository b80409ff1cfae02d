"""The cycles that the management graph has now, so that somebody can have them mended: who is in each, and which of its links are ignored.

All of them stand in one document. There are few: each is a mistake in somebody's HR system. What a reader sees depends on the links alone, not on who was
heard of last (`lines`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from amont.common.aggregate import Aggregate, Decision
from amont.common.events.values import Instant, tenant_of
from amont.common.identity import Resource
from amont.matching.domain.lines import Untangled

REGISTER = "group"
"""The id of the one document."""
MOST_CYCLES = 1_000
"""How many are kept, those found first; a group with more has something else to mend first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """People each of whom is above every other one. `ignored` are the links (report, manager) without which nobody is."""

    members: tuple[str, ...]
    ignored: tuple[tuple[str, str], ...]
    found_at: Instant

    @property
    def resource(self) -> Resource:
        return Resource("cycle", self.members[0], frozenset(map(tenant_of, self.members)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles(Aggregate):
    """See the module. In the order in which they were found."""

    cycles: tuple[Cycle, ...] = ()

    def around(self, people: Iterable[str]) -> tuple[Cycle, ...]:
        """The cycles in which any of these people is."""
        asked = frozenset(people)
        return tuple(one for one in self.cycles if not asked.isdisjoint(one.members))

    def now(self, people: Iterable[str], present: Iterable[Cycle]) -> Decision["Cycles"]:
        """These are the cycles in which any of these people is now: others that touch them or these are no more."""
        known = {one.members: one.found_at for one in self.cycles}
        dated = [replace(one, found_at=known.get(one.members, one.found_at)) for one in present]
        touched = self.around({*people, *(member for one in dated for member in one.members)})
        left = [one for one in self.cycles if one not in touched]
        return self.becomes(cycles=tuple(sorted([*left, *dated], key=lambda one: (one.found_at, one.members)))[:MOST_CYCLES])


def cycles_in(links: Untangled, found_at: Instant) -> list[Cycle]:
    """The strongly connected parts of the graph of more than one person, kept and ignored links together."""
    every = (*links.kept, *links.dropped)
    if not links.dropped:
        return []
    people = sorted({end for link in every for end in (link.report, link.manager)})
    places = {person: place for place, person in enumerate(people)}
    ends = [places[link.report] for link in every], [places[link.manager] for link in every]
    graph = csr_array((np.ones(len(every), dtype=np.int8), ends), shape=(len(people), len(people)))
    _, parts = connected_components(graph, directed=True, connection="strong")
    members: dict[int, list[str]] = {}
    for person, part in zip(people, parts.tolist(), strict=True):
        members.setdefault(part, []).append(person)
    ignored: dict[int, list[tuple[str, str]]] = {}
    for link in links.dropped:
        ignored.setdefault(int(parts[places[link.report]]), []).append((link.report, link.manager))
    return [Cycle(members=tuple(some), ignored=tuple(ignored[part]), found_at=found_at) for part, some in members.items() if len(some) > 1]
