"""The judge of the campaign notices what it is there to notice, and says what a run has not shown."""

import asyncio
from collections import Counter
from typing import Any, cast

import pytest
from tests.chaos.judge import Noted, Peace, _outages, _poison, _promise, _replayed, _rolling, _twice
from tests.chaos.latency import Latencies
from tests.chaos.letters import Replayed
from tests.chaos.mails import cut_off
from tests.chaos.outage import Answers, Outage
from tests.chaos.poison import UNREADABLE, strewn
from tests.chaos.pulse import Pulse
from tests.chaos.report import Report
from tests.chaos.staff_load import StaffLoad, person_id

SEEN = {"repeated on the log": 2, "mails": 10, "mails again": 1, "dead letters": 3, "parked again": 0}


@pytest.fixture
def staff() -> StaffLoad:
    load = StaffLoad(cast("Any", None), people=1)
    load.versions[0] = 3
    return load


def test_everybody_heard_once_and_in_order_is_no_fault(staff: StaffLoad) -> None:
    assert staff.unheard({person_id(0): ["f1", "f2", "f3"]}) == []


@pytest.mark.parametrize(
    ("said", "promise", "word"),
    [
        (["f1", "f3"], "P1", "lost"),
        ([], "P1", "lost"),
        (["f1", "f2", "f2", "f3"], "P2", "repeated"),
        (["f2", "f1", "f3"], "P3", "out of order"),
    ],
)
def test_what_was_lost_repeated_or_turned_round_is_a_fault_of_its_promise(
    staff: StaffLoad, said: list[str], promise: str, word: str
) -> None:
    (fault,) = staff.unheard({person_id(0): said})
    assert word in fault
    assert _promise(fault) == promise


def test_a_run_that_saw_too_few_redeliveries_has_shown_nothing() -> None:
    assert _twice((), Noted(redelivered=90), SEEN, 100, died=1).kept is False
    assert _twice((), Noted(redelivered=90), SEEN, 100, died=0).kept is None
    assert _twice((), Noted(redelivered=99), SEEN, 100, died=1).kept is True


def test_a_slower_p99_beside_poison_is_a_broken_promise() -> None:
    steady = tuple([0.1] * 100)
    assert _poison((), Noted(latencies=Latencies(steady, steady)), SEEN).kept is True
    assert _poison((), Noted(latencies=Latencies(steady, (*steady[:97], 0.2, 0.2, 0.2))), SEEN).kept is False


@pytest.mark.parametrize(
    ("of", "said", "drained", "kept"),
    [
        ("the store", ("command", "503"), 20.0, True),
        ("the store", ("command", "503"), 61.0, False),
        ("the store", ("command", "500"), 20.0, False),
        ("the store", ("query", "no answer"), 20.0, False),
        ("Kafka", ("command", "200"), 20.0, True),
        ("Kafka", ("query", "503"), 20.0, False),
    ],
)
def test_an_outage_is_survived_when_answers_are_as_documented_and_the_way_back_is_short(
    of: str, said: tuple[str, str], drained: float, *, kept: bool
) -> None:
    assert _outages(Noted(outages=[Outage(of, Answers(Counter([said])), drained)])).kept is kept


def test_a_letter_that_was_refused_again_or_a_person_that_is_not_as_sent_breaks_convergence() -> None:
    assert _replayed(None, 0, ()).kept is None
    assert _replayed(Replayed(3, 0, 0), 3, ()).kept is True
    assert _replayed(Replayed(3, 1, 1), 3, ()).kept is False
    assert _replayed(Replayed(2, 0, 0), 3, ()).kept is False
    assert _replayed(Replayed(3, 0, 0), 3, ("matching/people: fr:e1 holds None",)).kept is False


def test_one_redelivery_in_peace_breaks_the_promise_of_graceful_deployments() -> None:
    assert _rolling(Noted(in_peace=Peace(0, 0, 0, 7, 0)), 20).kept is True
    for broken in (Peace(1, 0, 0, 7, 0), Peace(0, 1, 0, 7, 0), Peace(0, 0, 1, 7, 0)):
        assert _rolling(Noted(in_peace=broken), 20).kept is False


