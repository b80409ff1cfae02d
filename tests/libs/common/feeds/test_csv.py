"""CSV as spreadsheets and HR systems write it: what is read, what is refused, and that no bytes at all can make the reader fall."""

import csv
import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amont.common.errors import Invalid
from amont.common.feeds.checking import Checker
from amont.common.feeds.csv import MappingFile, NoHeader, read_mapping
from amont.common.feeds.csv.encoding import encoding_of
from amont.common.feeds.csv.rows import MOST_CHARACTERS, MOST_LINES, rows
from amont.common.feeds.grades import Grades

from .sheets import AS_OF, HEADER, WRITTEN, bad, feed_of, good, sheet

LIBREOFFICE = Path(__file__).parent / "files" / "libreoffice-fr.csv"
ADA = ("e1", "Lovelace", "C3", "2026-12-01")
BASE: dict[str, Any] = {"tenant": "fr", "employee_id": "e1", "family_name": "Lovelace", "grade": "C3"}


def test_what_libreoffice_saves_in_windows_1252_is_read_as_it_was_meant() -> None:
    """Exported by LibreOffice 7.4 under a French locale: windows-1252, semicolons, decimal commas, days with slashes, a quoted cell of two lines."""
    data = LIBREOFFICE.read_bytes()
    assert b"\xe9" in data
    feed = feed_of(data, mapping=MappingFile(dates="dmy"))
    assert str(feed.encoding).startswith("windows-1252")
    assert feed.delimiter == ";"
    zoe, jerome, ana = good(feed)
    assert (zoe["given_name"], zoe["family_name"], zoe["employee_id"], zoe["manager_id"]) == ("Zoé", "Petit-Lefèvre", "00042", "00007")
    assert (zoe["job_title"], zoe["languages"], zoe["joined_on"]) == ('Analyste "données"; tarification', ["fr", "en"], "2024-09-01")
    assert jerome["job_title"] == "=1+1"  # a formula is data
    assert ana["job_title"] == "Cheffe d\N{RIGHT SINGLE QUOTATION MARK}équipe"
    assert [entry.line for entry in feed] == [2, 4, 5]
    assert {(one.kind.name, one.where) for one in feed.columns.findings} == {
        ("refused-field", "column 'Salaire brut'"),
        ("ignored-column", 'column "Taux d\'activité"'),
        ("ignored-column", "column 'Remarque'"),
    }
    assert b"48500" not in b"".join(entry.value for entry in feed)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_encoding_delimiter_and_line_ends_are_found_out(encoding: str, delimiter: str, end: str) -> None:
    rows_ = [("e1", "Noël, Zoé", "C3", "2026-12-01"), ("e2", "Müller; Jérôme", "C3", "2026-12-01"), ("e3", "l'été\tà | Nîmes", "C3", "")]
    feed = feed_of(sheet(*rows_, delimiter=delimiter, encoding=encoding, end=end))
    assert feed.delimiter == delimiter
    assert [one["family_name"] for one in good(feed)] == ["Noël, Zoé", "Müller; Jérôme", "l'été\tà | Nîmes"]


def test_the_first_accent_of_a_large_file_may_be_in_its_middle() -> None:
    ascii_rows = [(f"e{number}", "Martin", "C3", "2026-12-01") for number in range(60_000)]
    data = sheet(*ascii_rows, ("x", "Hélène", "C3", "2026-12-01"), *ascii_rows, encoding="cp1252")
    assert len(data) > 2 << 20
    assert encoding_of(io.BytesIO(data)).codec == "cp1252"


@pytest.mark.parametrize(
    "names",
    [
        ("Hélène",),
        ("Zoé", "Léa"),
        ("Müller", "Größe"),
        ("José", "Muñoz", "García"),
        ("João", "Conceição"),
        ("Søren", "Åse"),
        ("Niccolò", "È"),
        ("Prix 5€ \N{EN DASH} café «à»",),
        ("Cañón", "¿Qué?", "¡Ay!"),
        ("Zoé", "£50,000", "£ 7", "30 m³"),
        ("L\N{RIGHT SINGLE QUOTATION MARK}été", "Œuvré"),
    ],
)
def test_western_text_is_read_in_windows_1252_however_little_of_it_there_is(names: tuple[str, ...]) -> None:
    feed = feed_of(sheet(*((f"e{number}", name, "C3", "") for number, name in enumerate(names)), encoding="cp1252"))
    assert feed.encoding.codec == "cp1252"
    assert [one["family_name"] for one in good(feed)] == list(names)


