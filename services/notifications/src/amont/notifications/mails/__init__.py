"""What a mail says: facts in, a finished message out.

A room for words. `compose` is pure: the same facts give the same bytes, so that a mail composed again after a crash is the one that may
already have left. Whom to write to, when, and whether at all is decided elsewhere; so is sending (`amont.notifications.sending`).
"""

from amont.notifications.mails.compose import compose
from amont.notifications.mails.facts import (
    Address,
    BadAddress,
    EndReason,
    Facts,
    MailKind,
    MissingFacts,
    Partner,
    Role,
    Session,
    Slot,
    SuspensionReason,
)
from amont.notifications.mails.words import LANGUAGES, spoken

__all__ = [
    "LANGUAGES",
    "Address",
    "BadAddress",
    "EndReason",
    "Facts",
    "MailKind",
    "MissingFacts",
    "Partner",
    "Role",
    "Session",
    "Slot",
    "SuspensionReason",
    "compose",
    "spoken",
]
