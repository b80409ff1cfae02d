"""Simulations: another policy over the real pool, beside the programme's own, without any effect."""

from typing import Any

import httpx
import pytest
from tests.services.matching.matching_facts import COORDINATOR, EVE, JIM, PROGRAMME, SECOND, Office, pairs, publish, solve

from amont.common.errors import NotFound
from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing
from amont.matching import commands
from amont.matching.domain.engine import Engine
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.simulation import KEPT, Simulation, SimulationStatus
from amont.matching.domain.solver import Solution
from amont.matching.files.policies import CRITERIA

PATH = f"/api/matching/v1/programmes/{PROGRAMME}/simulations"


async def _a_group(matching: Hearing, office: Office, half: int = 6) -> None:
    """Twelve executives, of whom six speak French only, and twelve juniors of two subsidiaries; or twice another number."""
    for n in range(2 * half):
        await matching.hears(*office.mentee(f"fr:e{n}", languages=("en",) if n < half else ("fr",)))
        await matching.hears(*office.mentor(f"{'de' if n < half else 'it'}:j{n}", topics={"ai": 1 + n % 3}))
    await matching.hears(office.programme())


async def _simulated(matching: Hearing, anne: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    asked = await anne.post(PATH, json=body)
    assert (asked.status_code, asked.json()["status"], asked.json()["columns"]) == (202, "requested", []), asked.text
    await matching.settle()
    found: dict[str, Any] = (await anne.get(asked.headers["Location"])).json()
    assert found["status"] == "solved"
    return found


async def test_another_policy_is_held_beside_the_programmes_own(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office, half=10)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        found = await _simulated(matching, anne, {"policy": {"off": ["shared_language"]}})
    own, other = found["columns"]
    assert (own["policy"]["off"], other["policy"]["off"], own["objective"]["pairs"], other["objective"]["pairs"]) == (
        [],
        ["shared_language"],
        10,
        20,
    )
    assert (found["people"], own["matched_percent"], other["matched_percent"]) == (40, 50, 100)
    difference = found["difference"]
    assert (difference["pairs"], difference["matched_percent"]) == (10, 50)
    assert difference["worst"] == other["objective"]["worst"] - own["objective"]["worst"]
    assert 0 <= difference["same"] <= 10
    assert difference["divisions"]["role"] == [
        {"name": "mentee", "matched": 10, "lowest": difference["worst"], "median": None},
        {"name": "mentor", "matched": 10, "lowest": difference["worst"], "median": None},
    ]
    assert own["rules"] == []


async def test_a_simulation_says_which_rule_costs_how_many_pairs(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        found = await _simulated(matching, anne, {"rules": True})
    [own] = found["columns"]
    costs = {one["rule"]: one["costs"] for one in own["rules"]}
    assert list(costs) == [rule.value for rule in Rule if rule is not Rule.TWO_PEOPLE]
    assert {rule: cost for rule, cost in costs.items() if cost} == {"shared_language": 6}
    assert (found["difference"], own["rules"][4]["without"]["pairs"]) == (None, 12)


async def test_two_other_policies_side_by_side(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        body = {"against": {"min_common_hours": 5}, "policy": {"min_common_hours": 4}}
        found = await _simulated(matching, anne, body)
    assert [column["objective"]["pairs"] for column in found["columns"]] == [0, 6]
    assert found["difference"]["worst"] is None


async def test_nothing_comes_of_a_simulation(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office)
    round_ = await solve(matching)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        found = await _simulated(matching, anne, {"policy": {"off": ["shared_language"]}})
        for verb in ("publish", "discard"):
            assert (await anne.post(f"/api/matching/v1/rounds/{found['id']}/{verb}", json={})).status_code == 404
    assert await pairs(matching) == []
    assert await matching.said() == []
    assert len(await publish(matching, round_)) == 6, "the pool has not moved"


async def test_what_is_no_policy_is_refused_with_its_place(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        for body, pointer, said in (
            ({"policy": {"min_grade_gap": 40}}, "/policy/min_grade_gap", "write 19 or less"),
            ({"policy": {"off": ["two_people"]}}, "/policy/off", "that can be switched off"),
            ({"against": {"off": ["no_such_rule"]}}, "/against/off", "is no rule that can be switched off"),
            ({"policy": {"sessions": 3}}, "/policy/sessions", "there is no such field"),
            ({"policy": {"min_scor": 3}}, "/policy/min_scor", "did you mean 'min_score'?"),
            ({"policy": {"weights": dict.fromkeys(CRITERIA, 1)}}, "/policy/weights", "the five weights must sum to 1000, they sum to 5"),
        ):
            refused = await anne.post(PATH, json=body)
            [fault] = refused.json()["errors"]
            assert (refused.status_code, fault["pointer"]) == (422, pointer), refused.text
            assert said in fault["detail"]
            assert "Value error" not in fault["detail"]


async def test_another_tenants_simulation_does_not_exist(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office)
    made = (
        await matching.asked(commands.request_simulation, PROGRAMME, COORDINATOR, policy=None, against=None, rules=False, seed=None)
    ).simulation
    async with matching.client("it:aldo", Privilege.COORDINATOR) as aldo, matching.client("fr:anne", Privilege.COORDINATOR) as anne:
        for who, status in ((aldo, 404), (anne, 403)):
            assert (await who.post(PATH, json={})).status_code == status
            assert (await who.get(PATH)).status_code == status
            assert (await who.get(f"/api/matching/v1/simulations/{made.id}")).status_code == status


async def test_a_simulation_is_kept_for_a_week(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        found = await _simulated(matching, anne, {})
        assert [one["id"] for one in (await anne.get(PATH)).json()["items"]] == [found["id"]]
        await matching.passes(KEPT - SECOND)
        assert (await anne.get(f"/api/matching/v1/simulations/{found['id']}")).status_code == 200
        await matching.passes(SECOND)
        assert (await anne.get(PATH)).json()["items"] == []
    with pytest.raises(NotFound):
        await matching.asked(commands.read_simulation, found["id"], COORDINATOR)


async def test_a_repeated_request_simulates_once(matching: Hearing, office: Office) -> None:
    await _a_group(matching, office)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        answers = [await anne.post(PATH, json={}, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()


class Broken:
    """A solver that cannot."""

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        if Rule.ACROSS in policy.off:
            raise MemoryError
        return Engine(threads=1).solve(pool, policy, progress, explain=explain)


async def test_a_simulation_that_cannot_be_computed_has_failed(matching_of: Any, office: Office) -> None:
    async with matching_of(Broken()) as matching:
        await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        asked = await matching.asked(
            commands.request_simulation, PROGRAMME, COORDINATOR, policy={"off": ("across",)}, against=None, rules=False, seed=None
        )
        for _ in range(10):
            await matching.passes(SECOND * 600)
        failed = await matching.look(Simulation, asked.simulation.id)
        assert (failed.status, failed.comparison) == (SimulationStatus.FAILED, None)
