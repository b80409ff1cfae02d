"""Compiling the engine's loops: by numba where it is installed, otherwise the same functions as plain Python.

Every function decorated here is written in the subset that both understand and computes on integers only, so that the answers are the same. The
machine code is kept on disk (numba's cache); where no directory can be written it is made anew in each process.
"""

from collections.abc import Callable
from typing import TypeVar, cast

try:
    import numba
except ImportError:  # pragma: no cover - there is no wheel for this machine
    COMPILED = False
else:
    COMPILED = True
"""Whether loops run as machine code."""

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """The function as machine code that holds no lock of the interpreter while it runs; itself where numba is missing."""
    if not COMPILED:  # pragma: no cover - as above
        return function
    try:
        return cast("F", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # numba finds no directory to keep the code in
        return cast("F", numba.njit(nogil=True)(function))


def inlined(function: F) -> F:
    """The same for a part that is copied into the loops which call it, so that no call stands in their way."""
    if not COMPILED:  # pragma: no cover - as above
        return function
    return cast("F", numba.njit(inline="always", nogil=True)(function))
