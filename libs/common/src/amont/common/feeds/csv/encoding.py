"""In which encoding a file is: told by its byte-order mark, by being UTF-8 as a whole, or guessed from the lines that are not (charset-normalizer).

Every line is looked at, not only the first ones: the first accent of a file of 1 GB may be in its middle. What is kept of them is how often each byte
came and a piece of text for each that had not come before, so that a letter that comes once, at the end, has its say.

Windows-1252 and windows-1250 have most letters at the same places, and any text is a text in both: between them the letters that languages have decide.
"""

import codecs
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from charset_normalizer import from_bytes

from amont.common.errors import Invalid

CHUNK = 1 << 20
SAMPLE = 64 * 1024
AROUND = 100
"""Bytes of a line on either side of one that had not come before."""
MOSTLY = 20
"""A file with so many lines in UTF-8 for each that is not is a UTF-8 file with bad lines, not a file in another encoding."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LIKELY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_2", "mac_roman", "cp850")
"""What spreadsheets and HR systems of Europe write when they do not write UTF-8; the first is by far the most frequent, and wins a draw."""
_CENTRAL = ("cp1250", "iso8859_2")
_WESTERN_LETTERS = (
    "àâæçéèêëîïôœùûüÿ",  # French
    "äöüßé",  # German
    "áéíóúüñ",  # Spanish
    "áâãàçéêíóôõúü",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "àçéèíïóòúü",  # Catalan
    "åäöæøé",  # Swedish, Danish, Norwegian, Finnish
    "áðéíóúýþæö",  # Icelandic
    "éëïöüèê",  # Dutch
)
_CENTRAL_LETTERS = (
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "čćđšž",  # Croatian, Slovene
    "áéíóöőúüű",  # Hungarian
    "ăâîşţ",  # Romanian
)
_WEST = frozenset("".join(_WESTERN_LETTERS) + "šžªº¿¡")
_CENTRE = frozenset("".join(_CENTRAL_LETTERS) + "çëß")
_HALF, _NEARLY, _LESS = 0.6, 0.98, 0.05
"""Shares of the letters: see `_is_central`."""
_ASCII = bytes(range(128))
_SPELLED = re.compile(rb"[A-Za-z\x80-\xff]{3,}")
"""A word, of which the letters count; `£` before an amount and `m³` are none."""
_WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}-][^\W\d_]+)*")
LONGEST_WORD = 40
_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte-order mark",
    "utf-16": "UTF-16",
    "mac_roman": "Mac Roman",
    "iso8859_2": "ISO 8859-2",
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """`codec` is Python's name; `guessed` when the bytes do not prove it, and then `reads` is a word of the file, for a person to see whether it is one."""

    codec: str
    guessed: bool = False
    reads: str = ""

    @property
    def for_example(self) -> str:
        """The word as the rest of a clause, since whoever knows it sees whether the guess is right; nothing where there is none."""
        return f", which reads {self.reads!r}" if self.reads else ""

    @property
    def name(self) -> str:
        """What people call it."""
        return _NAMES.get(self.codec) or (f"windows-{self.codec[2:]}" if self.codec.startswith("cp125") else self.codec)

    def __str__(self) -> str:
        return f"{self.name} (a guess: --encoding says otherwise)" if self.guessed else self.name


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
    good, bad, seen = 0, 0, _Seen()
    for line in _lines_with_accents(file):
        try:
            line.decode()
        except UnicodeDecodeError:
            bad += 1
            seen.add(line)
        else:
            good += 1
    if bad == 0 or good >= MOSTLY * bad:
        return Encoding("utf-8")
    codec = _guess(seen)
    return Encoding(codec, guessed=True, reads=_word(seen, codec))


@dataclass(slots=True)
class _Seen:
    """What is kept of lines that are not UTF-8: the first ones, how often each byte came in a word, and the text around the first of each."""

    first: bytearray = field(default_factory=bytearray)
    counts: Counter[int] = field(default_factory=Counter)
    around: dict[int, bytes] = field(default_factory=dict)

    def add(self, line: bytes) -> None:
        self.counts.update(b"".join(_SPELLED.findall(line)).translate(None, _ASCII))
        for byte in set(line.translate(None, _ASCII)).difference(self.around):
            at = line.index(byte)
            self.around[byte] = line[max(0, at - AROUND) : at + AROUND]
        if len(self.first) < SAMPLE:
            self.first += line + b"\n"

    @property
    def sample(self) -> bytes:
        return bytes(self.first) + b"\n".join(self.around.values())

    def letters(self, codec: str, other: str) -> Counter[str]:
        """How often each character came that is a letter in one of these two encodings, as the first of them reads it."""
        read: Counter[str] = Counter()
        for byte, count in self.counts.items():
            here, there = (bytes([byte]).decode(one, "replace").lower() for one in (codec, other))
            if here.isalpha() or there.isalpha():
                read[here] += count
        return read


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


def _guess(seen: _Seen) -> str:
    matches = from_bytes(seen.sample, cp_isolation=list(_LIKELY), preemptive_behaviour=False)
    best = matches.best()
    if best is None:
        return _LIKELY[0]
    drawn = {name for match in matches if match.chaos <= best.chaos + 0.02 for name in match.could_be_from_charset}
    if best.encoding not in _CENTRAL and _LIKELY[0] not in drawn:
        return best.encoding
    central = max(_CENTRAL, key=lambda codec: _share(seen.letters(codec, _LIKELY[0]), _CENTRAL_LETTERS))
    return central if _is_central(seen, central) else _LIKELY[0]


def _is_central(seen: _Seen, codec: str) -> bool:
    """Either windows-1252 has what is no letter where there is to be one, as it has for Polish; or all of it is one language of Central Europe, and in
    windows-1252 a mixture of several. In doubt it is not.
    """
    central, western = seen.letters(codec, _LIKELY[0]), seen.letters(_LIKELY[0], codec)
    if _share(central, (_CENTRE,)) >= _share(western, (_WEST,)) + _LESS:
        return True
    return _share(central, _CENTRAL_LETTERS) >= _NEARLY and _share(western, _WESTERN_LETTERS) <= _HALF


def _share(read: Counter[str], languages: Iterable[Collection[str]]) -> float:
    """Of all that was read, how much is letters of one of these languages: of the one that has most of them."""
    return max(sum(read[letter] for letter in letters) for letters in languages) / (read.total() or 1)


def _word(seen: _Seen, codec: str) -> str:
    """One with an accent, and if there is one, with a letter that another encoding reads in another way."""

    def telling(byte: int) -> bool:
        return len({bytes([byte]).decode(one, "replace") for one in (_LIKELY[0], *_CENTRAL)}) > 1

    for byte in sorted(seen.around, key=lambda byte: (not telling(byte), -seen.counts[byte])):
        accent = bytes([byte]).decode(codec, "replace")
        for found in _WORD.finditer(seen.around[byte].decode(codec, "replace")):
            if accent in found[0] and accent.isalpha():
                return found[0][:LONGEST_WORD]
    return ""
