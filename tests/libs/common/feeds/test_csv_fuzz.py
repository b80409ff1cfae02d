"""Files that nobody would write, some of which somebody has: whatever the bytes, each line is taken or told, and the reader falls over none."""

import contextlib
import encodings
import io
import json
import pkgutil
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from amont.common.cli import root
from amont.common.errors import Invalid
from amont.common.feeds import Finding
from amont.common.feeds.checking import Checker
from amont.common.feeds.csv import CsvFeed, MappingFile, NoHeader
from amont.common.feeds.csv.rows import MOST_CHARACTERS

from .sheets import AS_OF

CODECS = sorted({*(module.name for module in pkgutil.iter_modules(encodings.__path__)), "", "utf8", "latin-1", "\x00", "é" * 50})
PIECES = st.sampled_from(
    [
        *(
            b'"',
            b'""',
            b";",
            b",",
            b"\t",
            b"|",
            b"\n",
            b"\r",
            b"\r\n",
            b"\x00",
            b"\x85",
            b"\xe2\x80\xa8",
            b"\xe9",
            b"\xc3\xa9",
            b"\xff\xfe",
            b"\xfe\xff",
        ),
        *(
            b"\xef\xbb\xbf",
            b"sep=;\n",
            b"Matricule",
            b"Grade",
            b"Nom",
            b"e1",
            b"C3",
            b"2026-12-01",
            b"=1+1",
            b"\\",
            b"'",
            b" ",
            b"\x1a",
            b"a" * 600,
        ),
    ]
)
BYTES = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=80).map(b"".join))
HEADS = st.sampled_from(
    [b"", b"Matricule;Nom;Grade\n", b"\xef\xbb\xbfMatricule,Nom,Grade\r\n", '"Matricule"\t"Nom"\t"Grade"\n'.encode("utf-16")]
)


def read(data: bytes, **how: str | None) -> CsvFeed | None:
    """The feed; None where it is refused as a whole, in words."""
    with contextlib.suppress(NoHeader, Invalid):
        return CsvFeed(io.BytesIO(data), as_of=AS_OF, tenant="fr", mapping=MappingFile(dates="dmy"), **how)  # type: ignore[arg-type]
    return None


def looked(feed: CsvFeed) -> Iterator[tuple[int, bytes | None, list[Finding]]]:
    """Of each entry its line, what would be sent, and what was found."""
    checker = Checker(tenant="fr")
    for entry in feed:
        line, findings = checker.look(entry)
        bad = line is None or any(one.is_error for one in findings)
        yield entry.line, None if bad or line is None else line.record.value, findings


@settings(max_examples=600, deadline=None)
@given(HEADS, BYTES, st.sampled_from([None, None, *CODECS]), st.one_of(st.none(), st.sampled_from(';,"\n\r\x00 é'), st.text(max_size=2)))
def test_every_line_is_taken_or_told_with_its_place(head: bytes, noise: bytes, encoding: str | None, delimiter: str | None) -> None:
    feed = read(head + noise, encoding=encoding, delimiter=delimiter)
    if feed is None:
        return
    found = list(looked(feed))
    assert all(one < other for (one, *_), (other, *_) in pairwise(found))
    for line, sent, findings in found:
        assert (sent is None) == any(one.is_error for one in findings)
        assert all(one.line == line for one in findings)
        assert sent is None or json.loads(sent)["tenant"] == "fr"
    assert list(looked(feed)) == found  # a second look sees the same


CELL = st.lists(
    st.sampled_from(['"', '""', ";", "a", "é", "\x00", " ", "\ufeff", "\u2028", "\x85", "'", "=1+1", "\\", "\n"]), max_size=8
).map("".join)


@settings(max_examples=600, deadline=None)
@given(st.lists(CELL, max_size=25), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_what_a_hostile_cell_takes_with_it_is_within_the_lines_that_are_told(cells: list[str], end: str, encoding: str) -> None:
    """Each row begins with an id of its own. Whatever quotes open and close, each id is in a record that is sent, or in a line that is refused."""
    lines = ["Matricule;Nom;Grade", *(f"id{number}x;{cell};C3" for number, cell in enumerate(cells))]
    text = "".join(line + end for line in lines)
    feed = read(text.encode(encoding, errors="replace"), encoding=encoding, delimiter=";")
    assert feed is not None
    found = list(looked(feed))
    sent = b"".join(value for _, value, _ in found if value).decode()
    after = [*(line for line, *_ in found), len(text)][1:]
    refused = {number for (line, value, _), end_ in zip(found, after, strict=True) if value is None for number in range(line, end_)}
    at = 1
    for number, cell in enumerate(["", *cells]):
        ours = f"id{number - 1}x"
        assert number == 0 or ours in sent or at in refused, (ours, found)
        whole = cell + end
        at += whole.count("\n") + whole.count("\r") - whole.count("\r\n")


def test_a_line_of_ten_megabytes_costs_itself_and_no_other() -> None:
    long = "x" * 10_000_000
    text = f'Matricule;Nom;Grade\ne1;A;C3\ne2;{long};C3\ne3;B;C3\ne4;"{long}\ne5;C;C3\n'
    feed = read(text.encode())
    assert feed is not None
    found = list(looked(feed))
    assert [(line, bool(sent)) for line, sent, _ in found] == [(2, True), (3, False), (4, True), (5, False), (6, True)]
    assert f"more than {MOST_CHARACTERS:,}" in found[1][2][0].what


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HEADS, BYTES)
def test_an_import_counts_every_record_as_sent_or_as_left_out(head: bytes, noise: bytes) -> None:
    done = CliRunner().invoke(
        root(), ["hris", "import", "-", "--tenant", "fr", "--dates", "dmy", "--dry-run", "--json"], input=head + noise
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    said = json.loads(done.stdout)
    assert said["why_not"] or said["records"] == said["sent"] + said["bad_lines"]
    assert done.exit_code == (1 if said["why_not"] or said["bad_lines"] else 0)
