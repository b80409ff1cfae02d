"""`amont contracts`: the events as documents."""

from typing import Annotated

import typer

from amont.common.cli import out, print_json, table
from amont.common.cli.contracts import check, export, releasing

app = typer.Typer(no_args_is_help=True)
app.command("check")(check.check)
app.command("export")(export.export)
app.command("compatible")(releasing.compatible)
app.command("release")(releasing.release)


@app.command("list")
def list_contracts(*, as_json: Annotated[bool, typer.Option("--json", help="Data instead of a table")] = False) -> None:
    """Every event type and what it says."""
    from amont.common.events.topics import TYPES  # noqa: PLC0415 - heavy, and other commands need not wait for it

    rows = [(name, kind.topic, (kind.__doc__ or "").strip().splitlines()[0]) for name, kind in TYPES.items()]
    if as_json:
        print_json([{"type": name, "topic": topic, "what": what} for name, topic, what in rows])
    else:
        out.print(table(("type", "topic", "what"), rows))


@app.command("show")
def show(name: Annotated[str, typer.Argument(help="a type, whole or its class name: StaffRecorded")]) -> None:
    """The JSON Schema of one event type."""
    from amont.common.events import schemas  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.events.topics import TYPES  # noqa: PLC0415

    found = [kind for type_name, kind in TYPES.items() if name in {type_name, kind.__name__}]
    if not found:
        raise typer.BadParameter(f"{name!r} is not an event type; `amont contracts list` shows them")
    print_json(schemas.schema_of(found[0]))


@app.command("write")
def write() -> None:
    """Write the JSON Schemas into the library's folder (for developers; a test compares them)."""
    from amont.common.events import schemas  # noqa: PLC0415 - heavy, and other commands need not wait for it

    out.print(f"{len(schemas.write())} of {len(schemas.texts())} schemas changed.")