@pytest.mark.parametrize(
    "names",
    [
        ("Łukasz", "Wałęsa", "Żółć"),
        ("Łukasz", *["Müller"] * 9),
        ("Jiří", "Dvořák"),
        ("Růžičková", "Černý", "Šťastný"),
        ("Kovačević", "Đorđe", "Žižek"),
    ],
)
def test_central_european_text_is_read_in_windows_1250(names: tuple[str, ...]) -> None:
    feed = feed_of(sheet(*((f"e{number}", name, "C3", "") for number, name in enumerate(names)), encoding="cp1250"))
    assert [one["family_name"] for one in good(feed)] == list(names)


def test_a_letter_that_comes_once_after_many_others_is_read_as_it_was_meant() -> None:
    """é is the same letter in windows-1250, è is not; and 64 KB of the former come first."""
    many = [(f"e{number}", "Zoé", "C3", "2026-12-01") for number in range(6_000)]
    feed = feed_of(sheet(*many, ("x", "Hélène", "C3", "2026-12-01"), encoding="cp1252"))
    assert good(feed)[-1]["family_name"] == "Hélène"
    assert "which reads 'Hélène'" in feed.described


def test_a_guess_is_told_with_a_word_that_shows_it_and_what_is_no_guess_without() -> None:
    header = ("Matricule", "Prénom", "Grade", "effective_at")
    feed = feed_of(sheet(ADA, ("e2", "Jean-Gaël d'Arèves", "C3", ""), header=header, encoding="cp1252"))
    assert feed.described == 'windows-1252 (a guess: --encoding says otherwise), which reads "d\'Arèves", semicolons between cells'
    assert "reads" not in feed_of(sheet(("e2", "Hélène", "C3", ""))).described


def test_one_bad_byte_makes_one_bad_line_and_no_other_encoding() -> None:
    people = [(f"e{number}", "Hélène", "C3", "") for number in range(40)]
    data = sheet(*people).replace("e7;Hélène".encode(), b"e7;H\xe9l\xe8ne")
    feed = feed_of(data)
    assert feed.encoding.codec == "utf-8"
    assert bad(feed) == [(9, "not-text", "bytes that are not UTF-8")]
    assert len(good(feed)) == 39
    assert [entry.person for entry in feed if entry.findings] == ["fr:e7"]


def test_what_somebody_says_of_the_file_is_believed() -> None:
    data = sheet(("e1", "Ж", "C3", ""), encoding="cp1251", delimiter="|")
    assert good(feed_of(data, encoding="windows-1251", delimiter="|"))[0]["family_name"] == "Ж"
    with pytest.raises(Invalid, match="no encoding 'klingon'"):
        feed_of(data, encoding="klingon")


@pytest.mark.parametrize("said", ["tab", r"\t", "\t"])
def test_a_tab_can_be_said_by_name(said: str) -> None:
    assert good(feed_of(sheet(ADA, delimiter="\t"), delimiter=said))


def test_two_columns_of_one_name_are_told_to_be_renamed() -> None:
    with pytest.raises(NoHeader, match="both 'grade' and 'Grade' could be grade: rename one of them"):
        feed_of(b"tenant,employee_id,grade,Grade\nfr,e1,C3,C3\n")


def test_json_in_the_place_of_a_table_is_named() -> None:
    with pytest.raises(Invalid, match="This is JSON, and no table: `amont hris send` takes one record a line"):
        feed_of(b'{"tenant": "fr"}\n')


def test_excel_s_own_line_about_the_delimiter_is_heard() -> None:
    feed = feed_of(b"sep=|\r\n" + sheet(ADA, delimiter="|"))
    assert [entry.line for entry in feed] == [3]


def test_columns_are_known_by_the_names_that_hr_systems_give_them() -> None:
    for header in (
        ("Employee Number", "LAST NAME", "Job Grade", "effective_date"),
        ("Personalnummer", "Nachname", "Tarifgruppe", "gültig ab"),
        ("Número de empleado", "Apellidos", "Nivel", "Fecha efectiva"),
    ):
        (one,) = good(feed_of(sheet(ADA, header=header)))
        assert one | {"occurred_at": ""} == BASE | {"effective_at": "2026-12-01", "occurred_at": ""}


