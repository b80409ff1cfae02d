"""Pins and forbidden pairs: who may decide, what rounds make of it, what is told of a pin that cannot hold, and that leavers are forgotten."""

from typing import Any

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
    actor,
    finish,
    kinds,
    pairs,
    publish,
    rows,
    solve,
)

from amont.common.events.values import PairStatus, Role
from amont.common.identity import Privilege
from amont.common.kept import DECISIONS_KEPT
from amont.common.testing.hearing import Hearing
from amont.matching import commands
from amont.matching.commands.looking import ruling_id
from amont.matching.domain.answer import Part
from amont.matching.domain.pinning import Hindrance, Unpinned
from amont.matching.domain.policy import Rule
from amont.matching.domain.programme import REPLACEMENT_WAIT
from amont.matching.domain.ruling import EARLIER_KEPT, PairLives, RuledOtherwise, Ruling, RulingKind

API = "/api/matching/v1"
GROUP, LOCAL = Privilege.GROUP_COORDINATOR, Privilege.COORDINATOR
PINNED, FORBIDDEN = RulingKind.PINNED, RulingKind.FORBIDDEN


async def two_and_two(matching: Hearing, office: Office, **policy: Any) -> None:
    """Eve suits Jim and Eric Jule."""
    await matching.hears(
        office.programme(**policy),
        *office.mentee(EVE, topics={"ai": 3}),
        *office.mentee(ERIC, topics={"data": 3}),
        *office.mentor(JIM, topics={"ai": 3}),
        *office.mentor(JULE, topics={"data": 3}),
    )


async def ruled(matching: Hearing, kind: RulingKind, mentee: str, mentor: str, *, override: bool = False) -> Ruling:
    ruling, _ = await matching.asked(commands.rule, PROGRAMME, COORDINATOR, kind, mentee, mentor, reason="For a test.", override=override)
    await matching.settle()
    return await matching.look(Ruling, ruling.id)


async def made(matching: Hearing) -> dict[str, str]:
    return {match.mentee: match.mentor for match in await rows(matching, await solve(matching), Part.PAIRS)}


