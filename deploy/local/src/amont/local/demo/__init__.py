"""`amont demo`: a made-up group plays a programme on the four real services, in one process, in simulated time; then there is a page to look at."""

import asyncio
import contextlib
import json
import logging as stdlib_logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from amont.common import hosting, logging
from amont.common.cli import err, out, print_json
from amont.common.clock import FixedClock
from amont.common.settings import IdentitySettings, read_settings
from amont.local import overview
from amont.local.demo.figures import figures, what_only_the_demo_knows
from amont.local.demo.folder import Folder, fresh
from amont.local.demo.play import START, Play
from amont.local.demo.stages import Look, Stages, look
from amont.local.demo.summary import summary
from amont.local.demo.world import a_world, services_in
from amont.local.group import PEOPLE, WISHES, made_up
from amont.local.history import History, Tail
from amont.local.issuer import LocalIssuer, SignInHere, for_this_machine, sign_in_page
from amont.local.links import to_the_demo

HOST = "127.0.0.1"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is played."""

    people: int = PEOPLE
    wishes: int = WISHES
    months: int = 6


def run(where: Path, *, port: int, serve: bool, seed: int, as_json: bool, scale: Scale = Scale()) -> int:
    """Play, show what it came to, serve the page; the exit code. Raises NotOurs, NotAllowed beside a configured issuer, PortTaken."""
    issuer = for_this_machine(HOST, read_settings(IdentitySettings), None)
    bound = hosting.listen(HOST, port) if serve else None
    folder = fresh(where)
    clock = FixedClock(START)
    stages = Stages(look(as_json=as_json), out)
    with _logging_to(folder), _links_lead_to(bound):
        try:
            found = asyncio.run(play(folder, clock, issuer, stages, seed=seed, scale=scale))
        except KeyboardInterrupt:
            err.print("Stopped before the end.")
            return INTERRUPTED
        _show(found, folder, stages.looks)
        return _serve(folder, clock, issuer, bound, seed, stages.looks) if bound else 0


async def play(folder: Folder, clock: FixedClock, issuer: LocalIssuer, stages: Stages, *, seed: int, scale: Scale) -> dict[str, Any]:
    """Play it all; the figures, with the seconds of each stage. They are written into the folder too."""
    began = time.perf_counter()
    with stages.stage("A group is made up") as stage:
        group = made_up(seed, START, people=scale.people, wishes=scale.wishes)
        stage.says(f"{len(group.people)} people, {len(group.wishes)} want to take part (seed {seed})")
    async with contextlib.AsyncExitStack() as stack:
        with stages.stage("The services start") as stage:
            world = await stack.enter_async_context(a_world(folder, clock, issuer, seed))
            stage.says(", ".join(service.name for service in world.services))
        played = await Play(world, group, stages, seed=seed, months=scale.months).all()
        with stages.stage("It is counted") as stage:
            found = await figures(world, group, played, History(Tail(world.log, "counting")), folder)
            stage.says(f"{sum(found['events'].values())} events, {found['mails']['files']} mails")
    found = {"seed": seed, **found, "seconds": {**stages.taken, "in all": round(time.perf_counter() - began, 2)}}
    _write(folder.path / overview.KNOWN_TO_THE_DEMO, what_only_the_demo_knows(played))
    _write(folder.path / "figures.json", found)
    return found


def _serve(folder: Folder, clock: FixedClock, issuer: LocalIssuer, bound: socket.socket, seed: int, looks: Look) -> int:
    """The services go on running behind the page; time stands still where the play ended."""
    services, log = services_in(folder, clock, f"{seed}/served")
    shown = overview.Overview(folder.path, clock, log, issuer)
    here = SignInHere()
    pages = [sign_in_page(issuer, here), overview.pages(shown), to_the_demo(shown)]
    say = err.print if looks is Look.NOBODY else out.print
    say(f"\nLook at it: [bold]{_address(bound)}[/]   (Ctrl-C ends)")

    def make(fail: Callable[[], None]) -> FastAPI:
        return hosting.hosted(services, title="Amont demo", verifier=issuer, extra=pages, sign_in=here, on_failure=fail)

    return hosting.serve(make, bound)


def _show(found: Mapping[str, Any], folder: Folder, looks: Look) -> None:
    if looks is Look.NOBODY:
        print_json(found)
        return
    out.print()
    out.print(summary(found))
    out.print(f"\nEverything is in {folder.path}: the mails in {folder.mails}, the figures in figures.json, the logs in {LOG}")


LOG = "amont.log"


@contextlib.contextmanager
def _logging_to(folder: Folder) -> Iterator[None]:
    """The services' logs go into the folder, as JSON lines, so that they do not run through the progress bars; afterwards to where they went."""
    before, root = structlog.get_config(), stdlib_logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        with (folder.path / LOG).open("w", encoding="utf-8") as file:
            with contextlib.redirect_stderr(file):
                logging.configure(json=True)
            yield
    finally:
        structlog.configure(**before)
        root.handlers = handlers
        root.setLevel(level)


@contextlib.contextmanager
def _links_lead_to(bound: socket.socket | None) -> Iterator[None]:
    """Mails are signed by the made-up group, and their links lead to where the demo listens."""
    given = {"AMONT_MAIL_SENDER": "Digital 2027 <mentoring@orvane.example>"} | ({"AMONT_PUBLIC_URL": _address(bound)} if bound else {})
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _address(bound: socket.socket) -> str:
    return f"http://{HOST}:{bound.getsockname()[1]}"


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
