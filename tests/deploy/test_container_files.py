"""The files for containers, held against their own specifications. No Docker engine is needed, and none has run them: the docs say so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def test_the_compose_file_follows_the_compose_specification() -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"
    command = [checker, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_publishes_on_loopback_only_and_runs_the_four_services() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert {"kafka", "mongo", "enrolment", "matching", "scheduling", "notifications", "prometheus", "mail"} <= set(compose["services"])
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, ROOT / "deploy" / "docker" / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_each_image_is_built_from_its_own_service_alone() -> None:
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    for name in ("enrolment", "matching", "scheduling", "notifications"):
        stage = text.split(f"AS build-{name}\n")[1].split("\nFROM ")[0]
        assert f"./services/{name}" in stage
        assert stage.count("./services/") == 1


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here: install prometheus (Debian) to check the alert rules")
def test_promtool_accepts_the_configuration_and_the_alert_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
