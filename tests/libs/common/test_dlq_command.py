"""`amont dlq` on a real folder, beside a service that runs and without one: what it prints, what it does, and how it ends."""

import asyncio
import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.libs.common.listeners import Faults, build_with
from tests.libs.common.shell import Tally, told
from typer.testing import CliRunner

from amont.common import hosting
from amont.common.cli import main
from amont.common.errors import Unavailable
from amont.common.events import SubsidiaryChanged
from amont.common.service import Service
from amont.common.service.letters import commands
from amont.common.settings import Settings
from amont.common.testing.hearing import record_of
from amont.common.work import Work

Amont = Callable[..., Any]


@pytest.fixture
def amont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Amont:
    """Runs `amont dlq …` on the folder as its own thread would; (exit code, standard output, standard error)."""
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*words: str, data: bool = True, stdin: str | None = None) -> tuple[int, str, str]:
        folder = ("--data", str(tmp_path)) if data else ()
        import typer

        app = typer.Typer()
        app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(lambda: main(["dlq", *words, *folder]))
        result = await asyncio.to_thread(CliRunner().invoke, app, [], input=stdin)
        return result.exit_code, result.stdout, result.stderr

    return run


@asynccontextmanager
async def service_on(folder: Path, faults: Faults) -> AsyncIterator[Service]:
    """A service on the folder that is open but does not run; `running()` starts it."""
    url = f"sqlite://{folder}?sync=normal"
    service = build_with(faults)(hosting.parts_from(Settings(log_url=url, store_url=url), "matching"))
    await service.open()
    service.ready = True
    try:
        yield service
    finally:
        await service.stop()


@asynccontextmanager
async def ticking(service: Service) -> AsyncIterator[None]:
    """The service does what is to be done, while the block runs."""

    async def tick() -> None:
        while True:
            await service.step()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def faults() -> Faults:
    return Faults(defects={"ada@example.org"})


@pytest.fixture
async def service(tmp_path: Path, faults: Faults) -> AsyncIterator[Service]:
    """With a defect, one that waits behind it, and a record that cannot be read."""
    async with service_on(tmp_path, faults) as made:
        broken = replace(record_of(told("b", 1)), value=b'{"seq":1,"subsidiary":"b","name":3}')
        await made.unit.log.append([record_of(told("a", 1, "ada@example.org")), record_of(told("a", 2, "2")), broken])
        await made.step()
        yield made


async def listed(amont: Amont, *words: str) -> list[Any]:
    code, said, _ = await amont("list", "--json", *words)
    assert code == 0
    found: list[Any] = json.loads(said)["letters"]
    return found


async def told_to(service: Service, id_: str) -> tuple[str, ...]:
    async def look(work: Any) -> Any:
        return (await work.get_or_new(Tally, id_)).told

    found: tuple[str, ...] = await service.run(look)
    return found


async def test_a_list_is_a_table_with_what_it_comes_to_and_never_says_what_is_in_a_letter(service: Service, amont: Amont) -> None:
    code, said, _ = await amont("list")
    assert code == 0
    assert "3 shown: 1 defect, 1 blocked-by, 1 invalid-payload" in said
    assert [line.split()[0] for line in said.splitlines()[1:4]] == ["matching"] * 3
    assert "ada" not in said.lower()
    assert [one["key"] for one in await listed(amont)] == ["a", "a", "b"]
    assert [one["key"] for one in await listed(amont, "--reason", "invalid-payload", "--service", "matching")] == ["b"]
    assert len(await listed(amont, "--limit", "1")) == 1
    assert await listed(amont, "--status", "dropped") == await listed(amont, "--until", "2020-01-01") == []
    assert len(await listed(amont, "--since", "2020-01-01T00:00:00+01:00", "--status", "all")) == 3


async def test_a_list_that_nothing_is_on_says_what_there_is_instead(service: Service, amont: Amont) -> None:
    code, said, _ = await amont("list", "--reason", "unknown-grad")
    assert code == 0
    assert " ".join(said.split()) == "No dead letters like these. Unresolved there are: matching 1 blocked-by, 1 defect, 1 invalid-payload."


