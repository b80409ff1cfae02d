"""The subsidiary of each real feed that says most names, loaded, and then held against copies of its file that an HR system might send one day: the same
again, every id re-issued, every address gone, cut in half.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import FEEDS
from tests.support import feeds as real

from amont.common.feeds.across import Across
from amont.common.feeds.checking import Checker
from amont.common.feeds.findings import Tally
from amont.common.feeds.grades import Grades
from amont.common.feeds.lines import json_lines
from amont.common.feeds.looking import Look
from amont.common.feeds.record import read_line
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import Hearing, hearing
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.commands import Comparison
from amont.enrolment.domain.comparing import Effect

GROUP = Actor("group:coordinator", "group", frozenset({Privilege.GROUP_COORDINATOR}))
Lines = list[dict[str, Any]]


class Loaded:
    """One subsidiary of a feed in an enrolment."""

    def __init__(self, enrolment: Hearing, tenant: str, grades: Mapping[str, int]) -> None:
        self.enrolment, self.tenant, self.grades = enrolment, tenant, grades

    async def against(self, lines: Iterable[Mapping[str, Any]], *, complete: bool = False) -> tuple[Comparison, list[str]]:
        """What a file of these lines would change, and the kinds of what is wrong with all of it."""
        file = BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode())
        with Across() as across:
            look = Look(Checker(grades=Grades({self.tenant: self.grades}), tenant=self.tenant), across, Tally(1))
            taken = (line for entry in json_lines(file) if (line := look.take(entry)) is not None)
            found = await self.enrolment.asked(commands.compare, self.tenant, GROUP, taken, lambda: across.absent if complete else None)
        return found, [one.kind.name for one in found.findings()]


@pytest.mark.parametrize("feed", FEEDS)
async def test_a_file_is_the_same_reissued_without_addresses_or_cut_short(feed: str, feeds: Path, tmp_path: Path) -> None:
    every = list(real.lines(feeds, feed))
    [(tenant, _)] = Counter(line["tenant"] for line in every if line.get("given_name")).most_common(1)
    lines = [line for line in every if line["tenant"] == tenant]
    table = real.grades(feeds, feed)[tenant]
    async with hearing(build, tmp_path) as enrolment:
        await enrolment.asked(commands.add_subsidiary, tenant, GROUP, name=tenant, zone="Europe/London", languages=("en",), grades=table)
        await enrolment.hears(*(read_line(0, json.dumps(line).encode()).record for line in lines))
        await enrolment.passes(timedelta(hours=2))
        loaded = Loaded(enrolment, tenant, table)
        await nothing_changes(loaded, lines)
        await every_id_is_new(loaded, lines)
        await every_address_is_gone(loaded, lines)
        await half_is_missing(loaded, lines)


async def nothing_changes(loaded: Loaded, lines: Lines) -> None:
    same, wrong = await loaded.against(lines, complete=True)
    assert (wrong, same.missing, same.effects) == ([], 0, {Effect.UNCHANGED: same.people})


async def every_id_is_new(loaded: Loaded, lines: Lines) -> None:
    ids = {name: f"n{number}" for number, name in enumerate({line["employee_id"] for line in lines})}
    reissued, wrong = await loaded.against(line | {"employee_id": ids[line["employee_id"]]} for line in lines)
    assert wrong == ["ids-reissued"]
    assert reissued.effects.keys() <= {Effect.NEW, Effect.GONE}
    assert reissued.under_another_id <= reissued.here


async def every_address_is_gone(loaded: Loaded, lines: Lines) -> None:
    without, wrong = await loaded.against({name: value for name, value in line.items() if name != "email"} for line in lines)
    assert without.fields.keys() <= {"email"}
    assert wrong == (["addresses-gone"] if any("@" in line.get("email", "") for line in lines) else [])


async def half_is_missing(loaded: Loaded, lines: Lines) -> None:
    people = sorted({line["employee_id"] for line in lines})
    kept = set(people[: len(people) // 2])
    short, wrong = await loaded.against((line for line in lines if line["employee_id"] in kept), complete=True)
    assert wrong == ["many-leavers"]
    assert (short.trips, short.missing, short.fields) == (True, short.missed, {})
