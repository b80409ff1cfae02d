"""Ten minutes without Kafka, and without the store: what the API answers meanwhile, and how long the way back takes."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
from tests.chaos.hands import READY_WITHIN, Hands, Seen
from tests.support.house import House
from tests.support.programme import GRADES, GROUP

from amont.common.events.topics import SERVICES
from amont.local.demo.stages import Stage
from amont.notifications.commands.deliveries import NOTE_SECONDS

DRAINED_WITHIN = 60.0
ASK_EVERY = 2.0
GIVES_UP_AFTER = 45.0
"""When a caller hangs up."""
LEAVE_AFTER = 30
"""Seconds into the store's outage at which second processes leave: partitions move while batches are tried again, before they are given back."""


@dataclass(slots=True)
class Answers:
    """What was answered to each kind of question, and the longest wait."""

    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    longest: float = 0.0

    @contextlib.asynccontextmanager
    async def asked(self, house: House) -> AsyncIterator[None]:
        """A command and a query of enrolment and its readiness, asked every two seconds while inside."""

        async def command(client: httpx.AsyncClient, number: int) -> int:
            return (
                await client.put("/subsidiaries/fr/grades", json={**GRADES, "C2": 18 + number % 2}, headers={"If-Match": "*"})
            ).status_code

        async def query(client: httpx.AsyncClient, _: int) -> int:
            return (await client.get("/employees?tenant=fr&limit=5")).status_code

        async def ask(what: str, question: Callable[..., object]) -> None:
            number = 0
            while not over.is_set():
                number += 1
                began = time.monotonic()
                try:
                    async with house.client("enrolment", *GROUP) as client:
                        client.timeout = httpx.Timeout(GIVES_UP_AFTER)
                        said = str(await question(client, number))  # type: ignore[misc]  # one of the two above
                except httpx.TimeoutException:
                    said = "no answer"
                except httpx.HTTPError as error:
                    said = type(error).__name__
                self.said[what, said] += 1
                self.longest = max(self.longest, time.monotonic() - began)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), ASK_EVERY)

        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for what, question in (("command", command), ("query", query)):
                group.create_task(ask(what, question))
            try:
                yield
            finally:
                over.set()

    def text(self) -> str:
        return ", ".join(f"{what} {said} x {count}" for (what, said), count in sorted(self.said.items()))


@dataclass(frozen=True, slots=True)
class Outage:
    """What one outage came to."""

    of: str
    answers: Answers
    drained_after: float
    """Seconds from the server's return until everything was read, said and done."""

    @property
    def faults(self) -> list[str]:
        """What was not as documented: a command is granted (its events wait) or answered 503, a query is answered or 503, nothing else."""
        wrong = [f"{what} answered {said}" for what, said in self.answers.said if said not in {"200", "201", "204", "503"}]
        if self.of == "the store":
            return wrong
        return wrong + [
            f"without Kafka a {what} was answered {said}" for what, said in self.answers.said if (what, said) == ("query", "503")
        ]


async def outage(hands: Hands, stage: Stage, of: str) -> tuple[Outage, Seen]:
    """Stop Kafka, or freeze the store, for the campaign's outage; then see how long it takes until all is done.

    In the middle of the store's, second processes of each service leave their groups.
    """
    seconds = hands.size.outage_seconds
    leavers = [f"{service}@2" for service in SERVICES] if of == "the store" else []
    for second in leavers:
        hands.house.launch(second)
        await hands.house.is_ready(second, READY_WITHIN)
    leaving: list[asyncio.Task[int]] = []
    stage.total(round(seconds))
    answers = Answers()
    stop, start = (
        (hands.real.stack.kafka.stop, hands.real.stack.kafka.start)
        if of == "Kafka"
        else (hands.real.stack.store.pause, hands.real.stack.store.resume)
    )
    began = time.time()
    async with hands.staff.flowing(hands.size.rate):
        await asyncio.to_thread(stop)
        try:
            async with answers.asked(hands.house):
                for passed in range(round(seconds)):
                    if passed == min(LEAVE_AFTER, round(seconds / 2)):
                        leaving = [asyncio.create_task(asyncio.to_thread(hands.house.terminate, second)) for second in leavers]
                    await asyncio.sleep(1)
                    stage.done()
        finally:
            await asyncio.to_thread(start)
        returned = time.monotonic()
    await asyncio.gather(*leaving)
    if of == "the store" and seconds > NOTE_SECONDS:
        hands.cut("notifications", began)
    await hands.house.settled(within=10 * DRAINED_WITHIN)
    drained = time.monotonic() - returned
    seen = {f"seconds without {of}": round(seconds), "drained after": f"{drained:.0f} s", "longest answer": f"{answers.longest:.1f} s"}
    return Outage(of, answers, drained), seen | {"answers": answers.text()}
