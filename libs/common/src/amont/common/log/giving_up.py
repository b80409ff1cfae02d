"""Giving up a producer that may be stuck (aiokafka #1017): what it holds must neither reach the log later nor be waited for.

aiokafka has no call for this. `stop` waits for every record, however long the broker is away, and failing the records while a request is being tried
again ends the client's sender by a KeyError (`tests/libs/common/test_giving_up_a_producer.py`). So the sender is told to end first, its
connections are cut rather than closed, and the records fail when nobody is left to send them.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

ENDS_WITHIN_SECONDS = 1.0
"""How long requests that have lost their connections may take to note it: some of the client's own pauses of 0.1 s."""
STOPS_WITHIN_SECONDS = 15.0
_DISCARD = struct.pack("ii", 1, 0)


async def give_up(producer: AIOKafkaProducer) -> None:
    """Return when the producer sends nothing any more. Never raises but when cancelled."""
    for end in (_end_sender, _fail_records, _stop, _close):
        with contextlib.suppress(Exception):
            await end(producer)


async def _end_sender(producer: AIOKafkaProducer) -> None:
    """It drains nothing more once it is cancelled, and then waits for its requests."""
    sender = producer._sender.sender_task  # noqa: SLF001 - there is no other way, see the module
    if sender is not None:
        sender.cancel()
    await _close(producer)
    if sender is not None and (await asyncio.wait([sender], timeout=ENDS_WITHIN_SECONDS))[1]:
        sender.cancel()  # one of its requests waits for what will not come
        await asyncio.wait([sender], timeout=ENDS_WITHIN_SECONDS)


async def _fail_records(producer: AIOKafkaProducer) -> None:
    """Those in the queue count as being sent meanwhile: the client trips over one that went back into it from a request."""
    held = producer._message_accumulator  # noqa: SLF001
    held._pending_batches.update(batch for queue in held._batches.values() for batch in queue)  # noqa: SLF001
    held.fail_all(KafkaError("the producer was given up"))
    for batch in held._pending_batches:  # noqa: SLF001
        if batch._drain_waiter.done():  # noqa: SLF001
            batch._drain_waiter.exception()  # noqa: SLF001 - or asyncio complains that nobody asked


async def _stop(producer: AIOKafkaProducer) -> None:
    await asyncio.wait_for(producer.stop(), STOPS_WITHIN_SECONDS)


async def _close(producer: AIOKafkaProducer) -> None:
    for connection in list(producer.client._conns.values()):  # noqa: SLF001
        _cut(connection)
    await producer.client.close()


def _cut(connection: Any) -> None:
    """Without lingering: what the kernel still holds is thrown away, and not delivered when a cut network comes back."""
    writer = connection._writer  # noqa: SLF001
    if writer is not None:
        held: socket.socket | None = writer.get_extra_info("socket")
        if held is not None:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DISCARD)
        writer.transport.abort()
