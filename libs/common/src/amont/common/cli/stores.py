"""The services' stores for commands that work on them: by the settings of `amont run` or in the data folder of `amont up`, services running or not.

What a command decides is written with its events in one document, as a service would; the service says them when it next looks (`service.relay`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import typer

from amont.common.cli import NO, err, must_be_there, say, settings_without_folder
from amont.common.clock import SystemClock
from amont.common.documents import Store, store_from
from amont.common.documents.collection import Collection
from amont.common.errors import Conflict
from amont.common.events.topics import SERVICES
from amont.common.ids import RandomIds
from amont.common.service.unit import ATTEMPTS
from amont.common.settings import StoreSettings
from amont.common.sqlite import NewerFormat, split_url
from amont.common.work import House, Work

P = ParamSpec("P")
T = TypeVar("T")


class NoStore(ValueError):
    """Nothing was ever kept in that folder: another one is meant."""

    def __init__(self, service: str | None, where: str, there: Sequence[str]) -> None:
        others = f"; there is one of {' and '.join(there)}" if there else ""
        super().__init__(
            f"There is no store of {service or 'any service'} in {where}{others}. Name the folder that `amont up --data DIR` was started with; "
            "a service makes its store when it starts."
        )


@dataclass(frozen=True, slots=True)
class Place:
    """What one service keeps, as far as a command works on it."""

    service: str
    store: Store
    keeps: tuple[Collection[Any], ...]

    async def run(self, command: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a command, `command(work, …)`; again when the service was faster. Raises what it raises, and Unavailable."""
        for _ in range(ATTEMPTS):
            work = self._work()
            with work.step():
                result = await command(work, *args, **kwargs)
            if not await self.store.commit(work.writes(work.written())):
                return result
        raise Conflict(f"{self.service} keeps changing the same thing. Try again.")

    async def dry_run(self, command: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the command would come to; nothing is saved. Raises what it raises."""
        return await command(self._work(), *args, **kwargs)

    def _work(self) -> Work:
        clock = SystemClock()
        return Work(House(self.service, self.store, clock, RandomIds(clock), {one.kind: one for one in self.keeps}))


@asynccontextmanager
async def places(service: str | None, data: Path | None, keeps: Sequence[Collection[Any]]) -> AsyncIterator[list[Place]]:
    """The stores of one service or of all, for these collections. Raises NoStore, MissingSettings, Unavailable, ValueError."""
    found = _named(service, data, tuple(keeps))
    try:
        for place in found:
            await place.store.open([one.spec for one in keeps])
        yield found
    finally:
        for place in found:
            await place.store.close()


def _named(service: str | None, data: Path | None, keeps: tuple[Collection[Any], ...]) -> list[Place]:
    if service is not None and service not in SERVICES:
        raise ValueError(f"{service!r} is no service; there is {', '.join(SERVICES)}")
    if data is not None:
        must_be_there(data)
    settings = StoreSettings(store_url=f"sqlite://{data.absolute()}") if data else settings_without_folder(StoreSettings)
    there = [name for name in SERVICES if _is_there(settings.store_url, name)]
    names = [name for name in there if service in {None, name}]
    if not names:
        raise NoStore(service, str(data) if data else settings.store_url, there)
    return [Place(name, store_from(settings.store_url, database=f"amont_{name}", driver=settings.store_driver), keeps) for name in names]


def _is_there(url: str, service: str) -> bool:
    """Whether there is something to open: looking must not make an empty file."""
    scheme, _, rest = url.partition("://")
    return scheme != "sqlite" or (split_url(rest)[0] / f"amont_{service}.sqlite").exists()


def on_stores(
    service: str | None, data: Path | None, keeps: Sequence[Collection[Any]], do: Callable[[list[Place]], Coroutine[Any, Any, T]]
) -> T:
    """Open them, do something with them, close them. Ends the command when a newer release has written there; raises as `places`."""

    async def inside() -> T:
        async with places(service, data, keeps) as found:
            return await do(found)

    try:
        return asyncio.run(inside())
    except NewerFormat as error:
        say(err, str(error), style="red")
        raise typer.Exit(NO) from error
