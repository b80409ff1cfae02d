"""What the environment may say: prefix `AMONT_`, secrets also from files. A start without what it needs ends with a table of what is missing."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from amont.common.slips import meant

S = TypeVar("S", bound=BaseSettings)
PREFIX = "AMONT_"
NOT_SETTINGS = ("AMONT_TEST_", "AMONT_NATIVE_")
"""What is for tests and development stacks begins like this."""


class LogSettings(BaseSettings):
    """What it takes to reach the event log."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    log_url: str = Field(description="kafka://host:port,… or sqlite:///folder")
    instance: str | None = Field(default=None, description="a stable name of this process, for Kafka's static membership")
    session_timeout_ms: int = Field(default=30_000, ge=1_000, description="how long Kafka waits for a silent member")
    kafka_user: str | None = Field(default=None, description="SCRAM user; without it the broker is asked without sign-in")
    kafka_password: SecretStr | None = Field(default=None, description="SCRAM password, or AMONT_KAFKA_PASSWORD_FILE")


class IdentitySettings(BaseSettings):
    """Whose tokens are believed."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    issuer: str | None = Field(default=None, description="iss of the bearer tokens; without it every request is refused")
    audience: str = Field(default="amont", description="aud of the bearer tokens")
    jwks: str | None = Field(default=None, description="the issuer's keys: an https URL or a file")


class TraceSettings(BaseSettings):
    """Where traces go."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    otlp_url: str | None = Field(default=None, description="where spans are sent (OTLP over HTTP); without it none are recorded")
    trace_ratio: float = Field(default=1.0, ge=0, le=1, description="the share of traces begun here that is recorded")


class StoreSettings(BaseSettings):
    """What it takes to reach the services' stores."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    store_url: str = Field(description="mongodb://host:port or sqlite:///folder")
    store_driver: Literal["motor", "pymongo"] = Field(default="motor", description="the MongoDB driver")


class Settings(LogSettings, IdentitySettings, TraceSettings, StoreSettings):
    """What every service needs to know."""

    dead_letters_in_a_row: int = Field(
        default=50, ge=0, description="how many dead letters of our own fault in a row stop a topic; 0 is never"
    )
    drain_seconds: float = Field(default=25.0, gt=0, le=600, description="how long a stop waits for what is in hand, in seconds")
    requests_per_second: float = Field(
        default=100.0, ge=0, description="how often one client may ask on average, five times as much at once; 0 is no limit"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on")


class MissingSettings(Exception):
    """The environment does not say what a start needs. `rows` are (variable, what is wrong, what it is); `instead` is what else would do."""

    def __init__(self, rows: list[tuple[str, str, str]], instead: str | None = None) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault, _ in rows))
        self.rows = rows
        self.instead = instead


def read_settings(kind: type[S], **given: Any) -> S:
    """Settings from the environment, `AMONT_X_FILE` standing in for `AMONT_X`; `given` wins. Raises MissingSettings listing every fault."""
    prefix = str(kind.model_config.get("env_prefix", ""))
    from_files: dict[str, Any] = {}
    rows: list[tuple[str, str, str]] = []
    for name, field in kind.model_fields.items():
        file = os.environ.get(f"{prefix}{name.upper()}_FILE")
        if file and f"{prefix}{name.upper()}" not in os.environ:
            try:
                from_files[name] = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                rows.append((f"{prefix}{name.upper()}_FILE", f"cannot be read: {error.strerror}", field.description or ""))
    try:
        settings = kind(**{**from_files, **given})
    except ValidationError as error:
        from amont.common.events.wording import in_words  # noqa: PLC0415 - heavy, and a good start need not wait for it

        for fault in error.errors(include_input=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            described = kind.model_fields.get(name)
            rows.append((f"{prefix}{name.upper()}", in_words(fault), described.description or "" if described else ""))
        raise MissingSettings(rows) from None
    if rows:
        raise MissingSettings(rows)
    return settings


def unknown_settings() -> dict[str, str | None]:
    """What the environment says with our prefix and nothing that has been imported reads, each with the setting that it may be meant for."""
    known = {one for kind in _kinds(BaseSettings) for one in _variables(kind)}
    strays = sorted(name for name in os.environ if name.startswith(PREFIX) and not name.startswith(NOT_SETTINGS) and name not in known)
    return {name: meant(name, known) for name in strays}


def _kinds(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)


def _variables(kind: type[BaseSettings]) -> Iterator[str]:
    if kind.model_config.get("env_prefix") == PREFIX:
        for name in kind.model_fields:
            yield f"{PREFIX}{name.upper()}"
            yield f"{PREFIX}{name.upper()}_FILE"
