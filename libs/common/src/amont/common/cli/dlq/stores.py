"""Where dead letters are: the services' stores, opened by the settings of `amont run` or in the data folder of `amont up`, services running or not."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from amont.common.cli import settings_without_folder
from amont.common.clock import SystemClock
from amont.common.documents import Store, store_from
from amont.common.documents.sqlite import split_url
from amont.common.errors import Conflict, DomainError, NotFound
from amont.common.events.topics import SERVICES
from amont.common.ids import RandomIds
from amont.common.service.letters import commands
from amont.common.service.letters.letter import LETTERS, DeadLetter
from amont.common.service.unit import ATTEMPTS
from amont.common.settings import StoreSettings
from amont.common.work import House, Work

P = ParamSpec("P")
T = TypeVar("T")


class SeveralServices(DomainError):
    """More than one service has that letter."""

    code = "several-services"


class NoStore(DomainError):
    """Nothing was ever kept in that folder."""

    code = "no-store"
    status = 404

    def __init__(self, service: str | None, where: str, there: Sequence[str]) -> None:
        others = f"; there is one of {' and '.join(there)}" if there else ""
        super().__init__(
            f"There is no store of {service or 'any service'} in {where}{others}. Name the folder that `amont up --data DIR` was started with; "
            "a service makes its store when it starts."
        )


@dataclass(frozen=True, slots=True)
class Place:
    """The letters of one service."""

    service: str
    store: Store

    async def run(self, command: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a command of `service.letters.commands`; again when the service was faster. Raises what it raises, and Unavailable."""
        for _ in range(ATTEMPTS):
            work = self._work()
            with work.step():
                result = await command(work, *args, **kwargs)
            if not await self.store.commit(work.writes(work.written())):
                return result
        raise Conflict("The service keeps changing the same letters. Try again.")

    async def dry_run(self, command: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the command would come to; nothing is saved. Raises what it raises."""
        return await command(self._work(), *args, **kwargs)

    def _work(self) -> Work:
        clock = SystemClock()
        return Work(House(self.service, self.store, clock, RandomIds(clock), {DeadLetter: LETTERS}))


@asynccontextmanager
async def places(service: str | None, data: Path | None) -> AsyncIterator[list[Place]]:
    """The stores of one service or of all. Raises NotFound, NoStore, MissingSettings, Unavailable, ValueError."""
    found = _named(service, data)
    try:
        for place in found:
            await place.store.open([LETTERS.spec])
        yield found
    finally:
        for place in found:
            await place.store.close()


def _named(service: str | None, data: Path | None) -> list[Place]:
    if service is not None and service not in SERVICES:
        raise ValueError(f"{service!r} is no service; there is {', '.join(SERVICES)}")
    if data is not None and not data.is_dir():
        raise NotFound("folder", str(data))
    settings = StoreSettings(store_url=f"sqlite://{data.absolute()}") if data else settings_without_folder(StoreSettings)
    there = [name for name in SERVICES if _is_there(settings.store_url, name)]
    names = [name for name in there if service in {None, name}]
    if not names:
        raise NoStore(service, str(data) if data else settings.store_url, there)
    return [Place(name, store_from(settings.store_url, database=f"amont_{name}", driver=settings.store_driver)) for name in names]


def _is_there(url: str, service: str) -> bool:
    """Whether there is something to open: looking must not make an empty file."""
    scheme, _, rest = url.partition("://")
    return scheme != "sqlite" or (split_url(rest)[0] / f"amont_{service}.sqlite").exists()


async def holder(found: Sequence[Place], id_: str) -> Place:
    """The one that has the letter. Raises NotFound, SeveralServices."""
    having = []
    for place in found:
        try:
            await place.run(commands.one, id_)
        except NotFound:
            continue
        having.append(place)
    if not having:
        raise NotFound("dead letter", id_)
    if len(having) > 1:
        raise SeveralServices(f"Dead letter {id_} is in {' and '.join(place.service for place in having)}: say which one with --service.")
    return having[0]
