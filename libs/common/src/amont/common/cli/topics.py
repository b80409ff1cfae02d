"""`amont topics`: the explicit step that makes topics."""

import asyncio
from typing import Annotated

import typer

from amont.common.cli import NO, out, print_json, table

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_topics(*, as_json: Annotated[bool, typer.Option("--json", help="Data instead of a table")] = False) -> None:
    """Every topic: who owns it, who reads it, what is on it."""
    from amont.common.events.topics import TOPICS  # noqa: PLC0415 - heavy, and other commands need not wait for it

    if as_json:
        print_json(
            [
                {
                    "topic": topic.name,
                    "what": topic.what,
                    "producers": sorted(topic.producers),
                    "consumers": sorted(topic.consumers),
                    "types": [kind.type_name() for kind in topic.types],
                    "partitions": topic.partitions,
                    "settings": topic.settings(),
                    "personal": topic.personal,
                }
                for topic in TOPICS.values()
            ],
        )
        return
    rows = [(topic.name, ", ".join(sorted(topic.producers)), ", ".join(sorted(topic.consumers)), topic.what) for topic in TOPICS.values()]
    out.print(table(("topic", "written by", "read by", "what"), rows))


@app.command("create")
def create(
    *,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each record; 3 in production, 1 on a single broker")] = 3,
    partitions: Annotated[int | None, typer.Option(min=1, help="Partitions of new topics, instead of what each record says")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing and what differs")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of a table")] = False,
) -> None:
    """Make the topics that are missing at AMONT_LOG_URL; show those that differ, and change none of them.

    Exits with 1 when something differs (or, with --dry-run, is missing).
    """
    from amont.common.hosting import kafka_options  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.log.topics import State, ensure  # noqa: PLC0415
    from amont.common.settings import LogSettings, read_settings  # noqa: PLC0415

    settings = read_settings(LogSettings)
    scheme, _, bootstrap = settings.log_url.partition("://")
    if scheme != "kafka":
        raise typer.BadParameter(f"AMONT_LOG_URL is {settings.log_url!r}: only Kafka needs topics to be made")
    found = asyncio.run(ensure(bootstrap, replication=replication, partitions=partitions, dry_run=dry_run, options=kafka_options(settings)))
    if as_json:
        print_json([{"topic": one.topic, "state": one.state, "differences": one.differences} for one in found])
    else:
        out.print(table(("topic", "state", "what differs"), [(one.topic, one.state.value, "; ".join(one.differences)) for one in found]))
    if any(one.state in {State.DIFFERS, State.MISSING} for one in found):
        raise typer.Exit(NO)
