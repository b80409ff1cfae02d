"""`amont up`, as a reader starts it: for the pages that are followed on one machine, and for those that are looked at in a browser."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.pages import with_amont

from amont.native.ports import free_ports

READY_WITHIN = 120.0


@pytest.fixture
def amont(tmp_path: Path) -> Iterator[str]:
    """Where `amont up` listens, on a data folder in `tmp_path`."""
    [port] = free_ports(1)
    environment = {name: value for name, value in with_amont().items() if not name.startswith("AMONT_")}
    with (tmp_path / "up.log").open("wb") as said:
        command = ["amont", "up", "--data", "./data", "--port", str(port)]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=said, stderr=said)
        try:
            deadline = time.monotonic() + READY_WITHIN
            while not _ready(f"http://127.0.0.1:{port}/health/ready"):
                assert process.poll() is None, (tmp_path / "up.log").read_text()
                assert time.monotonic() < deadline, (tmp_path / "up.log").read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def _ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
