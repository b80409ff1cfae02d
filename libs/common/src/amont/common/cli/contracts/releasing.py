"""`amont contracts compatible` and `release`: the gate that a change to an event must pass, and the corpus that it asks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amont.common.cli import NO, out, print_json, say

if TYPE_CHECKING:
    from amont.common.events.corpus import Golden


def compatible(
    *,
    corpus: Annotated[Path | None, typer.Option(help="Releases to be compatible with, instead of the library's own", metavar="DIR")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Hold today's events against every release: both sides' readers take what the other side writes, and golden messages are read.

    Exits with 1 and the event and field of each breach when they do not.
    """
    from amont.common.events import corpus as releases  # noqa: PLC0415 - heavy, and other commands need not wait for it

    where = corpus or releases.folder()
    asked = releases.releases(where)
    if not asked:
        raise typer.BadParameter(f"there is no release in {where}")
    found = [(release, str(breach)) for release, breach in releases.breaches_since(where, releases.schemas_now())]
    golden = [one for release in asked for one in releases.golden_messages(where, release)]
    found += [(one.release, why) for one in golden if (why := _why_unreadable(one))]
    if as_json:
        print_json({"releases": asked, "golden": len(golden), "breaches": [{"release": release, "what": what} for release, what in found]})
    else:
        for release, what in found:
            say(out, f"{release}: {what}", style="red", indent="  ")
        many = f"{len(found)} breaches" if found else "compatible"
        say(out, f"{many}: today's events and {', '.join(asked)}, {len(golden):,} golden messages.")
    if found:
        raise typer.Exit(NO)


def _why_unreadable(golden: "Golden") -> str | None:
    """Why the shell could not read a golden message; None when it can."""
    from amont.common.errors import Unreadable  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.log import Received  # noqa: PLC0415
    from amont.common.service.reading import read  # noqa: PLC0415

    topic = golden.headers["ce_type"].split(".")[1]
    headers = tuple((name, text.encode()) for name, text in golden.headers.items())
    try:
        read(Received(topic=topic, partition=0, offset=0, key=golden.key.encode(), value=golden.value, headers=headers), topic)
    except (Unreadable, KeyError) as error:
        return f"golden message {golden.name} is not readable: {error}"
    return None


def release() -> None:
    """Write the present version's schemas and golden messages into the library's folder (for developers, once a version)."""
    from amont.common.events import corpus  # noqa: PLC0415 - heavy, and other commands need not wait for it

    say(out, f"Written to {corpus.release(corpus.folder())}. Commit it as it is: a release never changes.")
