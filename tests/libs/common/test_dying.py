"""A process that is aimed at dies at that point and nowhere else, and the ledger says what was handed over twice."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amont.common.documents import Clear, CollectionSpec, Put
from amont.common.documents.sqlite import SqliteStore
from amont.common.errors import Unavailable
from amont.common.log import Received, Record
from amont.common.log.sqlite import SqliteLog
from amont.common.testing.dying import Fate, Ledger, MortalLog, MortalStore, aim, read_ledger

EVENT = Record(topic="enrolment-employees", key="fr:e1", value=b"1")
LETTER = Record(topic="dlq-enrolment", key="fr:e1", value=b"1")


class Died(BaseException):
    """Instead of the end of the tests."""


@pytest.fixture
def fate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fate:
    def kill(process: int, number: int) -> None:
        assert (process, number) == (os.getpid(), signal.SIGKILL)
        raise Died

    monkeypatch.setattr(os, "kill", kill)
    return Fate(tmp_path / "dies", Ledger(tmp_path / "ledger", "enrolment"))


async def test_it_dies_right_after_the_chosen_commit_and_what_was_saved_is_saved(tmp_path: Path, fate: Fate) -> None:
    real = SqliteStore(tmp_path / "store.sqlite", sync="normal")
    await real.open([CollectionSpec("people")])
    store = MortalStore(real, fate)
    aim(tmp_path / "dies", "after-commit", 2)
    await store.commit([Put("people", {"_id": "a", "v": 1}, None)])
    await store.commit([Clear("people", "a", 1, ("_out",))])  # saves nothing
    with pytest.raises(Died):
        await store.commit([Put("people", {"_id": "b", "v": 1}, None)])
    assert set(await store.get("people", ["a", "b"])) == {"a", "b"}
    assert read_ledger(tmp_path / "ledger").died == {("enrolment", "after-commit"): 1}
    await store.commit([Put("people", {"_id": "c", "v": 1}, None)])  # an order holds once
    await real.close()


async def test_it_dies_before_an_append_of_events_and_they_are_not_on_the_log(tmp_path: Path, fate: Fate) -> None:
    real = SqliteLog(tmp_path / "log.sqlite", sync="normal")
    await real.open()
    log = MortalLog(real, fate, None)
    aim(tmp_path / "dies", "before-append")
    await log.append([LETTER])
    with pytest.raises(Died):
        await log.append([EVENT])
    assert not await real.read("observer", EVENT.topic, 10)
    await real.close()


async def test_the_ledger_counts_what_is_handed_over_again(tmp_path: Path, fate: Fate) -> None:
    handlers: list[Any] = []

    class Readers:
        def reader(self, _group: str, _topic: str, handler: Any) -> None:
            handlers.append(handler)

    async def take(_: Any) -> None:
        return

    log = MortalLog(Readers(), fate, Ledger(tmp_path / "ledger", "enrolment"))  # type: ignore[arg-type]  # all that it needs
    for group in ("one", "two"):
        log.reader(group, "topic", take)
    batch = [
        Received(topic="topic", partition=partition, offset=offset, key=b"", value=b"") for partition, offset in ((0, 4), (0, 5), (1, 5))
    ]
    await handlers[0](batch)
    await handlers[0](batch[1:])
    begin = (tmp_path / "ledger").stat().st_size
    await handlers[1](batch)
    await handlers[0](batch[:1])
    assert read_ledger(tmp_path / "ledger").redelivered == {"one": 3}
    assert read_ledger(tmp_path / "ledger", begin=begin).redelivered == {"one": 1}
    counted = read_ledger(tmp_path / "ledger").may_be_parked["enrolment"]
    assert counted == {("topic", 0, 4): 3, ("topic", 0, 5): 3, ("topic", 1, 5): 3}
    aim(tmp_path / "dies", "after-batch")
    with pytest.raises(Died):
        await handlers[0](batch)


def test_a_point_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no point to die at"):
        aim(tmp_path / "dies", "commit")


async def test_the_ledger_says_which_dead_letters_may_have_arrived_or_not(tmp_path: Path, fate: Fate) -> None:
    class Silent:
        async def append(self, _: Any) -> None:
            raise Unavailable("no answer")

    log = MortalLog(Silent(), fate, Ledger(tmp_path / "ledger", "enrolment"))  # type: ignore[arg-type]  # all that it needs
    why = {"amont_dlq_topic": b"hris-staff", "amont_dlq_partition": b"2", "amont_dlq_offset": b"7"}
    for record in (EVENT, replace(LETTER, headers=tuple(why.items()))):
        with pytest.raises(Unavailable):
            await log.append([record])
    assert read_ledger(tmp_path / "ledger").may_be_parked["enrolment"] == {("hris-staff", 2, 7): 1}
