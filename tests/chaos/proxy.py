"""A TCP proxy on loopback that can be cut, silenced and slowed: the network between the services and a server.

    cut       every connection is reset and new ones are reset at once: nobody is there
    silence   connections stay open and nothing passes: a partition, where each side waits for the other
    slow      every piece passes after a delay

What has been accepted by one side and not passed on is lost with a cut, as on a real wire.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Self

PIECE = 65_536


class Proxy:
    """Listens on `port` and passes on to `upstream`. Belongs to the event loop that started it."""

    def __init__(self, port: int, upstream: tuple[str, int]) -> None:
        self.port, self.upstream = port, upstream
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._is_cut = False
        self._delay = 0.0
        self._ends: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        while self._links:
            await asyncio.wait(self._links)

    def cut(self) -> None:
        self._is_cut = True
        self._passing.set()
        for end in self._ends:
            _reset(end)

    def silence(self) -> None:
        self._passing.clear()

    def slow(self, delay: float) -> None:
        """`delay` in seconds, for every piece in both directions."""
        self._delay = delay

    def mend(self) -> None:
        """As if nothing had ever been wrong; what was cut stays cut, and must connect again."""
        self._is_cut, self._delay = False, 0.0
        self._passing.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.create_task(self._link(reader, writer), name="proxied connection")
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        try:
            if self._is_cut:
                return
            with contextlib.suppress(OSError):
                there, back = await asyncio.open_connection(*self.upstream)
                ends.add(back)
                self._ends |= ends
                if not self._is_cut:
                    await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
                    await asyncio.gather(*(_finish(end) for end in ends))
        finally:
            self._ends -= ends
            for end in ends:
                _reset(end)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(PIECE):
            await self._passing.wait()
            if self._delay:
                await asyncio.sleep(self._delay)
            sink.write(piece)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


async def _finish(end: asyncio.StreamWriter) -> None:
    """Close once everything is sent."""
    end.close()
    await end.wait_closed()


def _reset(end: asyncio.StreamWriter) -> None:
    """Close with a reset: what is not yet sent is dropped."""
    with contextlib.suppress(OSError):  # it may be closed already
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()
