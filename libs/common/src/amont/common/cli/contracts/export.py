"""`amont contracts export`: the contracts as one archive that a subsidiary's engineers can work with, the same bytes for the same version."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from amont.common.cli import out, print_json, say
from amont.common.cli.feeds import counted
from amont.common.cli.files import hold_writable, replacing

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest that a ZIP can say: when the archive was made is nobody's business."""

README = """# The contracts of Amont {version}

`schemas/` holds one JSON Schema (2020-12) per event type and major version; `samples/` messages of each, a JSON object a line with the record's key,
its headers and its value; `asyncapi/` the AsyncAPI document of each service: which topics it reads and writes.

Events travel as CloudEvents 1.0 in binary mode on Kafka: the value is JSON, everything about the occurrence is in the headers `ce_*`. Readers ignore
fields they do not know; inside a major version only fields with a default are added. Names, addresses and ids in the samples are made up.

A staff feed writes `StaffRecorded` and `StaffLeft` to the topic `hris-staff`. Hold yours against the contracts before you connect it:

    amont contracts check staff.jsonl --grades grades.csv
"""


def export(
    *,
    out_file: Annotated[Path | None, typer.Option("--out", help="Where to write it [amont-contracts-VERSION.zip]", metavar="FILE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Write JSON Schemas, sample messages and the AsyncAPI documents of the installed services as one archive."""
    from amont.common.events.corpus import present  # noqa: PLC0415 - heavy, and other commands need not wait for it

    path = out_file or Path(f"amont-contracts-{present()}.zip")
    hold_writable(path)
    texts = dict(sorted(contents(present())))
    with (
        replacing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):  # stored: how zlib packs depends on its version
        for name, text in texts.items():
            entry = zipfile.ZipInfo(name, FIRST_DAY)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    if as_json:
        print_json({"archive": str(path), "version": present(), "files": list(texts)})
    else:
        say(out, f"Written to {path}: {counted(len(texts), 'file')} of version {present()}.")


def contents(version: str) -> Iterator[tuple[str, str]]:
    """Every file of the archive, its name and its text."""
    from amont.common.events import corpus, schemas  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.events.samples import every_sample  # noqa: PLC0415
    from amont.common.hosting import service_builders, tables_of  # noqa: PLC0415
    from amont.common.log.asyncapi import document  # noqa: PLC0415

    yield "README.md", README.format(version=version)
    for name, text in schemas.texts().items():
        yield f"schemas/{name}", text
    for kind, samples in every_sample():
        yield f"samples/{schemas.file_name(kind)}l", corpus.golden_text(samples)
    for service in service_builders():
        yield f"asyncapi/{service}.json", json.dumps(document(service, *tables_of(service)), indent=2, sort_keys=True) + "\n"
