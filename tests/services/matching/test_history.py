"""The history of pairs: kept for two years after each has ended, and then as if the two had never met."""

from datetime import timedelta

import pytest
from tests.services.matching.matching_facts import (
    DAY,
    EVE,
    SECOND,
    Office,
    a_confirmed_pair,
    a_proposal,
    accept,
    actor,
    pairs,
    publish,
    solve,
)

from amont.common.errors import NotFound, Unavailable
from amont.common.events.values import PairStatus
from amont.common.kept import HISTORY_KEPT
from amont.common.metrics import RETENTION
from amont.common.testing.hearing import Hearing
from amont.matching import commands
from amont.matching.domain.pair import Pair
from amont.matching.domain.round import LIVE, Round


async def test_a_pair_is_let_go_of_two_years_after_its_end_and_the_two_may_be_proposed_again(matching: Hearing, office: Office) -> None:
    before = RETENTION.labels("pairs")._value.get()
    pair = await a_proposal(matching, office, replacements="reviewed")
    await matching.asked(commands.decline_pair, pair.id, actor(EVE), "for me alone")
    for wait in (SECOND, DAY, HISTORY_KEPT - DAY - 2 * SECOND):
        await matching.passes(wait)
    assert [(one.id, one.status) for one in await pairs(matching)] == [(pair.id, PairStatus.ENDED)]
    assert (await solve(matching)).rows().pairs == 0
    await matching.passes(SECOND)
    assert await pairs(matching) == []
    with pytest.raises(NotFound):
        await matching.look(Pair, pair.id)
    assert (await solve(matching)).rows().pairs == 1
    assert RETENTION.labels("pairs")._value.get() == before + 1


async def test_how_a_round_s_pairs_have_ended_is_counted_before_the_first_of_them_goes(matching: Hearing, office: Office) -> None:
    """Also by a service that comes back when all of it is over, and wakes the pairs first."""
    people = [event for one in range(6) for event in (*office.mentee(f"fr:e{one}"), *office.mentor(f"de:j{one}"))]
    await matching.hears(office.programme(replacements="reviewed"), *people)
    round_ = await solve(matching)
    first, second, *others = await publish(matching, round_)
    await accept(matching, first, first.mentee, first.mentor)
    await matching.asked(commands.decline_pair, second.id, actor(second.mentee))
    for wait in (SECOND, SECOND, 30 * DAY, SECOND):
        await matching.passes(wait)
    assert (await matching.look(Round, round_.id)).outcomes is None
    matching.clock.advance(HISTORY_KEPT)
    await matching.service.tick()
    assert len(await pairs(matching)) == 6
    for wait in (SECOND, SECOND, DAY, DAY):
        await matching.passes(wait)
    assert (await matching.look(Round, round_.id)).outcomes == {LIVE: 1, "declined": 1, "expired": len(others)}
    assert [one.id for one in await pairs(matching)] == [first.id]


async def test_what_a_pair_that_is_history_has_to_say_is_said_before_it_goes(matching: Hearing, office: Office) -> None:
    """The log was away from the end of the pair on, and the service too: both come back when its time is over."""
    pair = await a_confirmed_pair(matching, office)
    append = matching.log.append
    matching.log.append = _away  # type: ignore[method-assign]
    await matching.asked(commands.end_pair, pair.id, actor(EVE))
    matching.clock.advance(HISTORY_KEPT)
    matching.log.append = append  # type: ignore[method-assign]
    for _ in range(5):
        await matching.passes(timedelta(minutes=1))
    assert "PairEnded" in [type(event).__name__ for event in await matching.said()]
    assert await pairs(matching) == []


async def _away(_: object) -> None:
    raise Unavailable("the log is away")


async def test_a_pair_that_lives_is_kept_however_old_it_is(matching: Hearing, office: Office) -> None:
    pair = await a_confirmed_pair(matching, office)
    await matching.passes(2 * HISTORY_KEPT)
    assert [(one.id, one.status) for one in await pairs(matching)] == [(pair.id, PairStatus.CONFIRMED)]
