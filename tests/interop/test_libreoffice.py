"""A spreadsheet that LibreOffice exports, as a Western European office does: windows-1252, semicolons, days as they are shown; imported as it comes."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from typer.testing import CliRunner

from amont.common.cli import root
from amont.common.log.sqlite import SqliteLog

OFFICE = shutil.which("soffice")
EXPORT = "csv:Text - txt - csv (StarCalc):59,34,1,1"
"""Semicolons, double quotes, windows-1252, from the first line (LibreOffice's help, *Filter options for CSV*)."""
ROWS = [
    ("Matricule", "Prénom", "Nom", "Classification", "Intitulé de poste", "Date d'embauche"),
    ("00042", "Zoé", "Petit-Lefèvre", "C3", "Chargée d\N{RIGHT SINGLE QUOTATION MARK}études; prix en €", "2024-09-01"),
    ("00007", "Françoise", "Noël", "Cadre supérieur", "=1+1", "1998-02-03"),
]
SHEET = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles><number:date-style style:name="shown"><number:day number:style="long"/><number:text>/</number:text><number:month number:style="long"/>
<number:text>/</number:text><number:year number:style="long"/></number:date-style>
<style:style style:name="day" style:family="table-cell" style:data-style-name="shown"/></office:automatic-styles>
<office:body><office:spreadsheet><table:table table:name="staff">{rows}</table:table></office:spreadsheet></office:body></office:document>
"""


def cell(text: str) -> str:
    if text[:4].isdecimal() and text[4:5] == "-":
        return f'<table:table-cell table:style-name="day" office:value-type="date" office:date-value="{text}"/>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """What LibreOffice makes of the spreadsheet."""
    if OFFICE is None:
        pytest.skip("no LibreOffice here: install it (soffice) to import what it exports")
    source = tmp_path / "staff.fods"
    rows = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in ROWS)
    source.write_text(SHEET.format(rows=rows), encoding="utf-8")
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        [OFFICE, profile, "--headless", "--convert-to", EXPORT, "--outdir", str(tmp_path), str(source)],
        check=True,
        timeout=240,
        capture_output=True,
    )
    made = tmp_path / "staff.csv"
    assert "Zoé".encode("cp1252") in made.read_bytes()
    return made


async def test_a_spreadsheet_that_libreoffice_exports_in_a_legacy_encoding_is_imported(exported: Path, tmp_path: Path) -> None:
    grades, data = tmp_path / "grades.csv", tmp_path / "data"
    grades.write_bytes("grade;band\r\nC3;5\r\nCadre supérieur;9\r\n".encode("cp1252"))
    data.mkdir()
    words = [
        "hris",
        "import",
        str(exported),
        "--tenant",
        "fr",
        "--dates",
        "dmy",
        "--as-of",
        "2026-06-01",
        "--grades",
        str(grades),
        "--data",
        str(data),
    ]
    done = await asyncio.to_thread(CliRunner().invoke, root(), words)
    assert done.exit_code == 0, done.output
    assert "windows-1252 (a guess" in done.stdout
    log = SqliteLog.in_folder(str(data))
    await log.open()
    zoe, francoise = [json.loads(one.value or b"") for one in await log.since("hris-staff", 0, 10)]
    await log.close()
    assert (zoe["employee_id"], zoe["given_name"], zoe["family_name"], zoe["joined_on"]) == ("00042", "Zoé", "Petit-Lefèvre", "2024-09-01")
    assert zoe["job_title"] == "Chargée d\N{RIGHT SINGLE QUOTATION MARK}études; prix en €"
    assert (francoise["grade"], francoise["job_title"], francoise["joined_on"]) == ("Cadre supérieur", "=1+1", "1998-02-03")
