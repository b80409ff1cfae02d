"""A process around services: settings to parts, HTTP up at once, the services started behind it, SIGTERM drains.

`amont run` hosts one service, `amont up` all four. HTTP answers before store and log do, so that `/health` can say what is waited for.
"""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, cast

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI

from amont.common import memory, tracing
from amont.common.clock import Clock, SystemClock
from amont.common.documents import store_from
from amont.common.errors import PortTaken
from amont.common.events.envelope import Event
from amont.common.ids import RandomIds
from amont.common.log import log_from
from amont.common.log.kafka import KafkaOptions
from amont.common.service import Parts, Service
from amont.common.settings import IdentitySettings, LogSettings, Settings, TraceSettings, read_settings, unknown_settings
from amont.common.web import app
from amont.common.web.browsers import SignIn
from amont.common.web.limits import RateLimit
from amont.common.web.tokens import JwtVerifier, Keys, NoVerifier, Verifier

WATCH_SECONDS = 5.0
GIVE_UP_SECONDS = 45.0
"""How long a process that must end may take to end in order; then it ends at once."""

_logger = structlog.get_logger(__name__)


def service_builders() -> dict[str, Callable[[Parts], Service]]:
    """The services that are installed, by name (entry points `amont.services`)."""
    return {point.name: cast("Callable[[Parts], Service]", point.load()) for point in entry_points(group="amont.services")}


def tables_of(service: str) -> tuple[dict[str, list[type[Event]]], tuple[type[Event], ...]]:
    """What an installed service reads, by topic, and what it publishes: the tables in its rooms `reactions` and `commands`. Nothing is started."""
    (point,) = entry_points(group="amont.services", name=service)
    package = point.module.rpartition(".")[0]
    consumes: dict[str, list[type[Event]]] = {}
    for kind in import_module(f"{package}.reactions").CONSUMES:
        consumes.setdefault(kind.topic, []).append(kind)
    return consumes, tuple(import_module(f"{package}.commands").PUBLISHES)


def parts_from(settings: Settings, service: str, *, clock: Clock | None = None) -> Parts:
    """A service's outside parts as the settings name them. Raises ValueError on a URL that names nothing."""
    clock = clock or SystemClock()
    return Parts(
        store=store_from(settings.store_url, database=f"amont_{service}", driver=settings.store_driver),
        log=log_from(settings.log_url, client_id=f"amont-{service}", options=kafka_options(settings)),
        clock=clock,
        ids=RandomIds(clock),
        dead_letters_in_a_row=settings.dead_letters_in_a_row,
        drain_seconds=settings.drain_seconds,
    )


def kafka_options(settings: LogSettings) -> KafkaOptions:
    return KafkaOptions(
        instance=settings.instance,
        session_timeout_ms=settings.session_timeout_ms,
        user=settings.kafka_user,
        password=settings.kafka_password.get_secret_value() if settings.kafka_password else None,
    )


def verifier_from(settings: IdentitySettings) -> Verifier:
    """Checks tokens of the configured issuer; without one, refuses all. Raises ValueError when only half is configured."""
    if settings.issuer is None:
        return NoVerifier()
    if settings.jwks is None:
        raise ValueError("AMONT_ISSUER is set and AMONT_JWKS is not: say where the issuer's keys are")
    return JwtVerifier(settings.issuer, settings.audience, Keys(settings.jwks))


def sign_in_from(settings: IdentitySettings) -> SignIn | None:
    """How people sign in at pages; None where no client is configured. Raises MissingSettings, ValueError when only half is configured."""
    from amont.common.web.sign_in import OpenIdSignIn, SignInSettings  # noqa: PLC0415 - an OpenID client, for who serves pages

    said = read_settings(SignInSettings)
    return OpenIdSignIn(said, settings) if said.client_id else None


@contextlib.contextmanager
def traced(settings: TraceSettings, service: str) -> Iterator[None]:
    """Inside, spans go where the settings say; what is left of them is sent at the end."""
    if settings.otlp_url:
        tracing.export_to(settings.otlp_url, service=service, ratio=settings.trace_ratio)
    try:
        yield
    finally:
        tracing.TRACING.shut_down()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there (port 0: any free one). Raises PortTaken.

    It says that it is TCP: asyncio switches Nagle's algorithm off for what says so and nothing else, and with it every answer of a connection that is
    kept waits 40 ms, since headers and body are written one after the other.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise PortTaken(f"Cannot listen on {host}:{port}: {error.strerror}. Set AMONT_PORT (or --port) to another one.") from error
    return bound


def hosted(
    services: Sequence[Service],
    *,
    title: str,
    verifier: Verifier,
    extra: Sequence[APIRouter] = (),
    limit: RateLimit | None = None,
    sign_in: SignIn | None = None,
    on_failure: Callable[[], None],
) -> FastAPI:
    """The application that starts the services when it starts. `on_failure` ends the process when one of them cannot start or its reading has died."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = [asyncio.create_task(service.start(), name=f"start {service.name}") for service in services]
        for one in starting:
            one.add_done_callback(lambda done: _report(done, on_failure))
        watching = asyncio.create_task(_watch(services, on_failure), name="watch")
        try:
            yield
        finally:
            for one in (*starting, watching):
                one.cancel()
            await asyncio.wait(starting)  # all of them: what goes on starting beside a stop is never stopped
            for error in await asyncio.gather(*(service.stop() for service in services), return_exceptions=True):
                if isinstance(error, BaseException):
                    _logger.error("cannot_stop", reason=f"{type(error).__name__}: {error}")

    made = app(services, title=title, verifier=verifier, lifespan=lifespan, limit=limit, sign_in=sign_in)
    for router in extra:
        made.include_router(router)
    return made


async def _watch(services: Sequence[Service], on_failure: Callable[[], None]) -> None:
    """The watchdog: end the process when a subscription of a started service reads no more, since only a new process can mend that."""
    found: Mapping[str, Any] = {}
    try:
        while not found:
            await asyncio.sleep(WATCH_SECONDS)
            found = {service.name: trouble for service in services if (trouble := await service.watch())}
    except Exception:
        _logger.exception("watchdog_failed")  # nobody watches then, so nobody can say that it still reads
    _logger.error("reading_stands_still", trouble=found, what_now="the process ends; whatever runs it must start it again")
    on_failure()


def _report(done: "asyncio.Task[Any]", on_failure: Callable[[], None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _logger.error("cannot_start", reason=f"{type(error).__name__}: {error}")
        on_failure()


class _Server(uvicorn.Server):
    """Drains on SIGTERM and SIGINT and then returns; uvicorn's own raises the signal once more, so that a clean stop would look like a crash."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(make: Callable[[Callable[[], None]], FastAPI], bound: socket.socket) -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 0, or 1 when a service could not start. `make` gets a function that ends the process."""
    failed = False

    def fail() -> None:
        nonlocal failed
        failed = True
        server.should_exit = True
        last = threading.Timer(GIVE_UP_SECONDS, os._exit, (1,))  # what is stuck may never let go
        last.daemon = True
        last.start()

    for name, meant in unknown_settings().items():
        _logger.warning("unknown_setting", name=name, **({"did_you_mean": meant} if meant else {}))
    server = _Server(
        uvicorn.Config(make(fail), log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=10, server_header=False),
    )
    memory.settle()
    server.run(sockets=[bound])
    return 1 if failed else 0
