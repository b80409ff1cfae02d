"""Pages of `docs/` as what they are to a reader: files to write, commands to run, and what those say.

A block under a line "`name`…:" is a file; a block `sh` is run, by whoever has `amont` on the path; a block `text` is what the commands before it said.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"(?:^`(?P<file>[\w.-]+)`[^\n]*:\n\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """`file` is its name when it is to be written."""

    file: str | None
    language: str
    body: str


def blocks(page: str) -> Iterator[Block]:
    """Of a page, in order."""
    for one in _BLOCK.finditer((DOCS / page).read_text(encoding="utf-8")):
        yield Block(one["file"], one["language"], one["body"])


def with_amont(**more: str) -> dict[str, str]:
    """The environment of a reader."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **more}
