"""In which encoding a file is: told by its byte-order mark, by being UTF-8 as a whole, or guessed from the lines that are not (charset-normalizer).

Every line is looked at, not only the first ones: the first accent of a file of 1 GB may be in its middle.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from charset_normalizer import from_bytes

from amont.common.errors import Invalid

CHUNK = 1 << 20
SAMPLE = 64 * 1024
MOSTLY = 20
"""A file with so many lines in UTF-8 for each that is not is a UTF-8 file with bad lines, not a file in another encoding."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LIKELY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_2", "mac_roman", "cp850")
"""What spreadsheets and HR systems of Europe write when they do not write UTF-8; the first is by far the most frequent, and wins a draw."""
_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte-order mark",
    "utf-16": "UTF-16",
    "mac_roman": "Mac Roman",
    "iso8859_2": "ISO 8859-2",
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """`codec` is Python's name; `guessed` when the bytes do not prove it."""

    codec: str
    guessed: bool = False

    def __str__(self) -> str:
        name = _NAMES.get(self.codec) or (f"windows-{self.codec[2:]}" if self.codec.startswith("cp125") else self.codec)
        return f"{name} (a guess: --encoding says otherwise)" if self.guessed else name


def _broken(error: UnicodeError) -> tuple[str, int]:
    """A byte that is none in the encoding becomes one half of a pair, which no text has; `surrogateescape` cannot do this for every encoding."""
    return "\udcff", error.end if isinstance(error, UnicodeDecodeError) else 0


_OF_PROGRAMS = {"unicode-escape", "raw-unicode-escape"}
_ANY_BYTES = bytes(range(256)) + b"\n"
BROKEN = "amont.broken"
codecs.register_error(BROKEN, _broken)


def encoding_named(name: str, file: BinaryIO) -> Encoding:
    """What somebody says it is. Raises Invalid for a name that nobody knows."""
    file.seek(0)
    head = file.read(4)
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        found = codecs.lookup(name).name
        codec = "utf-16-le" if found == "utf-16" and not marked else found
        if found not in _OF_PROGRAMS:
            io.TextIOWrapper(io.BytesIO(head + _ANY_BYTES), encoding=codec, errors=BROKEN).read()
            return Encoding(codec)
    except (LookupError, ValueError):  # no such name, or a codec that is for something else than text
        pass
    raise Invalid(f"There is no encoding {name[:40]!r}. Write one as in utf-8, windows-1252 or iso-8859-15.")


def encoding_of(file: BinaryIO) -> Encoding:
    """Look at the whole file, from its beginning, in bounded memory."""
    file.seek(0)
    head = file.read(4)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return Encoding(codec)
    file.seek(0)
    good, bad, sample = 0, 0, bytearray()
    for line in _lines_with_accents(file):
        try:
            line.decode()
        except UnicodeDecodeError:
            bad += 1
            if len(sample) < SAMPLE:
                sample += line + b"\n"
        else:
            good += 1
    if bad == 0 or good >= MOSTLY * bad:
        return Encoding("utf-8")
    return Encoding(_guess(bytes(sample)), guessed=True)


def _lines_with_accents(file: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while chunk := file.read(CHUNK):
        if chunk.isascii() and rest.isascii():
            rest = chunk[chunk.rfind(b"\n") + 1 :][-CHUNK:]
            continue
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if not line.isascii())
        if len(rest) > CHUNK:  # no line is so long
            yield rest
            rest = b""
    if not rest.isascii():
        yield rest


def _guess(sample: bytes) -> str:
    matches = from_bytes(sample, cp_isolation=list(_LIKELY), preemptive_behaviour=False)
    best = matches.best()
    if best is None:
        return _LIKELY[0]
    drawn = {match.encoding for match in matches if match.chaos <= best.chaos + 0.02}
    return _LIKELY[0] if _LIKELY[0] in drawn else best.encoding
