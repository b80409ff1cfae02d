"""What matching keeps, and the named queries over it. A pair is found by its people, their subsidiaries, and everybody in the line above them."""

from collections.abc import Iterable, Mapping
from typing import Any

from amont.common import erasing, exporting
from amont.common.documents import AnyOf, AtMost, Index
from amont.common.documents.collection import Collection, Query
from amont.common.events.values import EnrolmentStatus
from amont.matching.domain.answer import Part, RoundPage
from amont.matching.domain.cycle import Cycles
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.pair import LIVE, Pair
from amont.matching.domain.person import Person
from amont.matching.domain.programme import Programme
from amont.matching.domain.round import Round
from amont.matching.domain.ruling import READABLE, Ruling, RulingKind
from amont.matching.domain.simulation import Simulation

_LIVE = AnyOf(tuple(status.value for status in LIVE))


def _keys_of(pair: Pair) -> Mapping[str, Any]:
    return {"people": [pair.mentee, pair.mentor], "known_to": list(pair.known_to), "tenants": sorted(pair.resource.tenants)}


PEOPLE = Collection(Person, "people", indexes=[Index(("managers",), many=True)], due=True)
ENROLMENTS = Collection(Enrolment, "enrolments", indexes=[Index(("programme", "status"))], due=True)
PROGRAMMES = Collection(Programme, "programmes", due=True)
ROUNDS = Collection(Round, "rounds", indexes=[Index(("programme",))], due=True)
ROUND_PAGES = Collection(RoundPage, "round_pages", indexes=[Index(("round", "attempt"))])
PAIRS = Collection(
    Pair,
    "pairs",
    indexes=[
        Index(("programme", "status")),
        Index(("people",), many=True),
        Index(("known_to",), many=True),
        Index(("tenants",), many=True),
        Index(("line",), many=True),
    ],
    keys=_keys_of,
    due=True,
)

CYCLES = Collection(Cycles, "cycles")
SIMULATIONS = Collection(Simulation, "simulations", indexes=[Index(("programme",))], due=True)

RULINGS = Collection(
    Ruling,
    "rulings",
    indexes=[Index(("programme", "kind")), Index(("people",), many=True)],
    keys=lambda ruling: {"people": list(ruling.people)},
    due=True,
)

COLLECTIONS = (
    PEOPLE,
    ENROLMENTS,
    PROGRAMMES,
    ROUNDS,
    ROUND_PAGES,
    PAIRS,
    CYCLES,
    SIMULATIONS,
    RULINGS,
    *erasing.COLLECTIONS,
    exporting.ANSWERS,
)


def active_enrolments_of(programme: str) -> Query[Enrolment]:
    return ENROLMENTS.where(programme=programme, status=EnrolmentStatus.ENROLLED.value)


def rounds_of(programme: str) -> Query[Round]:
    return ROUNDS.where(programme=programme)


def simulations_of(programme: str) -> Query[Simulation]:
    return SIMULATIONS.where(programme=programme)


def rulings_of(programme: str, kind: RulingKind | None = None) -> Query[Ruling]:
    """Of that kind, or all that can be read."""
    return RULINGS.where(programme=programme, kind=AnyOf(tuple(one.value for one in READABLE)) if kind is None else kind.value)


def rulings_about(person: str) -> Query[Ruling]:
    return RULINGS.where(people=person)


def pages_of(round_id: str, *, before: int | None = None) -> Query[RoundPage]:
    """The pages of a round; those of attempts before that one."""
    return ROUND_PAGES.where(round=round_id, **({} if before is None else {"attempt": AtMost(before - 1)}))


def pages_of_parts(round_id: str, parts: Iterable[Part]) -> Query[RoundPage]:
    return ROUND_PAGES.where(round=round_id, part=AnyOf(tuple(part.value for part in parts)))


def every_pair_of_programme(programme: str) -> Query[Pair]:
    """Ended ones too: two who were a pair are not proposed again."""
    return PAIRS.where(programme=programme)


def pairs_of_round(programme: str, round_id: str) -> Query[Pair]:
    """Ended ones too."""
    return PAIRS.where(programme=programme, round=round_id)


def live_pairs_of_programme(programme: str) -> Query[Pair]:
    return PAIRS.where(programme=programme, status=_LIVE)


def live_pairs_of(person: str) -> Query[Pair]:
    return PAIRS.where(people=person, status=_LIVE)


def every_pair_of(person: str) -> Query[Pair]:
    return PAIRS.where(people=person)


def people_below(person: str) -> Query[Person]:
    """Those who report to the person, on a solid line or a dotted one."""
    return PEOPLE.where(managers=person)


def every_page_of(part: Part) -> Query[RoundPage]:
    return ROUND_PAGES.where(part=part.value)


def every_enrolment() -> Query[Enrolment]:
    return ENROLMENTS.where()


def every_page() -> Query[RoundPage]:
    return ROUND_PAGES.where()


def everything_else() -> tuple[Query[Any], ...]:
    """Whatever is about nobody in particular and may name somebody: who published, decided or asked for it, or whose seat it was."""
    return (PROGRAMMES.where(), ROUNDS.where(), CYCLES.where(), RULINGS.where(), SIMULATIONS.where())


def live_pairs_of_any(people: tuple[str, ...], programme: str) -> Query[Pair]:
    return PAIRS.where(people=AnyOf(people), programme=programme, status=_LIVE)


def pairs_of_any(people: tuple[str, ...], programme: str) -> Query[Pair]:
    """Ended ones too."""
    return PAIRS.where(people=AnyOf(people), programme=programme)


def live_pairs_below(person: str) -> Query[Pair]:
    """Those whose line of management passed through the person at the last look, the person's own included."""
    return PAIRS.where(line=person, status=_LIVE)


def pairs_for_people_to_read(*, programme: str | None, person: str | None, tenant: str | None, known_to: str | None) -> Query[Pair]:
    """A list narrowed to what is asked for and may be seen."""
    wanted = {"programme": programme, "people": person, "tenants": tenant, "known_to": known_to}
    return PAIRS.where(**{name: value for name, value in wanted.items() if value is not None})
