"""`amont up`: the four services in one process on SQLite, for keeps. One machine, no cluster; it says so when it starts."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import typer
from fastapi import FastAPI

from amont.common import hosting, logging
from amont.common.errors import Conflict
from amont.common.settings import IdentitySettings, Settings, read_settings
from amont.common.web.limits import RateLimit
from amont.local.issuer import SignInHere, for_this_machine, sign_in_page
from amont.local.links import home, to_the_api
from amont.notifications.sending import FolderSender, MailSender
from amont.notifications.settings import ReachedAt

MAIL_URL = "AMONT_MAIL_URL"
LOCK = "lock"
ORDER = ("enrolment", "matching", "scheduling", "notifications")


class FolderUnusable(Conflict):
    """The data folder cannot be had."""

    code = "folder-unusable"
    title = "The data folder cannot be used"


def serve(data: Path, host: str, port: int) -> int:
    """Run until SIGTERM; the exit code. Raises FolderUnusable, NotAllowed, PortTaken, MissingSettings, ValueError for a file in the folder's place."""
    logging.configure()
    with alone_in(data):
        return _serve(data, host, port)


@contextlib.contextmanager
def alone_in(data: Path) -> Iterator[None]:
    """The folder, made when it is not there, for this process alone; the system gives it free however the process ends. Raises FolderUnusable, ValueError for
    a file.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)  # names and addresses are in it
        lock = (data / LOCK).open("ab")
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"{data} cannot be the data folder: it is a file, or lies in one. Choose another one with --data.") from None
    except OSError as error:
        raise FolderUnusable(f"{data} cannot be the data folder: {error.strerror}. Choose another one with --data.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderUnusable(f"Another `amont up` runs on {data}. Stop it, or choose another folder with --data.") from None
        yield


def _serve(data: Path, host: str, port: int) -> int:
    identity = read_settings(IdentitySettings)
    verifier, sign_in, pages = hosting.verifier_from(identity), hosting.sign_in_from(identity), []
    local = identity.issuer is None
    if local:
        issuer, here = for_this_machine(host, identity, data), SignInHere()
        verifier, sign_in, pages = issuer, here, [sign_in_page(issuer, here)]
    pages += [home(sign_in=local), to_the_api(sign_in=local)]
    url = f"sqlite://{data.absolute()}"
    settings = read_settings(Settings, log_url=url, store_url=url, host=host, port=port)
    bound = hosting.listen(host, port)
    builders = hosting.service_builders()
    shown = f"http://{host}:{bound.getsockname()[1]}"
    tools = {**_mail_in(data), ReachedAt: ReachedAt(shown)}
    services = [builders[name](replace(hosting.parts_from(settings, name), tools=tools)) for name in ORDER]
    typer.echo(
        f"Amont listens on {shown}, data in {data}. Single-node: one process on one machine; for more, run the services on Kafka and MongoDB."
    )
    if local:
        typer.echo(f"Sign in at {shown}/sign-in (this machine only).")

    limit = RateLimit.of(settings.requests_per_second)

    def make(fail: Callable[[], None]) -> FastAPI:
        return hosting.hosted(services, title="Amont", verifier=verifier, extra=pages, limit=limit, sign_in=sign_in, on_failure=fail)

    with hosting.traced(settings, "amont"):
        return hosting.serve(make, bound)


def _mail_in(data: Path) -> dict[type, object]:
    """Unless the environment says where mail goes, it lands in the data folder, to be looked at."""
    return {} if os.environ.get(MAIL_URL) else {MailSender: FolderSender(data / "mails")}
