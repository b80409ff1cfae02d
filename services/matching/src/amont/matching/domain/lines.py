"""The management graph: who is above whom, by solid or dotted lines, up to the top; and how a graph with cycles is made one without.

Nothing here recurses: a chain of ten thousand links is as good as one of ten. Links come from several HRIS feeds, so they may contradict
each other; `break_cycles` decides, by age and id only, which of them to ignore, so that every reader of the same links ignores the same
ones. What is asked about some people only needs nobody else by name: `among`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from graphlib import TopologicalSorter
from hashlib import sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One person reports to another since a day, by the solid line or a dotted one."""

    report: str
    manager: str
    since: date
    dotted: bool = False

    @property
    def age(self) -> tuple[date, str, str, bool]:
        """Sorts links from the oldest to the newest; of two links of one day the one with the greater ids, report first, is the newer."""
        return self.since, self.report, self.manager, self.dotted


@dataclass(frozen=True, slots=True)
class Untangled:
    """Links without a cycle, and those that had to be dropped for it; both from the oldest to the newest."""

    kept: tuple[Link, ...]
    dropped: tuple[Link, ...]

    def managers(self) -> dict[str, tuple[str, ...]]:
        """Each person's direct managers as a pool wants them: the solid line first, then the dotted ones, each by id, nobody twice."""
        direct: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for link in sorted(self.kept, key=lambda link: (link.report, link.dotted, link.manager)):
            direct[link.report][link.manager] = None
        return {report: tuple(managers) for report, managers in direct.items()}


class Lines:
    """Who is above whom, from each person's direct managers.

    Answers are computed by walking up at each call, in time and memory of the chains walked; keep them where you ask often.
    """

    def __init__(self, managers: Mapping[str, Sequence[str]]) -> None:
        """Take the direct managers of each person; people who are absent have none."""
        self._managers = managers

    def ancestors(self, person: str) -> frozenset[str]:
        """Everybody above that person, by solid and dotted lines, at any distance."""
        above: set[str] = set()
        waiting = list(self._managers.get(person, ()))
        while waiting:
            manager = waiting.pop()
            if manager not in above:
                above.add(manager)
                waiting.extend(self._managers.get(manager, ()))
        return frozenset(above)

    def in_line(self, one: str, other: str) -> bool:
        """Whether a chain of links leads from one to the other, in either direction."""
        return other in self.ancestors(one) or one in self.ancestors(other)


def among(managers: Mapping[str, Sequence[str]], people: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Direct managers that make the same lines between these people as `managers`, which have no cycle, and name nobody else; linear in the links.

    Of the others, who has nobody of these people above is left out, and who has one way up is stood for by the next on it. Who has several gets a name
    made of theirs: it tells nothing else, is nobody's id, and is the same in every pool where the same people are above.
    """
    kept: dict[str, tuple[str, ...]] = {}
    named: dict[str, str | None] = {}
    for one in TopologicalSorter(managers).static_order():
        above = tuple(dict.fromkeys(name for manager in managers.get(one, ()) if (name := named[manager]) is not None))
        if one in people or len(above) > 1:
            name = named[one] = one if one in people else _between(above)
            if above:
                kept[name] = above
        else:
            named[one] = above[0] if above else None
    return kept


def _between(above: Sequence[str]) -> str:
    return f"between {sha256(chr(0).join(above).encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def break_cycles(links: Iterable[Link]) -> Untangled:
    """Drop the newest link of every cycle, and every link from a person to themselves.

    Links are taken from the oldest to the newest, and one that would close a cycle with those kept before it is dropped. So each cycle
    loses its newest link, unless an older one of its links was already lost to another cycle: then it is a cycle no more and loses nothing
    else. The result depends on the set of links only.

    Each link costs one search from both of its ends at once, which stops when the smaller side is exhausted: n links that make one long
    chain, in whatever order they come, cost n log n steps.
    """
    above: defaultdict[str, list[str]] = defaultdict(list)
    below: defaultdict[str, list[str]] = defaultdict(list)
    kept: list[Link] = []
    dropped: list[Link] = []
    for link in sorted(dict.fromkeys(links), key=lambda link: link.age):  # links that come in order are sorted in no time
        if _leads(above, below, link.manager, link.report):
            dropped.append(link)
        else:
            above[link.report].append(link.manager)
            below[link.manager].append(link.report)
            kept.append(link)
    return Untangled(tuple(kept), tuple(dropped))


def _leads(above: Mapping[str, Sequence[str]], below: Mapping[str, Sequence[str]], low: str, high: str) -> bool:
    """Whether a chain leads up from one person to another, or they are the same."""
    if low == high:
        return True
    up, down = _Walk(above, low), _Walk(below, high)
    while True:
        for walk, goal in ((up, down), (down, up)):
            if not walk.waiting:
                return False
            if walk.step(goal.seen):
                return True


class _Walk:
    """A search that goes on person by person, so that two of them can take turns."""

    __slots__ = ("_graph", "seen", "waiting")

    def __init__(self, graph: Mapping[str, Sequence[str]], start: str) -> None:
        self._graph = graph
        self.seen = {start}
        self.waiting = [start]

    def step(self, goal: set[str]) -> bool:
        """Look at the neighbours of one waiting person; true when one of them is among the goal."""
        new = [other for other in self._graph.get(self.waiting.pop(), ()) if other not in self.seen]
        self.seen.update(new)
        self.waiting.extend(new)
        return not goal.isdisjoint(new)
