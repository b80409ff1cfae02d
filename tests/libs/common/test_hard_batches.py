"""Batches that a hostile reader made up: what is refused is parked whatever happens to the rest, and nothing large or endless stops anybody else."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.libs.common.shell import refuse_document

from amont.common.aggregate import Aggregate
from amont.common.documents.collection import Collection
from amont.common.errors import DomainError, NotFound, Unavailable
from amont.common.events import StaffRecorded, SubsidiaryChanged
from amont.common.identity import Actor, Privilege
from amont.common.log import Record
from amont.common.service import Parts, Service
from amont.common.testing.hearing import START, hearing, record_of
from amont.common.work import MAX_EVENT_BYTES, Reactions, Work
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.arrival import MOST_AHEAD
from amont.enrolment.domain.employee import Employee

GROUP = Actor("group:ada", "group", frozenset({Privilege.GROUP_COORDINATOR}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Aggregate):
    name: str = ""
    heard: int = 0


class Nameless(DomainError):
    code = "nameless"


async def on_changed(event: SubsidiaryChanged, work: Work) -> None:
    if event.name == "refused":
        raise Nameless("a rule says no")
    known = await work.get_or_new(Known, event.subsidiary)
    work.save(known.becomes(name=event.name, heard=known.heard + 1))


CONSUMES: Reactions = {SubsidiaryChanged: on_changed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Aggregate):
    name: str = ""

    def facts(self) -> dict[str, Any]:
        return {"subsidiary": self.id, "name": self.name, "zone": "Europe/Paris", "languages": (), "grades": {}}


async def say(event: SubsidiaryChanged, work: Work) -> None:
    said = await work.get_or_new(Said, event.subsidiary)
    work.save(said.becomes(name=event.name).saying(SubsidiaryChanged))


def talker(parts: Parts) -> Service:
    return Service("scheduling", parts, consumes={SubsidiaryChanged: say}, publishes=[SubsidiaryChanged], keeps=[Collection(Said, "said")])


def reader(parts: Parts) -> Service:
    return Service("notifications", parts, consumes=CONSUMES, publishes=(), keeps=[Collection(Known, "known")])


def fact(seq: int, name: str) -> SubsidiaryChanged:
    return SubsidiaryChanged(seq=seq, subsidiary="fr", name=name, zone="Europe/Paris", languages=(), grades={})


def failing_once(method: Any, error: Exception) -> Any:
    failed: list[bool] = []

    async def once(*arguments: Any) -> Any:
        if not failed:
            failed.append(True)
            raise error
        return await method(*arguments)

    return once


@pytest.mark.parametrize("broken", ["commit", "append"])
async def test_a_refused_event_and_what_follows_it_are_parked_once_even_when_the_batch_is_begun_again(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hearing(reader, tmp_path) as service:
        await service.log.append([record_of(fact(1, "refused")), record_of(fact(2, "good"))])
        owner = service.service.unit.house.store if broken == "commit" else service.log
        monkeypatch.setattr(owner, broken, failing_once(getattr(owner, broken), Unavailable("away")))
        await service.settle()
        assert [reason for reason, _ in await service.parked()] == ["nameless", "blocked-by"]
        with pytest.raises(NotFound):
            await service.look(Known, "fr")


async def test_what_the_store_will_never_take_is_parked_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hearing(reader, tmp_path) as service:
        refuse_document(monkeypatch, service.service.unit.house.store, name="too large")
        good = replace(record_of(fact(1, "good")), key="fr")
        bad = SubsidiaryChanged(seq=1, subsidiary="de", name="too large", zone="Europe/Berlin", languages=(), grades={})
        await service.hears(
            good, bad, SubsidiaryChanged(seq=1, subsidiary="es", name="fine", zone="Europe/Madrid", languages=(), grades={})
        )
        assert [reason for reason, _ in await service.parked()] == ["refused-by-the-store"]
        assert (await service.look(Known, "es")).name == "fine"


def staff(person: str, **fields: Any) -> Record:
    base = {"tenant": "fr", "employee_id": person, "grade": "C3", "effective_at": date(2026, 1, 1), "occurred_at": START}
    return record_of(StaffRecorded(**{**base, **fields}))


async def test_a_feed_that_counts_as_it_likes_is_heard_all_the_same(tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as enrolment:
        await enrolment.asked(commands.add_subsidiary, "fr", GROUP, name="F", zone="Europe/Paris", languages=("fr",), grades={"C3": 5})
        await enrolment.hears(staff("e1", seq=7, job_title="old"), staff("e1", seq=1, job_title="new", effective_at=date(2026, 2, 1)))
        assert (await enrolment.look(Employee, "fr:e1")).last.profile.job_title == "new"


async def test_a_person_with_endless_plans_stops_nobody_else(tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as enrolment:
        await enrolment.asked(commands.add_subsidiary, "fr", GROUP, name="F", zone="Europe/Paris", languages=("fr",), grades={"C3": 5})
        plans = [staff("e1", effective_at=date(2027, 1, 5) + timedelta(days=n), job_title=f"t{n}") for n in range(MOST_AHEAD + 5)]
        await enrolment.hears(*plans, staff("e2", effective_at=date(2027, 1, 6), job_title="later"), staff("e2", job_title="now"))
        assert [reason for reason, _ in await enrolment.parked()] == ["too-many-future-records"] * 5
        await enrolment.passes(timedelta(days=100))
        assert (await enrolment.look(Employee, "fr:e2")).last.profile.job_title == "later"


async def test_a_list_without_end_in_a_staff_record_is_refused_by_its_place(tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as enrolment:
        record = staff("e1")
        value = (record.value or b"{}").replace(b'"dotted_manager_ids":[]', b'"dotted_manager_ids":["x"' + b',"x"' * 60 + b"]")
        await enrolment.hears(replace(record, value=value))
        ((reason, detail),) = await enrolment.parked()
        assert reason == "invalid-payload"
        assert "/dotted_manager_ids" in detail


async def test_an_event_larger_than_the_log_takes_is_parked_and_nothing_of_it_saved(tmp_path: Path) -> None:
    async with hearing(talker, tmp_path) as service:
        await service.hears(
            fact(1, "x" * (MAX_EVENT_BYTES + 1)), SubsidiaryChanged(**{**fact(1, "small").model_dump(), "subsidiary": "de"})
        )
        assert [reason for reason, _ in await service.parked()] == ["too-much-to-say"]
        assert (await service.look(Said, "de")).name == "small"
        with pytest.raises(NotFound):
            await service.look(Said, "fr")
