"""Replacements: a seat that becomes free is matched again within a minute, in the name of whoever published the last full round."""

import pytest
from tests.services.matching.matching_facts import (
    COORDINATOR,
    DAY,
    ERIC,
    EVE,
    JIM,
    JULE,
    PROGRAMME,
    SECOND,
    Office,
    accept,
    actor,
    finish,
    kinds,
    pairs,
    publish,
    solve,
)

from amont.common.events import PairProposed, RoundPublished
from amont.common.events.values import PairStatus, ProgrammeStatus, Role
from amont.common.testing.hearing import Hearing
from amont.matching import commands, documents
from amont.matching.domain.pair import Pair
from amont.matching.domain.programme import REPLACEMENT_WAIT, Programme
from amont.matching.domain.round import Discarded, Round, RoundKind, RoundStatus

WAIT = REPLACEMENT_WAIT


async def _one_of_two_juniors(matching: Hearing, office: Office, **policy: object) -> Pair:
    """Eve with Jim, who suits her better than Jule, who waits."""
    await matching.hears(office.programme(**policy), *office.mentee(EVE), *office.mentor(JIM), *office.mentor(JULE, topics={"ai": 1}))
    [pair] = await publish(matching)
    assert pair.mentor == JIM
    await matching.said()
    return pair


async def _wait_after(matching: Hearing) -> None:
    await matching.passes(SECOND)
    await matching.passes(WAIT)
    await matching.passes(SECOND)
    await finish(matching)
    await matching.passes(SECOND)


async def _rounds(matching: Hearing) -> list[Round]:
    async def read(work):  # noqa: ANN001, ANN202 - a question
        return [one async for one in work.find(documents.rounds_of(PROGRAMME))]

    return await matching.service.run(read)


async def test_a_declined_proposal_is_replaced_by_the_next_best(matching: Hearing, office: Office) -> None:
    pair = await _one_of_two_juniors(matching, office)
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    await matching.settle()
    programme = await matching.look(Programme, PROGRAMME)
    assert programme.replace_at == matching.clock.now() + WAIT
    assert kinds(await matching.said()) == ["PairDeclined"]
    await matching.passes(SECOND)
    await matching.passes(WAIT - 2 * SECOND)
    assert await matching.said() == []
    await _wait_after(matching)
    said = await matching.said()
    assert kinds(said) == ["RoundPublished", "PairProposed"]
    assert isinstance(said[0], RoundPublished)
    assert isinstance(said[1], PairProposed)
    assert (said[0].kind, said[0].published_by, said[0].pairs) == ("replacement", COORDINATOR.person, 1)
    assert (said[1].mentee, said[1].mentor) == (EVE, JULE)
    assert (await matching.look(Programme, PROGRAMME)).due_at is None
    gone = await matching.look(Pair, pair.id)
    assert (gone.vacated, gone.due_at) == (False, gone.kept_until)


@pytest.mark.parametrize("how", ["expired", "left", "withdrawn", "line", "no-fault"])
async def test_every_early_end_frees_the_seats(matching: Hearing, office: Office, how: str) -> None:
    pair = await _one_of_two_juniors(matching, office)
    match how:
        case "expired":
            await matching.passes(7 * DAY)
        case "left":
            await matching.hears(office.left(JIM))
        case "withdrawn":
            await matching.hears(office.withdrawn(JIM, Role.MENTOR))
        case "line":
            await matching.hears(office.employee(JIM, managers=(EVE,)))
        case _:
            await accept(matching, pair, EVE, JIM)
            await matching.asked(commands.end_pair, pair.id, COORDINATOR)
    await matching.settle()
    await _wait_after(matching)
    assert [(one.mentee, one.mentor) for one in await pairs(matching, live=True)] == [(EVE, JULE)]


async def test_a_completed_pair_is_not_replaced(matching: Hearing, office: Office) -> None:
    pair = await accept(matching, await _one_of_two_juniors(matching, office), EVE, JIM)
    await matching.hears(office.session(pair, 6))
    await _wait_after(matching)
    assert await pairs(matching, live=True) == []


async def test_live_pairs_are_frozen_while_others_are_replaced(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(), *(e for p in (EVE, ERIC) for e in office.mentee(p)), *(e for p in (JIM, JULE) for e in office.mentor(p))
    )
    one, other = await publish(matching)
    await matching.asked(commands.decline_pair, one.id, actor(one.mentee))
    await matching.hears(*office.mentor("de:new", topics={"ai": 3, "data": 3}))
    await _wait_after(matching)
    assert await matching.look(Pair, other.id) == other
    assert [pair.mentor for pair in await pairs(matching, live=True) if pair.mentee == one.mentee] == ["de:new"]


