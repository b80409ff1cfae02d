"""Which subsidiaries there are, so that a slip in the id of one is told before anything is sent: those in enrolment's store where it is at hand, else those
that enrolment has told of on the log. There is nothing to wait for: what the topic holds now is read, and it is compacted.
"""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from amont.common.cli import err, say
from amont.common.cli.hris.appending import log_at
from amont.common.errors import NotFound, Unavailable
from amont.common.settings import MissingSettings
from amont.common.slips import or_meant

if TYPE_CHECKING:
    from amont.common.feeds.grades import Grades
    from amont.common.log import Log, Received

MOST_SHOWN = 20
"""Subsidiaries that a sentence lists."""


def hold_known(tenants: Collection[str], there: "Grades | None", log: "Log") -> None:
    """Let records of these subsidiaries be sent if they are known; where none ever was, that is said. `there` is what enrolment's store has.

    Raises ValueError for one that there is not, Unavailable.
    """
    _hold(tenants, there.tenants if there is not None else _told(log))


def hold_known_on_trial(tenants: Collection[str], there: "Grades | None", data: Path | None) -> None:
    """The same for a dry run, which needs no log: where none can be asked, nothing is held. Raises ValueError."""
    try:
        known = there.tenants if there is not None else _told(log_at(data))
    except (MissingSettings, Unavailable):
        return
    _hold(tenants, known)


def _hold(tenants: Collection[str], known: Collection[str]) -> None:
    if not known and tenants:
        say(err, f"Enrolment has told of no subsidiary here yet, so nobody can say whether {_listed(tenants)} is meant.")
        return
    unknown = sorted(set(tenants) - set(known))
    if unknown:
        each = " ".join(f"{one!r} is no subsidiary{or_meant(one, known) or '.'}" for one in unknown[:MOST_SHOWN])
        raise ValueError(
            f"Nothing was sent: {each} Enrolment has {_listed(known)}. If it is to be one, `amont subsidiaries add` comes first, and enrolment "
            "tells of it within seconds."
        )


def _listed(tenants: Collection[str]) -> str:
    more = f" and {len(tenants) - MOST_SHOWN:,} more" if len(tenants) > MOST_SHOWN else ""
    return ", ".join(sorted(tenants)[:MOST_SHOWN]) + more


def _told(log: "Log") -> frozenset[str]:
    """Those that enrolment has told of and not taken back. Raises Unavailable."""
    return asyncio.run(_read(log))


async def _read(log: "Log") -> frozenset[str]:
    from amont.common.events.enrolment import SubsidiaryChanged  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.log.scan import scan  # noqa: PLC0415

    told = {}
    try:
        async for record in scan(log, SubsidiaryChanged.topic):
            told[record.key] = _is_there(record)
    except NotFound:
        return frozenset()
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
