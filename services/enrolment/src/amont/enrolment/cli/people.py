"""`amont people`: export what is held of somebody; erase them, follow it, read the certificate.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 something unreachable.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amont.common.cli import command_line, out, print_json, say, say_command, say_facts, table
from amont.common.errors import Unavailable
from amont.enrolment.cli.certificate import Language, show
from amont.enrolment.cli.place import AsJson, Data, Yes, agreed, done, operator

if TYPE_CHECKING:
    from amont.enrolment.domain.erasure import Erasure


def _person(text: str) -> str:
    """Raises BadParameter for what can be nobody's id."""
    from amont.common.events.words import is_person  # noqa: PLC0415 - heavy, and help comes without it

    if not is_person(text):
        raise typer.BadParameter(f"{text[:100]!r} can be nobody's id: write tenant:employee_id, as in fr:e42")
    return text


Person = Annotated[str, typer.Argument(callback=_person, help="tenant:employee_id, for instance fr:e42", metavar="PERSON")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def people() -> None:
    """What is kept about somebody, and its end."""


@app.command("erase")
def erase(
    person: Person,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is forgotten with the person")],
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is here of them")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Erase everything about somebody in all four services. It cannot be taken back.

    The running services do it, within seconds; the bare id stays for eight days where it keeps late facts out.
    """
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    if not reason.strip():
        raise typer.BadParameter("say why, in a few words")
    if dry_run:
        _tell_holdings(person, done(data, commands.holdings, person, operator()), as_json=as_json)
        return
    _must_be_sure(f"Erase everything about {person} for good?", yes=yes)
    erasure = done(data, commands.erase, person, operator(), reason)
    if as_json:
        print_json(erasure.certificate)
        return
    say(out, f"{person} is being erased, under the reference {erasure.id}. Keep it: nothing else will lead back to them. Follow it with:")
    say_command(out, command_line("people", "certificate", erasure.id, data=data))


@app.command("certificate")
def certificate(
    reference: Annotated[str, typer.Argument(help="the erasure's reference", metavar="REFERENCE")],
    *,
    language: Annotated[Language, typer.Option(help="Of the words")] = "en",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """How far an erasure is, and in the end its certificate: what was erased, where and when. It names nobody."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    erasure = done(data, commands.erasure, reference, operator())
    if as_json:
        print_json(erasure.certificate)
    else:
        show(erasure, language)


@app.command("erasures")
def erasures(*, data: Data = None, as_json: AsJson = False) -> None:
    """List erasures, oldest first, with the services that have not answered."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    found: list[Erasure] = []
    while page := done(data, commands.erasures, operator(), (found[-1].id,) if found else None, 200):
        found += page
    if as_json:
        print_json([one.certificate for one in found])
        return
    rows = [(one.id, one.tenant, one.stage, f"{one.requested_at:%Y-%m-%d}", ", ".join(one.awaits) or "-") for one in found]
    out.print(table(("reference", "subsidiary", "stage", "asked", "awaits"), rows))


@app.command("readmit")
def readmit(person: Person, *, yes: Yes = False, data: Data = None) -> None:
    """Let the HR system bring an erased id again. Until then its records about it are dropped."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    _must_be_sure(f"Take records about {person} again?", yes=yes)
    done(data, commands.readmit, person, operator())
    say(out, f"The next record about {person} makes a new person of them.")


@app.command("export")
def export(
    person: Person,
    *,
    to: Annotated[Path, typer.Option("--out", help="The archive to write, a ZIP file", metavar="FILE")],
    private: Annotated[
        bool, typer.Option("--private", help="With what the person said for nobody else to read: hand it to them unopened")
    ] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the services")] = 30.0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write everything that the four services hold of somebody into one archive: JSON, and a page to read.

    The running services answer; exits with 3 when one does not in time.
    """
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    if to.exists():
        raise typer.BadParameter(f"{to} is there already: name another file, or move it away")
    if not (to.parent.is_dir() and os.access(to.parent, os.W_OK)):
        raise typer.BadParameter(f"{to.parent} is no folder that can be written to: name another file")
    asked = done(data, commands.request_export, person, operator(), private=private)
    until = time.monotonic() + wait
    while (awaits := done(data, commands.export, asked.id, operator()).awaits) and time.monotonic() < until:
        time.sleep(0.2)
    if awaits:
        raise Unavailable(f"{', '.join(awaits)} did not answer within {wait:g} s. Is it running? Then ask again.")
    packed = done(data, commands.archive, asked.id, operator())
    to.write_bytes(packed)
    if as_json:
        print_json({"person": person, "file": str(to), "bytes": len(packed), "private": private})
    else:
        say(out, f"{to}: what is held of {person}, {len(packed):,} bytes. It is personal: mind where it lies.")


def _must_be_sure(question: str, *, yes: bool) -> None:
    if not agreed(question, yes=yes):
        raise typer.Abort


def _tell_holdings(person: str, found: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json({"person": person, "enrolment": found})
        return
    say(out, f"Enrolment has this of {person}:")
    say_facts(out, found.items())
    say(out, "The three others look for themselves once the erasure is asked for. Nothing was changed.")