def test_rolling_restarts_that_met_no_record_in_hand_have_shown_nothing() -> None:
    assert _rolling(Noted(in_peace=Peace(0, 0, 0, 0, 0)), 20).kept is False
    assert _rolling(Noted(in_peace=Peace(0, 0, 0, 0, 0)), 1).kept is True


def test_positions_that_a_group_did_not_take_are_told_beside_what_came_again() -> None:
    line = _rolling(Noted(in_peace=Peace(3, 0, 0, 7, 2)), 20)
    assert line.kept is False
    assert "2 positions not taken by their groups" in line.figure


def test_what_came_again_on_a_machine_without_time_shows_nothing_and_a_machine_with_time_is_no_excuse() -> None:
    starved = _rolling(Noted(in_peace=Peace(0, 3, 0, 7, 0, late=2, share=0.1)), 20)
    assert starved.kept is None
    assert "the machine gave 10% of a core" in starved.figure
    for broken in (
        Peace(0, 3, 0, 7, 0, late=2, share=0.6),  # there was time
        Peace(0, 3, 0, 7, 0, share=0.1),  # nothing was late
        Peace(0, 3, 1, 7, 0, late=2, share=0.1),  # nobody may end badly
    ):
        assert _rolling(Noted(in_peace=broken), 20).kept is False
    assert _rolling(Noted(in_peace=Peace(0, 0, 0, 7, 0, share=0.1)), 20).kept is True


async def test_the_pulse_says_how_much_of_a_core_there_is() -> None:
    async with Pulse().taken() as pulse:
        await asyncio.sleep(0)
    assert 0 < pulse.share <= 1
    assert Pulse().share == 1


@pytest.mark.parametrize(
    ("taken", "noted", "cuts", "often"),
    [
        ([10.0, 310.0], 310.2, [(10.1, 10.1)], 1),  # killed between the 250 and the note
        ([10.0, 310.0], 310.2, [(9.5, 9.5)], 1),  # killed while the mail was on its way
        ([10.0, 310.0], 10.2, [(11.0, 11.0)], 0),  # killed when it was noted: no excuse
        ([10.0, 310.0], 310.2, [(5.0, 5.0), (400.0, 400.0)], 0),  # killed before, and after it had come again
        ([10.0, 310.0, 610.0], 610.2, [(10.1, 10.1)], 1),  # one cut, two repetitions
        ([10.0, 310.0, 610.0], 610.2, [(10.1, 10.1), (310.1, 310.1)], 2),
        ([10.0, 700.0], 700.2, [(8.0, 620.0)], 1),  # the store was away for ten minutes
        ([10.0], 10.2, [(10.1, 10.1)], 0),
    ],
)
def test_a_mail_was_cut_off_when_a_kill_fell_between_its_taking_and_the_note_of_it(
    taken: list[float], noted: float, cuts: list[tuple[float, float]], often: int
) -> None:
    assert cut_off({"<m@x>": taken}, {"m": noted}, cuts).get("<m@x>", 0) == often


def test_what_was_not_shown_breaks_no_report_and_says_so() -> None:
    report = Report("1", "SQLite", [_rolling(Noted(), 0), _outages(Noted())])
    assert report.kept
    assert report.text().count("not shown") == 2
    report.lines.append(_rolling(Noted(in_peace=Peace(1, 0, 0, 7, 0)), 20))
    assert not report.kept
    assert [line.startswith("P7  BROKEN") for line in report.broken] == [True]


def test_poison_is_of_every_kind_soon_and_each_under_a_key_of_its_own() -> None:
    made = [one for turn in range(len(UNREADABLE)) for one in strewn(turn)]
    assert {one.reason for _, one in made} == {"invalid-payload", "broken-key", "broken-headers", "unknown-grade"}
    assert len({one.key for _, one in made}) == len(made)
    assert all(record.key.replace("\0", "\ufffd").encode() == one.key and record.value == one.value for record, one in made)
