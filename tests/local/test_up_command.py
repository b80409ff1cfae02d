"""`amont up` listens where it is told: by an option, else by the environment, as every service does."""

from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from amont.local import up
from amont.local.cli import up as command


@pytest.mark.parametrize(
    ("options", "environment", "where"),
    [
        ((), {}, ("127.0.0.1", 8000)),
        ((), {"AMONT_PORT": "8101", "AMONT_HOST": "127.0.0.2"}, ("127.0.0.2", 8101)),
        (("--port", "8102"), {"AMONT_PORT": "8101"}, ("127.0.0.1", 8102)),
        ((), {"AMONT_PORT": ""}, ("127.0.0.1", 8000)),
    ],
)
def test_it_listens_where_it_is_told(
    options: tuple[str, ...], environment: dict[str, str], where: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int]] = []

    def serve(_: Path, host: str, port: int) -> int:
        told.append((host, port))
        return 0

    monkeypatch.setattr(up, "serve", serve)
    app = Typer()
    app.command()(command)
    assert CliRunner().invoke(app, ["--data", str(tmp_path), *options], env=environment).exit_code == 0
    assert told == [where]
