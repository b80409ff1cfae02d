"""Too many dead letters in a row: the deployment is bad, not the data, so the topic stands still before it is all parked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.libs.common.listeners import TOPIC, Faults, build_with, letters, listening, standing, told_to
from tests.libs.common.shell import refuse_document, told

from amont.common.errors import Halted, Unavailable
from amont.common.events import StaffRecorded
from amont.common.hosting import parts_from
from amont.common.ids import SeededIds
from amont.common.log import Record
from amont.common.metrics import REGISTRY
from amont.common.service import Parts
from amont.common.settings import Settings
from amont.common.testing.hearing import START, Hearing, hearing, record_of
from amont.enrolment.app import build as build_enrolment
from amont.enrolment.domain.subsidiary import Subsidiary

N = 5


def booms(count: int, begin: int = 0) -> list[Record]:
    return [record_of(told(f"k{n}", 1, "boom")) for n in range(begin, begin + count)]


def halted() -> float | None:
    return REGISTRY.get_sample_value("amont_readers_halted", {"service": "matching"})


async def stands_still(one: Hearing) -> None:
    for _ in range(2):
        with pytest.raises(Halted, match="AMONT_DEAD_LETTERS_IN_A_ROW"):
            await one.settle()


async def test_a_deployment_that_can_take_nothing_parks_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    async with listening(Faults(defects={"boom"}), tmp_path, dead_letters_in_a_row=N) as one:
        await one.log.append([record_of(told("good", 1, "1")), *booms(N), *booms(200, 100)])
        await stands_still(one)
        assert await letters(one) == []
        assert await one.parked() == []
        assert await told_to(one, "good") == ()
        assert len(await one.log.read(f"matching-{TOPIC}", TOPIC, 1000)) == 206
        faults = await one.service.check()
        assert set(faults) == {TOPIC}
        assert "5 dead letters in a row" in faults[TOPIC]
        await one.service.watch()
        assert halted() == 1
        house = one.service.unit.house
        mended = build_with(Faults(), dead_letters_in_a_row=N)(
            Parts(store=house.store, log=one.log, clock=one.clock, ids=SeededIds(one.clock, 2))
        )
        for reader in one.service._readers:
            await reader.stop()
        await mended.open()
        await mended.step()
        assert await told_to(one, "good") == ("1",)
        assert await told_to(one, "k101") == ("boom",)
        mended.ready = True
        await mended.watch()
        assert halted() == 0


async def test_those_parked_before_count_and_anything_applied_in_between_begins_anew(tmp_path: Path) -> None:
    async with listening(Faults(defects={"boom"}), tmp_path, dead_letters_in_a_row=N) as one:
        await one.hears(*booms(N - 1))
        await one.hears(told("good", 1, "1"))
        await one.hears(*booms(N - 1, 10))
        assert len(await letters(one)) == 2 * (N - 1)
        await one.log.append(booms(1, 20))
        await stands_still(one)
        assert len(await letters(one)) == 2 * (N - 1)


async def test_records_of_our_own_that_cannot_be_read_count_and_what_waits_behind_one_does_not(tmp_path: Path) -> None:
    async with listening(Faults(), tmp_path, dead_letters_in_a_row=N) as one:
        poison = [replace(record, value=b"{") for record in booms(N)]
        behind = [record_of(told("k0", seq, "x")) for seq in range(2, 50)]
        await one.hears(*poison[:-1], *behind)
        assert len(await standing(one)) == N - 1 + len(behind)
        await one.log.append(poison[-1:])
        await stands_still(one)


async def test_one_record_that_is_tried_again_and_again_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that the store refuses, while its dead letter cannot be said: an outage, not a bad deployment."""
    monkeypatch.setattr("amont.common.service.consumer.LONGEST_PAUSE", 0.0)
    async with listening(Faults(), tmp_path, dead_letters_in_a_row=N) as one:
        log, attempts = one.log, 0
        append = log.append

        async def away_at_first(records: Sequence[Record]) -> None:
            nonlocal attempts
            if any(record.topic.startswith("dlq-") for record in records):
                attempts += 1
                if attempts < 3 * N:
                    raise Unavailable("the log is away")
            await append(records)

        refuse_document(monkeypatch, one.service.unit.house.store, _id="huge")
        monkeypatch.setattr(log, "append", away_at_first)
        await one.hears(told("huge", 1, "x"))
        assert [letter.reason for letter in await letters(one)] == ["refused-by-the-store"]
        assert attempts == 3 * N


async def test_zero_is_never(tmp_path: Path) -> None:
    async with listening(Faults(defects={"boom"}), tmp_path, dead_letters_in_a_row=0) as one:
        await one.hears(*booms(60))
        assert len(await letters(one)) == 60


def staff(number: int, grade: str, **changes: bytes) -> Record:
    event = StaffRecorded(seq=0, tenant="fr", employee_id=f"e{number}", grade=grade, effective_at=date(2026, 1, 1), occurred_at=START)
    return replace(record_of(event), **changes)  # type: ignore[arg-type]


async def test_what_an_hr_system_sends_is_data_and_never_stops_anything_unless_it_meets_a_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hearing(build_enrolment, tmp_path) as enrolment:
        await enrolment.given(Subsidiary(id="fr", name="F", zone="Europe/Paris", languages=("fr",), grades={"C3": 5}))
        await enrolment.hears(*(staff(n, "nonsense") for n in range(60)), *(staff(n, "C3", value=b"{") for n in range(60)))
        assert len(await letters(enrolment)) == 120

        def broken(*_: object) -> None:
            raise KeyError

        monkeypatch.setattr("amont.enrolment.reactions.understand_recorded", broken)
        await enrolment.log.append([staff(n, "C3") for n in range(60)])
        with pytest.raises(Halted, match="50 dead letters"):
            await enrolment.settle()
        assert len(await letters(enrolment)) == 120


async def test_the_number_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_DEAD_LETTERS_IN_A_ROW", "7")
    url = f"sqlite://{tmp_path}"
    assert parts_from(Settings(log_url=url, store_url=url), "matching").dead_letters_in_a_row == 7
