"""Packages of the npm registry for tests, fetched once into a cache folder."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent.parent / "interop" / "package.json"


def node_modules() -> Path:
    """The folder that `require` finds them in; skips where Node.js is not at hand."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no Node.js here: install node and npm to run the documented kafkajs example")
    digest = hashlib.sha256(PACKAGES.read_bytes()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "amont" / f"npm-{digest}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGES, folder)
        subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
        (folder / "done").touch()
    return folder / "node_modules"
