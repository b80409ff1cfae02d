"""JSON written line by line, a member of a list or an object to each, so that two files can be compared by eye and no file is ever one text in memory."""

import json
from collections.abc import Iterator
from typing import Any


def in_json(value: Any) -> str:
    """The value on one line."""
    return json.dumps(value, ensure_ascii=False)


def block(name: str, brackets: str, lines: Iterator[str], *, end: str = ",") -> Iterator[str]:
    """A list or an object of that name, a line for each of its members."""
    before = next(lines, None)
    if before is None:
        yield f"{in_json(name)}: {brackets}{end}"
        return
    yield f"{in_json(name)}: {brackets[0]}"
    for line in lines:
        yield f"{before},"
        before = line
    yield before
    yield f"{brackets[1]}{end}"
