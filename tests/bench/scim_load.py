"""A group's first load over SCIM: users made one by one over HTTP by eight connections, against a bare door that reads JSON and inserts a row.

Each door is a process of its own on SQLite with `sync=full`, and commits each user before it answers; the bare one validates nothing, says nothing to a log
and looks nothing up. BENCH_USERS says how many users (4,000); the bare door is given 4,000 of them at most, since its pace does not change.
Memory is VmHWM of the door's process, and processor time its own; of a longer load each tenth is told as it ends.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.bench.staff import GROUP, staff_record

USERS = int(os.environ.get("BENCH_USERS", "4000"))
BARE_USERS = min(USERS, 4000)
CONNECTIONS = 8


async def serve_amont(folder: Path) -> None:
    """The door of `fr`; says where it is, and its token."""
    import uvicorn

    from amont.common import hosting
    from amont.common.settings import Settings
    from amont.common.web import app
    from amont.enrolment import commands
    from amont.enrolment.app import build

    url = f"sqlite://{folder}"
    service = build(hosting.parts_from(Settings(log_url=url, store_url=url), "enrolment"))
    await service.open()
    await service.run(commands.add_subsidiary, "fr", GROUP, name="France", zone="Europe/Paris", languages=("fr",), grades={"C3": 5})
    _, token = await service.run(commands.make_token, "fr", GROUP)
    service.ready = True
    await _listen(uvicorn, app([service], title="bench"), "/scim/fr/v2/Users", token)


async def serve_bare(folder: Path) -> None:
    """A door that keeps what it is given."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from amont.common.sqlite import connect

    db = connect(folder / "bare.sqlite", sync="full")
    db.execute("CREATE TABLE users (name TEXT PRIMARY KEY, value TEXT)")

    async def make(request: Request) -> JSONResponse:
        user = json.loads(await request.body())
        db.execute("INSERT INTO users VALUES (?, ?)", (user["userName"], json.dumps(user)))
        return JSONResponse(user, 201)

    await _listen(uvicorn, Starlette(routes=[Route("/Users", make, methods=["POST"])]), "/Users", "none")


async def _listen(uvicorn: Any, app: Any, path: str, token: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:  # as `hosting.listen` does
        bound.bind(("127.0.0.1", 0))
        bound.listen(128)
        print(f"http://127.0.0.1:{bound.getsockname()[1]}{path}", token, flush=True)
        await uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off")).serve(sockets=[bound])


@contextmanager
def _door(name: str, folder: Path) -> Iterator[tuple[int, str, str]]:
    """Its process, its address and its token."""
    folder.mkdir()
    words = [sys.executable, "-m", "tests.bench.scim_load", name, str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as door:
        try:
            assert door.stdout is not None
            url, token = door.stdout.readline().split()
            yield door.pid, url, token
        finally:
            door.terminate()


def _user(number: int) -> bytes:
    """The staff record of `tests.bench.staff` as an identity provider writes it."""
    record = json.loads(staff_record(number, USERS).value or b"")
    enterprise, employee = (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:amont:params:scim:schemas:extension:employee:1.0:User",
    )
    return json.dumps(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise, employee],
            "userName": record["email"],
            "name": {"givenName": record["given_name"], "familyName": record["family_name"]},
            "emails": [{"value": record["email"], "type": "work", "primary": True}],
            "title": record["job_title"],
            "timezone": record["zone"],
            "active": True,
            enterprise: {"employeeNumber": record["employee_id"], "manager": {"value": record["manager_id"]}},
            employee: {"grade": "C3", "businessUnit": record["business_unit"], "team": record["team"], "joinedOn": record["joined_on"]},
        }
    ).encode()


async def _send(url: str, token: str, users: Iterator[bytes]) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    async with httpx.AsyncClient(headers=headers, timeout=120) as client:
        for user in users:
            answer = await client.post(url, content=user)
            assert answer.status_code == 201, answer.text


def _loaded(name: str, folder: Path, users: int) -> tuple[float, float, float]:
    """Seconds by the clock and of the door's processor for each user, and the most MB of its process."""
    with _door(name, folder) as (pid, url, token):
        before, began = _processor(pid), time.perf_counter()
        asyncio.run(_send_all(url, token, _told(pid, users)))
        wall, processor = time.perf_counter() - began, _processor(pid) - before
        return wall / users, processor / users, _memory(pid)


async def _send_all(url: str, token: str, users: Iterator[bytes]) -> None:
    await asyncio.gather(*(_send(url, token, users) for _ in range(CONNECTIONS)))


def _told(pid: int, users: int) -> Iterator[bytes]:
    """The users; of more than BARE_USERS, each tenth's pace and the door's memory are printed on the way."""
    began = time.perf_counter()
    for number in range(users):
        if users > BARE_USERS and number and number % (users // 10) == 0:
            print(f"{number:,}: {users / 10 / (time.perf_counter() - began):,.0f}/s, {_memory(pid):,.0f} MB", flush=True)
            began = time.perf_counter()
        yield _user(number)


def _memory(pid: int) -> float:
    """The most MB that it has held."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000


def _processor(pid: int) -> float:
    """Seconds, of its own and of the kernel for it (proc(5), `stat`, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        bare, bare_processor, _ = await asyncio.to_thread(_loaded, "bare", Path(made) / "bare", BARE_USERS)
        wall, processor, mb = await asyncio.to_thread(_loaded, "amont", Path(made) / "amont", USERS)
    print(
        f"{USERS:,} users over SCIM: {USERS * wall:,.1f} s ({1 / wall:,.0f}/s, {1000 * processor:.2f} ms of processor each), {mb:,.0f} MB; "
        f"bare door {1 / bare:,.0f}/s ({1000 * bare_processor:.2f} ms); ratio {bare / wall:.0%} by the clock, {bare_processor / processor:.0%} of processor",
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run({"amont": serve_amont, "bare": serve_bare}[sys.argv[1]](Path(sys.argv[2])))
