"""Putting records on the log, a few hundred at once, as they come: what both doors of `amont hris` end in."""

import asyncio
from collections.abc import Iterable
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from amont.common.cli import NO, command_line, err, must_be_there, out, say, say_command, settings_without_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amont.common.log import Log, Record

AT_ONCE = 500


def log_at(data: Path | None) -> "Log":
    """The log in a data folder, or the one that the environment names. Raises ValueError for a folder that is not there, MissingSettings."""
    from amont.common.hosting import kafka_options  # noqa: PLC0415
    from amont.common.log import log_from  # noqa: PLC0415
    from amont.common.settings import LogSettings  # noqa: PLC0415

    if data is not None:
        must_be_there(data)
        return log_from(f"sqlite://{data.absolute()}", client_id="amont-hris")
    settings = settings_without_folder(LogSettings)
    return log_from(settings.log_url, client_id="amont-hris", options=kafka_options(settings))


def append(log: "Log", records: "Iterable[Record]") -> int:
    """Put them on the log in their order; how many they were. Ends the command when the log will never take them."""
    with refusals():
        return asyncio.run(_append(log, iter(records)))


async def _append(log: "Log", records: "Iterator[Record]") -> int:
    count = 0
    try:
        await log.open()
        while some := list(islice(records, AT_ONCE)):
            await log.append(some)
            count += len(some)
    finally:
        await log.close()
    return count


@contextmanager
def refusals() -> "Iterator[None]":
    """Ends the command when the log will never take or give what is asked of it. Raises Unavailable where its folder cannot be made."""
    from amont.common.errors import Unacceptable, Unavailable  # noqa: PLC0415
    from amont.common.sqlite import NewerFormat  # noqa: PLC0415

    try:
        yield
    except (NewerFormat, Unacceptable) as error:
        say(err, str(error), style="red")
        raise typer.Exit(NO) from error
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise Unavailable(f"The log cannot be opened: {error.filename}: {error.strerror}.") from error


def would_be_refused(count: int) -> str:
    """How many of those that are sent enrolment does not take as it is now; nothing when there are none."""
    return f"Enrolment as it is now would refuse {count:,} of them, and keep them among its dead letters. " if count else ""


def say_who_reads(data: Path) -> None:
    """On a folder that no service has worked on, sending is allowed, and perhaps a slip: say what is missing."""
    if not (data / "amont_enrolment.sqlite").exists():
        say(out, f"enrolment has never run on {data}. Is it the folder that you mean? This has it read them:")
        say_command(out, command_line("up", data=data))