async def test_what_would_steer_a_terminal_is_spelled_out(service: Service, amont: Amont) -> None:
    hostile = replace(record_of(told("c", 1)), key="[/red]\x1b[2J", value=b"\x1b]0;x\x07", headers=(("ce_type", b"[/x]\x1b[31m"),))
    await service.unit.log.append([hostile])
    await service.step()
    *_, letter = await listed(amont)
    for words in (("list",), ("show", letter["id"])):
        code, said, _ = await amont(*words)
        assert (code, "\x1b" in said, "[/red]\\x1b[2J" in said) == (0, False, True)
    code, _, why = await amont("show", "[/x]\x1b[2J")
    assert (code, "\x1b" in why) == (1, False)


async def test_a_letter_is_shown_with_its_headers_its_value_and_its_history(service: Service, amont: Amont) -> None:
    first, *_ = await listed(amont)
    code, said, _ = await amont("show", first["id"])
    assert code == 0
    assert '"name": "ada@example.org"' in said
    assert "ce_subject" in said
    assert "parked" in said
    code, said, _ = await amont("show", first["id"], "--json")
    assert json.loads(json.loads(said)["content"]["value"])["name"] == "ada@example.org"


async def test_letters_are_replayed_by_the_service_that_runs_and_what_came_of_it_is_said(
    service: Service, amont: Amont, faults: Faults
) -> None:
    faults.mend()
    async with ticking(service):
        code, said, why = await amont("replay", "--all", "--who", "otto", "--why", "mended")
    assert (code, said.strip()) == (1, "Replayed 2 of 3.")
    assert "invalid-payload" in why
    assert await told_to(service, "a") == ("ada@example.org", "2")
    [left] = await listed(amont)
    assert (left["key"], left["attempts"]) == ("b", 2)
    assert len(await listed(amont, "--status", "replayed", "--key", "a")) == 2


async def test_one_letter_takes_what_waits_behind_it_along(service: Service, amont: Amont, faults: Faults) -> None:
    faults.mend()
    first, behind, _ = await listed(amont)
    code, _, why = await amont("replay", behind["id"])
    assert (code, first["id"] in why.replace("\n", "")) == (1, True)
    async with ticking(service):
        code, said, _ = await amont("replay", first["id"], "--json")
        assert (code, json.loads(said)["replayed"]) == (0, 2)
        code, said, _ = await amont("replay", first["id"])
        assert (code, said.strip()) == (0, "Nothing to replay.")
    assert await told_to(service, "a") == ("ada@example.org", "2")


async def test_without_a_service_that_runs_they_stay_asked_for_and_it_says_so(service: Service, amont: Amont, faults: Faults) -> None:
    code, said, _ = await amont("replay", "--key", "a", "--dry-run")
    assert (code, said.strip()) == (0, "2 would be replayed: matching 1 defect, 1 blocked-by.")
    assert {one["status"] for one in await listed(amont)} == {"open"}
    dry = json.loads((await amont("replay", "--all", "--dry-run", "--json"))[1])
    assert (dry["done"], dry["by_reason"]) == (False, {"matching": {"defect": 1, "blocked-by": 1, "invalid-payload": 1}})
    code, said, _ = await amont("replay", "--key", "a", "--wait", "0")
    assert (code, said.strip()) == (0, "2 asked for: matching 1 defect, 1 blocked-by.")
    code, _, why = await amont("replay", "--key", "a", "--wait", "0.3")
    assert code == 3
    assert "is matching running" in why
    assert "amont dlq take-back" in why
    faults.mend()
    await service.step()
    assert await told_to(service, "a") == ("ada@example.org", "2")


