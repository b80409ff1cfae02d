"""P13: scim2-tester, the acceptance suite of the SCIM libraries, against this door over real HTTP."""

import asyncio
from pathlib import Path

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from tests.services.enrolment.scim.door import scene
from tests.services.enrolment.scim.serving import served

CHECKS = 135
"""As many as pass on the libraries' own server; here 140 did."""


def checked(url: str, token: str) -> list[str]:
    """What it found wrong, and how many checks passed at the end."""
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        results = check_server(SyncSCIMClient(http))
    wrong = [f"{one.title}: {one.reason}" for one in results if one.status in {Status.ERROR, Status.CRITICAL}]
    return [*wrong, str(sum(one.status is Status.SUCCESS for one in results))]


async def test_every_check_of_scim2_tester_passes(tmp_path: Path) -> None:
    async with scene(tmp_path) as door, served(door.hearing.service) as address:
        *wrong, passed = await asyncio.to_thread(checked, f"{address}/scim/fr/v2", door.fr.token)
    assert not wrong, "\n".join(wrong)
    assert int(passed) >= CHECKS
