"""Compiling the engine's loops: by numba where it is installed, otherwise the same functions as plain Python.

Every function decorated here is written in the subset that both understand and computes on integers only, so that the answers are the same. The loop that
looks at all pairs has a form in numpy beside it, `plain`. `AMONT_ENGINE_COMPILED=no` makes an installation with numba run as one without.

The machine code is kept on disk, in `NUMBA_CACHE_DIR` or beside the code, in a folder named after the text of the whole engine: numba asks only whether the
file of a function has changed, and not whether what it calls has. Where no folder can be written, code is made anew in each process; a
file that was cut off or changed is noticed by its digest (`kept`).
"""

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

COMPILED = find_spec("numba") is not None and os.environ.get("AMONT_ENGINE_COMPILED") != "no"
"""Whether loops run as machine code."""

if COMPILED:
    import numba

    from amont.matching.domain.engine.kept import keep_checked

F = TypeVar("F", bound=Callable[..., object])


def _kept_in() -> str:
    """Where machine code of exactly this engine is kept; empty where nothing can be written."""
    here = Path(__file__).parent
    text = sha256(b"".join(file.read_bytes() for file in sorted(here.rglob("*.py")))).hexdigest()[:16]
    for base in (os.environ.get("NUMBA_CACHE_DIR") or here / "__pycache__", Path("~/.cache/amont").expanduser()):
        folder = Path(base, f"engine-{text}")
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return str(folder)
    return ""


_KEPT_IN = _kept_in() if COMPILED else ""
if COMPILED:
    numba.config.CACHE_DIR = _KEPT_IN  # type: ignore[attr-defined]  # numba sets its settings by name


def kept_code() -> bool:
    """Whether an earlier process has kept machine code of exactly this engine."""
    return bool(_KEPT_IN) and any(Path(_KEPT_IN).rglob("*.nbi"))


_WITHOUT_COUNTING: dict[str, Any] = {"cache": bool(_KEPT_IN), "nogil": True, "_nrt": False}


def compiled(function: F) -> F:
    """The function as machine code that holds no lock of the interpreter while it runs; itself where numba is missing."""
    if not COMPILED:  # pragma: no cover - as above
        return function
    return _kept(cast("F", numba.njit(cache=bool(_KEPT_IN), nogil=True)(function)))


def _kept(dispatcher: F) -> F:
    if _KEPT_IN:
        keep_checked(dispatcher)
    return dispatcher


def borrowing(function: F) -> F:
    """The same for a loop that makes no arrays and keeps none: references to those it is given are not counted, which would cost more than the loop."""
    if not COMPILED:  # pragma: no cover - as above
        return function
    return _kept(cast("F", numba.njit(**_WITHOUT_COUNTING)(function)))


def inlined(function: F) -> F:
    """The same for a part that is copied into the loops which call it, so that no call stands in their way."""
    if not COMPILED:  # pragma: no cover - as above
        return function
    return cast("F", numba.njit(inline="always", nogil=True)(function))
