"""What matching holds of somebody who asks for it: their place, their enrolments, their pairs, and why no round found them a partner.

A pair that the person was never asked about is not told; nor is why the other one declined, nor who else is above either of the two. Of what a
coordinator decided about two people, the other one and the reason are the other one's business too: left out.
"""

from typing import Any

from amont.common.events import ExportedFromMatching
from amont.common.exporting import MOST_OF_A_KIND, Kinds, answer, plain
from amont.common.work import Work
from amont.matching import documents
from amont.matching.domain.answer import Part
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person


async def gather(work: Work, person: str, private: bool) -> Kinds:  # noqa: FBT001 - the shape of a `Gather`
    """Everything, by kind."""
    pairs = [one async for one in work.find(documents.every_pair_of(person)) if person in one.known_to]
    enrolments = [one async for one in work.holding(documents.every_enrolment(), [person]) if one.person == person]
    rulings = [one async for one in work.find(documents.rulings_about(person))]
    return {
        "place": plain(documents.PEOPLE, [found] if (found := await work.peek(Person, person)) else [], without=("recheck",)),
        "enrolments": plain(documents.ENROLMENTS, enrolments, without=("recheck",)),
        "pairs": [_pair(one, person, private=private) for one in pairs[-MOST_OF_A_KIND:]],
        "decisions about you and somebody else": [{"programme": one.programme, "kind": one.kind, "at": str(one.now.at)} for one in rulings],
        "rounds without a partner": await _explanations(work, person),
    }


def _pair(pair: Pair, person: str, *, private: bool) -> dict[str, Any]:
    (found,) = plain(documents.PAIRS, [pair], without=("line", "vacated", "asked_at", "refusal"))
    own = pair.refusal is not None and pair.refusal.by is pair.role_of(person)
    if own and private and pair.refusal is not None:
        found["your reason to decline"] = pair.refusal.reason
    return dict(found)


async def _explanations(work: Work, person: str) -> list[Any]:
    """The rows of rounds that say why the person is in no pair."""
    found: list[Any] = []
    for part in (Part.UNMATCHED, Part.LEFT_OUT):
        async for page in work.holding(documents.every_page_of(part), [person]):
            rows = documents.ROUND_PAGES.dump(page)[part.value]
            found += [{"round": page.round, **row} for row in rows if person in {row.get("id"), row.get("person")}]
    return found[-MOST_OF_A_KIND:]


wake_answer = answer(gather, ExportedFromMatching)
