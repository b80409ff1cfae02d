"""`amont run SERVICE`: one service as its own process."""

from functools import partial
from typing import Annotated

import typer


def run(
    service: Annotated[str, typer.Argument(help="enrolment, matching, scheduling or notifications: what is installed here")],
    host: Annotated[str | None, typer.Option(help="Address to listen on [AMONT_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any free one [AMONT_PORT, 8000]")] = None,
) -> None:
    """Run one service against AMONT_LOG_URL and AMONT_STORE_URL until SIGTERM, which drains it."""
    from amont.common import hosting, logging  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.settings import Settings, read_settings  # noqa: PLC0415
    from amont.common.web.limits import RateLimit  # noqa: PLC0415

    builders = hosting.service_builders()
    if service not in builders:
        raise typer.BadParameter(f"{service!r} is not installed here; there is {', '.join(sorted(builders)) or 'no service'}")
    settings = read_settings(Settings, **{name: value for name, value in (("host", host), ("port", port)) if value is not None})
    logging.configure()
    verifier, sign_in = hosting.verifier_from(settings), hosting.sign_in_from(settings)
    bound = hosting.listen(settings.host, settings.port)
    built = builders[service](hosting.parts_from(settings, service))
    typer.echo(f"amont {service} listens on http://{settings.host}:{bound.getsockname()[1]}")
    with hosting.traced(settings, f"amont-{service}"):
        limit = RateLimit.of(settings.requests_per_second)
        made = partial(hosting.hosted, [built], title=f"Amont {service}", verifier=verifier, limit=limit, sign_in=sign_in)
        code = hosting.serve(lambda fail: made(on_failure=fail), bound)
    raise typer.Exit(code)
