"""`amont subsidiaries token`: the bearer tokens of a subsidiary's SCIM feed."""

from typing import Annotated

import typer

from amont.common.cli import err, out, print_json, say, say_command
from amont.enrolment.cli.place import AsJson, Data, done, operator

Id = Annotated[str, typer.Argument(help="the subsidiary", metavar="ID")]

app = typer.Typer(no_args_is_help=True)


@app.command("new")
def new(subsidiary: Id, *, data: Data = None, as_json: AsJson = False) -> None:
    """Make a token and show it, this once. To change one without a gap: make a new one, give it to the feed, revoke the old one."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it
    from amont.enrolment.cli.subsidiaries import showing  # noqa: PLC0415

    made, secret = done(data, commands.make_token, subsidiary, operator())
    if as_json:
        print_json({**showing.token_as_data(made), "token": secret})
        return
    say(err, f"Token {made.id} of {subsidiary}. It is shown this once: keep it where the feed keeps its secrets.")
    say_command(out, secret)


@app.command("list")
def list_tokens(subsidiary: Id, *, data: Data = None, as_json: AsJson = False) -> None:
    """List the valid tokens, and the last that were revoked: who made each when, and its last four characters."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it
    from amont.enrolment.cli.subsidiaries import showing  # noqa: PLC0415

    found = done(data, commands.tokens, subsidiary, operator())
    if as_json:
        print_json([showing.token_as_data(one) for one in found])
    else:
        showing.print_tokens(found)


@app.command("revoke")
def revoke(
    subsidiary: Id,
    token: Annotated[str, typer.Argument(help="a token's id, as the list shows it", metavar="TOKEN")],
    *,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Have a token open nothing any more, at once; revoking twice changes nothing."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it
    from amont.enrolment.cli.subsidiaries import showing  # noqa: PLC0415

    gone = done(data, commands.revoke_token, subsidiary, operator(), token)
    if as_json:
        print_json(showing.token_as_data(gone))
    else:
        say(out, f"Token {token} of {subsidiary} opens nothing any more.")
