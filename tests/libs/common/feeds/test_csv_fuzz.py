"""Files that nobody would write, some of which somebody has: whatever the bytes, each line is taken or told, and the reader falls over none."""

import contextlib
import csv
import encodings
import io
import json
import pkgutil
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from amont.common.cli import root
from amont.common.errors import Invalid
from amont.common.feeds import Finding
from amont.common.feeds.across import Across
from amont.common.feeds.checking import Checker
from amont.common.feeds.csv import CsvFeed, MappingFile, NoHeader
from amont.common.feeds.csv.rows import MOST_CHARACTERS
from amont.common.feeds.findings import Tally
from amont.common.feeds.looking import Look

from .sheets import AS_OF, WRITTEN

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
        return CsvFeed(io.BytesIO(data), as_of=AS_OF, written=WRITTEN, tenant="fr", mapping=MappingFile(dates="dmy"), **how)  # type: ignore[arg-type]
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


TO_THE_LETTER = re.compile(r'(?:(?:"(?:[^"]|"")*"|[^;"\r\n]*);){2}(?:"(?:[^"]|"")*"|[^;"\r\n]*)(?:\r\n|\r|\n)|[^\r\n]*')
"""A row of three cells by RFC 4180; else a line."""
CELL = st.lists(
    st.sampled_from(['"', '""', ";", "a", "é", "\x00", " ", "\ufeff", "\u2028", "\x85", "'", "=1+1", "\\", "\n"]), max_size=8
).map("".join)


@settings(max_examples=600, deadline=None)
@given(st.lists(CELL, max_size=25), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_what_a_hostile_cell_takes_with_it_is_within_the_lines_that_are_told(cells: list[str], end: str, encoding: str) -> None:
    """Each row begins with an id of its own. Whatever quotes open and close, each id is a record that is sent, or in a line that is refused; else it is
    in a row that is RFC 4180 to the letter, of which nobody can tell that it was not meant.
    """
    lines = ["Matricule;Nom;Grade", *(f"id{number}x;{cell};C3" for number, cell in enumerate(cells))]
    text = "".join(line + end for line in lines)
    feed = read(text.encode(encoding, errors="replace"), encoding=encoding, delimiter=";")
    assert feed is not None
    found = list(looked(feed))
    sent = {json.loads(value)["employee_id"] for _, value, _ in found if value}
    physical = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)", text.encode(encoding, errors="replace").decode(encoding))
    after = [*(line for line, *_ in found), len(physical) + 1][1:]
    told = set[int]()
    for (line, value, _), end_ in zip(found, after, strict=True):
        if value is None or TO_THE_LETTER.match("".join(physical[line - 1 :])).end() > len(physical[line - 1]):  # type: ignore[union-attr]
            told.update(range(line, end_))
    at = 2
    for number, cell in enumerate(cells):
        assert f"id{number}x" in sent or at in told, (number, found)
        at += len(re.findall(r"\r\n|\r|\n", cell + end))


NAME = st.text(st.sampled_from('aé ;,"\n'), max_size=6).map(lambda text: f"N{text}N")
PERSON = st.tuples(NAME, st.sampled_from(["C3", "C;4"]))


@settings(max_examples=600, deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=12), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(";,"), st.data())
def test_a_quote_too_many_or_too_few_changes_nobody_else(
    people: list[tuple[str, str]], quoting: Literal[0, 1], delimiter: str, data: st.DataObject
) -> None:
    """In a file that a careful writer wrote. Whoever is not sent after that is hidden by a line that nobody can be told from, so it is not complete."""
    file = io.StringIO(newline="")
    rows = [("Matricule", "Nom", "Grade"), *((f"e{number}", *one) for number, one in enumerate(people))]
    csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerows(rows)
    text = file.getvalue()
    at = data.draw(st.integers(text.index("\n") + 1, len(text) - 1))
    struck = text[:at] + text[at + 1 :] if text[at] == '"' else text[:at] + '"' + text[at:]
    feed = read(struck.encode(), delimiter=delimiter)
    assert feed is not None
    before = {one["employee_id"]: one for one in (json.loads(value) for _, value, _ in looked(read(text.encode()) or feed) if value)}
    sent = [json.loads(value) for _, value, _ in looked(feed) if value]
    assert sum(before.get(one["employee_id"], one) != one for one in sent) <= 1
    with Across() as across:
        look = Look(Checker(tenant="fr"), across, Tally(1))
        for entry in feed:
            look.take(entry)
        assert look.nobody or {one.person for one in across.listed(AS_OF.date())} >= {f"fr:{one}" for one in before}


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
@example(b"", b"PK\x03\x04")
@example(b"", b'{"employee_id": "e1"}')
def test_an_import_counts_every_record_as_sent_or_as_left_out(head: bytes, noise: bytes) -> None:
    done = CliRunner().invoke(
        root(), ["hris", "import", "-", "--tenant", "fr", "--dates", "dmy", "--dry-run", "--json"], input=head + noise
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    if done.exit_code == 2:  # a workbook or an archive in the place of a table, known by its first bytes
        assert not done.stdout
        assert done.stderr.startswith("This is ")
        return
    said = json.loads(done.stdout)
    assert said["why_not"] or said["records"] == said["sent"] + said["bad_lines"]
    assert done.exit_code == (1 if said["why_not"] or said["bad_lines"] else 0)