def test_a_header_without_what_is_needed_says_what_to_write() -> None:
    with pytest.raises(NoHeader) as refused:
        feed_of(sheet(("1", "2"), header=("Nummer X", "Salaire")), tenant=None)
    said = "\n".join(map(str, refused.value.findings))
    assert all(f"no column is {name}" in said for name in ("employee_id", "grade", "tenant"))
    assert '[columns] grade = "…"' in said
    assert "--tenant" in said
    with pytest.raises(NoHeader, match="could be employee_id"):
        feed_of(sheet(ADA, header=("Matricule", "Employee ID", "Grade", "x")))
    with pytest.raises(NoHeader, match="the first row is to name the columns"):
        feed_of(b"")


MAPPING = """
dates = "mdy"
[columns]
employee_id = "Nummer X"
grade = "Stufe"
[constants]
tenant = "de"
site = "Berlin"
[values.status]
"7" = "active"
"8" = "left"
[values.manager_id]
"0" = ""
"""


def test_a_mapping_file_says_what_names_do_not() -> None:
    header = ("Nummer X", "Stufe", "Status", "Manager", "Hire Date")
    data = sheet(("1", "C3", "7", "0", "12/31/2024"), ("2", "C3", "8", "5", ""), header=header)
    one, two = good(feed_of(data, tenant=None, mapping=read_mapping(MAPPING)))
    assert (one["tenant"], one["site"], one["joined_on"], "manager_id" in one) == ("de", "Berlin", "2024-12-31", False)
    assert two == {
        "tenant": "de",
        "employee_id": "2",
        "effective_at": "2026-12-01",
        "occurred_at": "2026-12-02T17:05:00.000000Z",
        "left": True,
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[columns", "not TOML"),
        ('[columns]\nshoe = "X"', "/columns/shoe: not a field"),
        ("[columns]\ngrade = 3", "/columns/grade: write a text"),
        ('dates = "ymd"', "/dates: write"),
        ("[colours]", "/colours: not a part"),
        ("columns = 3", "/columns: write a table"),
        ("[values]\nstatus = 3", "/values/status: write a table"),
    ],
)
def test_a_mapping_file_that_cannot_be_used_says_where(text: str, fault: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_mapping(text)
    said = [str(refused.value), *(f"{one.pointer}: {one.detail}" for one in refused.value.faults)]
    assert any(fault in one for one in said), said


CELLS = [
    ("Hire Date", "2024-09-01", {"joined_on": "2024-09-01"}),
    ("Hire Date", "01.09.2024", {"joined_on": "2024-09-01"}),
    ("Hire Date", "20240901", {"joined_on": "2024-09-01"}),
    ("Hire Date", "2024-09-01 00:00:00", {"joined_on": "2024-09-01"}),
    ("Hire Date", "01/09/2024", "could be day/month or month/day: say which"),
    ("Hire Date", "45536", "a spreadsheet's number of a day"),
    ("Hire Date", "31.02.2024", "a day that no calendar has"),
    ("Hire Date", "soon", "is not a day as in 2026-12-01"),
    ("Effective date", "2026-12-01T08:00:00+01:00", {"effective_at": "2026-12-01T07:00:00.000000Z"}),
    ("Effective date", "2026-12-01 08:00", "has a time and no offset"),
    ("Last modified", "2026-11-30", {"occurred_at": "2026-11-30T00:00:00.000000Z"}),
    ("Status", "En congé", {"status": "on_leave"}),
    ("Status", "AKTIV", {"status": "active"}),
    ("Status", "Z9", "is not active, on_leave or left"),
    ("Languages", "FR, en_GB|de", {"languages": ["fr", "en-GB", "de"]}),
    ("Languages", "français", "is not a BCP 47 tag"),
    ("Manager", "1,23E+05", "a spreadsheet has made a rounded number of"),
    ("Matrix managers", "e7; de:e8", {"dotted_manager_ids": ["e7", "de:e8"]}),
    ("Leaver", "perhaps", "is neither yes nor no"),
    ("Leaver", "non", {}),
    ("Title", '=HYPERLINK("http://x")', {"job_title": '=HYPERLINK("http://x")'}),
    ("Title", "  two\nlines ", {"job_title": "two\nlines"}),
]


@pytest.mark.parametrize(("column", "cell", "expected"), CELLS, ids=[f"{column}: {cell}" for column, cell, _ in CELLS])
def test_a_cell_is_read_or_refused_and_never_guessed(column: str, cell: str, expected: dict[str, Any] | str) -> None:
    feed = feed_of(sheet((*ADA[:3], cell), header=("Matricule", "Nom", "Grade", column)))
    if isinstance(expected, str):
        ((line, kind, said),) = bad(feed)
        assert (line, kind) == (2, "bad-value")
        assert said.startswith(f"column {column!r}: ")
        assert expected in said
    else:
        (one,) = good(feed)
        when = {"effective_at": "2026-12-01", "occurred_at": "2026-12-02T17:05:00.000000Z"}
        assert one == BASE | when | expected


def test_who_leaves_takes_no_names_along() -> None:
    (one,) = good(feed_of(sheet((*ADA[:3], "oui"), header=("Matricule", "Nom", "Grade", "Sorti"))))
    assert one == {
        "tenant": "fr",
        "employee_id": "e1",
        "effective_at": "2026-12-01",
        "occurred_at": "2026-12-02T17:05:00.000000Z",
        "left": True,
    }


def test_a_file_that_is_cut_off_says_so_and_the_rest_is_read() -> None:
    whole = sheet(ADA, ("e2", "Turing", "C3", "2026-12-01"))
    for cut in (whole[:-14], whole[:-20]):
        feed = feed_of(cut)
        assert [one["employee_id"] for one in good(feed)] == ["e1"]
        ((line, kind, said),) = bad(feed)
        assert (line, kind, "the file ends in the middle of a row" in said) == (3, "cut-off", True)
    ((_, kind, _),) = bad(feed_of(whole + b'e3;"Hop'))
    assert kind == "cut-off"
    ((line, kind, said),) = bad(feed_of(whole[:-2]))
    assert (line, kind) == (3, "no-line-end")
    assert Checker().look(list(feed_of(whole[:-2]))[1])[0] is not None


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_quote_that_is_never_closed_costs_its_own_line_only(end: str) -> None:
    people = [(f"e{number}", "Martin", "C3", "2026-12-01") for number in range(300)]
    feed = feed_of(sheet(*people, end=end).replace(b"e9;Martin", b'e9;"Martin'))
    assert bad(feed) == [(11, "too-long", "a quote is opened and never closed")]
    assert len(good(feed)) == 299
    feed = feed_of(sheet(*people, end=end).replace(b"e9;Martin", b'e9;"Martin').replace(b"e12;Martin", b'e12;"Martin"'))
    assert bad(feed) == [(11, "stray-quote", "column 'Nom': a closing quote is followed by 'M' (line 14, character 6)")]
    assert [one["employee_id"] for one in good(feed)] == [f"e{number}" for number in range(300) if number != 9]


ALL_QUOTED = ["e9", "Martin", "C3", "2026-12-01"]


@pytest.mark.parametrize(
    ("row", "where", "line"),
    [
        (b'"e9","Martin,"C3","2026-12-01"', "column 'Nom'", 11),  # a quote that closes nothing before a delimiter
        (b'"e9","Martin","C3","2026-12-01', 'column "Date d\'effet"', 12),  # and none at the end of the row
        (b'"e9","Mar"tin","C3","2026-12-01"', "column 'Nom'", 11),  # one in a name
        (b'"e9","Martin" ,"C3","2026-12-01"', "column 'Nom'", 11),  # a blank
        (b'"e9","Martin","C3","2026-12-01","x"y', "cell 5", 11),
    ],
)
def test_a_closing_quote_is_followed_by_a_delimiter_or_the_line_s_end(row: bytes, where: str, line: int) -> None:
    lines = [b",".join(b'"%s"' % cell.encode() for cell in (f"e{number}", *ALL_QUOTED[1:])) for number in range(20)]
    lines[9] = row
    feed = feed_of(b"\n".join([",".join(HEADER).encode(), *lines, b""]))
    ((at, kind, said),) = bad(feed)
    assert (at, kind) == (11, "stray-quote")
    assert said.startswith(f"{where}: a closing quote is followed by ")
    assert f"(line {line}, character " in said
    assert [one["employee_id"] for one in good(feed)] == [f"e{number}" for number in range(20) if number != 9]
    assert [entry.line for entry in feed if entry.person is None] == [11]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b'e1;"Lovelace;C3\ne2;";Turing";C3\n', "2 lines in quotes, and a quote inside a cell without quotes"),
        (b'e1;Lovelace;C3;"2026\ne2;Turing;C3;"\n', ""),
        (b'e1;Lovelace;"C3\ne2;Turing;";2026-12-01;x\n', "2 lines in quotes, and 5 cells where the header has 4"),
        (b'e1;"Lovelace\ne2;Turing;C3;"\n', "2 lines in quotes, and 2 cells where the header has 4"),
    ],
)
def test_a_row_over_several_lines_that_a_quote_has_made_is_no_record(lines: bytes, said: str) -> None:
    feed = feed_of(sheet(header=HEADER) + lines + b"e3;Hopper;C3;2026-12-01\n")
    first = next(iter(feed))
    assert first.person is None
    assert [one.kind.name for one in first.findings] == (["stray-quote"] if said else ["bad-value"])
    assert said in str(first.findings[0])
    assert good(feed)[-1]["employee_id"] == "e3"


