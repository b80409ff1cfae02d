"""A round's pool and policy as files: `amont match` gives the round's answer again, `amont verify` accepts it."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
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
from amont.matching.domain import answer
from amont.matching.domain.answer import Part
from amont.matching.domain.round import NoResultFile, Round, RoundKind
from amont.matching.domain.ruling import RulingKind

API = "/api/matching/v1"


def amont(*arguments: object) -> str:
    done = CliRunner().invoke(root(), [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


FILES = ("pool", "policy", "result")


async def exported(matching: Hearing, round_: Round, folder: Path) -> tuple[Path, Path, Path]:
    """The round's three files."""
    async with matching.client("fr:audit", Privilege.AUDITOR) as auditor:
        for name in FILES:
            got = await auditor.get(f"{API}/rounds/{round_.id}/{name}")
            assert (got.status_code, got.headers["Content-Type"]) == (200, "application/json")
            (folder / f"{name}.json").write_bytes(got.content)
    return folder / "pool.json", folder / "policy.json", folder / "result.json"


def without_seconds(result: Path) -> list[str]:
    """The lines of a result, all but the one that differs from run to run."""
    return [line for line in result.read_text().splitlines() if not line.startswith('"seconds"')]


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
    pool, policy, published = await exported(matching, round_, tmp_path)
    assert sha256(pool.read_bytes()).hexdigest() == round_.rows().pool_sha256
    result = tmp_path / "again.json"
    amont("match", pool, "--policy", policy, "--out", result, "--explain")
    assert "Right and proved" in amont("verify", pool, result, "--policy", policy)
    assert "Right and proved" in amont("verify", pool, published, "--policy", policy)
    assert without_seconds(published) == without_seconds(result)
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
    pool, policy, _ = await exported(matching, round_, tmp_path)
    assert json.loads(pool.read_bytes())["forbidden"] == [[JULE, EVE]]
    assert json.loads(policy.read_bytes())["off"] == ["close_zones"]
    result = tmp_path / "again.json"
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
        for name in FILES:
            refused = await anne.get(f"{API}/rounds/{round_.id}/{name}")
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:amont:problem:no-pool-file")
        assert (await anne.get(f"{API}/rounds/{round_.id}")).json()["answer"]["pool_sha256"] is None
    assert round_.rows().pairs == 1


async def test_files_are_for_who_may_read_the_round(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    for person, status in (("fr:anne", 403), ("it:aldo", 404)):
        async with matching.client(person, Privilege.COORDINATOR) as client:
            for name in FILES:
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


@pytest.mark.parametrize("order", ["pairs, worst, total", "pairs, total", "total"])
async def test_a_result_of_any_order_in_pages_of_two_rows_is_right(
    matching: Hearing, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(answer, "ROWS", 2)
    await matching.hears(office.programme(order=order, min_common_hours=1))
    for n in range(7):
        await matching.hears(*office.mentee(f"fr:e{n}"), *office.mentor(f"de:j{n}"))
    round_ = await solve(matching)
    pool, policy, published = await exported(matching, round_, tmp_path)
    assert (round_.rows().rows, len(json.loads(published.read_bytes())["pairs"])) == (2, 7)
    assert "Right and proved: 7 pairs" in amont("verify", pool, published, "--policy", policy)


async def test_a_round_that_finds_nobody_for_anybody_has_a_result_too(matching: Hearing, office: Office, tmp_path: Path) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE, languages=("fr",)), *office.mentor(JIM, languages=("de",)))
    pool, policy, published = await exported(matching, await solve(matching), tmp_path)
    assert "Right and proved: 0 pairs" in amont("verify", pool, published, "--policy", policy)
    async with matching.client("fr:audit", Privilege.AUDITOR) as auditor:
        [round_] = (await auditor.get(f"{API}/programmes/{PROGRAMME}/rounds")).json()["items"]
        spoken = await auditor.get(f"{API}/rounds/{round_['id']}/result", params={"language": "fr"})
    assert spoken.headers["Content-Language"] == "fr"
    assert spoken.json()["unmatched"][0]["change"] == "parler français donnerait 1 candidat"


async def test_a_round_of_a_release_that_named_no_engine_has_no_result(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    round_ = await solve(matching)
    old = replace(round_, answer=replace(round_.rows(), made=None))
    with pytest.raises(NoResultFile, match="`amont match` makes a result"):
        old.proved()
