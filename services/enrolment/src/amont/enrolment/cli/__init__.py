"""What an installation with enrolment adds to the command `amont`. It works on enrolment's store, by the same commands as its API.

What a command decides is kept with its events in one document; enrolment says them within seconds when it runs, otherwise as soon as it starts.
"""

import typer


def commands(root: typer.Typer) -> None:
    """What an installation with enrolment has."""
    from amont.enrolment.cli import people, programmes, subsidiaries  # noqa: PLC0415 - built only when the command line is

    root.add_typer(subsidiaries.app, name="subsidiaries", help="Subsidiaries: their data, grade tables and feeds.")
    root.add_typer(people.app, name="people", help="What is kept about somebody, and its end.")
    root.add_typer(programmes.app, name="programmes", help="Programmes: from a template to closing, and whom a change would shut out.")
