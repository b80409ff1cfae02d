"""What the all-in-one image adds to the command `amont`: `up` and `demo`. What they do is imported when they are asked for."""

from pathlib import Path
from typing import Annotated

import typer


def commands(root: typer.Typer) -> None:
    """Add them to the command."""
    root.command("up")(up)


def up(
    data: Annotated[Path, typer.Option(help="Folder that keeps everything; made when it is not there")],
    host: Annotated[str, typer.Option(help="Address to listen on; others than loopback need AMONT_ISSUER")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on, 0 for any free one")] = 8000,
) -> None:
    """Run the four services in this process on SQLite in a folder, until SIGTERM. Survives kill -9; single-node."""
    from amont.local.up import serve  # noqa: PLC0415 - heavy, and other commands need not wait for it

    raise typer.Exit(serve(data, host, port))
