"""`amont up`: the four services in one process on SQLite, for keeps. One machine, no cluster; it says so when it starts."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import typer
from fastapi import FastAPI

from amont.common import hosting, logging
from amont.common.settings import IdentitySettings, Settings, read_settings
from amont.local.issuer import for_this_machine, sign_in_page
from amont.notifications.sending import FolderSender, MailSender

MAIL_URL = "AMONT_MAIL_URL"
ORDER = ("enrolment", "matching", "scheduling", "notifications")


def serve(data: Path, host: str, port: int) -> int:
    """Run until SIGTERM; the exit code. Raises NotAllowed, PortTaken, MissingSettings."""
    logging.configure()
    identity = read_settings(IdentitySettings)
    verifier, pages = hosting.verifier_from(identity), []
    if identity.issuer is None:
        issuer = for_this_machine(host, identity, data)
        verifier, pages = issuer, [sign_in_page(issuer)]
    url = f"sqlite://{data.absolute()}"
    settings = Settings(log_url=url, store_url=url, host=host, port=port)
    bound = hosting.listen(host, port)
    builders = hosting.service_builders()
    services = [builders[name](replace(hosting.parts_from(settings, name), tools=_mail_in(data))) for name in ORDER]
    shown = f"http://{host}:{bound.getsockname()[1]}"
    typer.echo(
        f"Amont listens on {shown}, data in {data}. Single-node: one process on one machine; for more, run the services on Kafka and MongoDB."
    )
    if pages:
        typer.echo(f"Sign in at {shown}/sign-in (this machine only).")

    def make(fail: Callable[[], None]) -> FastAPI:
        return hosting.hosted(services, title="Amont", verifier=verifier, extra=pages, on_failure=fail)

    return hosting.serve(make, bound)


def _mail_in(data: Path) -> dict[type, object]:
    """Unless the environment says where mail goes, it lands in the data folder, to be looked at."""
    return {} if os.environ.get(MAIL_URL) else {MailSender: FolderSender(data / "mails")}
