"""Cycles in the management graph: found, told, listed, and gone when HR has mended them."""

from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from random import Random

import pytest
from tests.services.matching.matching_facts import SECOND, Office

from amont.common.events.envelope import Event
from amont.common.identity import Actor, Privilege
from amont.common.metrics import REGISTRY
from amont.common.testing.hearing import Hearing, hearing
from amont.matching import commands
from amont.matching.app import build
from amont.matching.domain.cycle import Cycle
from amont.matching.domain.person import Person

GROUP = Actor("group:ada", "group", frozenset({Privilege.GROUP_COORDINATOR}))
GERMAN = Actor("de:coord", "de", frozenset({Privilege.COORDINATOR}))
SPANISH = Actor("es:coord", "es", frozenset({Privilege.COORDINATOR}))
DAY = date(2026, 1, 1)


def reports(office: Office, person: str, *managers: str, since: int = 0) -> Event:
    return office.employee(person, managers=managers, managers_since=(DAY + timedelta(days=since),) * len(managers))


async def cycles(matching: Hearing, actor: Actor = GROUP, tenant: str | None = None) -> list[Cycle]:
    for _ in range(3):
        await matching.passes(SECOND)
    return list(await matching.asked(commands.list_cycles, actor, tenant=tenant, start=0, limit=200))


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("amont_management_cycles_total", {"what": what}) or 0


async def test_a_cycle_is_found_whoever_closes_it_and_its_newest_link_is_ignored(tmp_path: Path) -> None:
    links = [("fr:a", "fr:b", 1), ("fr:b", "de:c", 3), ("de:c", "fr:a", 2)]
    for number, order in enumerate(permutations(links)):
        async with hearing(build, tmp_path / str(number)) as matching:
            office, found = Office(), counted("found")
            for report, manager, since in order:
                await matching.hears(reports(office, report, manager, since=since))
            (one,) = await cycles(matching)
            assert (one.members, one.ignored) == (("de:c", "fr:a", "fr:b"), (("fr:b", "de:c"),))
            assert counted("found") == found + 1


async def test_a_mended_cycle_is_gone(matching: Hearing, office: Office) -> None:
    await matching.hears(reports(office, "fr:a", "fr:b"), reports(office, "fr:b", "fr:a", since=1))
    assert len(await cycles(matching)) == 1
    gone = counted("gone")
    await matching.hears(reports(office, "fr:a", "fr:boss", since=2))
    assert await cycles(matching) == []
    assert counted("gone") == gone + 1
    assert (await matching.look(Person, "fr:a")).due_at is None


async def test_what_is_left_of_a_larger_cycle_is_one_still(matching: Hearing, office: Office) -> None:
    await matching.hears(reports(office, "fr:a", "fr:b"), reports(office, "fr:b", "fr:a", "fr:c", since=1), reports(office, "fr:c", "fr:a"))
    assert [one.members for one in await cycles(matching)] == [("fr:a", "fr:b", "fr:c")]
    await matching.hears(reports(office, "fr:c", since=2))
    assert [one.members for one in await cycles(matching)] == [("fr:a", "fr:b")]


async def test_two_cycles_that_become_one_are_one(matching: Hearing, office: Office) -> None:
    await matching.hears(*(reports(office, one, other) for one, other in (("fr:a", "fr:b"), ("fr:b", "fr:a"), ("de:c", "de:d"))))
    await matching.hears(reports(office, "de:d", "de:c", "fr:a", since=1))
    assert len(await cycles(matching)) == 2
    await matching.hears(reports(office, "fr:a", "fr:b", "de:c", since=2))
    assert [one.members for one in await cycles(matching)] == [("de:c", "de:d", "fr:a", "fr:b")]


async def test_a_coordinator_sees_the_cycles_that_touch_their_subsidiary(matching: Hearing, office: Office) -> None:
    await matching.hears(
        *(reports(office, one, other) for one, other in (("fr:a", "fr:b"), ("fr:b", "fr:a"), ("de:c", "fr:d"), ("fr:d", "de:c")))
    )
    assert len(await cycles(matching)) == 2
    assert [one.members for one in await cycles(matching, GERMAN)] == [("de:c", "fr:d")]
    assert await cycles(matching, SPANISH) == []
    assert len(await cycles(matching, tenant="de")) == 1
    async with matching.client("de:coord", Privilege.COORDINATOR) as client:
        (item,) = (await client.get("/api/matching/v1/cycles")).json()["items"]
        assert item["ignored"] == [{"report": "fr:d", "manager": "de:c"}]
        assert (await client.get("/api/matching/v1/cycles", params={"after": "1"})).json()["items"] == []


@pytest.mark.parametrize("seed", range(4))
async def test_after_any_moves_in_any_order_the_same_cycles_are_known(tmp_path: Path, seed: int) -> None:
    chance, people = Random(seed), [f"fr:p{number}" for number in range(8)]
    ends = {person: chance.sample(people, chance.randint(0, 2)) for person in people}
    registers = []
    for name in ("once", "again"):
        async with hearing(build, tmp_path / name) as matching:
            office = Office()
            for _ in range(20):
                person = chance.choice(people)
                await matching.hears(reports(office, person, *chance.sample(people, chance.randint(0, 2)), since=chance.randint(0, 9)))
            for person in chance.sample(people, len(people)):
                await matching.hears(reports(office, person, *(one for one in ends[person] if one != person), since=10))
            registers.append({(one.members, one.ignored) for one in await cycles(matching)})
    assert registers[0] == registers[1]
    assert registers[0] or seed
