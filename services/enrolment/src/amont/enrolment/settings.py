"""What the environment may say to enrolment: the common settings, and how long it keeps what."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from amont.common.settings import PREFIX, Settings


class EnrolmentSettings(Settings):
    """The common settings."""


class Retention(BaseSettings):
    """How long what is kept."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    leavers_kept_days: int = Field(default=30, ge=1, le=3650, description="how long what is known of a leaver is kept, in days")

    @property
    def leavers(self) -> timedelta:
        return timedelta(days=self.leavers_kept_days)
