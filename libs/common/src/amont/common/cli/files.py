"""Writing a file whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO


def hold_writable(path: Path) -> None:
    """Say so before long work when its result could not be written. Raises ValueError."""
    if not os.access(path.absolute().parent, os.W_OK) or (path.exists() and not path.is_file()):
        raise ValueError(f"{path} cannot be written: give a file in a folder that exists and that you may write to.")


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside the one that is meant; it takes its place when everything is written, and goes when something fails."""
    with NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o666 & ~_umask())
            Path(file.name).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
