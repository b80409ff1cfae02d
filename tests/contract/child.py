"""Another process for the contract suites: it writes or reads the same files, says on standard output what was done, and may be killed at any time."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from amont.common.log import Log, Received


def say(*words: object) -> None:
    print(*words, flush=True)


async def increment(path: str, times: str) -> None:
    """Add 1 to one document, so many times, through compare-and-set."""
    from amont.common.documents import Put
    from amont.common.documents.sqlite import SqliteStore

    store = SqliteStore(Path(path), sync="normal")
    for _ in range(int(times)):
        while True:
            document = (await store.get("things", ["counter"]))["counter"]
            raised = {**document, "v": document["v"] + 1, "n": document["n"] + 1}
            if not await store.commit([Put("things", raised, document["v"])]):
                break
    await store.close()


async def put(path: str, sync: str) -> None:
    """Put documents in pairs and say the number of each pair once it is acknowledged, until killed."""
    from amont.common.documents import CollectionSpec, Index, Put
    from amont.common.documents.sqlite import SqliteStore

    store = SqliteStore(Path(path), sync=sync)
    await store.open([CollectionSpec("things", (Index(("people",), many=True),))])
    number = 0
    while True:
        pair = [{"_id": f"{number}-{side}", "v": 1, "people": [f"p{number}"]} for side in ("left", "right")]
        await store.commit([Put("things", document, None) for document in pair])
        say(number)
        number += 1


async def append(path: str, writer: str, count: str) -> None:
    """Append so many records, ten at a time, whose values are numbered from 0."""
    from amont.common.log import Record
    from amont.common.log.sqlite import SqliteLog

    log = SqliteLog(Path(path), sync="normal")
    await log.open()
    for first in range(0, int(count), 10):
        await log.append([Record(topic="t", key=writer, value=str(first + n).encode()) for n in range(10)])
    await log.close()


async def handle(url: str, topic: str, group: str) -> None:
    """Say the value of every record of a batch, then the word `handled`, and return from the handler when a line comes in."""

    async def effect(batch: "Sequence[Received]") -> None:
        for record in batch:
            say((record.value or b"").decode())
        say("handled")
        await asyncio.to_thread(sys.stdin.readline)

    log = _log(url)
    await log.open()
    await log.reader(group, topic, effect).start()
    await asyncio.Event().wait()


def _log(url: str) -> "Log":
    if url.startswith("kafka://"):
        from amont.common.log.kafka import KafkaLog, KafkaOptions

        return KafkaLog(url.removeprefix("kafka://"), client_id="child", options=KafkaOptions(session_timeout_ms=1000))
    from amont.common.log.sqlite import SqliteLog

    return SqliteLog(Path(url.removeprefix("sqlite://")), sync="normal", lease_seconds=0.5)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    job = {one.__name__: one for one in (increment, put, append, handle)}[sys.argv[1]]
    asyncio.run(job(*sys.argv[2:]))  # type: ignore[operator]
