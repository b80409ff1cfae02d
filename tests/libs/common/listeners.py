"""A small service for the tests of dead letters: it remembers what it is told of each subsidiary, in order, and some of it is too much for it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.libs.common.shell import Tally

from amont.common.documents.collection import Collection
from amont.common.errors import DomainError
from amont.common.events import ProgrammeChanged, SubsidiaryChanged
from amont.common.service import Parts, Service
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import DeadLetter
from amont.common.testing.hearing import Hearing, hearing
from amont.common.work import Work

TOPIC = "enrolment-subsidiaries"


class Refused(DomainError):
    code = "not-today"


@dataclass
class Faults:
    """What goes wrong, until somebody mends it."""

    defects: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def mend(self) -> None:
        self.defects.clear()
        self.refused.clear()

    async def hear(self, event: SubsidiaryChanged, work: Work) -> None:
        if event.name in self.defects:
            raise KeyError(event.name)
        if event.name in self.refused:
            raise Refused(f"{event.subsidiary}: not today")
        tally = await work.get_or_new(Tally, event.subsidiary)
        work.save(tally.hear(event.name).becomes().saying(ProgrammeChanged))


def build_with(faults: Faults, **more: Any) -> Callable[[Parts], Service]:
    def build(parts: Parts) -> Service:
        given = {name: getattr(parts, name) for name in ("store", "log", "clock", "ids", "tools")}
        return Service(
            "matching",
            Parts(**{**given, **more}),
            consumes={SubsidiaryChanged: faults.hear},
            publishes=(ProgrammeChanged,),
            keeps=[Collection(Tally, "tallies")],
        )

    return build


def listening(faults: Faults, folder: Path, **more: Any) -> AbstractAsyncContextManager[Hearing]:
    return hearing(build_with(faults, **more), folder)


async def letters(one: Hearing, **chosen: Any) -> list[DeadLetter]:
    """The letters, in order; unresolved ones unless told otherwise."""
    return [letter for letter, _ in await one.asked(commands.page, Chosen(**chosen), None)]


async def standing(one: Hearing) -> list[tuple[str, str, str]]:
    """(key, reason, status) of every letter there is."""
    return [(letter.key, letter.reason, letter.status.value) for letter in await letters(one, statuses=())]


async def told_to(one: Hearing, id_: str) -> tuple[str, ...]:
    """What it remembers, in order."""
    try:
        return (await one.look(Tally, id_)).told
    except DomainError:
        return ()


async def replay_all(one: Hearing) -> None:
    asked = await one.asked(commands.replay_chosen, Chosen(), "fr:otto", "mended", None)
    while asked.last:
        asked = await one.asked(commands.replay_chosen, Chosen(), "fr:otto", "mended", asked.last)
