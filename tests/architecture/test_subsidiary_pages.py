"""The pages for subsidiaries name what there is; their commands are followed in `tests/local/test_subsidiary_pages.py`."""

from tests.support.pages import DOCS

from amont.common.feeds import KINDS, Severity


def test_every_kind_of_finding_is_on_the_page_with_its_severity() -> None:
    page = (DOCS / "subsidiaries" / "contracts.md").read_text(encoding="utf-8")
    errors, _, warnings = page.partition("| warnings | |")
    for kind in KINDS.values():
        assert f"`{kind.name}`" in (errors if kind.severity is Severity.ERROR else warnings), kind.name
