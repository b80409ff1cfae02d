"""`amont subsidiaries` on the data folder of an enrolment that is open beside it: what it does, what it prints, how it ends."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from tests.services.enrolment.staffing import recorded
from typer.testing import CliRunner

from amont.common import hosting
from amont.common.cli import main, root
from amont.common.events import SubsidiaryChanged
from amont.common.feeds.grades import as_cell, code_in
from amont.common.service import Service
from amont.common.settings import Settings
from amont.common.testing.hearing import record_of
from amont.common.work import Work
from amont.enrolment.app import build
from amont.enrolment.domain.tokens import FeedTokens

Amont = Callable[..., Any]
FR = ("add", "fr", "--name", "Banque de détail France", "--zone", "Europe/Paris", "--languages", "fr,en", "--grades", "grades.csv")


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Service]:
    """Open on the folder, as `amont up --data` would have it."""
    url = f"sqlite://{tmp_path}?sync=normal"
    service = build(hosting.parts_from(Settings(log_url=url, store_url=url), "enrolment"))
    await service.open()
    service.ready = True
    yield service
    await service.stop()


@pytest.fixture
def amont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Amont:
    """Runs `amont subsidiaries …` in the folder and on it; (exit code, standard output, standard error)."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grades.csv").write_text("grade,band\nC1,5\nDIR,14\n", encoding="utf-8")

    async def run(*words: str, data: bool = True) -> tuple[int, str, str]:
        folder = ("--data", str(tmp_path)) if data else ()
        app = typer.Typer()
        settings = {"ignore_unknown_options": True, "allow_extra_args": True}
        app.command(context_settings=settings)(lambda: main(["subsidiaries", *words, *folder]))
        result = await asyncio.to_thread(CliRunner().invoke, app, [])
        return result.exit_code, result.stdout, result.stderr

    return run


async def test_a_subsidiary_is_added_by_one_command_and_enrolment_tells_it(enrolment: Service, amont: Amont) -> None:
    code, said, _ = await amont(*FR)
    assert code == 0
    assert "fr is there, with 2 grade codes." in said
    assert "amont subsidiaries token new fr --data" in said
    await enrolment.unit.relay.sweep(older_than=timedelta(0))
    (record,) = await enrolment.unit.log.read("test", "enrolment-subsidiaries", 10)  # type: ignore[attr-defined]
    told = SubsidiaryChanged.decode(record.value)
    assert (told.name, told.languages, told.grades) == ("Banque de détail France", ("fr", "en"), {"C1": 5, "DIR": 14})
    assert (await amont(*FR))[0] == 0
    code, _, complaint = await amont(*FR[:3], "Autre", *FR[4:])
    assert code == 1
    assert "exists with other data" in complaint


async def test_an_import_says_what_enrolment_as_it_is_would_refuse(enrolment: Service, amont: Amont, tmp_path: Path) -> None:
    await amont(*FR)
    sheet = "Filiale;Matricule;Prénom;Grade\nfr;e1;Léa;C1\nfr;e2;Zoé;C9\nxx;e3;Ada;C1\n"
    (tmp_path / "staff.csv").write_text(sheet, encoding="utf-8")
    said = await hris("import", "staff.csv", "--data", str(tmp_path))
    assert "staff.csv:3: column 'Grade': 'C9' is not in the grade table that enrolment has of 'fr'" in said
    assert "staff.csv:4: column 'Filiale': enrolment has no subsidiary 'xx'" in said
    assert "Sent 3 staff records to hris-staff. Enrolment as it is now would refuse 2 of them" in said
    (tmp_path / "grades.csv").write_text("grade,band\nC1,5\nC9,6\n", encoding="utf-8")
    changed = (await amont("change", "fr", "--grades", "grades.csv"))[1]
    assert "fr is changed, with 2 grade codes; new: C9; gone, and refused from now on: DIR." in " ".join(changed.split())
    said = await hris("import", "staff.csv", "--data", str(tmp_path), "--dry-run")
    assert "3 staff records would be sent to hris-staff. Enrolment as it is now would refuse 1 of them" in said


async def test_one_that_was_added_just_now_is_known_and_a_slip_in_its_id_is_told(enrolment: Service, amont: Amont, tmp_path: Path) -> None:
    await amont(*FR)
    (tmp_path / "staff.csv").write_text("Matricule;Grade\ne1;C1\n", encoding="utf-8")
    assert "Sent 1 staff record" in await hris("import", "staff.csv", "--tenant", "fr", "--data", str(tmp_path))
    done = await asyncio.to_thread(CliRunner().invoke, root(), ["hris", "import", "staff.csv", "--tenant", "frr", "--data", str(tmp_path)])
    assert "'frr' is no subsidiary; did you mean 'fr'? Enrolment has fr." in str(done.exception)


