"""Consents: the mentee is asked first, then the mentor; either may decline; nobody waits for ever; anybody may end it without fault."""

from datetime import timedelta

import pytest
from tests.services.matching.matching_facts import (
    COORDINATOR,
    DAY,
    EVE,
    JIM,
    SECOND,
    Office,
    a_confirmed_pair,
    a_proposal,
    accept,
    actor,
    kinds,
)

from amont.common.errors import NotAllowed, NotFound, Stale
from amont.common.events import PairAccepted, PairConfirmed, PairDeclined, PairEnded
from amont.common.events.values import EndReason, PairStatus, Role
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import START, Hearing
from amont.matching import commands
from amont.matching.domain.pair import NotYourTurn, Pair, PairNotOpen, ProposalExpired, RuleStandsInTheWay
from amont.matching.domain.person import Person


async def test_the_mentee_says_yes_then_the_mentor(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    asked = await accept(matching, pair, EVE)
    assert (asked.status, asked.accepted_by, asked.waits_for) == (PairStatus.ACCEPTED, (Role.MENTEE,), Role.MENTOR)
    confirmed = await accept(matching, pair, JIM)
    assert (confirmed.status, confirmed.accepted_by, confirmed.due_at) == (PairStatus.CONFIRMED, (Role.MENTEE, Role.MENTOR), None)
    accepted, done = await matching.said()
    assert isinstance(accepted, PairAccepted)
    assert (accepted.by, accepted.status) == (Role.MENTEE, PairStatus.ACCEPTED)
    assert isinstance(done, PairConfirmed)
    assert (done.seq, done.expires_at, done.mentee, done.mentor) == (3, None, EVE, JIM)


async def test_the_mentor_is_not_asked_before_the_mentee(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    with pytest.raises(NotFound):
        await accept(matching, pair, JIM)
    coordinating = Actor(JIM, "de", frozenset({Privilege.COORDINATOR, Privilege.PARTICIPANT}))
    with pytest.raises(NotYourTurn, match=r"waits for the mentee's answer\. You will be asked after it"):
        await matching.asked(commands.accept_pair, pair.id, coordinating)


async def test_saying_yes_twice_changes_nothing(matching: Hearing, office: Office) -> None:
    pair = await a_confirmed_pair(matching, office)
    assert await accept(matching, pair, EVE, JIM) == pair
    assert await matching.said() == []


@pytest.mark.parametrize(("before", "who"), [((), EVE), ((EVE,), EVE), ((EVE,), JIM)])
async def test_either_may_decline_and_nobody_learns_who_or_why(
    matching: Hearing, office: Office, before: tuple[str, ...], who: str
) -> None:
    pair = await accept(matching, await a_proposal(matching, office), *before)
    await matching.said()
    await matching.asked(commands.decline_pair, pair.id, actor(who), "private: a bad memory")
    [declined] = await matching.said()
    assert isinstance(declined, PairDeclined)
    assert (declined.status, declined.accepted_by) == (PairStatus.ENDED, tuple(pair.role_of(one) for one in before))
    assert b"private" not in declined.encode()
    kept = await matching.look(Pair, pair.id)
    assert kept.refusal is not None
    assert (kept.refusal.reason, kept.refusal.by, kept.ended) == ("private: a bad memory", kept.role_of(who), EndReason.DECLINED)
    with pytest.raises(PairNotOpen, match="is ended and cannot be accepted"):
        await accept(matching, pair, EVE)
    with pytest.raises(PairNotOpen, match="is ended and cannot be declined"):
        await matching.asked(commands.decline_pair, pair.id, actor(EVE))


async def test_a_proposal_expires_and_the_mentees_yes_begins_a_new_time(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office, proposal_days=7)
    assert pair.expires_at == START + 7 * DAY
    await matching.passes(6 * DAY)
    assert (await accept(matching, pair, EVE)).expires_at == matching.clock.now() + 7 * DAY
    await matching.passes(6 * DAY)
    await matching.passes(DAY - SECOND)
    assert kinds(await matching.said()) == ["PairAccepted"]
    await matching.passes(SECOND)
    assert kinds(await matching.said()) == ["PairExpired"]
    assert (await matching.look(Pair, pair.id)).ended is EndReason.EXPIRED


async def test_an_answer_after_the_deadline_is_refused_even_before_the_clock_has_noticed(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    matching.clock.advance(7 * DAY)
    with pytest.raises(ProposalExpired, match="could be answered until 2027-01-11"):
        await matching.asked(commands.accept_pair, pair.id, actor(EVE))
    with pytest.raises(ProposalExpired):
        await matching.asked(commands.decline_pair, pair.id, actor(EVE))


async def test_a_rule_broken_this_second_stands_in_the_way_of_a_yes(matching: Hearing, office: Office) -> None:
    pair = await accept(matching, await a_proposal(matching, office), EVE)
    jim = await matching.look(Person, JIM)
    await matching.given(jim.hear(office.employee(JIM, managers=(EVE,)), matching.clock.now()).state)
    with pytest.raises(RuleStandsInTheWay, match=r"can no longer be made \(line-conflict\)"):
        await matching.asked(commands.accept_pair, pair.id, actor(JIM))


@pytest.mark.parametrize("who", [actor(EVE), actor(JIM), COORDINATOR, Actor("de:anna", "de", frozenset({Privilege.COORDINATOR}))])
async def test_either_of_the_two_or_a_coordinator_ends_a_pair_without_fault(matching: Hearing, office: Office, who: Actor) -> None:
    pair = await a_confirmed_pair(matching, office)
    await matching.asked(commands.end_pair, pair.id, who)
    [ended] = await matching.said()
    assert isinstance(ended, PairEnded)
    assert ended.reason is EndReason.NO_FAULT
    with pytest.raises(PairNotOpen, match="is ended and cannot be ended"):
        await matching.asked(commands.end_pair, pair.id, who)


async def test_who_is_not_one_of_the_two_cannot_answer(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    for command in (commands.accept_pair, commands.decline_pair):
        with pytest.raises(NotAllowed):
            await matching.asked(command, pair.id, COORDINATOR)
        with pytest.raises(NotFound):
            await matching.asked(command, pair.id, actor("fr:nosy"))
    with pytest.raises(NotFound):
        await matching.asked(commands.end_pair, pair.id, Actor("it:aldo", "it", frozenset({Privilege.COORDINATOR})))
    with pytest.raises(Stale):
        await matching.asked(commands.accept_pair, pair.id, actor(EVE), version=9)


async def test_the_last_planned_session_completes_the_pair(matching: Hearing, office: Office) -> None:
    pair = await a_confirmed_pair(matching, office)
    await matching.hears(office.session(pair, 5))
    assert await matching.said() == []
    last = office.session(pair, 6)
    await matching.hears(last, last)
    [ended] = await matching.said()
    assert isinstance(ended, PairEnded)
    assert ended.reason is EndReason.COMPLETED
    await matching.passes(timedelta(days=1))
    assert await matching.said() == []
