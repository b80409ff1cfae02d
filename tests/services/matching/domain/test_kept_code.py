"""Machine code on disk that was cut off, changed or cannot be written stops nobody: it is made anew, and one line says so."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

LOOPS = """
import numpy as np
from amont.matching.domain.engine.jit import compiled

@compiled
def twice(values):
    return values * 2

@compiled
def less(values):
    return values - 1

print(less(twice(np.arange(4))).tolist())
print(twice.stats.cache_hits.total() + less.stats.cache_hits.total())
"""

DAMAGES: list[tuple[str, Callable[[Path], object]]] = [
    ("nbi", lambda file: file.write_text("not machine code", encoding="utf-8")),
    ("nbi", lambda file: file.write_bytes(file.read_bytes()[:-7])),
    ("nbc", lambda file: file.write_bytes(file.read_bytes()[:-7])),
    ("nbc", lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])),
    ("nbi", lambda file: (file.unlink(), file.mkdir())),
]
"""What happens to every file of a kind; the last cannot be mended, and each process compiles for itself."""


def run(folder: Path) -> tuple[str, int, list[str]]:
    """What the loops gave, how many were taken from disk, and what was said."""
    program = folder / "loops.py"
    program.write_text(LOOPS, encoding="utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "kept")}
    ended = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    answer, hits = ended.stdout.splitlines()
    return answer, int(hits), ended.stderr.splitlines()


def test_damaged_code_is_made_anew_and_said_once(tmp_path: Path) -> None:
    answer = "[-1, 1, 3, 5]"
    assert run(tmp_path) == (answer, 0, [])
    assert run(tmp_path) == (answer, 2, [])
    for kind, damage in DAMAGES:
        files = list((tmp_path / "kept").rglob(f"*.{kind}"))
        assert len(files) == 2
        for file in files:
            damage(file)
        damaged, hits, said = run(tmp_path)
        assert (damaged, hits, len(said)) == (answer, 0, 1)
        assert "is damaged and is made anew" in said[0]
