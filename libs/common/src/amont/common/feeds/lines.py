"""A feed of JSON lines: where each line begins and ends, within limits, so that a file without line ends takes no memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from amont.common.events.hris import StaffFact
from amont.common.feeds.findings import Finding, found

MOST_BYTES = 1_000_000
"""Of one record: what Kafka takes."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a feed holds at one place: the line as JSON, and what its door found; with an error among it, it is no record. Without a `value` nothing else can be
    said of it.
    """

    line: int
    value: bytes
    findings: tuple[Finding, ...] = ()
    person: str | None = None
    """Whom a line is about, bad or not, where its door can tell."""
    kind: type[StaffFact] | None = None
    """What a record's envelope says it is; where there is no envelope, the line itself says."""


def json_lines(file: BinaryIO) -> Iterator[Entry]:
    """Every line that is not empty. A byte-order mark at the beginning is passed over."""
    number = 0
    while raw := file.readline(MOST_BYTES + 2):
        number += 1
        ended = raw.endswith(b"\n")
        line = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
        if len(line) > MOST_BYTES or (not ended and len(raw) > MOST_BYTES):
            yield Entry(number, b"", (found(number, "too-long", "", f"longer than {MOST_BYTES:,} bytes"),))
            while not ended and (raw := file.readline(MOST_BYTES)):
                ended = raw.endswith(b"\n")
        elif line:
            yield Entry(number, line) if ended or line.endswith(b"}") else _last(number)


def _last(number: int) -> Entry:
    return Entry(number, b"", (found(number, "cut-off", "", "the file ends in the middle of a record"),))