def test_an_id_with_a_quote_in_it_is_nobody() -> None:
    (entry,) = feed_of(sheet(header=HEADER) + b'e1";"Lovelace";"C3";"2026-12-01"\r\n')
    assert entry.person is None
    assert [(one.kind.name, one.where) for one in entry.findings] == [("bad-value", "/employee_id")]


def test_cells_of_several_lines_that_a_spreadsheet_writes_are_good() -> None:
    notes = ["two\nlines", 'a "quoted" word\nand "another"', "\nfirst empty", "last empty\n", "a;b\n;c;", '"\n"', "x\r\ny"]
    people = [(f"e{number}", f"N{note}N", "C3", "2026-12-01") for number, note in enumerate(notes)]
    feed = feed_of(sheet(*people))
    assert bad(feed) == []
    assert [one["family_name"] for one in good(feed)] == [f"N{note}N" for note in notes]


def test_a_row_with_too_many_cells_is_refused_and_one_without_its_last_empty_ones_is_not() -> None:
    data = sheet(header=HEADER) + b"e1;Lovelace;C3\r\ne2;Turing;C3;2026-12-01;more\r\ne3;Hopper;C3;2026-12-01;;;\r\n\r\n;;;\r\n"
    feed = feed_of(data)
    assert [one["employee_id"] for one in good(feed)] == ["e1", "e3"]
    assert bad(feed) == [(3, "columns", "5 cells, and the header has 4")]


