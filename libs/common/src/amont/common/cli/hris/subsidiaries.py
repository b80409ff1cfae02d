"""Which subsidiaries there are, so that a slip in the id of one is told before anything is sent: those in enrolment's store where it is at hand, else those
that enrolment has told of on the log. What the topic holds now is read, again for a while where one is not in it: it may have been added a moment ago.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amont.common.cli import err, say
from amont.common.cli.hris.appending import refusals
from amont.common.errors import NotFound, Unavailable
from amont.common.settings import MissingSettings
from amont.common.slips import or_meant

if TYPE_CHECKING:
    from amont.common.feeds.grades import Grades
    from amont.common.log import Log, Received

MOST_SHOWN = 20
"""Subsidiaries that a sentence lists."""
PATIENCE_SECONDS = 15.0
"""How long enrolment may take to tell of a subsidiary that was added a moment ago."""
EVERY_SECONDS = 0.5
"""Between two looks at what it has told."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Subsidiaries that there are not, beside those that there are."""

    tenants: Collection[str] = ()
    known: Collection[str] = ()

    def __str__(self) -> str:
        each = " ".join(f"{one!r} is no subsidiary{or_meant(one, self.known) or '.'}" for one in sorted(self.tenants)[:MOST_SHOWN])
        what = "If it is to be one, `amont subsidiaries add` comes first, and enrolment tells of it within seconds."
        return f"{each} Enrolment has {_listed(self.known)}. {what}"


def hold_known(tenants: Collection[str], there: "Grades | None", log: "Callable[[], Log]") -> None:
    """Let records of these subsidiaries be sent if they are known, as `unknown_of` looks them up. Raises ValueError for one that there is not."""
    unknown = unknown_of(tenants, there, log)
    if unknown.tenants:
        raise ValueError(f"Nothing was sent: {unknown}")


def unknown_of(tenants: Collection[str], there: "Grades | None", log: "Callable[[], Log]") -> Unknown:
    """Those among these subsidiaries that there are not; where none ever was, or who is cannot be looked up, that is said, and none is unknown. `there` is
    what enrolment's store has, `log` gives the log. A dry run may have neither, and then nothing is looked up.

    Ends the command when the log is in a format that this release does not know.
    """
    if not tenants:
        return Unknown()
    try:
        with refusals():
            known = there.tenants if there is not None else _told_in_time(tenants, log())
    except MissingSettings:
        return Unknown()
    except Unavailable as error:
        say(err, f"Nobody can say whether {_listed(tenants)} is meant, since the subsidiaries cannot be looked up. {error}")
        return Unknown()
    if not known:
        say(err, f"Enrolment has told of no subsidiary here yet, so nobody can say whether {_listed(tenants)} is meant.")
        return Unknown()
    return Unknown(frozenset(tenants) - frozenset(known), known)


def _listed(tenants: Collection[str]) -> str:
    more = f" and {len(tenants) - MOST_SHOWN:,} more" if len(tenants) > MOST_SHOWN else ""
    return ", ".join(sorted(tenants)[:MOST_SHOWN]) + more


def _told_in_time(tenants: Collection[str], log: "Log") -> frozenset[str]:
    """Those that enrolment has told of, asked again until all of `tenants` are among them or patience ends. Raises Unavailable."""
    until = time.monotonic() + PATIENCE_SECONDS
    known = asyncio.run(_told(log))
    if known and (missing := set(tenants) - known):
        say(
            err, f"Waiting up to {PATIENCE_SECONDS:.0f} seconds for enrolment to tell of {_listed(missing)}, in case it was added just now."
        )
    while known and not known.issuperset(tenants) and time.monotonic() < until:
        time.sleep(EVERY_SECONDS)
        known = asyncio.run(_told(log))
    return known


async def _told(log: "Log") -> frozenset[str]:
    """Those that enrolment has told of and not taken back. Raises Unavailable, also for a topic that is not there to see."""
    from amont.common.events.enrolment import SubsidiaryChanged  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.log.scan import scan  # noqa: PLC0415

    told = {}
    try:
        async for record in scan(log, SubsidiaryChanged.topic):
            told[record.key] = _is_there(record)
    except NotFound as error:
        raise Unavailable(f"There is no topic {SubsidiaryChanged.topic!r} here, or no right to read it.") from error
    return frozenset(key.decode(errors="replace") for key, is_there in told.items() if is_there)


def _is_there(record: "Received") -> bool:
    """Whether a record says that its subsidiary is there; one of a kind that this release cannot read counts, so that nothing is refused for it."""
    from amont.common.errors import Unreadable  # noqa: PLC0415
    from amont.common.events.enrolment import SubsidiaryRemoved  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.service.reading import read  # noqa: PLC0415

    try:
        heard = read(record, record.topic)
    except Unreadable:
        return True
    return heard is not None and not isinstance(heard.event, SubsidiaryRemoved)
