"""Machine code kept on disk, each file with its digest: numba reads whatever is there, and one file cut off by a full disk would stop every run.

A file whose digest does not fit, or that cannot be read, counts as absent: the function is compiled again and the file replaced. Where nothing can be
written, the code is used and not kept. Both are said once a process, in one line. Rests on numba's `IndexDataCacheFile`, which is not public; the test
that damages files would tell of a change.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

_DIGEST = 32

_log = logging.getLogger(__name__)


class CheckedFiles(IndexDataCacheFile):
    """The two files of one function: after what numba writes stands its SHA-256, which unpickling does not look at."""

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BytesIO]:
        whole = BytesIO()
        yield whole
        with super()._open_for_write(filepath) as file:
            file.write(whole.getvalue() + sha256(whole.getvalue()).digest())

    def _load_index(self) -> dict[Any, str]:
        index = Path(self._index_path)
        try:
            _hold_whole(index)
        except FileNotFoundError:
            return {}
        except OSError as error:
            _say(f"Machine code of the matching engine in {index.parent} is damaged and is made anew ({error}).")
            return {}
        return dict(super()._load_index())

    def _load_data(self, name: str) -> Any:
        try:
            _hold_whole(Path(self._data_path(name)))
        except OSError as error:
            _say(f"Machine code of the matching engine in {self._cache_path} is damaged and is made anew ({error}).")
            raise
        return super()._load_data(name)

    def save(self, key: Any, data: Any) -> None:
        try:
            super().save(key, data)
        except OSError as error:
            _say(f"Machine code of the matching engine cannot be kept in {self._cache_path} ({error}).")


def keep_checked(dispatcher: Any) -> None:
    """Have the code of a function that numba keeps on disk checked when it is read."""
    files = dispatcher._cache._cache_file  # noqa: SLF001 - see the module
    dispatcher._cache._cache_file = CheckedFiles(  # noqa: SLF001
        files._cache_path,  # noqa: SLF001
        files._index_name.removesuffix(".nbi"),  # noqa: SLF001
        files._source_stamp,  # noqa: SLF001
    )


def _hold_whole(path: Path) -> None:
    raw = path.read_bytes()
    if sha256(raw[:-_DIGEST]).digest() != raw[-_DIGEST:]:
        raise OSError(f"{path.name} is not what was written")


_said: list[str] = []


def _say(what: str) -> None:
    if not _said:
        _said.append(what)
        _log.warning(what)
