"""Traces: what is handed on, what is recorded, and what reaches a collector."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from amont.common.tracing import TRACING as PROCESS
from amont.common.tracing import Tracing, carried, continued, export_to, trace_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED, UNSAMPLED = f"00-{TRACE}-00f067aa0ba902b7-01", f"00-{TRACE}-00f067aa0ba902b7-00"


def recording(ratio: float = 1.0) -> tuple[Tracing, InMemorySpanExporter]:
    tracing, exporter = Tracing(), InMemorySpanExporter()
    tracing.record_to(SimpleSpanProcessor(exporter), service="test", ratio=ratio)
    return tracing, exporter


def test_without_a_recorder_a_trace_from_outside_is_handed_on_and_none_begins() -> None:
    tracing = Tracing()
    with tracing.span("outside", SAMPLED):
        assert trace_id() == TRACE
        assert (carried() or "").startswith(f"00-{TRACE}-")
        assert (carried() or "").endswith("-01")
    with tracing.span("nobody's", None):
        assert carried() is None
    assert trace_id() is None


@pytest.mark.parametrize("broken", ["", "00-xyz", f"00-{'0' * 32}-00f067aa0ba902b7-01", "00-" + "1" * 4000])
def test_a_broken_traceparent_is_no_trace(broken: str) -> None:
    tracing, exporter = recording()
    with tracing.span("event", broken):
        pass
    [span] = exporter.get_finished_spans()
    assert span.parent is None


def test_what_a_caller_did_not_sample_is_handed_on_and_not_recorded() -> None:
    tracing, exporter = recording()
    with tracing.span("event", UNSAMPLED):
        assert trace_id() == TRACE
    assert not exporter.get_finished_spans()


def test_a_share_of_the_traces_begun_here_is_recorded() -> None:
    tracing, exporter = recording(ratio=0.0)
    with tracing.span("begun here", None):
        pass
    with tracing.span("begun elsewhere", SAMPLED):
        pass
    assert [span.name for span in exporter.get_finished_spans()] == ["begun elsewhere"]


def test_a_failure_is_remembered_by_its_type_and_not_by_its_words() -> None:
    tracing, exporter = recording()
    with pytest.raises(ValueError, match="Ada"), tracing.span("event", SAMPLED, id="pair-7"):
        raise ValueError("Ada Lovelace cannot")
    [span] = exporter.get_finished_spans()
    assert dict(span.attributes or {}) == {"amont.id": "pair-7", "error.type": "ValueError"}
    assert not span.events
    assert span.status.description is None
    assert not span.status.is_ok


async def test_an_effect_belongs_to_the_trace_that_planned_it() -> None:
    tracing, seen = Tracing(), []

    async def effect() -> None:
        seen.append(trace_id())

    with tracing.span("event", SAMPLED):
        later = continued(effect)
    await later()
    await continued(effect)()
    assert seen == [TRACE, None]


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """An OpenTelemetry collector's HTTP door."""
    received: list[ExportTraceServiceRequest] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
        server.shutdown()


def test_spans_reach_a_collector_before_the_process_ends(collector: tuple[str, list[ExportTraceServiceRequest]]) -> None:
    url, received = collector
    export_to(url, service="amont-matching", ratio=1.0)
    with PROCESS.span("matching hears EmployeeEnrolled", SAMPLED):
        pass
    PROCESS.shut_down()
    [spans] = [one for request in received for one in request.resource_spans]
    assert {one.key: one.value.string_value for one in spans.resource.attributes}["service.name"] == "amont-matching"
    [span] = spans.scope_spans[0].spans
    assert (span.name, span.trace_id.hex()) == ("matching hears EmployeeEnrolled", TRACE)
    assert not PROCESS.records
