"""The pages for people as people see them: `amont up`, Chromium at 320 and 1,280 pixels, dark and light, French and English, and axe-core on each page."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.npm import node_modules
from tests.support.pages import with_amont

STAFF = {
    "tenant": "fr",
    "given_name": "A",
    "family_name": "B",
    "joined_on": "2020-01-01",
    "effective_at": "2020-01-01",
    "languages": ["fr", "en"],
}
STEPS = [
    "sign in",
    "programme",
    "form",
    "faults",
    "enrolled",
    "edit",
    "changed",
    "withdraw",
    "withdrawn",
    "nothing there",
    "home",
    "signed out",
]


def browser() -> str:
    found = next((one for name in ("chromium", "chromium-browser", "google-chrome") if (one := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here: install chromium (Debian) to look at the pages")
    return found


def programme_at(amont: str, folder: Path) -> None:
    """A subsidiary, a junior and an executive, and a programme that is open."""
    (folder / "grades.csv").write_text("grade,band\nJUNIOR,4\nDIRECTOR,14\n", encoding="utf-8")
    people = [
        {**STAFF, "employee_id": one, "grade": grade, "occurred_at": "2024-01-08T09:00:00Z"}
        for one, grade in (("ada", "JUNIOR"), ("lea", "DIRECTOR"))
    ]
    (folder / "staff.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in people), encoding="utf-8")
    for command in (
        ["subsidiaries", "add", "fr", "--name", "France", "--zone", "Europe/Paris", "--languages", "fr,en,de", "--grades", "grades.csv"],
        ["hris", "send", "staff.jsonl"],
    ):
        done = subprocess.run(
            ["amont", *command, "--data", "./data"], cwd=folder, env=with_amont(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    token = httpx.post(
        f"{amont}/sign-in", data={"person": "group:office", "role": "group-coordinator"}, headers={"Accept": "text/plain"}
    ).text
    headers, api = {"Authorization": f"Bearer {token}"}, f"{amont}/api/enrolment/v1"
    made = {"programme": "digital-2027", "name": "Digital 2027", "tenants": ["fr"], "template": "digital"}
    httpx.post(f"{api}/programmes", json=made, headers=headers).raise_for_status()
    httpx.post(f"{api}/programmes/digital-2027/open", headers=headers).raise_for_status()
    deadline = time.monotonic() + 60
    while len(httpx.get(f"{api}/employees?tenant=fr", headers=headers).json()["items"]) < len(people):
        assert time.monotonic() < deadline, "the people are not there"
        time.sleep(0.2)


@pytest.fixture
def seen(amont: str, tmp_path: Path) -> list[dict[str, Any]]:
    """Every page on the way."""
    chromium, modules = browser(), node_modules()
    programme_at(amont, tmp_path)
    said = {**os.environ, "AT": amont, "CHROMIUM": chromium, "MODULES": str(modules)}
    script = Path(__file__).with_name("person.mjs")
    done = subprocess.run(["node", str(script)], env=said, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    pages: list[dict[str, Any]] = json.loads(done.stdout)
    return pages


def test_a_person_enrols_changes_and_withdraws_and_every_page_can_be_read_by_everybody(seen: list[dict[str, Any]]) -> None:
    assert [one["name"] for one in seen] == STEPS * 2
    for one in seen:
        assert (one["violations"], one["wider"], one["complaints"]) == ([], False, []), one
        assert one["checked"] > 5, one
        if one["name"] not in {"sign in", "nothing there"}:  # the one is for this machine alone, the other in both languages
            assert one["language"] == {"fr:ada": "fr", "fr:lea": "en"}[one["person"]], one
    enrolled = [one["path"] for one in seen if one["name"] in {"enrolled", "changed", "withdrawn"}]
    assert len(set(enrolled)) == 2
    assert all(path.startswith("/enrolment/enrolments/") for path in enrolled)
