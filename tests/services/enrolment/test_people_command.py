"""`amont people` on the data folder of an enrolment that is open beside it: what it does, what it prints, how it ends."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.services.enrolment.staffing import LEA, fr, recorded
from typer.testing import CliRunner

from amont.common.cli import main
from amont.common.clock import SystemClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.events.topics import SERVICES
from amont.common.ids import RandomIds
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts
from amont.common.testing.hearing import Hearing
from amont.enrolment.app import build
from amont.enrolment.cli.certificate import KINDS, counts
from amont.enrolment.domain.erasure import Erasure, Stage

Amont = Callable[..., Any]
LONG_AGO: dict[str, Any] = {"at": datetime(2024, 1, 1, tzinfo=UTC), "wrote": datetime(2024, 1, 1, tzinfo=UTC)}
"""Whatever day it is."""


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    """Open on the folder, as `amont up --data` would have it, with a clock that is the command's own."""
    clock = SystemClock()
    log = SqliteLog(tmp_path / "log.sqlite", sync="normal")
    store = SqliteStore(tmp_path / "amont_enrolment.sqlite", sync="normal")
    service = build(Parts(store=store, log=log, clock=clock, ids=RandomIds(clock)))
    await service.open()
    service.ready = True
    hearing = Hearing(service, log, clock)  # type: ignore[arg-type]  # nothing moves its clock
    await hearing.given(fr())
    await hearing.hears(recorded("lea", **LONG_AGO))
    yield hearing
    await service.stop()


@pytest.fixture
def amont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Amont:
    """Runs `amont people …` on the folder; (exit code, standard output, standard error)."""
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*words: str) -> tuple[int, str, str]:
        app = typer.Typer()
        settings = {"ignore_unknown_options": True, "allow_extra_args": True}
        app.command(context_settings=settings)(lambda: main(["people", *words, "--data", str(tmp_path)]))
        result = await asyncio.to_thread(CliRunner().invoke, app, [])
        return result.exit_code, result.stdout, result.stderr

    return run


async def test_a_dry_run_says_what_is_there_and_changes_nothing(enrolment: Hearing, amont: Amont) -> None:
    await enrolment.hears(recorded("max", manager_id="lea", **LONG_AGO))
    code, said, _ = await amont("erase", LEA, "--reason", "asked for it", "--dry-run")
    assert code == 0
    assert said.split() == [
        *f"Enrolment has this of {LEA}: record 1 records that lie ahead 0 enrolments 0 reports 1 SCIM users 0 dead letters 0 dead letters of others 0".split(),
        *[
            "The",
            "three",
            "others",
            "look",
            "for",
            "themselves",
            "once",
            "the",
            "erasure",
            "is",
            "asked",
            "for.",
            "Nothing",
            "was",
            "changed.",
        ],
    ]
    code, said, _ = await amont("erasures", "--json")
    assert (code, json.loads(said)) == (0, [])


async def test_somebody_is_erased_by_one_command_and_the_reference_leads_to_the_certificate(enrolment: Hearing, amont: Amont) -> None:
    code, said, _ = await amont("erase", LEA, "--reason", "asked for it", "--yes", "--json")
    reference = json.loads(said)["reference"]
    assert code == 0
    await _done(enrolment, reference)
    code, said, _ = await amont("certificate", reference, "--json")
    assert (code, json.loads(said)["stage"], json.loads(said)["awaits"]) == (0, "ordered", ["matching", "scheduling", "notifications"])
    code, said, _ = await amont("certificate", reference)
    assert LEA not in said
    assert f"reference   {reference}" in said
    assert "not yet; it is final on" in said
    assert "1 staff record" in said
    assert re.search(r"asked +\d{4}-\d\d-\d\d \d\d:\d\d UTC\n", said)
    code, said, _ = await amont("certificate", reference, "--language", "fr")
    assert (code, "1 fiche de personnel" in said, "pas encore ; définitif le" in said) == (0, True, True)
    code, said, _ = await amont("erasures")
    assert reference in said


def test_everything_that_is_counted_has_words_for_one_and_for_several() -> None:
    kept = {collection.name for service in SERVICES for collection in import_module(f"amont.{service}.documents").COLLECTIONS}
    assert kept - {"clearings", "cleared", "doors"} <= KINDS.keys()  # these are the erasure's own
    assert (counts({"pairs": 1, "exports": 2}, "en"), counts({"pairs": 0}, "fr")) == ("2 exports, 1 pair", "0 binôme")


async def _done(enrolment: Hearing, reference: str) -> None:
    deadline = enrolment.clock.now() + timedelta(seconds=60)
    while (await enrolment.look(Erasure, reference)).stage is Stage.REQUESTED and enrolment.clock.now() < deadline:
        await enrolment.settle()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("erase", LEA, "--reason", "asked for it"), 2, "--yes is needed where nobody can be asked"),
        (("erase", LEA, "--reason", " ", "--yes"), 2, "say why"),
        (("erase", "fr:nobody", "--reason", "asked for it", "--yes"), 1, "There is no employee 'fr:nobody' here"),
        (("export", LEA, "--out", "nowhere/lea.zip"), 2, "nowhere is no folder that can be written to"),
        (("certificate", "no-such"), 1, "There is no erasure 'no-such' here"),
        (("readmit", LEA, "--yes"), 1, "There is no erased person 'fr:lea' here"),
    ],
)
async def test_what_cannot_be_done_is_said(enrolment: Hearing, amont: Amont, words: tuple[str, ...], code: int, says: str) -> None:
    assert await enrolment.parked() == []
    done = await amont(*words)
    assert done[0] == code
    assert says in " ".join((done[1] + done[2]).split())


@pytest.mark.parametrize(
    "words", [("export", "bob", "--out", "x.zip"), ("erase", "bob", "--reason", "a test", "--dry-run"), ("readmit", "FR:e1", "--yes")]
)
async def test_what_can_be_nobody_s_id_is_wrong_usage(words: tuple[str, ...], amont: Amont) -> None:
    code, _, complaint = await amont(*words)
    assert (code, "can be nobody's id: write tenant:employee_id, as in fr:e42" in complaint) == (2, True)
