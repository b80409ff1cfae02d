"""The documented examples of docs/subsidiaries/kafka.md, run as they stand: two Kafka clients that none of us wrote feed the inbound topic."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conftest import Servers
from tests.support.house import until
from tests.support.npm import node_modules

from amont.common.clock import SystemClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.identity import Actor, Privilege
from amont.common.ids import RandomIds
from amont.common.log.kafka import KafkaLog, KafkaOptions
from amont.common.log.topics import ensure
from amont.common.service import Parts, Service
from amont.common.work import Work
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee

PAGE = Path(__file__).parents[2] / "docs" / "subsidiaries" / "kafka.md"
GROUP = Actor("group:coordinator", "group", frozenset({Privilege.GROUP_COORDINATOR}))


def example(language: str) -> str:
    """The page's only code block in a language."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    return str(blocks[0])


async def employee_arrives(service: Service, person: str) -> Employee:
    async def look(work: Work) -> Employee | None:
        return await work.peek(Employee, person)

    async def there() -> bool:
        return await service.run(look) is not None

    await until(there, within=30, what=f"{person} recorded")
    found = await service.run(look)
    assert found is not None
    return found


@pytest.fixture
async def enrolment(servers: Servers, tmp_path: Path) -> AsyncIterator[Service]:
    """The enrolment service on the real broker, with the subsidiary `fr`."""
    bootstrap = servers.log_url.removeprefix("kafka://")
    await ensure(bootstrap, replication=1, partitions=2, dry_run=False, options=KafkaOptions())
    clock = SystemClock()
    parts = Parts(
        store=SqliteStore(tmp_path / "store.sqlite"), log=KafkaLog(bootstrap, client_id="interop"), clock=clock, ids=RandomIds(clock)
    )
    service = build(parts)
    await service.open()
    await service.run(commands.add_subsidiary, "fr", GROUP, name="France", zone="Europe/Paris", languages=("fr", "en"), grades={"C3": 5})
    async with service.running():
        yield service


async def test_kcat_feeds_the_inbound_topic_as_documented(enrolment: Service, servers: Servers) -> None:
    if not shutil.which("kcat"):
        pytest.skip("no kcat here: install it (Debian: kcat) to run its documented example")
    environment = {**os.environ, "KAFKA": servers.log_url.removeprefix("kafka://")}
    await asyncio.to_thread(subprocess.run, ["bash", "-euo", "pipefail", "-c", example("sh")], env=environment, check=True, timeout=30)
    assert (await employee_arrives(enrolment, "fr:e42")).profile.given_name == "Ada"


async def test_kafkajs_feeds_the_inbound_topic_as_documented(enrolment: Service, servers: Servers, tmp_path: Path) -> None:
    modules = node_modules()
    script = tmp_path / "feed.js"
    script.write_text(example("js"), encoding="utf-8")
    environment = {
        **os.environ,
        "KAFKA": servers.log_url.removeprefix("kafka://"),
        "NODE_PATH": str(modules),
        "KAFKAJS_NO_PARTITIONER_WARNING": "1",
    }
    await asyncio.to_thread(subprocess.run, ["node", str(script)], env=environment, check=True, timeout=60)
    found = await employee_arrives(enrolment, "fr:e43")
    assert (found.profile.given_name, found.profile.managers) == ("Zoé", ("fr:e7",))
