"""Commands of the Python registry for tests, each in an environment of its own that is made once, in a cache folder: a client that shares no code with us."""

import subprocess
import venv
from functools import partial
from pathlib import Path

import pytest
from tests.support.cached import made_once


def command(package: str, name: str) -> Path:
    """A command that a package brings; skips where the package cannot be had."""
    return made_once("pip", package.encode(), partial(_install, package)) / "bin" / name


def _install(package: str, folder: Path) -> None:
    venv.create(folder, clear=True, with_pip=True)
    install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
    if subprocess.run(install, check=False, capture_output=True, timeout=240).returncode:
        pytest.skip(f"no {package} here: pip cannot install it from the registry that it knows")
