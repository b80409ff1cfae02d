"""A body over the limit is answered 413, and the answer arrives at a client that goes on sending: on a real server, over a real connection."""

import asyncio
import http.client
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import uvicorn

from amont.common import hosting
from amont.common.testing.waiting import until
from amont.common.web import app, problems

PIECE = b"x" * 100_000


@pytest.fixture
async def port() -> AsyncIterator[int]:
    bound = hosting.listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app([], title="test"), log_config=None, lifespan="off"))
    served = asyncio.create_task(server.serve(sockets=[bound]))
    await until(lambda: server.started)
    yield bound.getsockname()[1]
    server.should_exit = True
    await served


def slowly(pieces: int) -> Iterator[bytes]:
    """A body in pieces, with time between them for the server to close the connection."""
    for _ in range(pieces):
        time.sleep(0.01)
        yield PIECE


def sent(port: int, pieces: int, **headers: str) -> tuple[int, str]:
    """The answer to whoever sends all of a body before they look at one; without a length it goes in chunks."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", "/anything", body=slowly(pieces), headers=headers, encode_chunked=not headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["type"]


@pytest.mark.parametrize("headers", [{"Content-Length": str(30 * len(PIECE))}, {"Transfer-Encoding": "chunked"}])
async def test_three_megabytes_are_answered_and_the_answer_arrives(headers: dict[str, str], port: int) -> None:
    given = headers if "Content-Length" in headers else {}
    assert await asyncio.to_thread(sent, port, 30, **given) == (413, "urn:amont:problem:too-large")


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
async def test_curl_sees_the_answer(port: int, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(30 * PIECE)
    for more in ((), ("-H", "Expect:"), ("-H", "Transfer-Encoding: chunked")):
        words = ["curl", "-sS", "-w", "%{http_code}", "--data-binary", f"@{tmp_path}/body", *more, f"http://127.0.0.1:{port}/anything"]
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout[-3:], "too-large" in done.stdout) == (0, "413", True), done.stderr


async def test_whoever_never_ends_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bytes that are dropped at most, and by the time."""
    monkeypatch.setattr(problems, "DRAINED_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\nx")
    said = await asyncio.wait_for(reader.read(), 10)
    assert (b" 413 " in said, b"too-large" in said) == (True, True)
    writer.close()


async def test_what_is_dropped_has_a_limit(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "DRAINED_BYTES", 300_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n")
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(send_for_ever(writer), 4)
    reader.feed_eof()
    writer.close()


async def send_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(PIECE)
        await writer.drain()
        await asyncio.sleep(0)
