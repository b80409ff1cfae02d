"""`amont contracts check --scim`: the users of a SCIM source, read to the end before anything is said of them, since any may be anybody's manager."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import typer

from amont.common.cli import err, say

if TYPE_CHECKING:
    from amont.common.cli.contracts.source import Source
    from amont.common.feeds.lines import Entry
    from amont.common.feeds.scim import Users

IN_THE_CLEAR = "The token goes over http, where anybody on the way can read it: use https, or make a new token afterwards."


class ScimFeed:
    """A source that has been read: its entries, and where each is."""

    def __init__(self, users: "Users", promised: int) -> None:
        self.place, self.placed = users.place, users.placed
        self._users, self._promised = users, promised

    def __iter__(self) -> "Iterator[Entry]":
        return self._users.entries(promised=self._promised)


@contextmanager
def scim_feed(url: str, token: str | None, tenant: str | None, *, shown: bool) -> Iterator[ScimFeed]:
    """Every user of a source. Raises ValueError for an address that is none, Unavailable for a source that cannot be read to its end."""
    from amont.common.cli.contracts.source import Source  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.feeds.scim import Users  # noqa: PLC0415

    if tenant is None:
        raise typer.BadParameter("--scim needs --tenant ID: a SCIM user does not say whose it is")
    (point, *_) = entry_points(group="amont.scim") or (None,)
    if point is None:
        raise typer.BadParameter("--scim needs amont-enrolment beside amont-common: how a user becomes a staff record is enrolment's")
    source = Source(url, token)
    if source.in_the_clear:
        say(err, IN_THE_CLEAR)
    with Users(point.load()(tenant, datetime.now(UTC)), source.url) as users:
        yield ScimFeed(users, _read(source, users, shown=shown))


def _read(source: "Source", users: "Users", *, shown: bool) -> int:
    """How many users the source said last that there are."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    total = 0
    columns = (TextColumn("Reading users"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not (shown and err.is_terminal)) as bar:
        task = bar.add_task("")
        for page in source.pages():
            users.take(page.users)
            total = page.total
            bar.update(task, advance=len(page.users), total=total)
    return total
