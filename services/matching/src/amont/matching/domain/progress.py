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
