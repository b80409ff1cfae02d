"""Rounds: solved on what is free, explained, guarded, published once and completely, or thrown away."""

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.services.matching.matching_facts import (
    COORDINATOR,
    ERIC,
    EVE,
    JIM,
    JULE,
    PROGRAMME,
    SECOND,
    Breaks,
    Office,
    a_proposal,
    actor,
    finish,
    kinds,
    pairs,
    publish,
    rows,
    seat,
    solve,
)

from amont.common.errors import NotAllowed, NotFound, Stale, Unavailable
from amont.common.events import PairProposed, RoundPublished
from amont.common.events.values import EmployeeStatus, EndReason, EnrolmentStatus, PairStatus, ProgrammeStatus, Role
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import START, Hearing, hearing
from amont.matching import commands
from amont.matching.app import build
from amont.matching.commands import publishing
from amont.matching.domain.answer import Dropped, Part
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person
from amont.matching.domain.policy import Rule
from amont.matching.domain.programme import PolicyHasChanged, PoolHasMoved, Programme, ProgrammeNotOpen, PublicationRunning
from amont.matching.domain.round import BelowMatchedShare, Round, RoundNotOpen, RoundStatus


async def test_a_round_pairs_whom_it_can_and_explains_the_others(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(),
        *office.mentee(EVE, topics={"ai": 1, "data": 3}),
        *office.mentor(JIM, topics={"ai": 3, "data": 3}),
        *office.mentor(JULE, languages=("fr",)),
    )
    round_ = await solve(matching, seed="spring")
    [match] = await rows(matching, round_, Part.PAIRS)
    assert (match.mentee, match.mentor, match.topics) == (EVE, JIM, ("data", "ai"))
    assert match.score == sum(match.points) == 600 + 120 + 60 + 40 + 80  # eight half-hours of sixteen; a gap of six is two from the best
    assert match.next_best is None
    [alone] = await rows(matching, round_, Part.UNMATCHED)
    assert (alone.id, alone.role, alone.removed, alone.left) == (JULE, "mentor", {Rule.SHARED_LANGUAGE: 1}, 0)
    assert (round_.status, round_.seed, round_.rows().week_of.isoformat()) == (RoundStatus.SOLVED, "spring", "2027-01-04")
    assert (round_.rows().matched_percent, round_.rows().pairs, round_.rows().unmatched) == (100, 1, 1)
    assert await matching.said() == []


async def test_a_published_round_proposes_its_pairs_and_says_so_once(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentee(ERIC), *office.mentor(JIM, capacity=2))
    made = await publish(matching, round_ := await solve(matching))
    assert [(pair.mentee, pair.mentor, pair.status) for pair in made] == [
        (ERIC, JIM, PairStatus.PROPOSED),
        (EVE, JIM, PairStatus.PROPOSED),
    ]
    said = await matching.said()
    assert kinds(said) == ["RoundPublished", "PairProposed", "PairProposed"]
    assert said[0] == RoundPublished(
        seq=1,
        round=round_.id,
        programme=PROGRAMME,
        kind="full",
        published_by=COORDINATOR.person,
        published_at=START,
        pairs=2,
        unmatched=0,
        override_reason=None,
    )
    proposed = said[1]
    assert isinstance(proposed, PairProposed)
    assert (proposed.accepted_by, proposed.topics) == ((), ("ai",))
    programme = await matching.look(Programme, PROGRAMME)
    assert (programme.edition, programme.publishing, programme.authority, programme.due_at) == (1, None, COORDINATOR.person, None)
    await matching.passes(SECOND)
    assert await matching.said() == []


