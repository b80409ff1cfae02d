"""The proxy of the campaign does to a connection what it says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from tests.chaos.proxy import Proxy

from amont.native.ports import free_ports


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionResetError):
        while piece := await reader.read(100):
            writer.write(piece)
    writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with Proxy(free_ports(1)[0], server.sockets[0].getsockname()) as made:
        yield made
    server.close()


async def _says(proxy: Proxy, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(text)
    return reader, writer


async def test_it_passes_both_ways_to_the_end(proxy: Proxy) -> None:
    reader, writer = await _says(proxy, b"hello")
    writer.write_eof()
    assert await reader.read() == b"hello"
    writer.close()


async def test_a_cut_resets_what_is_open_and_what_comes_until_it_is_mended(proxy: Proxy) -> None:
    reader, first = await _says(proxy, b"hello")
    assert await reader.readexactly(5) == b"hello"
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    later, second = await _says(proxy, b"again")
    with pytest.raises(ConnectionResetError):
        await later.readexactly(5)
    first.close()
    second.close()
    proxy.mend()
    mended, writer = await _says(proxy, b"again")
    assert await mended.readexactly(5) == b"again"
    writer.close()


async def test_silence_holds_back_and_gives_everything_when_it_ends(proxy: Proxy) -> None:
    proxy.silence()
    reader, writer = await _says(proxy, b"hello")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readexactly(1), 0.2)
    proxy.mend()
    assert await reader.readexactly(5) == b"hello"
    writer.close()


async def test_a_slow_wire_gives_the_same_later(proxy: Proxy) -> None:
    proxy.slow(0.15)
    reader, writer = await _says(proxy, b"hello")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readexactly(1), 0.1)
    assert await reader.readexactly(5) == b"hello"
    writer.close()