def test_a_line_without_end_is_passed_over() -> None:
    data = sheet(ADA) + b"x" * (3 * MOST_CHARACTERS) + b"\r\n" + sheet(("e2", "Turing", "C3", ""), header=("e3", "Hopper", "C3", ""))
    feed = feed_of(data)
    assert [one["employee_id"] for one in good(feed)] == ["e1", "e3", "e2"]
    assert [(line, kind) for line, kind, _ in bad(feed)] == [(3, "too-long")]


def test_a_subsidiary_in_the_file_and_another_one_on_the_command_line_contradict_each_other() -> None:
    feed = feed_of(sheet(("de", "e1", "C3"), header=("tenant", "id salarié", "grade")), tenant="fr")
    (entry,) = feed
    _, findings = Checker(tenant="fr").look(entry)
    assert [one.kind.name for one in findings] == ["wrong-tenant"]


WHOLE = ("Matricule", "Grade", "Courriel", "Hire Date", "Statut", "Manager")
FAULTS = [
    (("e1", "C9", "nobody", "31.02.2024", "Actif", "1,2E+05"), ["Courriel", "Grade", "Hire Date", "Manager"]),
    (("x" * 65, "", "nobody", "31.02.2024", "Actif", "e7"), ["Courriel", "Grade", "Hire Date", "Matricule"]),
    (("e1", "", "", "", "Z9", ""), ["Statut"]),  # perhaps a leaver, who needs no grade
    (("e1", "C9", "", "", "Z9", ""), ["Grade", "Statut"]),
]


