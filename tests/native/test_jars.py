"""What holds without Java: what is missing is named, jars are fetched once and whole, and the command line says what to install."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from amont.native import cli, jars
from amont.native.errors import FetchFailed, StackError, Unavailable
from amont.native.servers import Store


@pytest.fixture
def root() -> typer.Typer:
    app = typer.Typer()
    cli.commands(app)
    return app


def test_a_server_that_was_not_started_cannot_be_paused_but_can_be_stopped(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.answers()
    store.stop()
    with pytest.raises(StackError, match="store does not run"):
        store.pause()


def test_up_without_java_says_what_to_install_and_exits_with_3(root: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    result = CliRunner().invoke(root, ["stack", "up", "--data", str(tmp_path / "native"), "--json"])
    assert result.exit_code == 3
    assert "install a JDK" in result.stderr
    assert json.loads(result.stdout)["up"] is False


def test_an_unknown_option_is_wrong_usage(root: typer.Typer) -> None:
    assert CliRunner().invoke(root, ["stack", "up", "--sideways"]).exit_code == 2


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven that does what a test writes into it, a JDK, and an empty cache."""
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    (program.parent / "java").write_text("#!/bin/sh\necho jdk.compiler@17.0.1\n")
    for name in ("sh", "mkdir", "touch"):
        (program.parent / name).symlink_to(shutil.which(name, path=os.defpath) or name)
    program.touch()
    for path in (program, program.with_name("java")):
        path.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("AMONT_NATIVE_CACHE", str(tmp_path / "cache"))
    return program


def test_the_jars_are_fetched_once(maven: Path, tmp_path: Path) -> None:
    maven.write_text("#!/bin/sh\nmkdir lib && touch lib/kafka_2.13.jar\n")
    folder = jars.fetch()
    maven.write_text("#!/bin/sh\nexit 1\n")
    assert jars.fetch() == folder
    assert [path.name for path in folder.iterdir()] == ["kafka_2.13.jar"]
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted([".lock", folder.parent.name])


def test_a_fetch_that_fails_says_so_and_leaves_no_half_a_cache(maven: Path, tmp_path: Path) -> None:
    maven.write_text("#!/bin/sh\nmkdir lib && touch lib/kafka_2.13.jar\necho '[INFO] fine'\necho '[ERROR] no network'\nexit 1\n")
    with pytest.raises(FetchFailed, match="no network") as raised:
        jars.fetch()
    assert "fine" not in str(raised.value)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_an_old_java_a_jre_and_no_maven_are_each_named(maven: Path) -> None:
    java = maven.with_name("java")
    for answer, reason in [("echo jdk.compiler@16.0.1", "is of version 16"), ("exit 1", "a JDK, not only a JRE")]:
        jars._compiler_release.cache_clear()
        java.write_text(f"#!/bin/sh\n{answer}\n")
        assert reason in str(jars.missing())
    java.write_text("#!/bin/sh\necho jdk.compiler@21\n")
    jars._compiler_release.cache_clear()
    maven.unlink()
    with pytest.raises(Unavailable, match="no mvn found"):
        jars.fetch()
    jars._compiler_release.cache_clear()
