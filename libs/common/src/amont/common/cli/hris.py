"""`amont hris`: staff records from a file to the inbound topic, for those without a Kafka client at hand and for `amont up`."""

import asyncio
import hashlib
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amont.common.cli import NO, err, out, print_json, say, say_command, settings_without_folder, table

if TYPE_CHECKING:
    from amont.common.log import Log, Record

app = typer.Typer(no_args_is_help=True)

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that enrolment could not take, and why."""

    number: int
    why: str


@app.callback()
def hris() -> None:
    """What an HR system does on the inbound topic."""


@app.command("send")
def send(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="JSON lines, one staff record each; - is standard input", metavar="FILE")],
    *,
    data: Annotated[Path | None, typer.Option(help="The data folder of `amont up`, instead of AMONT_LOG_URL", metavar="DIR")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Send the good lines although there are bad ones")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Send staff records to hris-staff; `"left": true` in a record says that the person leaves. Sending a line twice is the same event twice.

    Every line is checked before anything is sent. Exits with 1 when a line is bad, and then sends nothing unless told to skip.
    """
    from amont.common.documents.sqlite import NewerFormat  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.errors import Unacceptable  # noqa: PLC0415

    log = _log(data)
    records, bad = read_lines(file)
    sent = 0
    if not bad or skip_bad:
        try:
            sent = asyncio.run(_send(log, records, shown=err.is_terminal and not as_json))
        except (NewerFormat, Unacceptable) as error:
            say(err, str(error), style="red")
            raise typer.Exit(NO) from error
    _say(sent, bad, skip_bad=skip_bad, as_json=as_json)
    if sent and not as_json and data is not None:
        _say_who_reads(data)
    if bad and not skip_bad:
        raise typer.Exit(NO)


def read_lines(lines: Iterable[bytes]) -> tuple[list["Record"], list[BadLine]]:
    """The records that the lines are, in their order, and the lines that are none. Empty lines are passed over."""
    from amont.common.errors import Unreadable  # noqa: PLC0415

    records: list[Record] = []
    bad: list[BadLine] = []
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else raw.strip()
        if not line:
            continue
        try:
            records.append(record_of(line))
        except Unreadable as error:
            bad.append(BadLine(number, str(error)))
    return records, bad


def record_of(line: bytes) -> "Record":
    """A line as it goes on the log: its bytes as they are, its id from them. Raises Unreadable with every fault, as enrolment would."""
    from pydantic_core import from_json  # noqa: PLC0415

    from amont.common.errors import Unreadable  # noqa: PLC0415
    from amont.common.events.envelope import Envelope  # noqa: PLC0415
    from amont.common.events.hris import StaffLeft, StaffRecorded  # noqa: PLC0415
    from amont.common.ids import derived  # noqa: PLC0415
    from amont.common.log import Record  # noqa: PLC0415

    try:
        fields = from_json(line)
    except ValueError as error:
        raise Unreadable("invalid-payload", f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise Unreadable("invalid-payload", "not a JSON object")
    left = fields.get("left", False)
    if not isinstance(left, bool):
        raise Unreadable("invalid-payload", "/left: write true or false")
    kind = StaffLeft if left else StaffRecorded
    event = kind.model_validate(kind.decode(line))
    envelope = Envelope(
        id=derived("hris-send", hashlib.sha256(line).hexdigest()),
        type=kind.type_name(),
        source=f"/hris/{event.tenant}",
        subject=event.subject,
        time=event.occurred_at,
        tenant=event.tenant,
    )
    return Record(topic=event.topic, key=event.key, value=line, headers=envelope.headers())


def _log(data: Path | None) -> "Log":
    from amont.common.errors import NotFound  # noqa: PLC0415
    from amont.common.hosting import kafka_options  # noqa: PLC0415
    from amont.common.log import log_from  # noqa: PLC0415
    from amont.common.settings import LogSettings  # noqa: PLC0415

    if data is not None:
        if not data.is_dir():
            raise NotFound("folder", str(data))
        return log_from(f"sqlite://{data.absolute()}", client_id="amont-hris")
    settings = settings_without_folder(LogSettings)
    return log_from(settings.log_url, client_id="amont-hris", options=kafka_options(settings))


async def _send(log: "Log", records: Sequence["Record"], *, shown: bool) -> int:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not shown) as progress:
        task = progress.add_task("", total=len(records))
        return await _append(log, records, lambda count: progress.advance(task, count))


async def _append(log: "Log", records: Sequence["Record"], done: Callable[[int], None]) -> int:
    try:
        await log.open()
        for start in range(0, len(records), AT_ONCE):
            some = records[start : start + AT_ONCE]
            await log.append(some)
            done(len(some))
    finally:
        await log.close()
    return len(records)


def _say(sent: int, bad: Sequence[BadLine], *, skip_bad: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {"sent": sent, "topic": "hris-staff", "read_by": "enrolment", "bad": [{"line": one.number, "why": one.why} for one in bad]}
        )
        return
    if bad:
        err.print(table(("line", "what is wrong"), [(one.number, one.why) for one in bad]))
    if bad and not skip_bad:
        say(err, f"Nothing was sent: {_counted(len(bad), 'bad line')}. Mend them, or send the others with --skip-bad.", style="red")
        return
    skipped = f", {_counted(len(bad), 'bad line')} left out" if bad else ""
    say(out, f"Sent {_counted(sent, 'staff record')} to hris-staff{skipped}. They are on the log, and enrolment reads them when it runs.")


def _say_who_reads(data: Path) -> None:
    """On a folder that no service has worked on, sending is allowed, and perhaps a slip: say what is missing."""
    if not (data / "amont_enrolment.sqlite").exists():
        say(out, f"enrolment has never run on {data}. Is it the folder that you mean? This has it read them:")
        say_command(out, shlex.join(["amont", "up", "--data", str(data)]))


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