@pytest.mark.parametrize(("row", "columns"), FAULTS)
def test_all_that_is_wrong_with_a_line_is_told_at_once(row: tuple[str, ...], columns: list[str]) -> None:
    feed = feed_of(sheet(row, header=WHOLE))
    (entry,) = feed
    line, findings = Checker(tenant="fr", grades=Grades({"fr": {"C3": 5}})).look(entry)
    assert line is None
    assert sorted(feed.placed(one).where for one in findings) == [f"column {name!r}" for name in columns]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=8), st.sampled_from(";,\t|"), st.sampled_from(["\n", "\r\n"]))
def test_what_a_careful_writer_writes_is_read_back(table: list[list[str]], delimiter: str, end: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    file.seek(0)
    kept = [
        row for row in table if any(cell.strip() for cell in row) and sum(cell.count("\n") + cell.count("\r") for cell in row) < MOST_LINES
    ]
    assert [row.cells for row in rows(file, delimiter) if row.fault is None] == kept


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(['"', ";", "\n", "\r", "\r\n", "a", "é", '""', "e1;x", " ", "\ufeff"]), max_size=60).map("".join))
def test_rows_are_what_the_standard_library_s_reader_sees_where_it_sees_any(text: str) -> None:
    """Where every quote is closed, both split a text into the same rows."""
    if any(row.fault for row in rows(io.StringIO(text, newline=""), ";")):
        return
    ours = [row.cells for row in rows(io.StringIO(text, newline=""), ";")]
    theirs = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert ours == [row for row in theirs if any(cell.strip() for cell in row)]


NOISE = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [b'"', b";", b"\n", b"\r\n", b",", b"\x00", b"\xe9", b"\xc3\xa9", b"e1", b"2026-12-01", b"=1+1", b"\xff\xfe", b"left"]
        ),
        max_size=120,
    ).map(b"".join),
)


@settings(max_examples=500, deadline=None)
@given(NOISE, st.booleans(), st.sampled_from([None, "utf-8", "cp1252", "utf-16", "mac_roman", "utf-7"]))
def test_no_bytes_make_the_reader_fall(noise: bytes, with_header: bool, encoding: str | None) -> None:  # noqa: FBT001
    """Every entry is a record or says why it is none, and the lines are named in order."""
    data = (sheet(header=(*HEADER, "Status", "Languages", "Manager")) if with_header else b"") + noise
    try:
        feed = feed_of(data, encoding=encoding)
    except NoHeader:
        return
    except Invalid:
        assert not with_header
        assert noise.startswith((b"PK", b"\xd0\xcf", b"\x1f\x8b", b"%PDF", b'{"'))
        return
    lines = [entry.line for entry in feed]
    assert lines == sorted(set(lines))
    for entry in feed:
        line, findings = Checker(tenant="fr").look(entry)
        assert (line is None) <= any(one.is_error for one in findings)
        if line is not None:
            assert json.loads(entry.value)["tenant"] == "fr"


@settings(deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2999, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%Y/%m/%d", "%d/%m/%Y", "%d-%m-%Y"])
)
def test_a_day_is_the_same_in_every_way_of_writing_it(day: date, way: str) -> None:
    feed = feed_of(
        sheet((*ADA[:3], day.strftime(way)), header=("Matricule", "Nom", "Grade", "Hire Date")), mapping=MappingFile(dates="dmy")
    )
    assert good(feed)[0]["joined_on"] == day.isoformat()


def test_when_it_was_written_and_from_when_it_holds_stand_in_where_a_file_says_none() -> None:
    (one,) = good(feed_of(sheet(ADA[:3], header=HEADER[:3])))
    assert datetime.fromisoformat(one["occurred_at"]) == WRITTEN
    assert one["effective_at"] == AS_OF.date().isoformat()
    header = (*HEADER[:3], "Last modified")
    (one,) = good(feed_of(sheet((*ADA[:3], "2026-11-30T08:00:00+01:00"), header=header)))
    assert one["occurred_at"] == "2026-11-30T07:00:00.000000Z"
