"""While the log is away: outboxes fill up to a limit, then commands are refused before anything is done; when it is back, everything is said."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from amont.common import metrics
from amont.common.errors import Unavailable
from amont.common.identity import Privilege
from amont.common.service import holding, relay
from amont.common.testing.hearing import Hearing, hearing
from amont.common.work import Work
from amont.enrolment.app import build
from amont.enrolment.domain.subsidiary import Subsidiary

ADA = ("group:ada", Privilege.GROUP_COORDINATOR)
LIMIT = 3


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as service:
        yield service


async def put(service: Hearing, name: str) -> Any:
    body = {"name": name, "zone": "Europe/Paris", "languages": ["fr"], "grades": {"A": 3}}
    async with service.client(*ADA) as client:
        return await client.put(f"/api/enrolment/v1/subsidiaries/{name}", json=body)


def log_away(service: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Any) -> None:
        raise Unavailable("Kafka does not answer")

    monkeypatch.setattr(service.log, "append", away)


async def test_when_too_much_is_left_behind_commands_are_refused_before_anything_is_done(
    enrolment: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MAX_LEFT", LIMIT)
    monkeypatch.setattr(holding, "LANDS_WITHIN_SECONDS", 0.0)
    with monkeypatch.context() as outage:
        log_away(enrolment, outage)
        answers = [await put(enrolment, f"s{number}") for number in range(LIMIT + 2)]
        async with enrolment.client(*ADA) as client:
            looked = await client.get("/api/enrolment/v1/subsidiaries")
            letters = await client.get("/api/enrolment/v1/dead-letters")
        noted = await enrolment.asked(of_the_service_itself)
        with pytest.raises(Unavailable):
            await enrolment.service.unit.relay.sweep(older_than=timedelta(0))
    assert [one.status_code for one in answers] == [200] * LIMIT + [503] * 2
    assert looked.status_code == 200, "looking says nothing, so it may go on"
    assert letters.status_code == 403
    assert noted == "done"
    refused = answers[-1]
    assert refused.headers["Retry-After"] == "30"
    assert refused.json()["type"] == "urn:amont:problem:backlog"
    assert "Nothing was done" in refused.json()["detail"]
    assert gauge("amont_outbox_pending") == LIMIT

    enrolment.clock.advance(timedelta(seconds=40))
    assert await enrolment.service.unit.relay.sweep(older_than=timedelta(0)) == LIMIT
    assert [event.subsidiary for event in await enrolment.said()] == [f"s{number}" for number in range(LIMIT)]  # type: ignore[attr-defined]
    assert gauge("amont_outbox_oldest_seconds") == 40
    assert (await put(enrolment, "s4")).status_code == 200
    assert await enrolment.service.unit.relay.sweep(older_than=timedelta(0)) == 0
    assert gauge("amont_outbox_pending") == gauge("amont_outbox_oldest_seconds") == 0


async def of_the_service_itself(_: Work) -> str:
    """What a service has begun, such as noting that a mail has left, is not refused: it would be done twice."""
    return "done"


def gauge(name: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, {"service": "enrolment"})


async def test_one_aggregate_holds_so_many_bytes_of_events_and_no_more(enrolment: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amont.common.work.limits.MAX_PENDING_BYTES", 600)
    log_away(enrolment, monkeypatch)
    answers = [await put(enrolment, "fr")]
    while answers[-1].status_code == 200:
        body = {"name": f"France {len(answers)}", "zone": "Europe/Paris", "languages": ["fr"], "grades": {"A": 3}}
        async with enrolment.client(*ADA) as client:
            path, version = "/api/enrolment/v1/subsidiaries/fr", {"If-Match": f'"{len(answers)}"'}
            answers.append(await client.put(path, json=body, headers=version))
    refused, done = answers[-1], len(answers) - 1
    assert done > 1
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert f"holds {done} events that the log has not taken" in refused.json()["detail"]
    assert (await enrolment.look(Subsidiary, "fr")).name == f"France {done - 1}"


async def test_a_document_that_no_store_would_take_is_refused_with_its_name(enrolment: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amont.common.documents.sqlite.LARGEST_DOCUMENT", 300)
    answer = await put(enrolment, "fr")
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:amont:problem:too-large"
    assert "subsidiaries 'fr' would have" in answer.json()["detail"]


def test_the_limits_are_what_the_documentation_says() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations" / "delivery.md").read_text(encoding="utf-8")
    assert f"{relay.MAX_LEFT:,} documents" in text
