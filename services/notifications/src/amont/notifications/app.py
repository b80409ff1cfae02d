"""Composition root of notifications: the only file that sees every room."""

import asyncio
from typing import Any, cast

from amont.common.service import Parts, Service
from amont.common.settings import read_settings
from amont.notifications import api
from amont.notifications.commands import DUE, JOBS, PUBLISHES, Letterhead, Post
from amont.notifications.documents import COLLECTIONS
from amont.notifications.reactions import CONSUMES
from amont.notifications.sending import MailSender
from amont.notifications.settings import MailSettings, ReachedAt

SHARE_OF_THE_DRAIN = 0.8
"""Of the time that a stop has: for the mails in hand; the rest is for writing down what became of them."""


def build(parts: Parts) -> Service:
    """Assemble notifications. A `MailSender` among `parts.tools` is used as it is; otherwise the environment names one. Links lead where the environment
    says, or else to a `ReachedAt` among them.

    Raises MissingSettings.
    """
    sender, settings = _way_to_send(parts)
    reached = cast("ReachedAt | None", parts.tools.get(ReachedAt))
    public_url = reached.url if reached and "public_url" not in settings.model_fields_set else settings.public_url
    letterhead = Letterhead(sender=settings.sender, public_url=public_url, domain=settings.domain)

    async def run(command: Any, *args: Any) -> Any:
        return await service.run(command, *args)

    def stopping() -> asyncio.Event:
        return service.unit.stopping

    post = Post(sender, letterhead, run, stopping, last_seconds=SHARE_OF_THE_DRAIN * parts.drain_seconds)
    service = Service(
        "notifications",
        parts,
        consumes=CONSUMES,
        publishes=PUBLISHES,
        keeps=COLLECTIONS,
        due=DUE,
        jobs=JOBS,
        routers=[api.router],
        tools={MailSender: sender, Post: post},
    )
    return service


def _way_to_send(parts: Parts) -> tuple[MailSender, MailSettings]:
    handed_in = cast("MailSender | None", parts.tools.get(MailSender))
    settings = read_settings(MailSettings, mail_url=None) if handed_in else read_settings(MailSettings)
    return handed_in or settings.way_to_send, settings
