"""`amont up`, as a reader of the pages starts it."""

from tests.support.up import amont

__all__ = ["amont"]
