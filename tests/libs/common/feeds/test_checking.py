"""What is said of one record: by kind, with its place, and never with a value that must not be repeated."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amont.common.errors import Invalid
from amont.common.events.words import is_spoken, language_meant
from amont.common.feeds.checking import Checker
from amont.common.feeds.findings import KINDS, Severity, Tally, found
from amont.common.feeds.grades import Grades, read_grades, sheet_of_grades
from amont.common.feeds.lines import MOST_BYTES, Entry, json_lines
from amont.common.feeds.refused import never_stored

ADA: dict[str, Any] = {
    "tenant": "fr",
    "employee_id": "e42",
    "grade": "C3",
    "effective_at": "2024-09-01",
    "occurred_at": "2024-08-20T09:00:00Z",
}


def table(*lines: str, encoding: str = "utf-8") -> Grades:
    return read_grades(sheet_of_grades(io.BytesIO("\r\n".join(lines).encode(encoding))))


GRADES = table("tenant,grade,band,why", "*,C3,5,", "fr,DIR,14,", "de,D1,3,")


def said_of(record: dict[str, Any] | bytes, **known: Any) -> set[tuple[str, str]]:
    value = record if isinstance(record, bytes) else json.dumps(record).encode()
    _, findings = Checker(**{"grades": GRADES, **known}).look(Entry(7, value))
    assert all(one.line == 7 for one in findings)
    return {(one.kind.name, one.where) for one in findings}


def test_a_good_record_has_nothing_said_of_it() -> None:
    assert said_of(ADA) == set()
    assert said_of({name: ADA[name] for name in ADA if name != "grade"} | {"left": True}) == set()


CASES: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    ({"grade": "C9"}, {("unknown-grade", "/grade")}),
    ({"grade": "D1"}, {("unknown-grade", "/grade")}),
    ({"zone": "Europe/Pari"}, {("unknown-zone", "/zone")}),
    ({"email": "NYANG"}, {("not-an-address", "/email")}),
    ({"manager_id": "e42"}, {("own-manager", "/manager_id")}),
    ({"manager_id": "fr:e42"}, {("own-manager", "/manager_id")}),
    ({"dotted_manager_ids": ["e7", "x" * 65]}, {("not-a-person", "/dotted_manager_ids/1")}),
    ({"job_title": "<b>Chef</b>"}, {("markup", "/job_title")}),
    ({"job_title": "R&amp;D"}, {("markup", "/job_title")}),
    ({"job_title": "R&D <3"}, set()),
    ({"gradee": "C3"}, {("unknown-field", "/gradee")}),
    (
        {"birthDate": "1980-01-01", "salary": 1, "Geschlecht": "w", "photo_url": "x"},
        {("refused-field", f"/{name}") for name in ("birthDate", "salary", "Geschlecht", "photo_url")},
    ),
    ({"person": {"a/b": [{"date_of_birth": "x"}]}}, {("unknown-field", "/person"), ("refused-field", "/person/a~1b/date_of_birth")}),
    ({"employee_id": "é" * 130}, {("bad-value", "/employee_id")}),
    ({"employee_id": ""}, {("bad-value", "/employee_id")}),
    ({"tenant": "FR", "languages": ["fr", "Français"]}, {("bad-value", "/tenant"), ("bad-value", "/languages/1")}),
    ({"effective_at": "01/09/2024"}, {("bad-value", "/effective_at")}),
    ({"left": "yes"}, {("bad-value", "/left")}),
    ({"languages": ["fr", "french", "pt-BR", "hbs"]}, {("unknown-language", "/languages/1")}),
    ({"preferred_language": "deutsch"}, {("unknown-language", "/preferred_language")}),
    (
        {"effective_at": "soon", "grade": "C9", "email": "NYANG", "birthDate": "1980-01-01", "manager_id": "e42"},
        {
            ("bad-value", "/effective_at"),
            ("unknown-grade", "/grade"),
            ("not-an-address", "/email"),
            ("refused-field", "/birthDate"),
            ("own-manager", "/manager_id"),
        },
    ),
    ({"tenant": "FR", "grade": "C9", "salary": 1}, {("bad-value", "/tenant"), ("refused-field", "/salary")}),
]


@pytest.mark.parametrize(("change", "expected"), CASES, ids=[str(sorted(change)) + str(number) for number, (change, _) in enumerate(CASES)])
def test_what_is_wrong_is_named_with_its_place(change: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert said_of(ADA | change) == expected


@pytest.mark.parametrize(
    ("written", "code"),
    [("french", "fr"), ("deutsch", "de"), ("englich", "en"), ("deu", "de"), ("fre", "fr"), ("espanol", "es"), ("xx", None)],
)
def test_what_is_no_language_is_taken_with_the_code_that_may_be_meant(written: str, code: str | None) -> None:
    line, (finding,) = Checker().look(Entry(1, json.dumps(ADA | {"preferred_language": written}).encode()))
    assert line is not None
    assert finding.what == f"{written!r} is no language" + (f"; did you mean {code!r}?" if code else "")


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        *(("FR", "fr"), ("EN", "en"), ("EN-us", "en-us"), ("fr_FR", "fr-FR"), ("zh_Hans_CN", "zh-Hans")),
        *(("English (US)", "en"), ("German (Switzerland)", "de"), ("British English", "en-GB"), ("Francais", "fr"), ("eng-GB", "en")),
        *(("GB", None), ("zzz", None), ("enm_", "enm"), ("", None), ("(", None), ("-", None)),
    ],
)
def test_a_code_in_capitals_is_meant_itself_and_what_is_meant_is_a_tag(written: str, tag: str | None) -> None:
    assert language_meant(written) == tag
    assert tag is None or is_spoken(tag)


def test_every_field_that_is_missing_is_named_at_once() -> None:
    assert said_of({"tenant": "fr"}) == {("missing-field", f"/{name}") for name in ADA if name != "tenant"}


def test_bytes_that_are_no_record_are_told_apart() -> None:
    assert said_of(b"{") == said_of(b"[1]") == {("not-json", "")}
    assert said_of(b'{"a": "\xe9"}') == {("not-text", "")}


def test_a_value_that_is_never_stored_is_never_repeated() -> None:
    _, findings = Checker().look(Entry(1, json.dumps(ADA | {"salary": 123456, "photo": "data:secret"}).encode()))
    assert len(findings) == 2
    assert not [one for one in findings if "123456" in str(one) or "secret" in str(one)]


@pytest.mark.parametrize(
    ("what", "names"),
    {
        "birth date": "birthDate, date_of_birth, DOB, Date de naissance, Geburtsdatum, fecha de nacimiento, age",
        "gender": "gender, sex, Sexe, Geschlecht, GENDER_CODE, sexo, Civilité",
        "salary": "salary, annual_salary_eur, Salaire brut, Gehalt, baseSalary, remunération, Vergütung",
        "photo": "photo, photoUrl, thumbnailPhoto, profile_picture, avatar",
    }.items(),
)
def test_the_usual_spellings_are_known(what: str, names: str) -> None:
    assert {never_stored(name.strip()) for name in names.split(",")} == {what}


@pytest.mark.parametrize(
    "name",
    [
        "job_title",
        "title",
        "language",
        "manager_id",
        "grade",
        "stage",
        "Sussex office",
        "village",
        "Vergütungsgruppe",
        "page",
        "image_team",
    ],
)
def test_a_harmless_name_is_not_refused(name: str) -> None:
    assert never_stored(name) is None


def test_lines_are_numbered_as_an_editor_does() -> None:
    data = b'\xef\xbb\xbf{"a": 1}\r\n\n  {"b": 2}  \n{"c": 3}'
    assert [(entry.line, entry.value) for entry in json_lines(io.BytesIO(data))] == [(1, b'{"a": 1}'), (3, b'{"b": 2}'), (4, b'{"c": 3}')]


def test_a_truncated_last_line_and_an_endless_one_are_said_to_be_so() -> None:
    endless = b'{"a": "' + b"x" * (2 * MOST_BYTES) + b'"}'
    entries = list(json_lines(io.BytesIO(b'{"a": 1}\n' + endless + b'\n{"b": 2}\n{"c": "trunc')))
    assert [(entry.line, [one.kind.name for one in entry.findings]) for entry in entries] == [
        (1, []),
        (2, ["too-long"]),
        (3, []),
        (4, ["cut-off"]),
    ]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_checker_fall(noise: bytes) -> None:
    for entry in json_lines(io.BytesIO(noise)):
        line, findings = Checker(grades=GRADES).look(entry)
        assert (line is None) <= any(one.is_error for one in findings)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from([*ADA, "email", "languages", "left", "zone"]),
)
def test_any_value_in_any_field_is_taken_or_named(value: Any, name: str) -> None:
    line, findings = Checker(grades=GRADES).look(Entry(1, json.dumps(ADA | {name: value}).encode()))
    if line is None:
        assert any(one.is_error and one.where.startswith(f"/{name}") for one in findings)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            ["code,band", "C3,5"],
            "no column grade. Its first row reads 'code', 'band' (UTF-8, commas between cells). Make the first row grade,band",
        ),
        (
            ["\ufeffCode;Niveau", "C3;5"],
            "no column band and no column grade. Its first row reads 'Code', 'Niveau' (UTF-8 with a byte-order mark, semicolons",
        ),
        (["C3;5", "C4;6"], "Its first row reads 'C3', '5'"),
        ([""], "Its first row reads nothing (UTF-8"),
        (["grade,band", *(f"C{number},5" for number in range(2_005))], "has 2,005 codes, and may have 2,000"),
        (["grade,band", "C3,21"], "line 2: band '21' of 'C3'"),
        (["grade,band", "C3,five"], "line 2: band 'five'"),
        (["grade,band", ",5"], "line 2: the grade is empty"),
        (["grade,band", "C3,5", "C3,6"], "line 3: 'C3' has band 5 already"),
        (["grade,band", "C3"], "line 2: band ''"),
    ],
)
def test_a_grade_table_that_cannot_be_used_says_where(text: list[str], fault: str) -> None:
    with pytest.raises(Invalid) as refused:
        table(*text)
    assert fault in "\n".join([str(refused.value), *(f"{one.pointer}: {one.detail}" for one in refused.value.faults)])


def test_a_grade_table_serves_one_subsidiary_or_several() -> None:
    assert GRADES.table_of("fr") == {"C3": 5, "DIR": 14}
    assert GRADES.table_of("de") == {"C3": 5, "D1": 3}


def test_a_table_s_limit_counts_what_is_shared_and_is_of_one_subsidiary() -> None:
    codes = [f"*,C{number},5" for number in range(1_999)]
    assert len(table("tenant,grade,band", *codes, "fr,X,5", "de,Y,5").table_of("fr")) == 2_000
    with pytest.raises(Invalid, match="The grade table of 'fr' has 2,001 codes, and may have 2,000"):
        table("tenant,grade,band", *codes, "fr,X,5", "fr,Y,5")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_grade_table_is_read_as_a_spreadsheet_exports_it(encoding: str, delimiter: str) -> None:
    lines = [delimiter.join(cells) for cells in (("Grade", "libellé", "BAND"), ("Cadre supérieur", "niveau élevé", "9"), ("'-2", "", "3"))]
    assert table(*lines, encoding=encoding).table_of("fr") == {"Cadre supérieur": 9, "-2": 3}


def test_bytes_that_are_no_text_in_a_grade_table_are_named_with_their_line() -> None:
    good = "".join(f"É{number},5\n" for number in range(40)).encode()
    with pytest.raises(Invalid) as refused:
        read_grades(sheet_of_grades(io.BytesIO(b"grade,band\n" + good + b"\xff,5\n")))
    assert [(one.pointer, one.detail) for one in refused.value.faults] == [("line 42", "bytes that are not UTF-8; save the file in UTF-8")]


def test_enrolment_refuses_nothing_of_what_is_not_sent() -> None:
    assert said_of(ADA | {"grade": "C9"}, there=Grades({"fr": {}})) == {("unknown-grade", "/grade")}
    assert said_of(ADA, there=Grades({"fr": {}})) == {("grade-not-there", "/grade")}


@pytest.mark.parametrize(("former", "kind"), [("fr:1042", "same-subsidiary"), ("1042", "same-subsidiary"), ("x" * 130, "not-a-person")])
def test_a_former_id_that_enrolment_would_leave_out_is_a_warning(former: str, kind: str) -> None:
    line, findings = Checker().look(Entry(1, json.dumps(ADA | {"former_id": former}).encode()))
    assert line is not None
    assert [(one.kind.name, one.where, one.is_error) for one in findings] == [(kind, "/former_id", False)]
    assert Checker().look(Entry(1, json.dumps(ADA | {"former_id": "de:1042"}).encode()))[1] == []


def test_every_kind_says_what_to_do_and_a_tally_keeps_few() -> None:
    assert all(kind.do.endswith(".") for kind in KINDS.values())
    tally = Tally(keep=3)
    tally.add(found(line, "bad-value", "/x", "wrong") for line in range(1, 101))
    tally.add([found(1, "markup", "/y", "odd")])
    assert (tally.total(Severity.ERROR), tally.total(Severity.WARNING), len(tally.kept["bad-value"])) == (100, 1, 3)


@pytest.mark.parametrize(
    "number", ["20260101", 20260101, 1.5, "1767225600", " 1767225600.0 ", "-1", "2.02601E+07", ".5", "-5.5e-0", "46023,5"]
)
@pytest.mark.parametrize("field", ["effective_at", "occurred_at", "joined_on"])
def test_a_number_is_no_day(field: str, number: object) -> None:
    """pydantic would take it for seconds since 1970: everybody of a file that writes days without hyphens would have joined in August of that year."""
    line = {**ADA, field: number}
    found, findings = Checker().look(Entry(1, json.dumps(line).encode()))
    assert found is None
    assert [one.where for one in findings] == [f"/{field}"]
    assert "2026-12-01" in findings[0].what


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("employee_id", 42, "42, a number, is not"),
        ("grade", None, "null is not"),
        ("team", True, "true is not"),
        ("languages", ["EN"], "a BCP 47 tag"),
    ],
)
def test_a_value_is_said_as_it_was_given(field: str, value: object, says: str) -> None:
    line = {**ADA, field: value}
    _, findings = Checker().look(Entry(1, json.dumps(line).encode()))
    assert says in findings[0].what
    assert "at most 20" not in findings[0].what


def test_of_another_subsidiary_s_people_no_grade_is_said() -> None:
    assert said_of({**ADA, "tenant": "de", "grade": "X"}, tenant="fr") == {("wrong-tenant", "/tenant")}


def test_a_band_of_thousands_of_digits_is_a_fault_of_its_line() -> None:
    with pytest.raises(Invalid) as refused:
        table("grade,band", "A,1", f"B,{'9' * 5_000}")
    assert [(one.pointer, one.detail) for one in refused.value.faults] == [
        ("line 3", f"band {'9' * 20!r} of 'B' is not a whole number from 1 (most junior) to 20 (most senior)")
    ]
