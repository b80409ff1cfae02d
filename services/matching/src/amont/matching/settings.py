"""What the environment may say to matching: nothing beyond what every service needs."""

from amont.common.settings import Settings


class MatchingSettings(Settings):
    """The common settings."""
