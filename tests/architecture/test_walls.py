"""Things that must say the same: tables, AsyncAPI documents, topic records, schemas, rooms. Where they disagree, a reader is being misled."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from amont.common import hosting, metrics
from amont.common.clock import SystemClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.events import schemas
from amont.common.events.envelope import Event
from amont.common.events.topics import OUTSIDE, SERVICES, TOPICS, TYPES, dead_letters_of
from amont.common.ids import RandomIds
from amont.common.log.asyncapi import document
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts, Service

ROOT = Path(__file__).parents[2]
ROOMS = {"__init__", "api", "app", "commands", "documents", "domain", "reactions", "settings"}
OWN_ROOMS = {"enrolment": {"cli", "pages"}, "matching": {"cli", "files", "verifier"}, "notifications": {"mails", "sending"}}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Each of the four, assembled by its own composition root."""
    monkeypatch.setenv("AMONT_MAIL_URL", f"folder://{tmp_path}")
    clock = SystemClock()
    parts = Parts(store=SqliteStore(tmp_path / "s.sqlite"), log=SqliteLog(tmp_path / "l.sqlite"), clock=clock, ids=RandomIds(clock))
    return hosting.service_builders()[request.param](parts)


def test_the_walls_between_rooms_hold() -> None:
    """See .importlinter: each contract is a sentence."""
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_tables_of_a_service_are_what_the_topic_records_say(service: Service) -> None:
    reads = {topic.name for topic in TOPICS.values() if service.name in topic.consumers}
    writes = {topic.name for topic in TOPICS.values() if service.name in topic.producers}
    assert set(service.topics) == reads
    assert {kind.topic for kind in service.publishes} | {dead_letters_of(service.name)} == writes
    assert len(set(service.publishes)) == len(service.publishes)


def test_the_asyncapi_document_says_what_the_tables_say(service: Service) -> None:
    described = document(service.name, service.topics, service.publishes)
    operations = described["operations"].values()
    received = {_address(described, one) for one in operations if one["action"] == "receive"}
    sent = {_address(described, one) for one in operations if one["action"] == "send"}
    assert received == set(service.topics)
    assert sent == {kind.topic for kind in service.publishes} | {dead_letters_of(service.name)}
    named = set(described["components"]["schemas"])
    assert {kind.__name__ for kind in (*service.consumes, *service.publishes)} <= named


def _address(described: dict[str, dict[str, dict[str, str]]], operation: dict[str, dict[str, str]]) -> str:
    return described["channels"][operation["channel"]["$ref"].rsplit("/", 1)[-1]]["address"]


def tables() -> dict[str, tuple[set[type[Event]], set[type[Event]]]]:
    rooms = {name: (import_module(f"amont.{name}.reactions"), import_module(f"amont.{name}.commands")) for name in SERVICES}
    return {name: (set(reactions.CONSUMES), set(commands.PUBLISHES)) for name, (reactions, commands) in rooms.items()}


def test_every_event_has_one_writer_and_a_reader() -> None:
    for kind in TYPES.values():
        topic = TOPICS[kind.topic]
        writers = {name for name, (_, writes) in tables().items() if kind in writes} | (topic.producers & set(OUTSIDE))
        readers = {name for name, (reads, _) in tables().items() if kind in reads} | (topic.consumers & set(OUTSIDE))
        assert writers == topic.producers, kind
        assert readers, f"{kind.__name__} is read by nobody"
        assert readers <= topic.consumers


def test_every_event_class_is_on_its_own_topic_and_the_owners_three_names_are_kept() -> None:
    assert all(kind.topic == topic.name for topic in TOPICS.values() for kind in topic.types)
    assert {"EmployeeEnrolled", "PairProposed", "SessionCompleted"} <= {kind.__name__ for kind in TYPES.values()}


def test_topic_names_have_no_dots_and_only_one_events_topic_carries_names() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in TOPICS)
    assert {name for name, topic in TOPICS.items() if topic.personal and topic.types} == {"hris-staff", "enrolment-employees"}


def test_the_committed_schemas_are_the_classes() -> None:
    """`make docs` writes them."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in schemas.folder().glob("*.json")}
    assert committed == schemas.texts()


def test_the_four_services_have_the_same_rooms() -> None:
    for name in SERVICES:
        folder = ROOT / "services" / name / "src" / "amont" / name
        found = {path.stem for path in folder.iterdir() if path.name not in {"__pycache__", "templates", "py.typed"}}
        assert found == ROOMS | OWN_ROOMS.get(name, set())


def test_every_service_has_a_canvas_that_names_what_it_reads_and_writes() -> None:
    for name, (reads, writes) in tables().items():
        canvas = (ROOT / "services" / name / "README.md").read_text(encoding="utf-8")
        missing = [kind.__name__ for kind in reads | writes if kind.__name__ not in canvas]
        assert not missing, f"services/{name}/README.md does not name {missing}"


def test_nothing_hides_the_sibling_packages() -> None:
    """`src/amont/__init__.py` in one member would make every other one unimportable."""
    assert not list(ROOT.glob("*/*/src/amont/__init__.py"))


@pytest.fixture
def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


def test_the_page_about_alerts_has_a_section_on_each_and_says_how_urgent_it_is(alerts: list[dict[str, Any]]) -> None:
    page = (ROOT / "docs" / "operations" / "alerts.md").read_text(encoding="utf-8")
    sections = {title: urgency.lower() for title, urgency in re.findall(r"^## (Amont\w+)\n\n\*(\w+)\.\*", page, re.MULTILINE)}
    assert sections == {rule["alert"]: rule["labels"]["severity"] for rule in alerts}
    for rule in alerts:
        assert rule["annotations"]["runbook"] == f"docs/operations/alerts.md#{rule['alert'].lower()}"


def test_the_alert_rules_name_metrics_that_exist(alerts: list[dict[str, Any]]) -> None:
    named = {name for rule in alerts for name in re.findall(r"(?:amont|process)_[a-z_]+", rule["expr"])}
    existing = {sample_name for metric in metrics.REGISTRY.collect() for sample_name in _names(metric.name, metric.type)}
    assert named
    assert named <= existing


def _names(name: str, kind: str) -> set[str]:
    return {f"{name}_total"} if kind == "counter" else {name, f"{name}_bucket", f"{name}_sum", f"{name}_count"}


def test_every_lock_entry_is_hashed_and_no_host_is_named() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "index-url" not in lock
    assert "find-links" not in lock
    entries = re.split(r"\n(?=[a-z])", lock)
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


def test_the_schemas_are_json() -> None:
    assert all(json.loads(text)["$id"].startswith("urn:amont:schema:") for text in schemas.texts().values())
