"""The ETag of what is read or changed: its version, to be sent back in If-Match."""

from typing import Protocol, TypeVar

from fastapi import Response


class Versioned(Protocol):
    """A view with a version."""

    version: int


V = TypeVar("V", bound=Versioned)


def tag(response: Response, view: V) -> V:
    """Set the ETag header and hand the view on."""
    response.headers["ETag"] = f'"{view.version}"'
    return view
