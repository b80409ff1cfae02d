"""The pages: every local link leads somewhere, and every command that the README names is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from amont.common import metrics

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in ROOT.glob("**/*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_local_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    dead = [link for link in links if "://" not in link and not link.startswith("mailto:") and not (page.parent / link).exists()]
    assert not dead


def test_the_page_of_metrics_says_of_each_what_the_module_says() -> None:
    page = (ROOT / "docs" / "operations" / "metrics.md").read_text(encoding="utf-8")
    rows = {line for line in page.splitlines() if line.startswith("| `amont_")}
    defined = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    assert rows == {_row(one) for one in defined}


def _row(metric: MetricWrapperBase) -> str:
    name = f"{metric._name}_total" if metric._type == "counter" else metric._name
    return f"| `{name}` ({metric._type}) | {', '.join(f'`{label}`' for label in metric._labelnames)} | {metric._documentation} |"


@pytest.mark.parametrize("page", sorted(ROOT.glob("services/*/README.md")), ids=lambda page: page.parent.name)
def test_a_metric_that_a_service_s_page_names_is_what_prometheus_shows(page: Path) -> None:
    defined = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    shown = {f"{one._name}_total" if one._type == "counter" else one._name for one in defined}
    named = set(re.findall(r"`(amont_[a-z_]+)[`{]", page.read_text(encoding="utf-8")))
    assert named - {f"amont_{page.parent.name}"} <= shown


def test_every_command_that_the_readme_names_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"amont (run|up|demo|topics create|stack up|hris send|hris import|contracts check|dlq list)\b", readme))
    assert {"run", "up", "topics create", "stack up"} <= named
    for command in named:
        done = subprocess.run(
            [Path(sys.executable).parent / "amont", *command.split(), "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stderr)
