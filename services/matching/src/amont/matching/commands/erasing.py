"""What matching holds of somebody who is erased: their place in the group and their enrolments go; pairs and the rows of rounds stay, nameless.

A pair ends first, as with every leaver, so that the partner's seat is free again. The pool that a round was solved from says what everybody in it told
of themselves, so a round that had the person in it keeps its pool no longer.
"""

from dataclasses import replace

from amont.common.erasing import Look, clear
from amont.common.events import ErasedFromMatching
from amont.common.events.values import EmployeeStatus
from amont.matching import documents
from amont.matching.domain.answer import PASSING, RoundPage
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.person import Person
from amont.matching.domain.round import Round


async def sweep(look: Look) -> None:
    """Take away or make nameless what is there, as far as its time has come."""
    work = look.work
    for enrolment in (await work.get_many(Enrolment, look.enrolments)).values():
        if enrolment.recheck:
            look.waits = True
        else:
            look.remove(documents.ENROLMENTS, enrolment)
    await _pairs(look)
    blank = Person(id=look.person, status=EmployeeStatus.LEFT)
    await look.tombstone(documents.PEOPLE, blank, ready=lambda person: person.recheck is None)
    await look.rename_all(documents.people_below(look.person))
    for query in documents.everything_else():
        await look.search(query)
    await _round_pages(look)


async def _pairs(look: Look) -> None:
    """Ended ones forget who the person was, and why either of the two declined; the others end first, by their own rules."""
    async for pair in look.work.find(documents.every_pair_of(look.person)):
        if pair.live or pair.vacated:
            look.waits = True
        elif not look.full:
            look.rename(documents.PAIRS, replace(pair, refusal=None))
    async for pair in look.work.find(documents.live_pairs_below(look.person)):
        if not look.full and look.person not in {pair.mentee, pair.mentor}:
            look.rename(documents.PAIRS, pair)


async def _round_pages(look: Look) -> None:
    async for page in look.work.holding(documents.every_page(), look.names):
        if look.full:
            return
        if page.part in PASSING:
            await _let_go_of_pool(look, page)
        else:
            look.rename(documents.ROUND_PAGES, page)


async def _let_go_of_pool(look: Look, page: RoundPage) -> None:
    round_ = await look.work.peek(Round, page.round)
    if round_ is not None and round_.waits:
        look.waits = True
        return
    if round_ is not None and round_.answer is not None and not round_.answer.passed:
        look.change(documents.ROUNDS, round_.lets_go_of_pool(look.work.now))
    look.remove(documents.ROUND_PAGES, page)


wake_clearing = clear(sweep, ErasedFromMatching)
