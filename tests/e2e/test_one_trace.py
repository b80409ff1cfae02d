"""One request can be followed through four services: somebody withdraws, their pair ends, its sessions are cancelled, and both are told by mail.

Between them lie outboxes, the log and due dates; the trace that the browser began is still the same at the mail.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.programme import GRADES, ZONES, the_group
from tests.support.together import Together, together

from amont.common.events.envelope import Envelope
from amont.common.events.topics import TOPICS
from amont.common.tracing import TRACING

GROUP = "group:ada|group-coordinator"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BROWSER = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    TRACING.record_to(SimpleSpanProcessor(exporter), service="test")
    yield exporter
    TRACING.shut_down()


async def a_pair_with_sessions(four: Together) -> dict[str, Any]:
    for tenant, zone in ZONES.items():
        body = {"name": tenant, "zone": zone, "languages": ["en"], "grades": GRADES}
        await four.done("PUT", f"/enrolment/subsidiaries/{tenant}", GROUP, body)
    await four.hears(the_group())
    programme = {"programme": "p", "name": "P", "tenants": list(ZONES), "topics": ["ai"], "policy": {"sessions": 2}}
    await four.done("POST", "/enrolment/programmes", GROUP, programme)
    await four.done("POST", "/enrolment/programmes/p/open", GROUP, {})
    form = {"programme": "p", "availability": ["mon 09:00-12:00"], "meeting": "remote", "charter_accepted": True}
    for number in range(4):
        await four.done("POST", "/enrolment/enrolments", f"fr:e{10 + number}", {**form, "role": "mentee", "topics": {"ai": 3}})
        await four.done("POST", "/enrolment/enrolments", f"de:e{200 + number}", {**form, "role": "mentor", "topics": {"ai": 3}})
    await four.settle()
    solved = await four.done("POST", "/matching/programmes/p/rounds", GROUP, {"seed": "trace"})
    await four.settle()
    await four.done("POST", f"/matching/rounds/{solved['id']}/publish", GROUP, {})
    for _ in range(5):
        await four.passes(timedelta(seconds=2))
    pair = (await four.every("/matching/pairs?programme=p", GROUP))[0]
    for side in ("mentee", "mentor"):
        await four.done("POST", f"/matching/pairs/{pair['id']}/accept", pair[side])
        await four.settle()
    [plan] = await four.every("/scheduling/plans?programme=p", GROUP)
    slots = (await four.done("GET", f"/scheduling/plans/{plan['pair']}/slots", plan["mentee"]))["slots"]
    session = plan["sessions"][0]
    path = f"/scheduling/plans/{plan['pair']}/sessions/{session['id']}/schedule"
    await four.done("POST", path, plan["mentee"], {"starts_at": slots[0]["starts_at"]})
    await four.settle()
    return pair


async def test_one_trace_leads_from_a_request_through_four_services_to_the_mail(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    async with together(tmp_path) as four:
        pair = await a_pair_with_sessions(four)
        [enrolment] = [one for one in await four.every("/enrolment/enrolments?programme=p", GROUP) if one["person"] == pair["mentee"]]
        before = {path.name for path in four.mails.glob("*.eml")}
        spans.clear()
        withdrawn = await four.ask(
            "POST", f"/enrolment/enrolments/{enrolment['enrolment']}/withdraw", pair["mentee"], {}, headers={"traceparent": BROWSER}
        )
        assert withdrawn.is_success, withdrawn.text
        await four.settle()
        mails = {path.name for path in four.mails.glob("*.eml")} - before
        events = await events_of_the_trace(four)

    mine = [span for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == TRACE]
    names = {span.name for span in mine}
    assert "POST /api/enrolment/v1/enrolments/{enrolment_id}/withdraw" in names
    assert {"matching hears EmployeeWithdrawn", "scheduling hears PairEnded", "notifications hears SessionCancelled"} <= names
    handed_over = [span for span in mine if span.name == "notifications hands over a mail"]
    assert len(handed_over) == len(mails) >= 2
    assert {"EmployeeWithdrawn", "PairEnded", "SessionCancelled", "NotificationSent"} <= events
    assert all(reaches_the_browser(span, {one.context.span_id: one for one in mine}) for span in handed_over), "the chain is broken"


async def events_of_the_trace(four: Together) -> set[str]:
    """The types on the log that carry the trace."""
    found = set()
    for topic in TOPICS:
        for record in await four.log.read("observer", topic, 10_000):
            envelope = Envelope.parse(record.headers, key=record.key.decode())
            if envelope.traceparent and TRACE in envelope.traceparent:
                found.add(envelope.type.split(".")[2])
    return found


def reaches_the_browser(span: ReadableSpan, by_id: dict[int, ReadableSpan]) -> bool:
    """Whether parents lead, without a gap, to the span that the browser named."""
    while span.parent is not None and span.parent.span_id in by_id:
        span = by_id[span.parent.span_id]
    return span.parent is not None and f"{span.parent.span_id:016x}" == BROWSER.split("-")[2]


async def test_spans_carry_ids_and_never_a_name_or_an_address(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    async with together(tmp_path) as four:
        await a_pair_with_sessions(four)
    told = defaultdict(set)
    for span in spans.get_finished_spans():
        for name, value in (span.attributes or {}).items():
            told[name].add(str(value))
    everything = " ".join(value for values in told.values() for value in values)
    assert told["amont.subject"]
    for personal in ("Given", "Family", "@fr.example", "Bearer"):
        assert personal not in everything


async def test_without_a_trace_nothing_is_carried(tmp_path: Path) -> None:
    async with together(tmp_path) as four:
        await a_pair_with_sessions(four)
        for topic in TOPICS:
            for record in await four.log.read("observer", topic, 10_000):
                assert Envelope.parse(record.headers, key=record.key.decode()).traceparent is None