async def test_of_two_rounds_on_one_pool_one_wins(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    first, second = await solve(matching), await solve(matching)
    await publish(matching, first)
    with pytest.raises(PoolHasMoved, match=r"edition 1, the round was solved on 0\. Solve a new round"):
        await publish(matching, second)
    assert len(await pairs(matching)) == 1


async def test_a_round_that_was_solved_under_another_policy_is_not_published(matching: Hearing, office: Office) -> None:
    """Who looked at it saw what the rules of then bring, and how many those of then match."""
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    shown = await solve(matching)
    await matching.hears(office.programme(min_matched_percent=80))
    with pytest.raises(PolicyHasChanged, match=r"version 2 of its policy, the round was solved under 1\. Solve a new round"):
        await publish(matching, shown)
    assert await pairs(matching) == []
    assert len(await publish(matching)) == 1


async def test_a_policy_that_changes_while_a_round_is_published_lets_it_go_on(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    await matching.asked(commands.publish_round, round_.id, COORDINATOR)
    await matching.hears(office.programme(min_matched_percent=80))
    await matching.asked(commands.publish_round, round_.id, COORDINATOR)
    await finish(matching)
    assert (await matching.look(Round, round_.id)).made == 1


async def test_only_one_round_is_published_at_a_time(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    first, second = await solve(matching), await solve(matching)
    await matching.asked(commands.publish_round, first.id, COORDINATOR)
    for refused in (commands.publish_round, commands.discard_round):
        with pytest.raises(PublicationRunning):
            await matching.asked(refused, (second if refused is commands.publish_round else first).id, COORDINATOR)
    with pytest.raises(PublicationRunning, match=r"is being published\. Wait until it is"):
        await solve(matching)
    again = await matching.asked(commands.publish_round, first.id, COORDINATOR)
    assert again.publishing
    await finish(matching)
    assert kinds(await matching.said()) == ["RoundPublished", "PairProposed"]


async def test_a_decided_round_stays_decided(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    thrown = await solve(matching)
    await matching.asked(commands.discard_round, thrown.id, COORDINATOR)
    assert (await matching.look(Round, thrown.id)).status is RoundStatus.DISCARDED
    with pytest.raises(RoundNotOpen, match="is discarded and cannot be published"):
        await matching.asked(commands.publish_round, thrown.id, COORDINATOR)
    kept = await solve(matching)
    await publish(matching, kept)
    for refused in (commands.publish_round, commands.discard_round):
        with pytest.raises(RoundNotOpen, match="is published"):
            await matching.asked(refused, kept.id, COORDINATOR)


async def test_a_discard_at_the_moment_of_publication_loses(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    await matching.asked(commands.publish_round, round_.id, COORDINATOR)
    await matching.given(round_.discard(START).state)
    await finish(matching)
    assert (await matching.look(Round, round_.id)).status is RoundStatus.PUBLISHED
    assert len(await pairs(matching, live=True)) == 1


async def test_too_few_matches_need_a_reason_which_the_event_carries(matching: Hearing, office: Office) -> None:
    lonely = office.mentee(ERIC, languages=("fr",))
    await matching.hears(office.programme(min_matched_percent=60), *office.mentee(EVE), *lonely, *office.mentor(JIM), *office.mentor(JULE))
    round_ = await solve(matching)
    with pytest.raises(BelowMatchedShare, match="matches 50 % of the smaller side, the policy asks for 60 %") as refused:
        await matching.asked(commands.publish_round, round_.id, COORDINATOR)
    assert refused.value.extra() == {"matched_percent": 50, "min_matched_percent": 60}
    with pytest.raises(BelowMatchedShare):
        await matching.asked(commands.publish_round, round_.id, COORDINATOR, " \n")
    await matching.asked(commands.publish_round, round_.id, COORDINATOR, "More mentors join in March.")
    await finish(matching)
    [published] = [event for event in await matching.said() if isinstance(event, RoundPublished)]
    assert (published.override_reason, published.pairs, published.unmatched) == ("More mentors join in March.", 1, 2)


async def test_a_reason_that_nobody_needed_is_not_told(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(min_matched_percent=100), *office.mentee(EVE), *office.mentor(JIM))
    await matching.asked(commands.publish_round, (await solve(matching)).id, COORDINATOR, "Just in case.")
    await finish(matching)
    [published] = [event for event in await matching.said() if isinstance(event, RoundPublished)]
    assert published.override_reason is None


async def test_a_seat_that_has_gone_meanwhile_gives_no_pair(matching: Hearing, office: Office) -> None:
    people = [f"fr:e{n}" for n in range(4)]
    juniors = [f"de:j{n}" for n in range(4)]
    await matching.hears(
        office.programme(),
        *(e for p in people for e in office.mentee(p)),
        *(e for p in juniors for e in office.mentor(p)),
    )
    round_ = await solve(matching)
    assert round_.rows().pairs == 4
    await matching.hears(
        office.withdrawn(people[0], Role.MENTEE),
        office.on_leave(people[1], Role.MENTEE),
        office.left(people[2]),
    )
    [made] = await publish(matching, round_)
    assert made.mentee == people[3]
    said = await matching.said()
    assert kinds(said) == ["RoundPublished", "PairProposed"]
    assert isinstance(said[0], RoundPublished)
    assert (said[0].pairs, said[0].unmatched) == (1, 6)


@pytest.mark.parametrize("page", [1, 200])
async def test_a_mentor_of_two_places_with_one_pair_is_not_counted_as_alone(
    matching: Hearing, office: Office, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(publishing, "PAGE", page)
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentee(ERIC), *office.mentor(JIM, capacity=2))
    round_ = await solve(matching)
    await matching.hears(office.withdrawn(EVE, Role.MENTEE))
    assert len(await publish(matching, round_)) == 1
    [published] = [event for event in await matching.said() if isinstance(event, RoundPublished)]
    assert (published.pairs, published.unmatched) == (1, 1)


async def test_a_pair_whose_rules_were_broken_since_the_round_is_not_proposed(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    await matching.hears(office.employee(JIM, managers=(EVE,)))
    assert await publish(matching, round_) == []


async def test_a_second_seat_that_was_taken_back_is_not_given(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentee(ERIC), *office.mentor(JIM, capacity=2))
    round_ = await solve(matching)
    await matching.hears(office.edited(JIM, Role.MENTOR, capacity=1))
    assert len(await publish(matching, round_)) == 1


async def test_live_pairs_keep_their_seats_and_earlier_pairs_are_not_proposed_again(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office, replacements="reviewed")
    assert (await solve(matching)).rows().pairs == 0
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    again = await solve(matching)
    assert again.rows().pairs == 0
    assert [(alone.id, alone.removed) for alone in await rows(matching, again, Part.UNMATCHED)] == [
        (JIM, {Rule.NOT_FORBIDDEN: 1}),
        (EVE, {Rule.NOT_FORBIDDEN: 1}),
    ]


async def test_who_cannot_be_computed_with_is_left_out_and_named(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(),
        office.enrolled("fr:unheard", Role.MENTEE),
        office.employee("fr:lost", zone="Moon/Crater"),
        office.enrolled("fr:lost", Role.MENTEE),
        *office.mentee("fr:odd", availability=("mon 12:00-11:00",)),
        office.employee("fr:away", status=EmployeeStatus.ON_LEAVE),
        office.enrolled("fr:away", Role.MENTEE),
        *office.mentor(JIM),
    )
    round_ = await solve(matching)
    assert {one.person: one.reason for one in await rows(matching, round_, Part.LEFT_OUT)} == {
        "fr:unheard": "person-not-heard-of",
        "fr:lost": "zone-unknown",
        "fr:odd": "availability-unreadable",
        "fr:away": "person-on-leave",
    }


async def test_a_cycle_of_managers_loses_its_newest_link_and_the_round_says_so(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(),
        *office.mentee(EVE),
        *office.mentor(JIM),
        office.employee("fr:boss", managers=("fr:top",)),
        office.employee("fr:top", managers=("fr:boss",), effective_at=START + SECOND * 90_000),
        office.employee(JIM, managers=("fr:boss",)),
    )
    round_ = await solve(matching)
    assert await rows(matching, round_, Part.DROPPED) == [Dropped(report="fr:top", manager="fr:boss")]
    assert round_.rows().pairs == 1


@pytest.mark.parametrize("status", [ProgrammeStatus.DRAFT, ProgrammeStatus.CLOSED])
async def test_a_round_needs_an_open_programme(matching: Hearing, office: Office, status: ProgrammeStatus) -> None:
    await matching.hears(office.programme(status=status))
    with pytest.raises(ProgrammeNotOpen, match=f"is {status.value}; a round needs it to be open or running"):
        await solve(matching)


async def test_a_programme_that_was_opened_to_others_has_its_earlier_rounds_no_longer_for_one_of_them(
    matching: Hearing, office: Office
) -> None:
    await matching.hears(office.programme(tenants=("fr",)), *office.mentee(EVE), *office.mentor("fr:young"))
    round_ = await solve(matching)
    early = Actor("fr:anna", "fr", frozenset({Privilege.COORDINATOR}))
    assert (await matching.asked(commands.read_round, round_.id, early)).round.id == round_.id
    await matching.hears(office.programme(tenants=("fr", "de")))
    for command, more in (
        (commands.read_round, ()),
        (commands.publish_round, ()),
        (commands.discard_round, ()),
        (commands.read_rows, (Part.PAIRS, 0, 9)),
    ):
        with pytest.raises(NotAllowed):
            await matching.asked(command, round_.id, early, *more)


async def test_rounds_are_for_coordinators_of_all_their_tenants(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    local = Actor("fr:anne", "fr", frozenset({Privilege.COORDINATOR}))
    stranger = Actor("it:aldo", "it", frozenset({Privilege.COORDINATOR}))
    for command, id_ in ((commands.request_round, PROGRAMME), (commands.publish_round, round_.id), (commands.discard_round, round_.id)):
        with pytest.raises(NotAllowed):
            await matching.asked(command, id_, local)
        with pytest.raises(NotFound):
            await matching.asked(command, id_, stranger)
    with pytest.raises(Stale, match="is at version 3, you sent 7"):
        await matching.asked(commands.discard_round, round_.id, COORDINATOR, version=7)


async def test_the_pairs_of_a_large_round_come_page_by_page(matching: Hearing, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PAGE", 3)
    await matching.hears(office.programme(), *(e for n in range(7) for e in (*office.mentee(f"fr:e{n}"), *office.mentor(f"de:j{n}"))))
    round_ = await solve(matching)
    await matching.asked(commands.publish_round, round_.id, COORDINATOR)
    await matching.settle()
    assert len(await pairs(matching)) == 3
    await finish(matching)
    assert len(await pairs(matching)) == 7
    assert [event.pairs for event in await matching.said() if isinstance(event, RoundPublished)] == [7]


async def test_the_last_look_at_a_page_sees_who_moved_while_it_was_written(matching: Hearing, office: Office) -> None:
    """The move's own look at pairs came before the pair was there: only the publication can find it."""
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    await matching.asked(commands.publish_round, (await solve(matching)).id, COORDINATOR)
    await matching.settle()
    jim = await matching.look(Person, JIM)
    await matching.given(replace(jim, managers=(EVE,), managers_since=START))
    await finish(matching)
    [pair] = await pairs(matching)
    assert pair.ended is EndReason.LINE_CONFLICT


@pytest.mark.parametrize("seed", range(5))
async def test_a_publication_that_breaks_again_and_again_leaves_no_hole(matching: Hearing, office: Office, seed: int) -> None:
    everybody = [e for n in range(6) for e in (*office.mentee(f"fr:e{n}"), *office.mentor(f"de:j{n}", capacity=2))]
    await matching.hears(office.programme(), *everybody)
    round_ = await solve(matching)
    matches = await rows(matching, round_, Part.PAIRS)
    await matching.asked(commands.publish_round, round_.id, COORDINATOR)
    breaking = Breaks.into(matching, seed)
    while breaking.left or (await matching.look(Programme, PROGRAMME)).publishing:
        with contextlib.suppress(Unavailable):
            await matching.passes(SECOND)
        with contextlib.suppress(Unavailable):
            await matching.service.unit.relay.sweep()
    await matching.passes(SECOND * 10)
    await matching.service.unit.relay.sweep()
    made = await pairs(matching)
    assert {(pair.mentee, pair.mentor) for pair in made} == {(match.mentee, match.mentor) for match in matches}
    said = await matching.said()
    assert {event.pair for event in said if isinstance(event, PairProposed)} == {pair.id for pair in made}
    assert {event.pairs for event in said if isinstance(event, RoundPublished)} == {6}


async def test_another_process_finishes_what_one_has_begun(tmp_path: Path, office: Office) -> None:
    async with hearing(build, tmp_path) as one:
        await one.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        round_ = await solve(one)
        await one.asked(commands.publish_round, round_.id, COORDINATOR)
    async with hearing(build, tmp_path) as other:
        await finish(other)
        assert [pair.round for pair in await pairs(other)] == [round_.id]


async def test_a_repeated_request_solves_once(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    async with matching.client("fr:coordinator", Privilege.GROUP_COORDINATOR) as client:
        answers = [
            await client.post(f"/api/matching/v1/programmes/{PROGRAMME}/rounds", json={}, headers={"Idempotency-Key": "once"})
            for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()


async def test_an_enrolment_that_ended_frees_its_seat_for_the_next_round(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    await matching.hears(office.withdrawn(EVE, Role.MENTEE, EnrolmentStatus.ENDED), *office.mentee(ERIC))
    assert (await matching.look(Pair, pair.id)).ended is EndReason.LEFT
    [match] = await rows(matching, await solve(matching), Part.PAIRS)
    assert (match.mentee, match.mentor_enrolment) == (ERIC, seat(JIM, Role.MENTOR))


@pytest.mark.parametrize("what", ["rounds", "simulations"])
async def test_a_key_that_was_used_for_another_programme_asks_again(matching: Hearing, office: Office, what: str) -> None:
    await matching.hears(office.programme(), office.programme("inclusion-2027"))
    async with matching.client("fr:coordinator", Privilege.GROUP_COORDINATOR) as client:
        answers = [
            await client.post(f"/api/matching/v1/programmes/{programme}/{what}", json={}, headers={"Idempotency-Key": "once"})
            for programme in (PROGRAMME, "inclusion-2027")
        ]
    assert [answer.json()["programme"] for answer in answers] == [PROGRAMME, "inclusion-2027"]