async def test_an_edit_is_checked_first_kept_with_who_and_why_and_can_be_tried(service: Service, amont: Amont, tmp_path: Path) -> None:
    *_, broken = await listed(amont)
    edit = ("edit", broken["id"], "--who", "otto", "--why", "a number for a name")
    code, _, why = await amont(*edit, "--set", "/name=x")
    assert code == 1
    assert "/zone" in why
    value = tmp_path / "value.json"
    value.write_bytes(SubsidiaryChanged(**{**told("b", 1).model_dump(), "name": "three"}).encode())
    code, said, _ = await amont(*edit, "--value", str(value), "--dry-run")
    assert (code, "Nothing was changed" in said) == (0, True)
    assert json.loads((await amont("show", broken["id"], "--json"))[1])["original"] is None
    code, said, _ = await amont(*edit, "--value", str(value))
    assert (code, f"amont dlq replay {broken['id']}" in said.replace("\n", " ")) == (0, True)
    assert (await amont(*edit, "--set", "/name=four"))[0] == 0
    code, said, _ = await amont(*edit, "--set", "/name=four")
    assert (code, "says that already" in said) == (0, True)
    code, _, why = await amont(*edit, "--header", "ce_id=another")
    assert (code, "/headers/ce_id: says which event it is" in why) == (1, True)
    code, _, why = await amont(*edit, "--set", "/naem=five")
    assert (code, "/naem" in why, "there is seq, subsidiary, name, zone" in why) == (1, True, True)
    shown = json.loads((await amont("show", broken["id"], "--json"))[1])
    assert shown["original"]["value"] == '{"seq":1,"subsidiary":"b","name":3}'
    assert [(note["who"], note["what"], note["why"]) for note in shown["history"][1:]] == [("otto", "edited", "a number for a name")] * 2
    async with ticking(service):
        assert (await amont("replay", broken["id"]))[0] == 0
    for changed in ("/name=four", "/name=five"):
        code, said, why = await amont(*edit, "--set", changed)
        assert (code, said, "has been replayed" in why) == (1, "", True)
    assert await told_to(service, "b") == ("four",)