async def test_many_ends_at_about_the_same_time_make_one_round(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(),
        *(e for n in range(4) for e in (*office.mentee(f"fr:e{n}"), *office.mentor(f"de:j{n}"))),
    )
    first = await publish(matching)
    for pair in first:
        await matching.asked(commands.decline_pair, pair.id, actor(pair.mentee))
        await matching.passes(4 * SECOND)
    await _wait_after(matching)
    assert sorted(round_.kind for round_ in await _rounds(matching)) == [RoundKind.FULL, RoundKind.REPLACEMENT]
    assert len(await pairs(matching, live=True)) == 4


async def test_an_end_just_before_the_replacement_brings_another_one(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(), *(e for p in (EVE, ERIC) for e in office.mentee(p)), *(e for p in (JIM, JULE) for e in office.mentor(p))
    )
    one, other = await publish(matching)
    await matching.asked(commands.decline_pair, one.id, actor(one.mentee))
    await matching.settle()
    await matching.passes(WAIT - SECOND)
    await matching.asked(commands.decline_pair, other.id, actor(other.mentee))
    await matching.settle()
    assert (await matching.look(Pair, other.id)).vacated
    for _ in range(4):
        await _wait_after(matching)
    assert not (await matching.look(Pair, other.id)).vacated
    assert (await matching.look(Programme, PROGRAMME)).due_at is None
    assert len(await pairs(matching, live=True)) == 2


async def test_a_clock_that_leaps_between_two_looks_brings_no_round_after_round(matching: Hearing, office: Office) -> None:
    pair = await _one_of_two_juniors(matching, office)
    await matching.asked(commands.decline_pair, pair.id, actor(pair.mentee))
    for _ in range(6):
        await matching.passes(WAIT - SECOND)
    assert not (await matching.look(Pair, pair.id)).vacated
    assert sorted(round_.kind for round_ in await _rounds(matching)) == [RoundKind.FULL, RoundKind.REPLACEMENT]


async def test_reviewed_replacements_wait_for_a_human(matching: Hearing, office: Office) -> None:
    pair = await _one_of_two_juniors(matching, office, replacements="reviewed", min_matched_percent=100)
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    await _wait_after(matching)
    await matching.passes(DAY)
    assert kinds(await matching.said()) == ["PairDeclined"]
    [waiting] = [one for one in await _rounds(matching) if one.kind is RoundKind.REPLACEMENT]
    assert (waiting.status, waiting.requested_by) == (RoundStatus.SOLVED, COORDINATOR.person)
    [made] = await publish(matching, waiting)
    assert (made.mentor, made.status) == (JULE, PairStatus.PROPOSED)


async def test_a_replacement_that_made_no_pair_brings_no_other_one(matching: Hearing, office: Office) -> None:
    pair = await _one_of_two_juniors(matching, office, replacements="reviewed")
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    await _wait_after(matching)
    [waiting] = [one for one in await _rounds(matching) if one.kind is RoundKind.REPLACEMENT]
    await matching.hears(office.on_leave(JULE, Role.MENTOR))
    assert await publish(matching, waiting) == []
    assert (await matching.look(Programme, PROGRAMME)).replace_at is None


async def test_nothing_is_replaced_when_nobody_is_left_or_the_programme_is_closed(matching: Hearing, office: Office) -> None:
    pair = await _one_of_two_juniors(matching, office)
    await matching.hears(office.withdrawn(JULE, Role.MENTOR))
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    await _wait_after(matching)
    in_vain = [one for one in await _rounds(matching) if one.kind is RoundKind.REPLACEMENT]
    assert [(one.status, one.discarded) for one in in_vain] == [(RoundStatus.DISCARDED, Discarded.NOTHING_TO_PROPOSE)]
    await matching.hears(*office.mentor("de:new"))
    [later] = await publish(matching)
    await matching.hears(office.programme(status=ProgrammeStatus.CLOSED))
    await matching.asked(commands.decline_pair, later.id, actor(EVE))
    await _wait_after(matching)
    assert not (await matching.look(Pair, later.id)).vacated
    assert (await matching.look(Programme, PROGRAMME)).replace_at is None


async def test_a_seat_that_went_during_publication_is_filled_later(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM), *office.mentor(JULE, topics={"ai": 1}))
    round_ = await solve(matching)
    await matching.hears(office.withdrawn(JIM, Role.MENTOR))
    assert await publish(matching, round_) == []
    await _wait_after(matching)
    assert [(pair.mentee, pair.mentor) for pair in await pairs(matching, live=True)] == [(EVE, JULE)]
