"""A door: routes of a service whose callers bring credentials of the service's own, in a protocol with its own words for a refusal."""

from collections.abc import Mapping
from typing import Protocol

from fastapi import APIRouter, Response


class Door(Protocol):
    """What a service hands to the application beside its routers. Every path of its router begins with `prefix`."""

    prefix: str
    router: APIRouter

    def refusal(self, status: int, detail: str, headers: Mapping[str, str]) -> Response:
        """What stands in front of all routes says no (too large, too often, no such method): the same in the protocol's words."""
        ...
