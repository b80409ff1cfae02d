"""A SCIM door over real HTTP, for clients that know nothing of this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from amont.common import hosting
from amont.common.service import Service
from amont.common.web import app
from amont.common.web.tokens import Verifier


@asynccontextmanager
async def served(service: Service, verifier: Verifier | None = None) -> AsyncIterator[str]:
    """Its address, without a path."""
    with hosting.listen("127.0.0.1", 0) as bound:
        server = uvicorn.Server(uvicorn.Config(app([service], title="test", verifier=verifier), log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
