"""Commands of the Python registry for tests, each in an environment of its own that is made once, in a cache folder: a client that shares no code with us."""

import hashlib
import os
import subprocess
import venv
from pathlib import Path

import pytest


def command(package: str, name: str) -> Path:
    """A command that a package brings; skips where the package cannot be had."""
    digest = hashlib.sha256(package.encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "amont" / f"pip-{digest}"
    if not (folder / "done").exists():
        venv.create(folder, clear=True, with_pip=True)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        if subprocess.run(install, check=False, capture_output=True, timeout=240).returncode:
            pytest.skip(f"no {package} here: pip cannot install it from the registry that it knows")
        (folder / "done").touch()
    return folder / "bin" / name
