"""What the environment may say to enrolment: nothing beyond what every service needs."""

from amont.common.settings import Settings


class EnrolmentSettings(Settings):
    """The common settings."""
