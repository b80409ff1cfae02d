"""Errors, named by what happens next.

    Exception
    ├── DomainError            a rule said no: 4xx or dead letter, never retried
    │   ├── NotFound           404; also what another tenant's thing looks like
    │   ├── NotAllowed         403
    │   ├── Conflict           409; somebody else was faster, or the state does not allow it
    │   │   └── Stale          409 with the current version
    │   ├── VersionNeeded      428; what would be replaced must have been read
    │   └── Invalid            422; every fault at once, each with its place
    ├── Unreadable             bytes we cannot read: dead letter
    ├── UnreadableDocument     this release cannot load a document: dead letter, taken up again by itself
    ├── Unacceptable           the store or the log will never take this as it is: dead letter
    ├── Unavailable            store, log or network: retried with back-off, then stop and page
    │   └── Halted             a topic stands still until a restart: too many dead letters in a row
    └── PortTaken              a start that cannot listen

A message says what is wrong, where, and what to do. It carries ids, never a name or an address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule said no. `code` is stable and becomes the problem document's `type`; `status` is the HTTP status."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "A rule said no"

    def extra(self) -> Mapping[str, Any]:
        """What a program needs beside the sentence: members of the problem document."""
        return {}


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not-found"
    status = 404
    title = "Not found"

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__(f"There is no {kind} {id_!r} here.")


class NotAllowed(DomainError):
    """The actor is known and the thing is theirs to see, but not theirs to change in this way."""

    code = "not-allowed"
    status = 403
    title = "Not allowed"


class Conflict(DomainError):
    """The thing's state, or somebody faster, stands in the way."""

    code = "conflict"
    status = 409
    title = "Conflict"


class Stale(Conflict):
    """The caller decided on an older version than the current one."""

    code = "stale-version"
    title = "The thing has changed since you read it"

    def __init__(self, kind: str, id_: str, *, given: int, current: int) -> None:
        super().__init__(f"{kind} {id_!r} is at version {current}, you sent {given}. Read it again, then repeat what you want.")
        self.current = current

    def extra(self) -> Mapping[str, Any]:
        return {"current_version": self.current}


class VersionNeeded(DomainError):
    """The change replaces something whole, and the caller does not say which version of it they have read (RFC 6585, section 3)."""

    code = "version-needed"
    status = 428
    title = "Say which version you have read"

    def __init__(self, kind: str, id_: str, *, current: int) -> None:
        super().__init__(
            f"This replaces what {kind} {id_!r} has, as a whole. Read it, put its ETag into If-Match, and send what you want kept as well; "
            "If-Match: * replaces whatever is there."
        )
        self.current = current

    def extra(self) -> Mapping[str, Any]:
        return {"current_version": self.current}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (a JSON pointer), what, and what is expected."""

    pointer: str
    detail: str


class Invalid(DomainError):
    """The request contradicts a rule; every fault at once."""

    code = "invalid"
    status = 422
    title = "The request cannot be accepted as it is"

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)

    def extra(self) -> Mapping[str, Any]:
        return {"errors": [{"pointer": f.pointer, "detail": f.detail} for f in self.faults]} if self.faults else {}


class Unreadable(Exception):
    """A record whose bytes, type or version we cannot read. `reason` is a bounded label for metrics and dead letters."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class UnreadableDocument(ValueError):
    """A document that this release cannot load: a newer one has written it while both are at work, or it is damaged. It stays as it is."""

    def __init__(self, collection: str, id_: str) -> None:
        super().__init__(f"{collection} {id_!r} cannot be read by this release: a newer one has written it, or it is damaged.")
        self.collection, self.id = collection, id_


class Unacceptable(Exception):
    """The store or the log will never take this as it is (too large, no JSON): trying again cannot help."""


class Unavailable(Exception):
    """The store, the log or the network does not answer now; the same call may work later."""


class Halted(Unavailable):
    """A reader has stopped for good: what it reads looks as if it could never be taken. Only a new process goes on."""


class PortTaken(Exception):
    """Somebody else listens there."""
