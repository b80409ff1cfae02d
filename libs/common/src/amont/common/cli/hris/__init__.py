"""`amont hris`: staff records from a file to the inbound topic, for those without a Kafka client at hand and for `amont up`."""

import typer

from amont.common.cli.hris import importing, sending

app = typer.Typer(no_args_is_help=True)


@app.callback()
def hris() -> None:
    """What an HR system does on the inbound topic."""


app.command("send")(sending.send)
app.command("import")(importing.import_)
