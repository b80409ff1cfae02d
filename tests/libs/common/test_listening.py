"""Where a process listens: an answer leaves at once, in however many pieces it is written."""

import asyncio
import socket

from amont.common import hosting


async def test_what_is_accepted_does_not_wait_for_acknowledgements() -> None:
    """With Nagle's algorithm the body waits until the headers are acknowledged, which the caller's system puts off for 40 ms."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = hosting.listen("127.0.0.1", 0)
    async with await asyncio.start_server(take, sock=bound):
        _, writer = await asyncio.open_connection(*bound.getsockname())
        at_once = await accepted
        writer.close()
        await writer.wait_closed()
    assert at_once
