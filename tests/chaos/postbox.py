"""The mail server of a campaign: in this process, on loopback, out of reach of every fault. It notes what it takes and answers a little later."""

import asyncio
import time
from collections import defaultdict
from email import message_from_bytes
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as Post
from tests.support.house import until

from amont.native.ports import free_ports

ANSWER_SECONDS = 0.2
"""How long it thinks before it says that it took a mail, so that a kill can fall in between."""


class Postbox:
    """See the module."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = defaultdict(list)
        """When it took each Message-ID, in seconds since 1970."""
        self.addressed: dict[str, set[str]] = defaultdict(set)
        """The addresses that each was for."""
        self._last = 0.0
        self._server = Controller(self, hostname="127.0.0.1", port=free_ports(1)[0])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._server.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, post: Post) -> str:  # noqa: N802 - the name is aiosmtpd's
        message_id = message_from_bytes(post.content or b"")["Message-ID"]  # type: ignore[arg-type]  # bytes unless asked otherwise
        self.taken[message_id].append(time.time())
        self.addressed[message_id].update(post.rcpt_tos)
        self._last = time.monotonic()
        await asyncio.sleep(ANSWER_SECONDS)
        return "250 taken"

    async def mail_on_its_way(self, within: float) -> None:
        """Return while one is being handed over. Raises AssertionError when none is within so many seconds."""

        async def on_its_way() -> bool:
            return time.monotonic() - self._last < ANSWER_SECONDS / 2

        await until(on_its_way, within=within, what="a mail on its way")
