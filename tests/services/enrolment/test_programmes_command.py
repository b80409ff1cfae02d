"""`amont programmes` on the data folder of an enrolment that is open beside it: from a template to closing, and the preview in between."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.services.enrolment.staffing import BOB, de, fr, oneself, recorded
from typer.testing import CliRunner

from amont.common import hosting
from amont.common.aggregate import Decision
from amont.common.cli import main
from amont.common.events import ProgrammeChanged
from amont.common.events.values import Role
from amont.common.service import Service
from amont.common.settings import Settings
from amont.common.testing.hearing import record_of
from amont.common.work import Work
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.enrolment import Form

Amont = Callable[..., Any]
LONG_AGO = datetime(2024, 1, 2, tzinfo=UTC)
CREATE = ("create", "inc", "--name", "Inclusion", "--tenants", "fr,de", "--template", "inclusion")


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Service]:
    """Open on the folder, as `amont up --data` would have it: two subsidiaries, and bob, a director."""
    url = f"sqlite://{tmp_path}?sync=normal"
    service = build(hosting.parts_from(Settings(log_url=url, store_url=url), "enrolment"))
    await service.open()
    service.ready = True

    async def plant(work: Work) -> None:
        work.save(Decision(fr()))
        work.save(Decision(de()))

    await service.run(plant)
    await service.unit.log.append([record_of(recorded("bob", grade="DIR", at=LONG_AGO, wrote=LONG_AGO))])
    while await service.step():
        pass
    yield service
    await service.stop()


@pytest.fixture
def amont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Amont:
    """Runs `amont programmes …` in the folder and on it; (exit code, standard output, standard error)."""
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.chdir(tmp_path)

    async def run(*words: str, data: bool = True) -> tuple[int, str, str]:
        folder = ("--data", str(tmp_path)) if data else ()
        app = typer.Typer()
        app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(
            lambda: main(["programmes", *words, *folder])
        )
        result = await asyncio.to_thread(CliRunner().invoke, app, [])
        return result.exit_code, result.stdout, result.stderr

    return run


async def test_a_programme_is_made_from_a_template_opened_and_shown_with_its_history(enrolment: Service, amont: Amont) -> None:
    code, said, _ = await amont("templates", data=False)
    assert code == 0
    assert {"digital", "inclusion", "new-ways-of-working"} <= set(said.split())
    assert (await amont(*CREATE))[0] == 0
    await enrolment.unit.relay.sweep(older_than=timedelta(0))
    assert len(await enrolment.unit.log.read("t", ProgrammeChanged.topic, 10)) == 1  # type: ignore[attr-defined]
    assert (await amont(*CREATE))[0] == 1
    assert (await amont("open", "inc", "--why", "agreed"))[0] == 0
    code, said, _ = await amont("show", "inc")
    assert (code, "min_grade_gap" in said, "agreed" in said, "status: draft → open" in said) == (0, True, True, True)
    code, said, _ = await amont("show", "inc", "--json")
    shown = json.loads(said)
    assert (shown["status"], shown["template"], [one["why"] for one in shown["history"]]) == ("open", "inclusion", [None, "agreed"])
    code, said, _ = await amont("list", "--json")
    assert [one["programme"] for one in json.loads(said)] == ["inc"]


def rows(said: str) -> dict[str, list[str]]:
    """The table of what changes: name, before, after."""
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in said.splitlines()]
    return {row[0]: row[1:] for row in cells if row}


async def test_a_preview_lists_who_could_not_enrol_anew_and_a_change_needs_a_reason(
    enrolment: Service, amont: Amont, tmp_path: Path
) -> None:
    await amont(*CREATE)
    await amont("open", "inc")
    form = Form(topics={"listening": 2}, languages=("fr",), availability=("mon 09:00-12:00",))
    await enrolment.run(commands.enrol, BOB, "inc", Role.MENTEE, oneself(BOB), form=form, charter_accepted=True)
    (tmp_path / "policy.json").write_text('{"mentee_min_band": 15}', encoding="utf-8")
    code, said, _ = await amont("preview", "inc", "--policy", "policy.json")
    assert (code, BOB in said, "band 15" in said) == (1, True, True)
    assert rows(said)["policy mentee_min_band"] == ["10", "15"]
    assert rows(said)["policy replacements"] == [
        "reviewed",
        "automatic",
    ]  # what the file leaves out has its default again, and that is said
    code, said, _ = await amont("preview", "inc", "--policy", "policy.json", "--json")
    [one] = json.loads(said)
    assert (code, one["person"], [reason["code"] for reason in one["reasons"]]) == (1, BOB, ["band-too-low"])
    assert (await amont("preview", "inc", "--name", "Other"))[0] == 0
    code, _, complaint = await amont("change", "inc", "--policy", "policy.json")
    assert (code, "say why" in complaint) == (1, True)
    code, said, _ = await amont("change", "inc", "--policy", "policy.json", "--why", "as agreed")
    assert (code, rows(said)["policy replacements"]) == (0, ["reviewed", "automatic"])
    assert "Nothing is another than it was." in (await amont("preview", "inc", "--policy", "policy.json"))[1]
    assert (await amont("close", "inc"))[0] == 2
    assert (await amont("close", "inc", "--yes"))[0] == 0


async def test_every_fault_of_a_policy_file_is_told_and_nothing_to_change_is_wrong_usage(
    enrolment: Service, amont: Amont, tmp_path: Path
) -> None:
    await amont(*CREATE)
    (tmp_path / "bad.json").write_text('{"sessions": 0, "salary": 1, "min_grad_gap": 3, "across": "no"}', encoding="utf-8")
    code, _, complaint = await amont("change", "inc", "--policy", "bad.json")
    assert (code, "/sessions" in complaint, "/salary" in complaint) == (2, True, True)
    assert (await amont("preview", "inc", "--policy", "bad.json"))[0] == 2
    assert (await amont("create", "two", "--name", "Two", "--tenants", "fr", "--policy", "bad.json"))[0] == 2
    assert "/min_grad_gap: there is no such field; did you mean 'min_grade_gap'?" in complaint
    assert "/across: write 'subsidiary', 'business_unit' or 'none'" in complaint
    (tmp_path / "rules.json").write_text('{"off": ["across", "two_people", "acros"]}', encoding="utf-8")
    code, _, complaint = await amont("change", "inc", "--policy", "rules.json")
    assert (code, "/policy/off/0" in complaint, "/policy/off/1" in complaint, "/policy/off/2" in complaint) == (1, False, True, True)
    assert "'acros' is no rule that can be off; write one of mentor_is_junior, " in complaint
    assert (await amont("change", "inc", "--policy", "missing.json"))[0] == 2
    assert (await amont("preview", "inc"))[0] == 2
    assert (await amont("show", "golf"))[0] == 1
    assert (await amont(*CREATE[:-1], "golf"))[0] == 1