async def test_a_round_makes_a_pinned_pair_and_marks_it(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    assert await made(matching) == {EVE: JIM, ERIC: JULE}
    await ruled(matching, PINNED, EVE, JULE)
    matches = await rows(matching, await solve(matching), Part.PAIRS)
    assert {(one.mentee, one.mentor, one.pinned, one.overrides) for one in matches} == {(EVE, JULE, True, ()), (ERIC, JIM, False, ())}
    assert {pair.mentee: pair.mentor for pair in await publish(matching)} == {EVE: JULE, ERIC: JIM}


@pytest.mark.parametrize("turned", [False, True])
async def test_a_forbidden_pair_is_not_made_in_either_role_until_it_is_released(matching: Hearing, office: Office, turned: bool) -> None:  # noqa: FBT001
    await two_and_two(matching, office)
    ruling = await ruled(matching, FORBIDDEN, *((JIM, EVE) if turned else (EVE, JIM)))
    assert await made(matching) == {EVE: JULE, ERIC: JIM}
    await matching.asked(commands.release, ruling.id, COORDINATOR)
    assert await made(matching) == {EVE: JIM, ERIC: JULE}


async def test_a_ruling_holds_with_the_rule_switched_off_and_brings_no_round_after_round(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office, off=("not_forbidden",))
    await matching.hears(office.withdrawn(JULE, Role.MENTOR))
    await ruled(matching, FORBIDDEN, EVE, JIM)
    await ruled(matching, FORBIDDEN, JIM, ERIC)
    assert await publish(matching) == []
    for _ in range(10):
        await matching.passes(REPLACEMENT_WAIT)
    assert [event for event in kinds(await matching.said()) if event == "RoundPublished"] == ["RoundPublished"]


async def test_with_the_rule_switched_off_two_who_were_a_pair_meet_again_and_no_others(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office, off=("not_forbidden",), replacements="reviewed")
    for pair in await publish(matching):
        await matching.asked(commands.decline_pair, pair.id, actor(pair.mentee))
    await matching.settle()
    assert await made(matching) == {EVE: JIM, ERIC: JULE}
    ruling = await ruled(matching, FORBIDDEN, EVE, JIM)
    assert await made(matching) == {EVE: JULE, ERIC: JIM}
    await matching.asked(commands.release, ruling.id, COORDINATOR)
    assert await made(matching) == {EVE: JIM, ERIC: JULE}


async def test_a_pair_that_is_forbidden_after_the_round_is_not_proposed(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office, replacements="reviewed")
    round_ = await solve(matching)
    await ruled(matching, FORBIDDEN, EVE, JIM)
    assert [(pair.mentee, pair.mentor) for pair in await publish(matching, round_)] == [(ERIC, JULE)]


async def test_a_pin_that_breaks_rules_holds_only_with_an_override_and_is_marked_with_each_of_them(
    matching: Hearing, office: Office
) -> None:
    await two_and_two(matching, office)
    await matching.hears(office.employee(JULE, managers=(EVE,), band=11))
    ruling = await ruled(matching, PINNED, EVE, JULE)
    broken = (Rule.MENTOR_IS_JUNIOR, Rule.OUTSIDE_THE_LINE)
    assert await rows(matching, await solve(matching), Part.UNPINNED) == [
        Unpinned(mentee=EVE, mentor=JULE, why=Hindrance.RULES, broken=broken)
    ]
    await matching.asked(commands.release, ruling.id, COORDINATOR)
    await ruled(matching, PINNED, EVE, JULE, override=True)
    round_ = await solve(matching)
    assert await rows(matching, round_, Part.UNPINNED) == []
    marks = {one.mentee: one.overrides for one in await rows(matching, round_, Part.PAIRS)}
    assert marks == {EVE: broken, ERIC: ()}
    [pair] = [pair for pair in await publish(matching, round_) if pair.mentee == EVE]
    await matching.hears(office.employee(JULE, function="law"), office.employee(EVE, team="other"))
    [pair] = [one for one in await pairs(matching) if one.id == pair.id]
    assert (pair.status, pair.overrides) == (PairStatus.PROPOSED, broken)


async def test_a_pin_that_was_taken_back_since_the_round_breaks_no_rule_any_more(matching: Hearing, office: Office) -> None:
    """Who looked at the round saw a pair in the line of management that somebody stood for; nobody does when it is published."""
    await two_and_two(matching, office, replacements="reviewed")
    await matching.hears(office.employee(JULE, managers=(EVE,)))
    within, against = await ruled(matching, PINNED, ERIC, JIM), await ruled(matching, PINNED, EVE, JULE, override=True)
    round_ = await solve(matching)
    assert {one.mentee: one.overrides for one in await rows(matching, round_, Part.PAIRS)} == {EVE: (Rule.OUTSIDE_THE_LINE,), ERIC: ()}
    for ruling in (within, against):
        await matching.asked(commands.release, ruling.id, COORDINATOR)
    assert [(pair.mentee, pair.mentor) for pair in await publish(matching, round_)] == [(ERIC, JIM)]


async def test_a_pin_that_was_said_again_without_its_override_breaks_none_either(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office, replacements="reviewed")
    await matching.hears(office.employee(JULE, managers=(EVE,)))
    ruling = await ruled(matching, PINNED, EVE, JULE, override=True)
    round_ = await solve(matching)
    await matching.asked(commands.release, ruling.id, COORDINATOR)
    await ruled(matching, PINNED, EVE, JULE)
    assert [pair.mentee for pair in await publish(matching, round_)] == [ERIC]


async def test_a_rule_that_was_not_overridden_still_parts_a_pinned_pair(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    await matching.hears(office.employee(JULE, band=11))
    await ruled(matching, PINNED, EVE, JULE, override=True)
    await publish(matching)
    await matching.hears(office.employee(JULE, managers=(EVE,)))
    assert [pair.mentor for pair in await pairs(matching, live=True) if pair.mentee == EVE and pair.mentor == JULE] == []


async def test_a_pin_that_cannot_hold_is_told_with_why_and_keeps_nobody_from_a_pair(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    await matching.hears(office.employee("fr:idle"), office.employee("de:idle"))
    for mentee, mentor in ((EVE, JIM), (ERIC, JIM), ("fr:idle", JULE), (ERIC, "de:idle")):
        await ruled(matching, PINNED, mentee, mentor)
        await matching.passes(SECOND)
    round_ = await solve(matching)
    assert {(one.mentee, one.mentor): one.why for one in await rows(matching, round_, Part.UNPINNED)} == {
        (ERIC, JIM): Hindrance.NO_PLACE,
        ("fr:idle", JULE): Hindrance.NO_MENTEE,
        (ERIC, "de:idle"): Hindrance.NO_MENTOR,
    }
    assert round_.rows().unpinned == 3
    assert {one.mentee: one.mentor for one in await rows(matching, round_, Part.PAIRS)} == {EVE: JIM, ERIC: JULE}


async def test_a_pin_is_good_for_one_proposal(matching: Hearing, office: Office) -> None:
    """Who declines is not asked for the same pair again and again, but where somebody decides so once more."""
    await two_and_two(matching, office, replacements="reviewed")
    ruling = await ruled(matching, PINNED, EVE, JULE, override=True)
    [pair] = [pair for pair in await publish(matching) if pair.mentee == EVE]
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    round_ = await solve(matching)
    assert (round_.rows().pairs, round_.rows().unpinned) == (0, 0)
    await matching.passes(SECOND)
    await matching.asked(commands.release, ruling.id, COORDINATOR)
    await ruled(matching, PINNED, EVE, JULE, override=True)
    [match] = await rows(matching, await solve(matching), Part.PAIRS)
    assert (match.mentee, match.mentor, match.overrides) == (EVE, JULE, (Rule.NOT_FORBIDDEN,))


async def test_pinned_and_forbidden_at_once_is_refused_and_so_is_a_ruling_on_a_pair_that_lives(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    first = await ruled(matching, PINNED, EVE, JIM)
    assert (await ruled(matching, PINNED, EVE, JIM)).now == first.now
    for kind, mentee, mentor in ((FORBIDDEN, EVE, JIM), (PINNED, JIM, EVE)):
        with pytest.raises(RuledOtherwise, match="are pinned by ruling"):
            await ruled(matching, kind, mentee, mentor)
    await publish(matching)
    for kind in (PINNED, FORBIDDEN):
        with pytest.raises(PairLives, match="end it: who were a pair are not proposed"):
            await ruled(matching, kind, EVE, JIM)


async def test_two_are_forbidden_in_both_roles_and_a_new_reason_is_recorded_beside_the_old_ones(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)

    async def forbid(mentee: str, mentor: str, reason: str | None) -> Ruling:
        return (await matching.asked(commands.rule, PROGRAMME, COORDINATOR, FORBIDDEN, mentee, mentor, reason=reason))[0]

    first = await forbid(EVE, JIM, "A")
    for mentee, mentor, reason in ((EVE, JIM, "A"), (JIM, EVE, "A"), (JIM, EVE, None)):
        assert (await forbid(mentee, mentor, reason)).now == first.now
    turned = await forbid(JIM, EVE, "B")
    assert ((turned.now.mentee, turned.now.mentor, turned.now.reason), turned.earlier) == ((JIM, EVE, "B"), (first.now,))
    await matching.settle()
    assert await made(matching) == {EVE: JULE, ERIC: JIM}
    for number in range(EARLIER_KEPT + 1):
        last = await forbid(EVE, JIM, str(number))
    assert [one.reason for one in last.earlier] == [str(number) for number in range(EARLIER_KEPT)]


async def test_to_say_a_pin_again_for_another_reason_makes_it_no_younger(matching: Hearing, office: Office) -> None:
    """Else it would be good for another proposal to two of whom one declined."""
    await two_and_two(matching, office, replacements="reviewed")
    first, _ = await matching.asked(commands.rule, PROGRAMME, COORDINATOR, PINNED, EVE, JULE, reason="A")
    await matching.passes(SECOND)
    again, _ = await matching.asked(commands.rule, PROGRAMME, COORDINATOR, PINNED, EVE, JULE, reason="B")
    assert (again.now, again.earlier) == (first.now, ())


async def test_a_leaver_is_forgotten(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    first, second = await ruled(matching, FORBIDDEN, EVE, JIM), await ruled(matching, PINNED, ERIC, JULE)
    await matching.hears(office.left(EVE))
    assert await _found(matching) == [second]
    gone = await matching.look(Ruling, first.id)
    assert (gone.kind, gone.people, gone.now.reason, gone.earlier) == (RulingKind.FORGOTTEN, (), None, ())
    async with matching.client("fr:anne", GROUP) as anne:
        assert (await anne.get(f"{API}/rulings/{first.id}")).status_code == 404
    await matching.hears(office.employee(EVE))
    again = await ruled(matching, PINNED, EVE, JIM)
    assert (again.id, again.earlier) == (first.id, ())


async def test_a_ruling_written_while_somebody_leaves_is_forgotten_too(matching: Hearing, office: Office) -> None:
    """The leaver's own look came before the ruling was there."""
    await two_and_two(matching, office)
    ruling = await ruled(matching, FORBIDDEN, EVE, JIM)
    await matching.hears(office.left(EVE))
    for _ in range(3):
        await matching.passes(SECOND)
    await matching.given(ruling)
    await matching.settle()
    assert await _found(matching) == [ruling]
    await matching.given(ruling.becomes(due_at=matching.clock.now()).state)
    await matching.settle()
    assert await _found(matching) == []


async def test_after_a_year_a_pin_is_over_and_two_who_are_forbidden_stay_so_in_nobody_s_name(matching: Hearing, office: Office) -> None:
    """A pin is older than no pair that it brought about: when that is let go of, nothing pins the two again."""
    await two_and_two(matching, office)
    forbidden, _, taken_back = [
        await ruled(matching, kind, mentee, mentor)
        for kind, mentee, mentor in ((FORBIDDEN, EVE, JIM), (PINNED, EVE, JULE), (FORBIDDEN, ERIC, JULE))
    ]
    await matching.passes(DAY)
    await matching.asked(commands.release, taken_back.id, COORDINATOR)
    await matching.passes(DECISIONS_KEPT - DAY - SECOND)
    assert {one.now.by for one in await _found(matching)} == {COORDINATOR.person}
    await matching.passes(SECOND)
    after = {one.id: one for one in await _found(matching)}
    assert after.keys() == {forbidden.id, taken_back.id}
    stays, gone = after[forbidden.id], after[taken_back.id]
    assert (stays.kind, stays.people, stays.now.by, stays.now.reason, stays.due_at) == (FORBIDDEN, (EVE, JIM), None, None, None)
    assert (gone.now.by, gone.earlier) == (COORDINATOR.person, ())
    assert await made(matching) == {EVE: JULE, ERIC: JIM}
    await matching.passes(DAY)
    assert await _found(matching) == [stays]
    async with matching.client("fr:anne", GROUP) as anne:
        read = (await anne.get(f"{API}/rulings/{forbidden.id}")).json()
    assert (read["by"], read["reason"], read["kind"]) == (None, None, "forbidden")


async def _found(matching: Hearing) -> list[Ruling]:
    return [ruling for ruling, _ in await matching.asked(commands.list_rulings, PROGRAMME, COORDINATOR, None, None, 200)]


async def test_rulings_over_http_from_the_first_to_the_release(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    async with matching.client("fr:anne", GROUP) as anne:
        body = {"kind": "forbidden", "mentee": EVE, "mentor": JIM}
        said = await anne.post(f"{API}/programmes/{PROGRAMME}/rulings", json=body)
        assert (said.status_code, said.headers["ETag"]) == (201, '"1"')
        ruling = said.json()
        assert said.headers["Location"] == f"{API}/rulings/{ruling['id']}"
        assert {name: ruling[name] for name in ("kind", "mentee", "mentor", "by", "reason")} == {**body, "by": "fr:anne", "reason": None}
        await anne.post(f"{API}/programmes/{PROGRAMME}/rulings", json={**body, "kind": "pinned", "mentee": ERIC, "reason": "They asked."})
        first = (await anne.get(f"{API}/programmes/{PROGRAMME}/rulings?limit=1")).json()
        second = (await anne.get(first["next"])).json()
        assert sorted(one["mentee"] for one in (*first["items"], *second["items"])) == [ERIC, EVE]
        [pinned] = (await anne.get(f"{API}/programmes/{PROGRAMME}/rulings?kind=pinned")).json()["items"]
        assert (pinned["mentee"], pinned["reason"], pinned["override"]) == (ERIC, "They asked.", False)
        refused = await anne.post(f"{API}/programmes/{PROGRAMME}/rulings", json={**body, "kind": "pinned", "reason": "No."})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:amont:problem:ruled-otherwise")
        stale = await anne.post(f"{API}/rulings/{ruling['id']}/release", headers={"If-Match": '"7"'})
        assert stale.json()["type"] == "urn:amont:problem:stale-version"
        current = (await anne.get(said.headers["Location"])).headers["ETag"]
        freed = await anne.post(f"{API}/rulings/{ruling['id']}/release", json={"reason": "Settled."}, headers={"If-Match": current})
        assert (freed.status_code, freed.json()["kind"], freed.json()["reason"]) == (200, "released", "Settled.")
        assert [one["kind"] for one in freed.json()["earlier"]] == ["forbidden"]
        round_ = await solve(matching)
        words = (await anne.get(f"{API}/rounds/{round_.id}/pairs?language=en")).json()["items"]
        assert [one["words"][2] for one in words if one["pinned"]] == ["this pair was decided beforehand"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"kind": "pinned"}, ""),
        ({"kind": "forbidden", "override": True}, ""),
        ({"kind": "loved"}, "/kind"),
        ({"mentee": "it:aldo"}, "/mentee"),
        ({"mentor": "de:nobody"}, "/mentor"),
        ({"mentor": EVE}, "/mentor"),
    ],
)
async def test_a_ruling_is_about_two_people_of_the_programme_and_a_pin_has_a_reason(
    matching: Hearing, office: Office, body: dict[str, Any], where: str
) -> None:
    await two_and_two(matching, office)
    await matching.hears(office.employee("it:aldo"))
    async with matching.client("fr:anne", GROUP) as anne:
        usual = {"kind": "forbidden", "mentee": EVE, "mentor": JIM}
        refused = await anne.post(f"{API}/programmes/{PROGRAMME}/rulings", json={**usual, **body})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, where)


async def test_rulings_are_for_who_may_publish(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    ruling = await ruled(matching, FORBIDDEN, EVE, JIM)
    body = {"kind": "forbidden", "mentee": ERIC, "mentor": JIM}
    for person, privilege, status in (("it:aldo", LOCAL, 404), ("fr:anne", LOCAL, 403), ("fr:audit", Privilege.AUDITOR, 403)):
        async with matching.client(person, privilege) as client:
            assert (await client.post(f"{API}/programmes/{PROGRAMME}/rulings", json=body)).status_code == status
            assert (await client.post(f"{API}/rulings/{ruling.id}/release")).status_code == status
            reads = 200 if privilege is Privilege.AUDITOR else status
            assert (await client.get(f"{API}/rulings/{ruling.id}")).status_code == reads
            assert (await client.get(f"{API}/programmes/{PROGRAMME}/rulings")).status_code == reads


async def _what_fr_reads(matching: Hearing, what: str, *ids: str) -> tuple[list[int], list[str], list[str]]:
    """For the coordinator of one subsidiary: the status of each alone, and which are listed, in one page and in pages of one."""
    async with matching.client("fr:anne", LOCAL) as anne:
        alone = [(await anne.get(f"{API}/{what}/{id_}")).status_code for id_ in ids]
        listed = (await anne.get(f"{API}/programmes/{PROGRAMME}/{what}")).json()["items"]
        singly, following = [], f"{API}/programmes/{PROGRAMME}/{what}?limit=1"
        while following:
            page = (await anne.get(following)).json()
            singly, following = [*singly, *page["items"]], page["next"]
    return alone, [one["id"] for one in listed], [one["id"] for one in singly]


async def test_a_list_holds_what_one_may_read_one_by_one_also_of_a_programme_that_was_narrowed(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    await matching.hears(*office.mentor("fr:young"), *office.mentor("fr:other"))
    of_both = [await ruled(matching, FORBIDDEN, one, other) for one in (EVE, ERIC) for other in (JIM, JULE)]
    asked = {"policy": None, "against": None, "rules": False, "seed": None}
    shared = await matching.asked(commands.request_simulation, PROGRAMME, COORDINATOR, **asked)
    theirs = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
    await matching.hears(office.programme(tenants=("fr",)))
    own = [await ruled(matching, FORBIDDEN, EVE, other) for other in ("fr:young", "fr:other")]
    alone = await matching.asked(commands.request_simulation, PROGRAMME, COORDINATOR, **asked)
    mine = sorted(one.id for one in own)
    assert await _what_fr_reads(matching, "rulings", of_both[0].id, *mine) == ([403, 200, 200], mine, mine)
    found = await _what_fr_reads(matching, "simulations", shared.simulation.id, alone.simulation.id)
    assert found == ([403, 200], [alone.simulation.id], [alone.simulation.id])
    ours = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
    assert await _what_fr_reads(matching, "rounds", theirs.round.id, ours.round.id) == ([403, 200], [ours.round.id], [ours.round.id])


@pytest.mark.parametrize("widened", [False, True], ids=["who stayed when it was narrowed", "who came while it waited"])
async def test_what_was_solved_with_people_of_another_subsidiary_is_that_ones_too(matching: Hearing, office: Office, widened: bool) -> None:  # noqa: FBT001
    """A round and a simulation are of everybody in their pool, whoever the programme was for when they were asked for, and is for now."""
    await two_and_two(matching, office)
    await matching.hears(office.programme(tenants=("fr",)))
    asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
    wanted = await matching.asked(commands.request_simulation, PROGRAMME, COORDINATOR, policy=None, against=None, rules=False, seed=None)
    if widened:
        await matching.hears(office.programme(tenants=("de", "fr")))
    await matching.settle()
    await matching.hears(office.programme(tenants=("fr",)))
    assert await _what_fr_reads(matching, "rounds", asked.round.id) == ([403], [], [])
    assert await _what_fr_reads(matching, "simulations", wanted.simulation.id) == ([403], [], [])
    async with matching.client("fr:anne", LOCAL) as anne:
        for part in ("pairs", "certificate", "pool", "result", "fairness"):
            assert (await anne.get(f"{API}/rounds/{asked.round.id}/{part}")).status_code == 403
        assert (await anne.post(f"{API}/rounds/{asked.round.id}/publish")).status_code == 403


async def test_what_is_decided_again_when_others_take_part_is_theirs_too(matching: Hearing, office: Office) -> None:
    """The first word was said while the two were of one programme's only subsidiary, the second while it had another one."""
    await two_and_two(matching, office)
    await matching.hears(office.programme(tenants=("fr",)), *office.mentor("fr:young"))
    ruling = await ruled(matching, FORBIDDEN, EVE, "fr:young")
    assert await _what_fr_reads(matching, "rulings", ruling.id) == ([200], [ruling.id], [ruling.id])
    await matching.hears(office.programme(tenants=("de", "fr")))
    await matching.asked(commands.release, ruling.id, COORDINATOR)
    await ruled(matching, PINNED, EVE, "fr:young")
    await matching.hears(office.programme(tenants=("fr",)))
    assert await _what_fr_reads(matching, "rulings", ruling.id) == ([403], [], [])


async def test_a_pin_that_cannot_hold_under_a_simulated_policy_stops_no_simulation(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    await ruled(matching, PINNED, EVE, JULE)
    async with matching.client("fr:anne", GROUP) as anne:
        asked = await anne.post(f"{API}/programmes/{PROGRAMME}/simulations", json={"policy": {"min_common_hours": 5}})
        await matching.settle()
        found = (await anne.get(asked.headers["Location"])).json()
    assert (found["status"], found["difference"]["pairs"]) == ("solved", -2)
    assert [column["objective"]["pairs"] for column in found["columns"]] == [2, 0], "with the pinned one"


async def test_a_simulation_proposes_nobody_who_is_forbidden_and_counts_no_pair_of_theirs_as_cost_of_the_rule(
    matching: Hearing, office: Office
) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    await ruled(matching, FORBIDDEN, EVE, JIM)
    async with matching.client("fr:anne", GROUP) as anne:
        wanted = {"policy": {"off": ["not_forbidden"]}, "rules": True}
        asked = await anne.post(f"{API}/programmes/{PROGRAMME}/simulations", json=wanted)
        await matching.settle()
        found = (await anne.get(asked.headers["Location"])).json()
    assert [column["objective"]["pairs"] for column in found["columns"]] == [0, 0]
    assert [one["costs"] for one in found["columns"][0]["rules"] if one["rule"] == "not_forbidden"] == [0]


async def test_two_who_are_pinned_keep_their_ruling_when_they_withdraw(matching: Hearing, office: Office) -> None:
    await two_and_two(matching, office)
    await ruled(matching, PINNED, EVE, JULE)
    await matching.hears(office.withdrawn(EVE, Role.MENTEE))
    round_ = await solve(matching)
    async with matching.client("fr:anne", GROUP) as anne:
        [told] = (await anne.get(f"{API}/rounds/{round_.id}/unpinned?language=fr")).json()["items"]
    assert told["words"] == [f"{EVE} ne participe pas comme mentoré avec une place libre"]
    assert (await matching.look(Ruling, ruling_id(PROGRAMME, EVE, JULE))).kind is PINNED
    await finish(matching)