async def test_a_drop_says_why_is_asked_about_and_lets_the_rest_go_on(service: Service, amont: Amont) -> None:
    assert (await amont("drop", "--key", "a"))[0] == 2
    code, _, why = await amont("drop", "--key", "a", "--why", "made twice")
    assert (code, "--yes" in why) == (2, True)
    code, said, _ = await amont("drop", "--key", "a", "--why", "made twice", "--dry-run")
    assert (code, said.strip()) == (0, "Would drop 1: matching 1 defect.")
    code, said, _ = await amont("drop", "--key", "a", "--why", "made twice", "--yes")
    assert (code, said.strip()) == (0, "Dropped 1: matching 1 defect.")
    await service.step()
    assert await told_to(service, "a") == ("2",)
    [dropped] = await listed(amont, "--status", "dropped")
    shown = json.loads((await amont("show", dropped["id"], "--json"))[1])
    assert shown["history"][-1]["why"] == "made twice"
    assert shown["history"][-1]["who"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("replay",), 2, "say which"),
        (("replay", "--all", "--key", "a"), 2, "say which"),
        (("show", "nothing"), 1, "no dead letter 'nothing'"),
        (("replay", "nothing"), 1, "no dead letter 'nothing'"),
        (("list", "--service", "payroll"), 2, "enrolment, matching"),
        (("list", "--service", "enrolment"), 2, "no store of enrolment"),
        (("list", "--service", "enrolment"), 2, "there is one of matching. Name the folder that `amont up --data DIR` was started with"),
        (("edit", "x", "--why", "", "--set", "/a=1"), 2, "say why"),
        (("drop", "x", "--why", "  "), 2, "say why"),
        (("replay", "x", "--why", ""), 2, "say why"),
        (("take-back", "x", "--why", " "), 2, "say why"),
        (("take-back",), 2, "say which"),
        (("take-back", "nothing"), 1, "no dead letter 'nothing'"),
        (("list", "--since", "soon"), 2, "no instant"),
        (("edit", "x", "--why", "y"), 2, "say what to change"),
        (("edit", "x", "--why", "y", "--header", "ce_type"), 2, "NAME=VALUE"),
        (("edit", "x"), 2, "--why"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_a_sentence(
    service: Service, amont: Amont, words: tuple[str, ...], code: int, said: str
) -> None:
    ended, _, why = await amont(*words)
    assert ended == code
    assert said in " ".join(why.replace("│", " ").split())


def stores_in(folder: Path) -> list[Path]:
    return list(folder.glob("*.sqlite"))


async def test_a_folder_that_is_none_and_settings_that_are_missing(amont: Amont, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, why = await amont("list")
    assert (code, "no store" in why) == (2, True)
    assert stores_in(tmp_path) == []
    monkeypatch.delenv("AMONT_STORE_URL", raising=False)
    code, _, why = await amont("list", data=False)
    assert (code, "AMONT_STORE_URL" in why, "--data DIR" in why) == (2, True, True)
    monkeypatch.setenv("AMONT_STORE_URL", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    monkeypatch.setattr("amont.common.documents.mongo.ANSWER_WITHIN_SECONDS", 0.2)
    code, _, why = await amont("list", data=False)
    assert code == 3, why


async def test_the_same_record_in_two_services_must_be_named_with_its_service(
    service: Service, amont: Amont, tmp_path: Path, faults: Faults
) -> None:
    first, *_ = await listed(amont)
    (tmp_path / "amont_scheduling.sqlite").write_bytes((tmp_path / "amont_matching.sqlite").read_bytes())
    (tmp_path / "amont_scheduling.sqlite-wal").write_bytes((tmp_path / "amont_matching.sqlite-wal").read_bytes())
    code, _, why = await amont("show", first["id"])
    assert (code, "matching and scheduling" in " ".join(why.split())) == (1, True)
    assert (await amont("show", first["id"], "--service", "scheduling"))[0] == 0


async def test_what_was_asked_for_while_its_service_is_down_can_be_taken_back(service: Service, amont: Amont) -> None:
    await amont("replay", "--all", "--wait", "0")
    first, *_, broken = await listed(amont)
    code, _, why = await amont("drop", broken["id"], "--why", "no use", "--yes")
    assert (code, "take it back first (amont dlq take-back)" in why) == (1, True)
    code, said, _ = await amont("take-back", "--all", "--dry-run")
    assert (code, said.strip()) == (0, "Would take back 2: matching 1 defect, 1 invalid-payload.")
    code, said, _ = await amont("take-back", broken["id"], "--why", "a mistake", "--json")
    assert json.loads(said)["taken_back"] == [{"service": "matching", "letter": broken["id"], "reason": "invalid-payload"}]
    assert (await amont("drop", broken["id"], "--why", "no use", "--yes"))[0] == 0
    code, said, _ = await amont("take-back", "--key", "a")
    assert (code, said.strip()) == (0, "Took back 1: matching 1 defect.")
    assert {one["status"] for one in await listed(amont)} == {"open"}
    assert (await amont("take-back", "--all"))[1].strip() == "Took back 0."
    assert (await amont("take-back", broken["id"]))[0] == 1
    assert (await amont("edit", first["id"], "--why", "a slip", "--set", "/name=x"))[0] == 0


async def test_what_somebody_else_changes_meanwhile_is_not_done_and_named_and_the_rest_is(
    service: Service, amont: Amont, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service takes the first of them while they are being dropped, or taken back."""
    first, _, broken = await listed(amont)

    def taken_meanwhile(command: str) -> pytest.MonkeyPatch:
        deed = getattr(commands, command)

        async def slower(work: Work, id_: str, *rest: Any) -> Any:
            if id_ == first["id"] and (await commands.one(work, id_))[0].unresolved:
                await service.run(as_replayed, id_)
            return await deed(work, id_, *rest)

        monkeypatch.setattr(commands, command, slower)
        return monkeypatch

    taken_meanwhile("drop")
    code, said, why = await amont("drop", "--all", "--why", "no use", "--yes")
    assert (code, said.strip()) == (1, "Dropped 1: matching 1 invalid-payload.")
    assert (first["id"] in why, "it is settled, and cannot be dropped any more" in " ".join(why.split())) == (True, True)
    assert "1 was not dropped" in why
    assert [one["status"] for one in await listed(amont, "--status", "all")] == ["replayed", "open", "dropped"]
    assert broken["id"] not in why


async def as_replayed(work: Work, id_: str) -> None:
    letter, _ = await commands.one(work, id_)
    work.save(letter.applied(work.now))


async def test_as_data_it_is_named_with_its_reason(service: Service, amont: Amont, monkeypatch: pytest.MonkeyPatch) -> None:
    await amont("replay", "--all", "--wait", "0")
    first, _, broken = await listed(amont)
    take_back = commands.take_back

    async def slower(work: Work, id_: str, *rest: Any) -> Any:
        if id_ == first["id"] and (await commands.one(work, id_))[0].unresolved:
            await service.run(as_replayed, id_)
        return await take_back(work, id_, *rest)

    monkeypatch.setattr(commands, "take_back", slower)
    code, said, _ = await amont("take-back", "--all", "--json")
    assert code == 1
    assert json.loads(said) == {
        "done": True,
        "taken_back": [{"service": "matching", "letter": broken["id"], "reason": "invalid-payload"}],
        "by_reason": {"matching": {"invalid-payload": 1}},
        "not_done": [
            {
                "service": "matching",
                "letter": first["id"],
                "why": f"Dead letter {first['id']} has been replayed already: there is nothing to take back.",
            }
        ],
    }


async def test_a_store_that_goes_away_in_the_middle_leaves_word_of_what_was_done(
    service: Service, amont: Amont, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, broken = await listed(amont)
    drop = commands.drop

    async def away(work: Work, id_: str, *rest: Any) -> Any:
        if id_ == broken["id"]:
            raise Unavailable("the store is away")
        return await drop(work, id_, *rest)

    monkeypatch.setattr(commands, "drop", away)
    code, said, why = await amont("drop", "--all", "--why", "no use", "--yes")
    assert (code, said.strip()) == (3, "Dropped 1: matching 1 defect.")
    assert (broken["id"] in why, "the store is away" in why, first["id"] in why) == (True, True, False)


async def test_of_two_who_edit_a_letter_at_once_the_second_is_told(service: Service, amont: Amont, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = await listed(amont)
    edit, others = commands.edit, [1]

    async def slower(work: Work, id_: str, *rest: Any, **more: Any) -> Any:
        edited = await edit(work, id_, *rest, **more)
        if others:
            others.pop()
            value = told("a", 1, "theirs").encode()
            await service.run(edit, id_, "group:other", "faster", value=value)
        return edited

    monkeypatch.setattr(commands, "edit", slower)
    code, _, why = await amont("edit", first["id"], "--why", "a slip", "--set", "/name=mine")
    assert (code, "is at version 2, you sent 1" in " ".join(why.split())) == (1, True)
    shown = json.loads((await amont("show", first["id"], "--json"))[1])
    assert json.loads(shown["content"]["value"])["name"] == "theirs"
    assert [one["who"] for one in shown["history"]] == ["amont", "group:other"]


async def test_an_edit_can_say_which_version_it_is_an_edit_of(service: Service, amont: Amont, tmp_path: Path) -> None:
    """Who writes a whole value has looked at the letter some time before."""
    first, *_ = await listed(amont)
    shown = json.loads((await amont("show", first["id"], "--json"))[1])
    assert shown["version"] == 1
    assert "version  1" in (await amont("show", first["id"]))[1]
    assert (await amont("edit", first["id"], "--why", "a slip", "--set", "/name=theirs", "--version", "1"))[0] == 0
    new = tmp_path / "value.json"
    new.write_bytes(told("a", 1, "mine").encode())
    code, _, why = await amont("edit", first["id"], "--why", "a slip", "--value", str(new), "--version", "1")
    assert (code, "is at version 2, you sent 1" in " ".join(why.split())) == (1, True)
    assert (await amont("edit", first["id"], "--why", "a slip", "--value", str(new), "--version", "2"))[0] == 0


async def test_a_list_that_is_cut_says_how_many_more_there_are_and_how_to_see_them(service: Service, amont: Amont) -> None:
    _, said, _ = await amont("list", "--limit", "1")
    assert "And 2 more: --limit 3 shows all" in said
    whole = json.loads((await amont("list", "--limit", "1", "--since", "2020-01-01", "--json"))[1])
    assert (len(whole["letters"]), whole["more"], whole["all_with"]) == (1, 2, "--limit 3")
    whole = json.loads((await amont("list", "--limit", "3", "--json"))[1])
    assert (len(whole["letters"]), whole["more"], whole["all_with"]) == (3, 0, None)
    assert "more" not in (await amont("list"))[1]
    await service.unit.log.append([replace(record_of(told(key, 1)), value=b"{") for key in ("late", "later")])
    await service.step()
    *_, late, later = await listed(amont)
    assert late["parked_at"] > whole["letters"][-1]["parked_at"]
    counted = json.loads((await amont("list", "--limit", "1", "--since", late["parked_at"], "--json"))[1])
    assert (counted["letters"], counted["more"]) == ([late], 1)
    counted = json.loads((await amont("list", "--limit", "2", "--since", late["parked_at"], "--json"))[1])
    assert (counted["letters"], counted["more"]) == ([late, later], 0)


async def test_a_long_value_is_shown_by_its_beginning_unless_all_is_asked_for(service: Service, amont: Amont) -> None:
    huge = replace(record_of(told("h", 1)), value=b'{"name": "' + b"x" * 1_600_000 + b'"}', headers=(("ce_type", b"y" * 10_000),))
    many = replace(record_of(told("m", 1)), value=json.dumps({"seq": list(range(500))}).encode())
    await service.unit.log.append([huge, many])
    await service.step()
    *_, first, second = await listed(amont)
    for letter, whole in ((first, 1_500_000), (second, 4_000)):
        code, said, _ = await amont("show", letter["id"])
        assert (code, len(said) < 15_000, "more characters: --full shows all" in said) == (0, True, True)
        said = (await amont("show", letter["id"], "--full"))[1]
        assert (len(said) > whole, "more characters" in said) == (True, False)


async def test_the_command_that_an_edit_prints_works_as_it_stands(service: Service, amont: Amont, tmp_path: Path) -> None:
    first, *_ = await listed(amont)
    _, said, _ = await amont("edit", first["id"], "--why", "a slip", "--set", "/name=x", "--service", "matching")
    command = said.splitlines()[-1].strip()
    assert command == f"amont dlq replay {first['id']} --service matching --data {tmp_path}"
    async with ticking(service):
        code, _, why = await amont(*command.split()[2:], data=False)
    assert (code, why) == (0, "")


async def test_an_id_stays_in_one_piece_on_a_narrow_terminal(service: Service, amont: Amont, tmp_path: Path) -> None:
    await service.unit.log.append([replace(record_of(told("c", 1)), key="b" * 120, value=b"{")])
    await service.step()
    first, *_, letter = await listed(amont)
    for columns in (60, 80):
        edit = ("edit", first["id"], "--why", "x", "--set", f"/name=n{columns}")
        for words, whole in (
            (("list",), (first["id"], letter["id"], letter["key"])),
            (("show", letter["id"]), (letter["id"], letter["key"])),
            (edit, (f"  amont dlq replay {first['id']} --data {tmp_path}\n",)),
            (("replay", "--all", "--wait", "0.1"), (first["id"], letter["id"])),
            (("take-back", "--all"), ()),
        ):
            said = await asyncio.to_thread(on_a_terminal, columns, "dlq", *words, "--data", str(tmp_path))
            assert [one for one in whole if one not in said] == [], (words, columns, said)


def on_a_terminal(columns: int, *words: str) -> str:
    """What the command writes on a terminal so wide."""
    ours, theirs = pty.openpty()
    amont = Path(sys.executable).parent / "amont"
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen([amont, *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while some := os.read(ours, 65536):
            said += some
    os.close(ours)
    process.wait()
    return said.decode().replace("\r\n", "\n")
