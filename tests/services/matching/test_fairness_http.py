"""Figures by group over HTTP."""

from tests.services.matching.matching_facts import Office, solve

from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing


async def test_a_round_tells_who_was_matched_by_group_and_nothing_about_a_few(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *(e for n in range(6) for e in (*office.mentee(f"fr:e{n}"), *office.mentor(f"de:j{n}"))))
    await matching.hears(*office.mentor("it:far", languages=("it",)))
    round_ = await solve(matching)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        figures = (await anne.get(f"/api/matching/v1/rounds/{round_.id}/fairness")).json()
        summary = (await anne.get(f"/api/matching/v1/rounds/{round_.id}")).json()
    score = {"lowest": 900, "quartiles": None}
    assert figures["everybody"] == {"name": "", "people": 13, "matched": 12, "matched_percent": 92, "scores": score}
    hidden = {"people": None, "matched": None, "matched_percent": None, "scores": None}
    by_name = {one["name"]: one for one in figures["divisions"]["subsidiary"]}
    assert by_name["it"] == {"name": "it", **hidden}
    assert sum(one["people"] is None for one in by_name.values()) == 2, "one more, or the total less the others would tell"
    assert by_name["fr"]["matched_percent"] in {None, 100}
    assert summary["answer"]["blocking"] == 0
