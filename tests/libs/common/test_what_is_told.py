"""What logs and spans tell when something goes wrong: types, places, ids; never the words of an exception, an address or a query."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.libs.common import shell
from tests.libs.common.listeners import Faults, letters, listening

from amont.common.logging import configure
from amont.common.testing.hearing import record_of
from amont.common.tracing import TRACING
from amont.common.web.traces import Traced

ADDRESS = "zuzanna.wisniewska@a-corp.example"


@pytest.fixture
def logs_as_they_were() -> Iterator[None]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    structlog.configure(**before)
    root.handlers, root.level = handlers, level


def boom(email: str) -> None:
    raise ValueError(f"{email} is no address")


@pytest.mark.parametrize("json", [True, False])
@pytest.mark.usefixtures("logs_as_they_were")
def test_a_log_says_where_an_exception_was_raised_and_not_its_words(capsys: pytest.CaptureFixture[str], json: bool) -> None:  # noqa: FBT001
    configure(json=json)
    for say in (structlog.get_logger("ours").exception, logging.getLogger("somebody's").exception):
        try:
            try:
                boom(ADDRESS)
            except ValueError as error:
                raise RuntimeError(f"about {ADDRESS}") from error
        except RuntimeError:
            say("reaction_failed")
    said = capsys.readouterr().err
    assert "wisniewska" not in said
    assert said.count("RuntimeError from ValueError") == 2
    assert said.count(Path(__file__).name) >= 2


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    TRACING.record_to(SimpleSpanProcessor(exporter), service="test")
    yield exporter
    TRACING.shut_down()


async def ask(path: str, exporter: InMemorySpanExporter) -> ReadableSpan:
    made = FastAPI()

    @made.get("/people/{person}")
    async def person(person: str) -> str:
        return person

    @made.get("/boom")
    async def fails() -> None:
        boom(ADDRESS)

    made.add_middleware(Traced)
    transport = httpx.ASGITransport(made, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"User-Agent": f"curl by {ADDRESS}"}) as client:
        await client.get(path)
    [span] = exporter.get_finished_spans()
    return span


def told(span: ReadableSpan) -> dict[str, Any]:
    assert ADDRESS not in span.to_json()
    assert "wisniewska" not in span.to_json()
    assert not span.events
    return dict(span.attributes or {})


async def test_a_request_is_told_by_its_route_and_status(spans: InMemorySpanExporter) -> None:
    span = await ask(f"/people/fr:e1?key={ADDRESS}", spans)
    assert span.name == "GET /people/{person}"
    assert told(span) == {"http.request.method": "GET", "http.route": "/people/{person}", "http.response.status_code": 200}


async def test_a_request_that_fails_is_told_by_the_type_of_its_error(spans: InMemorySpanExporter) -> None:
    span = await ask("/boom", spans)
    assert told(span)["error.type"] == "ValueError"
    assert not span.status.is_ok


async def test_a_path_that_is_no_route_is_not_told(spans: InMemorySpanExporter) -> None:
    span = await ask(f"/nowhere/{ADDRESS}", spans)
    assert told(span)["http.response.status_code"] == 404
    assert span.name == "GET"


@pytest.mark.usefixtures("logs_as_they_were")
async def test_every_letter_names_the_trace_of_its_record_and_so_does_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(json=True)
    two = [record_of(shell.told("a", 1, "boom")), record_of(shell.told("a", 2))]
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with listening(Faults(defects={"boom"}), tmp_path) as one:
        traced = [replace(r, headers=(*r.headers, ("traceparent", f"00-{trace}-b7ad6b7169203331-01".encode()))) for r in two]
        await one.hears(*traced, replace(record_of(shell.told("b", 1)), value=b"{"))
        assert [(letter.reason, letter.trace_id) for letter in await letters(one)] == [
            ("defect", trace),
            ("blocked-by", trace),
            ("invalid-payload", None),
        ]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("trace_id") for line in lines if line["event"] == "parked"] == [trace, trace, None]
