"""Starts that cannot be, and starts that must wait: each says what is wrong and what to do, and loses nothing."""

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amont.common.sqlite import split_url
from amont.local.up import alone_in
from amont.native.ports import free_ports
from amont.native.stack import Stack, available

AMONT = Path(sys.executable).parent / "amont"


def amont(*arguments: str, within: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([AMONT, *arguments], env=clean(**environment), capture_output=True, text=True, timeout=within, check=False)


def clean(**environment: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AMONT_")}
    return {**inherited, "COLUMNS": "200", **environment}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        yield int(bound.getsockname()[1])


def test_a_start_without_its_settings_ends_with_a_table_of_what_is_missing() -> None:
    done = amont("run", "enrolment")
    assert done.returncode == 2
    assert "AMONT_LOG_URL" in done.stderr
    assert "AMONT_STORE_URL" in done.stderr
    assert "kafka://host:port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_nothing_reads_is_told_with_the_one_that_may_be_meant(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}"
    settings = {"AMONT_LOG_URL": url, "AMONT_STORE_URL": url, "AMONT_MAIL_URL": f"folder://{tmp_path}", "AMONT_MAIL_SENDR": "a@b.example"}
    said = tmp_path / "said"
    with said.open("wb") as file:
        process = subprocess.Popen(
            [AMONT, "run", "enrolment", "--port", "0"], env=clean(**settings, AMONT_X="1", AMONT_TEST_SEED="1"), stdout=file, stderr=file
        )
        try:
            deadline = time.monotonic() + 60
            while said.read_text().count("unknown_setting") < 2:
                assert process.poll() is None, said.read_text()
                assert time.monotonic() < deadline, said.read_text()
                time.sleep(0.05)
        finally:
            process.terminate()
            process.wait(60)
    told = [json.loads(line) for line in said.read_text().splitlines() if "unknown_setting" in line]
    assert [(one["name"], one.get("did_you_mean")) for one in told] == [("AMONT_MAIL_SENDR", "AMONT_MAIL_SENDER"), ("AMONT_X", None)]


def test_a_url_that_names_nothing_is_refused_with_what_is_accepted(tmp_path: Path) -> None:
    done = amont("run", "enrolment", "--port", "0", AMONT_LOG_URL="redis://x", AMONT_STORE_URL=f"sqlite://{tmp_path}")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "kafka://host:port or sqlite:///folder" in done.stderr


def test_a_service_that_is_not_installed_is_named(tmp_path: Path) -> None:
    done = amont("run", "payroll", AMONT_LOG_URL=f"sqlite://{tmp_path}", AMONT_STORE_URL=f"sqlite://{tmp_path}")
    assert done.returncode == 2
    assert "enrolment, matching, notifications, scheduling" in done.stderr


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path, taken_port: int) -> None:
    done = amont("up", "--data", str(tmp_path / "data"), "--port", str(taken_port))
    assert done.returncode == 1
    assert f"127.0.0.1:{taken_port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_from_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "amont_enrolment.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version=99")
    done = amont("up", "--data", str(tmp_path), "--port", "0")
    assert done.returncode == 1
    assert "newer Amont" in done.stderr
    with sqlite3.connect(path) as still:
        assert still.execute("PRAGMA user_version").fetchone() == (99,)


def test_made_up_people_cannot_sign_in_where_others_can_reach_or_beside_an_issuer(tmp_path: Path) -> None:
    reachable = amont("up", "--data", str(tmp_path), "--host", "0.0.0.0", "--port", "0")
    assert (reachable.returncode, "loopback only" in reachable.stderr) == (1, True)


@pytest.mark.parametrize(("folder", "code"), [("a-file", 2), ("a-file/below", 2), ("/proc/amont", 1)])
def test_a_folder_that_cannot_be_had_is_one_clear_line(tmp_path: Path, folder: str, code: int) -> None:
    (tmp_path / "a-file").touch()
    done = amont("up", "--data", str(tmp_path / folder), "--port", "0")
    assert done.returncode == code
    assert "cannot be the data folder" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_relative_sqlite_url_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert split_url("/./data?sync=normal") == (Path("data"), "normal")
    assert split_url("/../data")[0].resolve() == tmp_path.parent / "data"
    assert split_url("/data") == (Path("/data"), "full")


def run_up(folder: Path, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([AMONT, "up", "--data", folder, "--port", str(port)], env=clean(), stdout=subprocess.DEVNULL)


async def test_a_second_amont_up_on_a_folder_is_refused_and_a_killed_one_leaves_it_free(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    first = run_up(tmp_path, port)
    try:
        await answers(port, "/health/live", 200)
        second = await asyncio.to_thread(amont, "up", "--data", str(tmp_path), "--port", "0")
        assert (second.returncode, "Another `amont up` runs on" in second.stderr) == (1, True)
    finally:
        first.kill()
        first.wait()
    with alone_in(tmp_path):
        pass


def run_enrolment(port: int, **environment: str) -> subprocess.Popen[bytes]:
    command = [AMONT, "run", "enrolment", "--port", str(port)]
    return subprocess.Popen(command, env=clean(**environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def status(port: int, path: str) -> tuple[int, str]:
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.get(f"http://127.0.0.1:{port}{path}")
            return answer.status_code, answer.text
    except httpx.HTTPError:
        return 0, ""


async def answers(port: int, path: str, wanted: int, within: float = 120) -> str:
    deadline = time.monotonic() + within
    while (found := await status(port, path))[0] != wanted:
        assert time.monotonic() < deadline, f"{path} never answered {wanted}; last {found}"
        await asyncio.sleep(0.1)
    return found[1]


async def test_a_service_waits_for_kafka_and_the_store_says_so_and_goes_on(tmp_path: Path) -> None:
    if reason := available():
        pytest.skip(reason)
    with Stack(tmp_path / "stack") as stack:
        stack.kafka.stop()
        stack.store.pause()
        port = free_ports(1)[0]
        process = run_enrolment(port, AMONT_LOG_URL=stack.kafka.url, AMONT_STORE_URL=stack.store.url)
        try:
            assert "live" in await answers(port, "/health/live", 200)
            waiting = await answers(port, "/health/ready", 503)
            assert "starting" in waiting
            assert "does not answer" in waiting
            assert process.poll() is None
            stack.store.resume()
            stack.kafka.start()
            few = await asyncio.to_thread(amont, "topics", "create", "--partitions", "1", AMONT_LOG_URL=stack.kafka.url)
            assert (few.returncode, "the cluster has 1 broker; use --replication 1" in few.stderr) == (1, True), few.stderr
            create = await asyncio.to_thread(
                amont, "topics", "create", "--replication", "1", "--partitions", "1", AMONT_LOG_URL=stack.kafka.url
            )
            assert create.returncode == 0, create.stderr
            assert "ready" in await answers(port, "/health/ready", 200)
            again = await asyncio.to_thread(
                amont, "topics", "create", "--replication", "1", "--partitions", "2", AMONT_LOG_URL=stack.kafka.url
            )
            assert again.returncode == 1
            assert "partitions: 1, expected 2" in again.stdout
            copies = await asyncio.to_thread(
                amont, "topics", "create", "--replication", "3", "--partitions", "1", AMONT_LOG_URL=stack.kafka.url
            )
            assert (copies.returncode, "replication: 1, expected 3" in copies.stdout) == (1, True)
        finally:
            process.terminate()
            assert process.wait(40) == 0


async def test_amont_up_keeps_everything_through_a_kill(tmp_path: Path) -> None:
    port = free_ports(1)[0]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([AMONT, "up", "--data", tmp_path / "data", "--port", str(port)], env=clean(), stdout=subprocess.DEVNULL)

    process = start()
    try:
        await answers(port, "/health/ready", 200)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            page = await client.post("/sign-in", data={"person": "group:ada", "role": "group-coordinator"})
            token = page.text.split('<pre id="token">')[1].split("</pre>")[0]
            client.headers["Authorization"] = f"Bearer {token}"
            body = {"name": "France", "zone": "Europe/Paris", "languages": ["fr"], "grades": {"C3": 5}}
            assert (await client.put("/api/enrolment/v1/subsidiaries/fr", json=body)).status_code == 200
            process.kill()
            process.wait()
            process = start()
            await answers(port, "/health/ready", 200)
            assert (await client.get("/api/enrolment/v1/subsidiaries/fr")).json()["name"] == "France"
    finally:
        process.terminate()
        assert process.wait(60) == 0
