"""`amont stack up|down|status`: the words and exit codes of `background`, which is imported when it is asked for: other commands need no store driver.

What a program reads goes to standard output: shell exports, or JSON. What a person reads goes to standard error.
"""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from amont.native.errors import StackError
from amont.native.jars import fetch

if TYPE_CHECKING:
    from amont.native.background import State

app = typer.Typer(no_args_is_help=True)

NO = 1
UNREACHABLE = 3
VARIABLES = {"kafka": "AMONT_LOG_URL", "store": "AMONT_STORE_URL"}

Data = Annotated[Path, typer.Option(help="Folder for the servers' files; one stack each.", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
HERE = Path(".native")


def commands(root: typer.Typer) -> None:
    """The entry point `amont.commands`."""
    root.add_typer(app, name="stack", help="Apache Kafka and a MongoDB-wire server without containers, for development.")


@app.command()
def up(data: Data = HERE, *, as_json: AsJson = False) -> None:
    """Start both servers in the background, on free loopback ports: eval "$(amont stack up)".

    Needs a JDK of version 17 or later and, the first time, Maven.

    For development only: the store keeps everything in memory, and what both servers hold is gone after `down`.
    """
    from amont.native import background  # noqa: PLC0415 - as the module says

    say = Console(stderr=True)
    try:
        fetch()
        with _progress(say):
            state, started = background.up(data)
    except StackError as reason:
        say.print(str(reason), markup=False, highlight=False)
        _print_json({"up": False, "reason": str(reason)}, wanted=as_json)
        raise typer.Exit(UNREACHABLE) from None
    if not started:
        say.print("already up", highlight=False)
    _show(state, as_json=as_json)


@app.command()
def down(data: Data = HERE, *, as_json: AsJson = False) -> None:
    """Stop both servers and remove what they held. Does nothing when they do not run."""
    from amont.native import background  # noqa: PLC0415 - as the module says

    was_up = background.down(data)
    if not was_up:
        Console(stderr=True).print("was not up", highlight=False)
    _print_json({"up": False, "stopped": was_up}, wanted=as_json)


@app.command()
def status(data: Data = HERE, *, as_json: AsJson = False) -> None:
    """Say whether both servers run and answer: exit code 0 when they do, 1 when not."""
    from amont.native import background  # noqa: PLC0415 - as the module says

    state = background.look(data)
    if state and state.is_up():
        _show(state, as_json=as_json)
        return
    conditions = state.conditions() if state else dict.fromkeys(VARIABLES, "down")
    for name, condition in conditions.items():
        Console(stderr=True).print(f"{name}: {'does not answer' if condition == 'silent' else condition}", highlight=False)
    _print_json({"up": False, "servers": {name: {"condition": condition} for name, condition in conditions.items()}}, wanted=as_json)
    raise typer.Exit(NO)


def _show(state: "State", *, as_json: bool) -> None:
    urls = {name: server.url for name, server in state.servers.items()}
    if not as_json:
        for name, url in urls.items():
            typer.echo(f"export {VARIABLES[name]}={shlex.quote(url)}")
    servers = {name: {"condition": "up", "pid": s.pid, "port": s.port, "url": s.url} for name, s in state.servers.items()}
    _print_json({"up": True, "log_url": urls["kafka"], "store_url": urls["store"], "servers": servers}, wanted=as_json)


def _print_json(answer: dict[str, Any], *, wanted: bool) -> None:
    if wanted:
        typer.echo(json.dumps(answer))


def _progress(say: Console) -> Any:
    """A line that moves on a terminal; silence in a pipe."""
    quiet = Console(stderr=True, quiet=not say.is_terminal)
    return quiet.status("starting Apache Kafka and the store")
