"""A small demo from end to end: its figures add up, it repeats itself, it names nobody in its logs, it replaces only its own folder."""

import contextlib
import io
import json
import re
from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from amont.common.errors import NotAllowed
from amont.local import demo
from amont.local.demo import Scale
from amont.local.demo.folder import MARKER, NotOurs, fresh
from amont.local.demo.play import START
from amont.local.demo.stages import Look, Stages
from amont.local.group import made_up

SMALL = Scale(people=90, wishes=24, months=2)
OPEN_STATES = ("proposed", "accepted")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "run"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        assert _run(folder) == 0
    (folder / "said").write_text(said.getvalue(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def found(played: Path) -> dict[str, Any]:
    return json.loads((played / "figures.json").read_text(encoding="utf-8"))


def _run(folder: Path, seed: int = 3) -> int:
    return demo.run(folder, port=0, serve=False, seed=seed, as_json=True, scale=SMALL)


def test_every_staff_record_is_known_or_a_dead_letter(found: dict[str, Any]) -> None:
    group = made_up(3, START, people=SMALL.people, wishes=SMALL.wishes)
    assert sum(found["people"]["by_subsidiary"].values()) == found["people"]["known"]
    assert found["people"]["known"] + sum(found["staff_records"]["dead_letters"].values()) == len(group.people)
    assert set(found["staff_records"]["dead_letters"]) == {"unknown-grade", "unknown-zone", "invalid-payload"}


def test_every_wish_is_enrolled_or_refused_with_a_reason(found: dict[str, Any]) -> None:
    enrolments = found["enrolments"]
    assert enrolments["enrolled"] + enrolments["refused"] == enrolments["asked"]
    assert sum(enrolments["refused_because"].values()) >= enrolments["refused"] > 0
    assert sum(enrolments["by_status"].values()) == enrolments["enrolled"]


def test_every_pair_is_in_one_state_and_every_ended_one_has_its_event(found: dict[str, Any]) -> None:
    pairs, events = found["pairs"], found["events"]
    states = Counter(pairs["by_state"])
    assert sum(states.values()) == pairs["proposed"] == events["PairProposed"] == found["round"]["pairs"] + pairs["replacements"]
    assert states["declined"] == events.get("PairDeclined", 0)
    assert states["expired"] == events.get("PairExpired", 0)
    live = sum(states[state] for state in (*OPEN_STATES, "confirmed", "suspended"))
    assert pairs["proposed"] == live + states["declined"] + states["expired"] + events.get("PairEnded", 0)
    assert pairs["ever_confirmed"] == events["PairConfirmed"]


def test_every_session_that_was_proposed_is_in_one_state(found: dict[str, Any]) -> None:
    states, events = Counter(found["sessions"]["by_state"]), found["events"]
    assert states["completed"] == events["SessionCompleted"] > 0
    assert states["missed"] == events.get("SessionMissed", 0)
    assert states["cancelled"] == events.get("SessionCancelled", 0)
    assert sum(states.values()) <= events["SessionProposed"], "times may be proposed again for the same session"


def test_every_mail_in_the_folder_is_a_delivery_that_was_sent(played: Path, found: dict[str, Any]) -> None:
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in (played / "mails").glob("*.eml")]
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == found["mails"]["files"] == found["deliveries"]["sent"]
    assert sum(found["mails"]["by_kind"].values()) == len(mails) == found["events"]["NotificationSent"]
    assert all(str(mail["To"]).endswith(".example>") for mail in mails)


def test_nobody_has_more_pairs_than_seats(played: Path) -> None:
    overbooked = _most_at_once(played)
    group = made_up(3, START, people=SMALL.people, wishes=SMALL.wishes)
    seats = {wish.person: wish.capacity for wish in group.wishes}
    assert overbooked
    assert all(count <= seats[person] for person, count in overbooked.items())


@pytest.mark.parametrize("output", ["amont.log", "said", "figures.json"])
def test_the_demo_says_no_name_and_no_address(played: Path, output: str) -> None:
    """Everything it prints and logs; mails are for the people they are about."""
    text = (played / output).read_text(encoding="utf-8")
    group = made_up(3, START, people=SMALL.people, wishes=SMALL.wishes)
    assert text.count("\n") > 3, "output that says nothing shows nothing"
    assert "@" not in text
    said = set(re.findall(r"\w+", text))
    names = {
        word for person in group.people.values() for word in re.findall(r"\w+", f"{person.name} {person.family_name}") if len(word) > 2
    }
    assert len(names) > 50
    assert not names & said
    assert not [person.id for person in group.people.values() if person.email in text]


def test_the_same_seed_gives_the_same_figures(tmp_path: Path, found: dict[str, Any]) -> None:
    assert _run(tmp_path / "again") == 0
    again = json.loads((tmp_path / "again" / "figures.json").read_text(encoding="utf-8"))
    assert _without_seconds(again) == _without_seconds(found)


def test_json_is_all_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], played: Path) -> None:
    demo._show({"seconds": {}}, fresh(tmp_path / "there"), Look.NOBODY)
    assert json.loads(capsys.readouterr().out) == {"seconds": {}}


def test_a_pipe_gets_one_line_per_stage_and_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    stages = Stages(Look.PIPE, Console(file=io.StringIO()))
    with stages.stage("People enrol", 3) as stage:
        stage.done()
        stage.says("2 take part, 1 is refused")
    stages.aside("only for a terminal")
    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert re.fullmatch(r"People enrol +\d+\.\d s  2 take part, 1 is refused\n", written)
    assert "People enrol" in stages.taken


def test_a_folder_of_somebody_else_s_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(NotOurs, match="--folder"):
        fresh(tmp_path)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_the_demo_s_own_folder_is_replaced(tmp_path: Path) -> None:
    folder = fresh(tmp_path / "demo")
    (folder.path / "old").write_text("", encoding="utf-8")
    again = fresh(tmp_path / "demo")
    assert {path.name for path in again.path.iterdir()} == {MARKER}


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("", encoding="utf-8")
    with pytest.raises(NotOurs):
        fresh(tmp_path / "demo")


def test_it_does_not_start_beside_a_configured_issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_ISSUER", "https://login.example.com")
    with pytest.raises(NotAllowed, match="AMONT_ISSUER"):
        _run(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()


def _without_seconds(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "seconds"}


def _most_at_once(folder: Path) -> dict[str, int]:
    """The most live pairs that each person ever had at the same time, from the log."""
    import sqlite3

    rows = sqlite3.connect(folder / "log.sqlite").execute("SELECT value FROM records WHERE topic = 'matching-pairs' ORDER BY offset")
    live: dict[str, set[str]] = {}
    most: Counter[str] = Counter()
    for (value,) in rows:
        pair = json.loads(value)
        for person in (pair["mentee"], pair["mentor"]):
            mine = live.setdefault(person, set())
            (mine.discard if pair["status"] == "ended" else mine.add)(pair["pair"])
            most[person] = max(most[person], len(mine))
    return dict(most)
