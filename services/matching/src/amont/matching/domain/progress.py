"""How a long computation says how far it is. A port: whoever shows it (a bar on a terminal, a log line) is not known here."""

from typing import Protocol


class Progress(Protocol):
    """Told now and then, and cheap. What it raises breaks the computation off: that is how one is ended early."""

    def __call__(self, stage: str, done: int, total: int | None = None, detail: str = "") -> None:
        """Say where the work is.

        Args:
            stage: what is being done, in a few words; another stage begins with another word here.
            done: steps of that stage that are finished.
            total: how many steps the stage has, when that is known.
            detail: what a curious reader would like to see beside it.
        """
        ...


def unseen(stage: str, done: int, total: int | None = None, detail: str = "") -> None:
    """Nobody is looking."""


class Lasting:
    """Progress of which the last word can be said again: in the middle of a long stage, to hear whether to end it."""

    def __init__(self, progress: Progress) -> None:
        """Tell that one."""
        self._progress = progress
        self._last: tuple[str, int, int | None, str] | None = None

    def __call__(self, stage: str, done: int, total: int | None = None, detail: str = "") -> None:
        """See `Progress`."""
        self._last = stage, done, total, detail
        self._progress(*self._last)

    def again(self, *_: int) -> None:
        """The last word once more, whatever has been done meanwhile."""
        if self._last is not None:
            self._progress(*self._last)