async def test_a_send_says_what_enrolment_as_it_is_would_refuse(enrolment: Service, amont: Amont, tmp_path: Path) -> None:
    await amont(*FR)
    at = {"effective_at": "2024-09-01", "occurred_at": "2024-08-20T09:00:00Z"}
    people = [{"tenant": "fr", "employee_id": f"e{number}", "grade": grade, **at} for number, grade in enumerate(("C1", "C9", "C9"))]
    (tmp_path / "staff.jsonl").write_text("".join(json.dumps(one) + "\n" for one in people), encoding="utf-8")
    said = await hris("send", "staff.jsonl", "--data", str(tmp_path))
    assert "Sent 3 staff records" in said
    assert "would refuse 2 of them" in said
    assert "2 records (lines 2, 3): 'C9' is not in the grade table that enrolment has of 'fr'" in said
    (tmp_path / "staff.jsonl").write_text("".join(json.dumps(people[number > 2]) + "\n" for number in range(30)), encoding="utf-8")
    said = await hris("send", "staff.jsonl", "--data", str(tmp_path))
    assert "27 records (lines 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, …): 'C9'" in said
    told = json.loads(await hris("send", "staff.jsonl", "--data", str(tmp_path), "--json"))
    (why,) = told["refused"]
    assert (told["refused"][why], told["refused_lines"][why]) == (27, list(range(4, 14)))


