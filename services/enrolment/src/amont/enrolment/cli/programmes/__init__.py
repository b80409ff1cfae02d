"""`amont programmes`: make one, look whom a change would shut out, change, open and close it. Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3
something unreachable.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amont.common.cli import as_usage, command_line, out, print_json, say, say_command
from amont.enrolment.cli.place import AsJson, Data, Yes, agreed, done, operator, words
from amont.enrolment.cli.programmes import showing

if TYPE_CHECKING:
    from amont.common.events import Policy
    from amont.enrolment.commands import Edit

Id = Annotated[str, typer.Argument(help="the programme: 1 to 64 of a-z, 0-9 and the hyphen", metavar="ID")]
Why = Annotated[str | None, typer.Option(help="Why, for its history; needed to change the policy while people enrol", metavar="WORDS")]
Name = Annotated[str | None, typer.Option(help="What people call it")]
Tenants = Annotated[str | None, typer.Option(help="The subsidiaries that take part: fr,de", metavar="IDS")]
Topics = Annotated[str | None, typer.Option(help="The topics on offer: ai,data", metavar="SLUGS")]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="Its policy: a JSON object of the fields that docs/programmes.md lists", metavar="FILE")
]
PAGE = 200

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_all(*, data: Data = None, as_json: AsJson = False) -> None:
    """List the programmes that there are."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    found: list[Any] = []
    while page := done(data, commands.programmes, operator(), (found[-1][0].id,) if found else None, PAGE):
        found += page
    if as_json:
        print_json([showing.as_data(*one) for one in found])
    else:
        showing.print_list([one for one, _ in found])


@app.command("templates")
def list_templates(*, as_json: AsJson = False) -> None:
    """List what a programme can be made from."""
    from amont.enrolment.domain.templates import TEMPLATES  # noqa: PLC0415

    if as_json:
        print_json([showing.template_as_data(one) for one in TEMPLATES.values()])
    else:
        showing.print_templates(list(TEMPLATES.values()))


@app.command("show")
def show(programme: Id, *, data: Data = None, as_json: AsJson = False) -> None:
    """Show a programme: its policy where it differs from the default one, and who changed what, when and why."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    one, version = done(data, commands.programme, programme, operator())
    if as_json:
        print_json({**showing.as_data(one, version), "history": showing.history_as_data(one)})
    else:
        showing.print_one(one)


@app.command("create")
def create(
    programme: Id,
    *,
    name: Annotated[str, typer.Option(help="What people call it")],
    tenants: Annotated[str, typer.Option(help="The subsidiaries that take part: fr,de", metavar="IDS")],
    template: Annotated[str | None, typer.Option(help="What to begin with; see `amont programmes templates`")] = None,
    topics: Topics = None,
    policy: PolicyFile = None,
    why: Why = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft, from a template if one is named; what is given counts more than the template."""
    from amont.common.events import Policy  # noqa: PLC0415
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    given: dict[str, Any] = {"topics": _words(topics), "policy": _policy(policy) or Policy(), "template": template, "why": why}
    made = done(data, commands.create_programme, programme, operator(), name=name, tenants=_words(tenants) or [], **given)
    _tell(made, f"{programme} is a draft. Open it with:", command_line("programmes", "open", programme, data=data), as_json=as_json)


@app.command("change")
def change(
    programme: Id,
    *,
    name: Name = None,
    tenants: Tenants = None,
    topics: Topics = None,
    policy: PolicyFile = None,
    why: Why = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and leave the rest as it is; a policy is replaced as a whole. Look first, with `preview`.

    What has changed is listed, each field before and after: one that a policy leaves out has its default again.
    """
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    edit = _edit(name, tenants, topics, policy)
    changes = done(data, commands.proposal, programme, operator(), edit)
    made = done(data, commands.edit_programme, programme, operator(), edit, None, why)
    _tell(made, f"{programme} is changed; its policy is at version {made[0].policy_version}.", as_json=as_json)
    if not as_json:
        showing.print_changes(changes)


@app.command("preview")
def preview(
    programme: Id,
    *,
    name: Name = None,
    tenants: Tenants = None,
    topics: Topics = None,
    policy: PolicyFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List what would change, field by field, and whom it would make ineligible, with every reason; nothing is changed. Exits with 1 when there is
    somebody.
    """
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    edit, affected, after = _edit(name, tenants, topics, policy), [], None
    while True:
        people, found = done(data, commands.preview, programme, operator(), edit, after, PAGE)
        affected += found
        if len(people) < PAGE:
            break
        after = (people[-1].id,)
    if as_json:
        print_json([showing.affected_as_data(one) for one in affected])
    else:
        showing.print_changes(done(data, commands.proposal, programme, operator(), edit))
        showing.print_affected(affected)
    if affected:
        raise typer.Exit(1)


@app.command("open")
def open_one(programme: Id, *, why: Why = None, data: Data = None, as_json: AsJson = False) -> None:
    """Let people enrol."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    _tell(done(data, commands.open_programme, programme, operator(), None, why), f"{programme} is open.", as_json=as_json)


@app.command("close")
def close(
    programme: Id,
    *,
    why: Why = None,
    yes: Yes = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Let nobody enrol any more, for good."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    if not agreed(f"Close {programme} for good?", yes=yes):
        raise typer.Exit(1)
    _tell(done(data, commands.close_programme, programme, operator(), None, why), f"{programme} is closed.", as_json=as_json)


def _tell(made: tuple[Any, int], sentence: str, next_command: str | None = None, *, as_json: bool) -> None:
    if as_json:
        print_json(showing.as_data(*made))
        return
    say(out, sentence)
    if next_command:
        say_command(out, next_command)


def _edit(name: str | None, tenants: str | None, topics: str | None, policy: Path | None) -> "Edit":
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    edit = commands.Edit(name=name, tenants=_words(tenants), topics=_words(topics), policy=_policy(policy))
    if all(one is None for one in edit):
        raise typer.BadParameter("say what to change: --policy, --topics, …")
    return edit


def _words(text: str | None) -> list[str] | None:
    return None if text is None else words(text)


@as_usage()
def _policy(path: Path | None) -> "Policy | None":
    """The policy of a file. Raises BadParameter; ends the command with every fault."""
    from pydantic import ValidationError  # noqa: PLC0415

    from amont.common.errors import Fault, Invalid  # noqa: PLC0415
    from amont.common.events import Policy  # noqa: PLC0415
    from amont.common.events.wording import detail  # noqa: PLC0415

    if path is None:
        return None
    try:
        text = path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from None
    try:
        return Policy.model_validate_json(text)
    except ValidationError as error:
        faults = [Fault("/" + "/".join(map(str, one["loc"])), detail(one, Policy, one["loc"])) for one in error.errors(include_url=False)]
        raise Invalid(f"{path} is not a policy: {len(faults)} fault(s).", faults) from None
