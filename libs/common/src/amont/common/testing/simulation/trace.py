"""What happened in a run, in order: kept for people who replay a seed, and folded into a number that stands for the whole of it."""

import hashlib
from collections.abc import Callable, Iterator


class Trace:
    """Lines of `time who what`. They are kept only when asked for; the digest is always made."""

    def __init__(self, time: Callable[[], float], *, keep: bool) -> None:
        self._time, self._keep = time, keep
        self._digest = hashlib.sha256()
        self._lines: list[tuple[float, str, str]] = []

    def add(self, who: str, what: str) -> None:
        at = self._time()
        self._digest.update(f"{at:.6f} {who} {what}\n".encode())
        if self._keep:
            self._lines.append((at, who, what))

    def step(self, who: str, what: str) -> None:
        """A step of a task: for people only."""
        if self._keep:
            self._lines.append((self._time(), who, what))

    def digest(self, order: int) -> str:
        """The same for the same run: every call, and every choice of what runs next."""
        return hashlib.sha256(self._digest.digest() + str(order).encode()).hexdigest()[:16]

    def lines(self) -> Iterator[str]:
        for at, who, what in self._lines:
            yield f"{at:12.6f}  {who:<28}  {what}"