async def hris(*words: str) -> str:
    """What `amont hris …` says; it ends well."""
    done = await asyncio.to_thread(CliRunner().invoke, root(), ["hris", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


async def test_every_fault_of_a_grade_table_is_listed_with_its_line(enrolment: Service, amont: Amont, tmp_path: Path) -> None:
    (tmp_path / "grades.csv").write_text("grade,band\nC1,5\nC2,21\n,3\nC1,6\n", encoding="utf-8")
    code, _, complaint = await amont(*FR)
    assert code == 2
    assert "line 3: band '21' of 'C2'" in complaint
    assert "line 4: the grade is empty" in complaint
    assert "line 5: 'C1' has band 5 already" in complaint


async def test_every_fault_of_the_options_is_listed(enrolment: Service, amont: Amont) -> None:
    code, _, complaint = await amont(*FR[:5], "Paris", *FR[6:], "--holidays", "France", "--leaver-share", "2")
    assert code == 1
    for pointer in ("/zone", "/holidays", "/leaver_share"):
        assert f"{pointer}: " in complaint
    code, _, complaint = await amont(*FR[:7], "french,en,Deutsch", *FR[8:])
    assert (
        code,
        "/languages/0: 'french' is no language: write its BCP 47 tag, as in 'fr' or 'pt-BR'; did you mean 'fr'?" in complaint,
    ) == (1, True)
    assert "/languages/2: 'Deutsch' is not a BCP 47 tag, as in 'fr' or 'pt-BR'; did you mean 'de'?" in complaint
    await amont(*FR)
    assert (await amont("change", "fr", "--languages", "french"))[0] == 1
    assert (await amont("change", "fr", "--languages", "fr,br,pt-BR"))[0] == 0


async def test_what_is_given_is_changed_and_the_rest_stays(enrolment: Service, amont: Amont) -> None:
    await amont(*FR)
    code, _, _ = await amont("change", "fr", "--kafka-principal", "User:hris-fr", "--coordinator", "fr:c1", "--coordinator", "fr:c2")
    assert code == 0
    code, said, _ = await amont("show", "fr", "--json")
    shown = json.loads(said)
    assert code == 0
    assert (shown["coordinators"], shown["name"], shown["version"]) == (["fr:c1", "fr:c2"], "Banque de détail France", 2)
    right = "--operation Write --operation Describe --topic hris-staff"
    assert shown["acl"] == [f"kafka-acls.sh --bootstrap-server BROKER:9092 --add --allow-principal 'User:hris-fr' {right}"]
    code, said, _ = await amont("show", "fr")
    assert "Kafka knows no right to a key" in said
    assert (await amont("change", "fr"))[0] == 2
    assert (await amont("change", "fr", "--kafka-principal", "", "--coordinator", "", "--holidays", "", "--sender-name", ""))[0] == 0
    shown = json.loads((await amont("show", "fr", "--json"))[1])
    assert [shown[name] for name in ("kafka_principal", "coordinators", "holidays", "sender_name")] == [None, [], None, None]
    assert (await amont("change", "fr", "--name", ""))[0] == 1
    assert "not paused" in (await amont("show", "fr"))[1]
    assert (await amont("pause", "fr", "--why", "a migration"))[0] == 0
    assert re.search(r"feed +paused\n", (await amont("show", "fr"))[1])
    assert json.loads((await amont("show", "fr", "--json"))[1])["paused"] is True


async def test_a_grade_table_comes_out_as_it_went_in(enrolment: Service, amont: Amont) -> None:
    await amont(*FR)
    assert (await amont("show", "fr", "--grades"))[1] == "grade,band\nC1,5\nDIR,14\n"
    assert json.loads((await amont("show", "fr", "--grades", "--json"))[1]) == {"subsidiary": "fr", "grades": {"C1": 5, "DIR": 14}}


async def test_a_code_that_looks_like_a_formula_is_text_to_a_spreadsheet_and_the_same_code_to_us(
    enrolment: Service, amont: Amont, tmp_path: Path
) -> None:
    (tmp_path / "grades.csv").write_text("grade,band\n'=1+1,5\n+2,6\n''-3,7\n", encoding="utf-8")
    await amont(*FR)
    assert json.loads((await amont("show", "fr", "--json"))[1])["grades"] == {"=1+1": 5, "+2": 6, "'-3": 7}
    said = (await amont("show", "fr", "--grades"))[1]
    assert said == "grade,band\n'=1+1,5\n'+2,6\n''-3,7\n"
    (tmp_path / "grades.csv").write_text(said, encoding="utf-8")
    assert (await amont("change", "fr", "--grades", "grades.csv"))[0] == 0
    assert (await amont("show", "fr", "--grades"))[1] == said


@given(st.text(max_size=12))
def test_no_code_is_a_formula_once_written_and_each_is_read_back(code: str) -> None:
    assert not as_cell(code).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert code_in(as_cell(code)) == code


async def test_the_subsidiaries_are_listed(enrolment: Service, amont: Amont) -> None:
    await amont(*FR)
    await amont("add", "de", *FR[2:])
    code, said, _ = await amont("list")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == ["subsidiary", "de", "fr"]
    assert [one["subsidiary"] for one in json.loads((await amont("list", "--json"))[1])] == ["de", "fr"]


async def test_a_token_is_printed_once_listed_without_its_text_and_revoked(enrolment: Service, amont: Amont) -> None:
    await amont(*FR)
    code, secret, words = await amont("token", "new", "fr")
    assert code == 0
    assert "shown this once" in words
    secret = secret.strip()
    kept = await enrolment.run(_tokens, "fr")
    assert kept.opens(secret)
    code, said, _ = await amont("token", "list", "fr")
    assert secret not in said
    assert f"…{secret[-4:]}" in said
    (token,) = kept.tokens
    assert (await amont("token", "revoke", "fr", token.id))[0] == 0
    assert (await enrolment.run(_tokens, "fr")).opens(secret) is None
    assert (await amont("token", "revoke", "fr", "nothing"))[0] == 1
    made = json.loads((await amont("token", "new", "fr", "--json"))[1])
    assert (await enrolment.run(_tokens, "fr")).opens(made["token"])
    assert "digest" not in made


async def test_a_subsidiary_with_people_stays_and_one_without_goes(enrolment: Service, amont: Amont) -> None:
    await amont(*FR)
    await enrolment.unit.log.append([record_of(recorded())])
    while await enrolment.step():
        pass
    code, _, complaint = await amont("remove", "fr", "--yes")
    assert code == 1
    assert "has 1 people" in complaint
    await amont("add", "de", *FR[2:])
    assert (await amont("remove", "de"))[0] == 2
    assert (await amont("remove", "de", "--yes"))[0] == 0
    assert (await amont("show", "de"))[0] == 1


async def test_a_folder_on_which_enrolment_never_ran_is_said_to_be_one(amont: Amont) -> None:
    code, _, complaint = await amont("list")
    assert code == 2
    assert "There is no store of enrolment" in complaint


async def _tokens(work: Work, tenant: str) -> FeedTokens:
    return await work.get(FeedTokens, tenant)


async def test_a_feed_is_paused_seen_and_resumed_by_command(enrolment: Service, amont: Amont) -> None:
    await amont(*FR)
    code, said, _ = await amont("pause", "fr", "--why", "migration tonight")
    assert (code, said.startswith("The feed of fr is paused.")) == (0, True)
    assert re.search(r"amont subsidiaries resume fr --why \S+ --data \S+\n", said)
    await enrolment.unit.log.append([record_of(recorded("ada"))])
    await enrolment.step()
    code, said, _ = await amont("held", "fr")
    assert code == 0
    assert "migration tonight" in said
    assert re.search(r"fr:ada +recorded +paused", said)
    state = json.loads((await amont("resume", "fr", "--why", "done", "--json"))[1])
    assert (state["paused"], [one["verb"] for one in state["decisions"]]) == (None, ["pause", "resume"])
    while await enrolment.step():
        pass
    found = json.loads((await amont("held", "fr", "--json"))[1])
    assert (found["held"], found["people_with_held_records"]) == ([], 0)


async def test_leavers_can_only_be_decided_about_when_some_are_held(enrolment: Service, amont: Amont) -> None:
    await amont(*FR)
    for verb in ("release", "drop"):
        code, _, complaint = await amont(verb, "fr", "--why", "a test")
        assert code == 1
        assert "holds nobody's leaving" in complaint
    assert (await amont("pause", "de", "--why", "a test"))[0] == 1
