"""A round's pool and policy as files: `amont match` gives the round's answer again, `amont verify` accepts it."""

import json
from dataclasses import asdict
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.services.matching.matching_facts import (
    COORDINATOR,
    ERIC,
    EVE,
    JIM,
    JULE,
    PROGRAMME,
    Office,
    a_proposal,
    actor,
    rows,
    solve,
)
from typer.testing import CliRunner

from amont.common.cli import root
from amont.common.events.values import Role
from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing
from amont.matching import commands
from amont.matching.domain.answer import Part
from amont.matching.domain.round import Round, RoundKind
from amont.matching.domain.ruling import RulingKind

API = "/api/matching/v1"


def amont(*arguments: object) -> str:
    done = CliRunner().invoke(root(), [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


async def exported(matching: Hearing, round_: Round, folder: Path) -> tuple[Path, Path]:
    """The round's two files."""
    async with matching.client("fr:audit", Privilege.AUDITOR) as auditor:
        for name in ("pool", "policy"):
            answer = await auditor.get(f"{API}/rounds/{round_.id}/{name}")
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
            (folder / f"{name}.json").write_bytes(answer.content)
    return folder / "pool.json", folder / "policy.json"


async def test_a_round_is_solved_again_from_its_files_to_the_byte_and_verified(matching: Hearing, office: Office, tmp_path: Path) -> None:
    pair = await a_proposal(matching, office, replacements="reviewed", min_common_hours=1, order="pairs, total", off=("close_zones",))
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    crowd = [(f"fr:e{n}", f"de:j{n}") for n in range(30)]
    await matching.hears(
        *(office.employee(one, team="" if n % 3 else "t", site="", function="", business_unit="") for n, (one, _) in enumerate(crowd)),
        *(office.enrolled(one, Role.MENTEE, topics={"ai": 1 + n % 3, "data": 2}) for n, (one, _) in enumerate(crowd)),
        *(office.employee(other, team="t", managers=(crowd[n - 1][0],)) for n, (_, other) in enumerate(crowd)),
        *(office.enrolled(other, Role.MENTOR, topics={"ai": 1 + n % 2}, capacity=1 + n % 2) for n, (_, other) in enumerate(crowd[:20])),
        office.employee(JULE, band=12),
        office.enrolled(JULE, Role.MENTOR),
        *office.mentee(ERIC),
    )
    for kind, mentee, mentor in ((RulingKind.PINNED, ERIC, JULE), (RulingKind.FORBIDDEN, "fr:e1", "de:j2")):
        await matching.asked(commands.rule, PROGRAMME, COORDINATOR, kind, mentee, mentor, reason="x", override=kind is RulingKind.PINNED)
    round_ = await solve(matching)
    pool, policy = await exported(matching, round_, tmp_path)
    assert sha256(pool.read_bytes()).hexdigest() == round_.rows().pool_sha256
    result = tmp_path / "result.json"
    amont("match", pool, "--policy", policy, "--out", result, "--explain")
    assert "Right and proved" in amont("verify", pool, result, "--policy", policy)
    found = json.loads(result.read_bytes())
    matches = await rows(matching, round_, Part.PAIRS)
    assert found["objective"] == asdict(round_.rows().objective)
    assert found["pairs"] == [_as_in_a_result(match) for match in matches]
    assert [match.overrides for match in matches if match.pinned] == [("mentor_is_junior",)]
    assert [(one["id"], one["role"]) for one in found["unmatched"]] == [
        (one.id, one.role) for one in await rows(matching, round_, Part.UNMATCHED)
    ]
    proof = await rows(matching, round_, Part.PROOF)
    assert found["certificate"]["profits"] == {one.person: one.value for one in proof if one.role == "mentee" and one.value}
    assert found["certificate"]["prices"] == {one.person: one.value for one in proof if one.role == "mentor" and one.value}
    assert "fr:eve" in pool.read_text()
    assert "fr:nobody" not in pool.read_text()


def _as_in_a_result(match: Any) -> dict[str, Any]:
    best = match.next_best
    return {
        "mentee": match.mentee,
        "mentor": match.mentor,
        "score": match.score,
        "points": match.points._asdict(),
        "pinned": match.pinned,
        "overrides": list(match.overrides),
        "next_best": best and {"mentor": best.mentor, "score": best.score},
        "worth": match.worth,
        "worth_reason": match.worth_reason,
    }


async def test_the_files_of_a_round_with_not_forbidden_off_say_whom_rulings_keep_apart(
    matching: Hearing, office: Office, tmp_path: Path
) -> None:
    pair = await a_proposal(matching, office, replacements="reviewed", off=("not_forbidden", "close_zones"))
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    await matching.hears(*office.mentor(JULE))
    await matching.asked(commands.rule, PROGRAMME, COORDINATOR, RulingKind.FORBIDDEN, EVE, JULE)
    round_ = await solve(matching)
    pool, policy = await exported(matching, round_, tmp_path)
    assert json.loads(pool.read_bytes())["forbidden"] == [[JULE, EVE]]
    assert json.loads(policy.read_bytes())["off"] == ["close_zones"]
    result = tmp_path / "result.json"
    amont("match", pool, "--policy", policy, "--out", result)
    assert "Right and proved" in amont("verify", pool, result, "--policy", policy)
    [made] = json.loads(result.read_bytes())["pairs"]
    assert (
        [(made["mentee"], made["mentor"])] == [(one.mentee, one.mentor) for one in await rows(matching, round_, Part.PAIRS)] == [(EVE, JIM)]
    )


async def test_what_the_format_has_no_place_for_is_refused(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(both_roles=True), *office.mentee(EVE), *office.mentor(JIM), *office.mentor(EVE, languages=("fr",))
    )
    round_ = await solve(matching)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        for name in ("pool", "policy"):
            refused = await anne.get(f"{API}/rounds/{round_.id}/{name}")
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:amont:problem:no-pool-file")
        assert (await anne.get(f"{API}/rounds/{round_.id}")).json()["answer"]["pool_sha256"] is None
    assert round_.rows().pairs == 1


async def test_files_are_for_who_may_read_the_round(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    for person, status in (("fr:anne", 403), ("it:aldo", 404)):
        async with matching.client(person, Privilege.COORDINATOR) as client:
            for name in ("pool", "policy"):
                assert (await client.get(f"{API}/rounds/{round_.id}/{name}")).status_code == status


async def test_a_replacement_keeps_no_pool(matching: Hearing, office: Office) -> None:
    pair = await a_proposal(matching, office)
    await matching.hears(*office.mentee(ERIC))
    await matching.asked(commands.decline_pair, pair.id, actor(EVE))
    for _ in range(3):
        await matching.passes(timedelta(minutes=1))
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        listed = (await anne.get(f"{API}/programmes/{PROGRAMME}/rounds")).json()["items"]
        [replacement] = [one for one in listed if one["kind"] == RoundKind.REPLACEMENT.value]
        assert (replacement["answer"]["pairs"], replacement["answer"]["pool_sha256"]) == (1, None)
        assert (await anne.get(f"{API}/rounds/{replacement['id']}/pool")).status_code == 409
