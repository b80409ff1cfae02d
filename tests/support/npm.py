"""Packages of the npm registry for tests, fetched once into a cache folder."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.cached import made_once

PACKAGES = Path(__file__).parent.parent / "interop" / "package.json"


def node_modules() -> Path:
    """The folder that `require` finds them in; skips where Node.js is not at hand."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no Node.js here: install node and npm to hold Amont against parts that are written for it")
    return made_once("npm", PACKAGES.read_bytes(), _install) / "node_modules"


def _install(folder: Path) -> None:
    shutil.copy(PACKAGES, folder)
    subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
