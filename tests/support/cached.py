"""What tests fetch from registries, kept in a cache folder and made once."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path


def made_once(kind: str, of: bytes, make: Callable[[Path], None]) -> Path:
    """A folder for what `of` says, made by `make` where it is not there or was left half-made. What `make` raises passes through."""
    digest = hashlib.sha256(of).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "amont" / f"{kind}-{digest}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)
        (folder / "done").touch()
    return folder
