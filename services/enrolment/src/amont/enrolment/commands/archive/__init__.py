"""The archive of an export: one ZIP file with everything as JSON, for machines (GDPR 20), and as one page, for people (GDPR 15).

The page needs nothing from elsewhere, is escaped by the template engine, and is in the person's language where we have the words, otherwise in English.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from amont.common.events.values import instant_text
from amont.enrolment.commands.archive.words import WORDS, spoken

SERVICES = ("enrolment", "matching", "scheduling", "notifications")
_PAGES = Environment(
    loader=PackageLoader("amont.enrolment.commands.archive", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

Holdings = Mapping[str, Mapping[str, list[Any]]]
"""What is held, by service and kind: JSON values."""


def packed(person: str, holdings: Holdings, *, language: str | None, private: bool, at: datetime) -> bytes:
    """The archive. The same holdings give the same bytes."""
    data = {"format": "amont-export/1", "person": person, "exported_at": instant_text(at), "private": private, "services": holdings}
    files = {
        "export.json": json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True),
        "index.html": page(person, holdings, language=language, private=private, at=at),
    }
    packed_ = io.BytesIO()
    with zipfile.ZipFile(packed_, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode(), zipfile.ZIP_DEFLATED)
    return packed_.getvalue()


def page(person: str, holdings: Holdings, *, language: str | None, private: bool, at: datetime) -> str:
    """The page."""
    tongue = spoken(language)
    words = WORDS[tongue]
    return _PAGES.get_template("page.html").render(
        person=person,
        services=[(name, holdings.get(name, {})) for name in SERVICES],
        language=tongue,
        private=private,
        at=f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        say=lambda key: words.get(key) or key.replace("_", " "),
    )
