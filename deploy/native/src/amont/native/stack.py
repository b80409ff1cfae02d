"""Both servers together: what a test fixture and `amont stack` start. Each server alone is in `servers`.

with Stack() as stack:
    services run against stack.kafka.url and stack.store.url
    stack.kafka.kill(); stack.kafka.start()
"""

import shutil
import tempfile
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pymongo

from amont.native.jars import missing
from amont.native.servers import QUICK, Kafka, Server, Store


def available() -> str | None:
    """Why this machine cannot run the stack, in one line; None when it can."""
    return missing()


class Stack:
    """Kafka and the store, on loopback ports that were free, in `folder`, or in one of its own that goes when it stops."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        kafka_settings: Mapping[str, str] | None = None,
        java_options: Sequence[str] = QUICK,
        on_disk: bool = False,
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.gettempdir()) / f"amont-native-{uuid.uuid4().hex[:12]}"
        self.kafka = Kafka(self.folder / "kafka", kafka_settings, java_options)
        self.store = Store(self.folder / "store", java_options, on_disk=on_disk)

    @property
    def servers(self) -> tuple[Server, Server]:
        """The store comes first: it starts while Kafka formats its folder."""
        return self.store, self.kafka

    def start(self) -> Self:
        """Start both side by side and wait until both answer; when one fails, neither is left running.

        Raises:
            StackError: and nothing of it runs.
        """
        try:
            for server in self.servers:
                server.launch()
            for server in self.servers:
                server.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for server in self.servers:
            server.stop()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self) -> dict[str, str]:
        """What the environment of a service has to say to use them."""
        return {"AMONT_LOG_URL": self.kafka.url, "AMONT_STORE_URL": self.store.url}

    def let_go(self) -> None:
        """From here on both outlive us, and this object no longer knows them."""
        for server in self.servers:
            if server.process:
                server.process.let_go()
                server.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def speed_up(url: str, database: str, collections: Iterable[str]) -> None:
    """Give the store of tests the one index that makes compare-and-set on `{_id, v}` fast.

    mongo-java-server uses an index only when a filter's keys are exactly the index's keys, so it scans for `{_id, v}` where MongoDB uses
    `_id`: 285 against 4,900 updates a second on 10,000 documents. Call it from a fixture, before there are documents; MongoDB needs none.
    """
    with pymongo.MongoClient[dict[str, object]](url) as client:
        for name in collections:
            client[database][name].create_index([("_id", 1), ("v", 1)], unique=True)
