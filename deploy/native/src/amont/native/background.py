"""A stack that outlives the command that started it: what `amont stack` does, without its words.

`state.json` in the data folder says which processes run, by id, full command line and port, and in which folder. It is written before the
servers are let go, so a run that dies half-way leaves nothing behind. What the servers hold lives as long as they do: Kafka's records and
the store's documents are of use only together, and the store keeps its own in memory.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from amont.native import process as processes
from amont.native.jars import only_one
from amont.native.ports import kafka_answers, store_answers
from amont.native.servers import Server
from amont.native.stack import Stack

Condition = Literal["up", "silent", "down"]
ANSWERS = {"kafka": kafka_answers, "store": store_answers}


class Running(BaseModel):
    """One server, as the state file knows it."""

    pid: int
    argv: list[str]
    port: int
    url: str


class State(BaseModel):
    """The state file. `folder` is the one that was made for this run, within the data folder."""

    folder: Path
    servers: dict[Literal["kafka", "store"], Running]

    def condition(self, name: Literal["kafka", "store"]) -> Condition:
        """Whether it answers, lives without answering (paused, overloaded) or is gone."""
        server = self.servers[name]
        if processes.find(server.pid, server.argv) is None:
            return "down"
        return "up" if ANSWERS[name](server.port) else "silent"

    def conditions(self) -> dict[Literal["kafka", "store"], Condition]:
        return {name: self.condition(name) for name in self.servers}

    def is_up(self) -> bool:
        return set(self.conditions().values()) == {"up"}


def look(data: Path) -> State | None:
    """What was started in that data folder and not taken down; it need not live any more."""
    try:
        return State.model_validate_json(_file(data).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def up(data: Path) -> tuple[State, bool]:
    """The running stack of that data folder, and whether it had to be started. What is only half there is taken down first.

    Raises:
        StackError: and nothing of it runs.
    """
    data.mkdir(parents=True, exist_ok=True)
    with only_one(data / "lock"):
        state = look(data)
        if state and state.is_up():
            return state, False
        _end(data)
        return _start(data), True


def down(data: Path) -> bool:
    """Stop the stack of that data folder and remove what it held; whether there was one."""
    if look(data) is None:
        return False
    with only_one(data / "lock"):
        return _end(data)


def _start(data: Path) -> State:
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=data.absolute()))
    stack = Stack(folder)
    try:
        stack.start()
        state = State(folder=folder, servers={"kafka": _running(stack.kafka), "store": _running(stack.store)})
        _file(data).write_text(state.model_dump_json(indent=2) + "\n")
        stack.let_go()
    except BaseException:
        stack.stop()
        _file(data).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return state


def _running(server: Server) -> Running:
    return Running(pid=server.handle.pid, argv=server.handle.cmdline(), port=server.port, url=server.url)


def _end(data: Path) -> bool:
    state = look(data)
    if state is None:
        return False
    for server in state.servers.values():
        if handle := processes.find(server.pid, server.argv):
            processes.end(handle, patience=20)
    _file(data).unlink(missing_ok=True)
    if state.folder.parent == data.absolute():
        shutil.rmtree(state.folder, ignore_errors=True)
    return True


def _file(data: Path) -> Path:
    return data / "state.json"
