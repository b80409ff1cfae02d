"""What the outbox, the guard and tracing cost, each apart: a service without it against the same service with it, in the same run.

Nothing of this can be switched off in production. Here it is taken away by patches of this module's own: without the outbox the events go straight to
the log after the state is saved, and a crash between the two would lose them; without the guard a redelivery would be applied again; tracing is
the one header, handed on from the record to what is said.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from tests.bench.arena import RECORDS, ROUNDS, Arena, Run, arena
from tests.bench.readers import employees
from tests.bench.staff import TRACE, staff_record, with_subsidiary

from amont.common.log import Received
from amont.common.service.relay import Relay
from amont.common.testing.hearing import record_of
from amont.common.work import Entry, Work


@contextmanager
def without_outbox() -> Iterator[None]:
    """What is written holds no events, so that there is nothing to clear."""
    document = Entry.document

    def bare(entry: Entry, now: str) -> dict[str, Any]:
        return {name: value for name, value in document(entry, now).items() if name not in {"_out", "_out_at"}}

    with patch.object(Entry, "document", bare), patch.object(Relay, "take_clears", lambda *_: []):
        yield


@contextmanager
def without_guard() -> Iterator[None]:
    """No save remembers, or looks up, the last `seq` of the stream."""
    step = Work.step
    with patch.object(Work, "step", lambda work, cause=None, **_: step(work, cause)):
        yield


def traced(record: Received) -> Received:
    return replace(record, headers=(*record.headers, ("traceparent", TRACE)))


async def enrolment(servers: Arena, *patches: Callable[[], Any], **more: Any) -> Run:
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one())
        return await servers.run("enrolment", RECORDS, begin=with_subsidiary, **more)


async def matching(servers: Arena, *patches: Callable[[], Any]) -> Run:
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one())
        return await servers.run("matching", RECORDS, timers=False, only="enrolment-employees")


async def main() -> None:
    async with arena() as servers:
        await servers.fill(staff_record(number) for number in range(RECORDS))
        await enrolment(servers)  # warms the servers
        await _compare("outbox", "enrolment", lambda: enrolment(servers, without_outbox), lambda: enrolment(servers))
        await _compare("traceparent", "enrolment", lambda: enrolment(servers), lambda: enrolment(servers, change=traced))
    async with arena() as servers:
        await servers.fill(record_of(event) for event in employees(RECORDS))
        await matching(servers)
        await _compare("guard", "matching", lambda: matching(servers, without_guard), lambda: matching(servers))


async def _compare(what: str, service: str, off: Callable[[], Any], on: Callable[[], Any]) -> None:
    rounds = [(await off(), await on()) for _ in range(ROUNDS)]
    slower = statistics.median(b.rate / a.rate for a, b in rounds)
    without, with_it = (statistics.median(run.cpu for run in column) for column in zip(*rounds, strict=True))
    print(
        f"{what:12} in {service:10} with it {slower:.0%} of the rate without; Python {with_it:.0f} µs an event instead of {without:.0f}",
        flush=True,
    )
