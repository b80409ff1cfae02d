"""What the environment may say to scheduling: what it may say to every service, and nothing of its own.

How sessions are paced is a programme's policy, not a setting.
"""

from amont.common.settings import Settings

__all__ = ["Settings"]
