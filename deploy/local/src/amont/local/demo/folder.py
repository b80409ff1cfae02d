"""The demo's folder: made afresh for each run, and replaced only when the demo itself made it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from amont.common.errors import Conflict

MARKER = ".made-by-amont-demo"
_SAYS = "amont demo made this folder and replaces it at its next run. Keep nothing here.\n"


class NotOurs(Conflict):
    """The folder has something else in it."""

    code = "folder-not-ours"
    title = "The folder is not the demo's"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a run leaves everything."""

    path: Path

    @property
    def mails(self) -> Path:
        return self.path / "mails"

    @property
    def url(self) -> str:
        """Store and log; what a power cut would lose here can be played again."""
        return f"sqlite://{self.path.absolute()}?sync=normal"


def fresh(path: Path) -> Folder:
    """An empty folder with the demo's marker. Raises NotOurs when something else is there."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise NotOurs(f"{path} is not a folder. Choose another one with --folder.")
    if path.exists() and any(path.iterdir()):
        if not (path / MARKER).is_file():
            raise NotOurs(f"{path} is not empty and was not made by the demo, so it stays as it is. Choose another one with --folder.")
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / MARKER).write_text(_SAYS, encoding="utf-8")
    return Folder(path)
