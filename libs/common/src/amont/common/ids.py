"""Ids: uuid7 for what begins here (they sort by time of birth), uuid5 for what follows from something else (the same cause gives the same id)."""

import hashlib
import os
import random
import uuid
from typing import Protocol

from amont.common.clock import Clock

NAMESPACE = uuid.UUID("6f1d7c1e-6b5e-5a0c-9a53-a3f0a3a4b7c1")
"""The namespace of every derived id in Amont; fixed for ever, since ids of released events derive from it."""
_BEGUN = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Ids(Protocol):
    """Makes ids for things that begin here."""

    def new(self) -> str:
        """A new id, different from every other one, larger than those made before (by the millisecond)."""
        ...


def _uuid7(milliseconds: int, noise: int) -> str:
    """RFC 9562, section 5.7: 48 bits of Unix milliseconds, version, 12 + 62 bits of noise."""
    high = (milliseconds & (1 << 48) - 1) << 16 | 0x7000 | noise >> 62 & 0xFFF
    low = 0b10 << 62 | noise & (1 << 62) - 1
    return str(uuid.UUID(int=high << 64 | low))


class RandomIds:
    """uuid7 from the given clock and the machine's randomness."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self) -> str:
        return _uuid7(int(self._clock.now().timestamp() * 1000), int.from_bytes(os.urandom(10), "big"))


class SeededIds:
    """The same ids in the same order for the same seed: for tests and the demo."""

    def __init__(self, clock: Clock, seed: int | str) -> None:
        self._clock = clock
        self._random = random.Random(seed)

    def new(self) -> str:
        return _uuid7(int(self._clock.now().timestamp() * 1000), self._random.getrandbits(80))


def derived(*parts: str | int) -> str:
    """The uuid5 that these parts always give, in this order (RFC 9562, section 5.5; by hand, since every event needs one)."""
    digest = _BEGUN.copy()
    digest.update("\x1f".join(map(str, parts)).encode())
    text = digest.hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"
