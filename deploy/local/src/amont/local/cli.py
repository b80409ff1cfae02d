"""What the all-in-one image adds to the command `amont`: `up` and `demo`. What they do is imported when they are asked for."""

from pathlib import Path
from typing import Annotated

import typer


def commands(root: typer.Typer) -> None:
    """Add them to the command."""
    root.command("up")(up)
    root.command("demo")(demo)


def up(
    data: Annotated[Path, typer.Option(help="Folder that keeps everything; made when it is not there")],
    host: Annotated[
        str, typer.Option(envvar="AMONT_HOST", help="Address to listen on; others than loopback need AMONT_ISSUER")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="AMONT_PORT", min=0, max=65535, help="Port to listen on, 0 for any free one")] = 8000,
) -> None:
    """Run the four services in this process on SQLite in a folder, until SIGTERM. Survives kill -9; single-node."""
    typer.echo("Amont is starting ...")
    from amont.local.up import serve  # noqa: PLC0415 - heavy, and other commands need not wait for it

    raise typer.Exit(serve(data, host, port))


def demo(
    folder: Annotated[Path, typer.Option(help="Folder for everything; replaced at the next run")] = Path(".demo"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page, 0 for any free one")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed, another group")] = 2027,
    *,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="End with a page to look at, until Ctrl-C")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The final figures as JSON, no progress")] = False,
) -> None:
    """Play a programme with made-up people on the four services, in simulated time, and show what became of it."""
    from amont.local.demo import run  # noqa: PLC0415 - heavy, and other commands need not wait for it

    raise typer.Exit(run(folder, port=port, serve=serve, seed=seed, as_json=as_json))
