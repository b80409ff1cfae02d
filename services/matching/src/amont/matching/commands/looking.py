"""Looking at pairs: read in bulk what a set of pairs is judged by, judge each, and save what follows.

Reading goes level by level up the lines of management, so it costs as many round trips as the deepest line is long, however many pairs are asked
about, and never reads the whole group.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from amont.common import events, metrics
from amont.common.aggregate import Decision
from amont.common.ids import derived
from amont.common.work import Work
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.judging import Side, judge
from amont.matching.domain.lines import Lines, Untangled, break_cycles
from amont.matching.domain.pair import Finding, Pair
from amont.matching.domain.person import Person
from amont.matching.domain.pooling import core_policy
from amont.matching.domain.programme import Programme
from amont.matching.domain.ruling import Ruling, RulingKind

SOON = timedelta(seconds=1)
"""When to look once more at what has just been changed: until a look finds nothing, nothing is taken for written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a set of pairs is judged by."""

    people: Mapping[str, Person]
    enrolments: Mapping[str, Enrolment]
    policies: Mapping[str, events.Policy]
    managers: Mapping[str, tuple[str, ...]]
    """As the rules see them: without cycles."""
    lines: Lines
    """As they were heard."""
    rulings: Mapping[str, Ruling]
    """What was decided about the two of a pair, by the pair's id."""

    def knows(self, pair: Pair) -> bool:
        """Whether everything about the two has been heard; what is missing brings its own look when it comes."""
        return (
            {pair.mentee, pair.mentor} <= self.people.keys()
            and {pair.mentee_enrolment, pair.mentor_enrolment} <= self.enrolments.keys()
            and pair.programme in self.policies
        )

    def finding(self, pair: Pair) -> Finding:
        mentee = Side(self.people[pair.mentee], self.enrolments[pair.mentee_enrolment])
        mentor = Side(self.people[pair.mentor], self.enrolments[pair.mentor_enrolment])
        policy = core_policy(self.policies[pair.programme])
        ruling = self.rulings.get(pair.id)
        forbidden = ruling is not None and ruling.kind is RulingKind.FORBIDDEN
        return judge(pair, mentee, mentor, managers=self.managers, policy=policy, forbidden=forbidden)

    def lets_break_rules(self, pair: Pair) -> bool:
        """Whether somebody still stands for the rules that the pair would break from the start; most break none."""
        ruling = self.rulings.get(pair.id)
        return not pair.overrides or (ruling is not None and ruling.lets_break_rules(pair.mentee))

    def line(self, pair: Pair) -> tuple[str, ...]:
        """The two and everybody above either of them, seen or not: whose move could concern the pair."""
        return tuple(sorted({pair.mentee, pair.mentor} | self.lines.ancestors(pair.mentee) | self.lines.ancestors(pair.mentor)))

    def rest(self, pair: Pair) -> timedelta:
        """How long the pair may break a rule."""
        return timedelta(days=self.policies[pair.programme].suspension_days)


async def surroundings(work: Work, pairs: Sequence[Pair]) -> Surroundings:
    """Everything these pairs depend on, in a few round trips."""
    people, untangled = await lines_above(work, (person for pair in pairs for person in (pair.mentee, pair.mentor)))
    enrolments = await work.get_many(Enrolment, [one for pair in pairs for one in (pair.mentee_enrolment, pair.mentor_enrolment)])
    programmes = await work.get_many(Programme, [pair.programme for pair in pairs])
    return Surroundings(
        people=people,
        enrolments=enrolments,
        policies={id_: programme.policy for id_, programme in programmes.items()},
        managers=untangled.managers(),
        lines=Lines({id_: person.managers for id_, person in people.items()}),
        rulings=await _rulings_about(work, pairs),
    )


def ruling_id(programme: str, one: str, other: str) -> str:
    """The id of what is decided about these two, in whichever roles."""
    return derived("ruling", programme, *sorted((one, other)))


async def _rulings_about(work: Work, pairs: Sequence[Pair]) -> Mapping[str, Ruling]:
    ids = {pair.id: ruling_id(pair.programme, pair.mentee, pair.mentor) for pair in pairs}
    rulings = await work.get_many(Ruling, list(ids.values()))
    return {pair: rulings[id_] for pair, id_ in ids.items() if id_ in rulings}


async def lines_above(work: Work, people: Iterable[str]) -> tuple[dict[str, Person], Untangled]:
    """These people and everybody above them whom we have heard of, and the links between them without cycles.

    A cycle that reaches somebody lies wholly above them, so the same links are dropped whoever is asked about.
    """
    found: dict[str, Person] = {}
    asked: set[str] = set()
    wanted = set(people)
    while wanted:
        level = await work.get_many(Person, sorted(wanted))
        asked |= wanted
        found |= level
        wanted = {manager for person in level.values() for manager in person.managers} - asked
    return found, break_cycles(link for person in found.values() for link in person.links)


async def review(work: Work, pairs: Sequence[Pair]) -> bool:
    """Look at live pairs and save what follows; whether anything was saved."""
    facts = await surroundings(work, pairs)
    changed = False
    for pair in pairs:
        if not facts.knows(pair):
            continue
        decision = pair.review(facts.finding(pair), facts.line(pair), work.now, rest=facts.rest(pair))
        if decision.state != pair:
            keep(work, decision)
            changed = True
    return changed


def keep(work: Work, decision: Decision[Pair]) -> Pair:
    """Save a pair, and count what happened to it once that is written."""
    happened = [type(event).__name__ for event in decision.events]

    async def count() -> None:
        for name in happened:
            metrics.PAIRS.labels(name).inc()

    if happened:
        work.afterwards(count)
    return work.save(decision)
