"""How a subsidiary is shown: for people, and as data. A token's text is never part of it."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from amont.common.cli import out, say, say_command, say_facts, table
from amont.common.events.hris import StaffFact
from amont.common.feeds.grades import as_cell
from amont.enrolment.commands.feeds import FeedState
from amont.enrolment.domain.subsidiary import Subsidiary
from amont.enrolment.domain.tokens import FeedToken

NO_RIGHT_TO_A_KEY = (
    f"Kafka knows no right to a key: whoever may write to {StaffFact.topic} may write records of every subsidiary. So keep this principal to the "
    "one HR system; where that is not enough, feed it over SCIM, whose tokens open one subsidiary."
)


def acl_lines(principal: str) -> list[str]:
    """What an operator runs on the cluster so that a feed may write to the inbound topic, and nothing else."""
    operations = "--operation Write --operation Describe"
    return [f"kafka-acls.sh --bootstrap-server BROKER:9092 --add --allow-principal '{principal}' {operations} --topic {StaffFact.topic}"]


def as_data(one: Subsidiary, version: int) -> dict[str, Any]:
    """A subsidiary as its API shows it, with its principal's ACL lines."""
    acl = {"acl": acl_lines(one.kafka_principal)} if one.kafka_principal else {}
    return {"subsidiary": one.id, **one.own(), "version": version, **acl}


def token_as_data(token: FeedToken) -> dict[str, Any]:
    """A token without its text."""
    return {name: value for name, value in asdict(token).items() if name != "digest"}


def print_one(one: Subsidiary, tokens: Sequence[FeedToken], feed: FeedState) -> None:
    """Everything about one."""
    facts = {**one.own(), "grades": f"{len(one.grades)} codes, bands {min(one.grades.values())} to {max(one.grades.values())}"}
    facts |= {"languages": ", ".join(one.languages), "coordinators": ", ".join(one.coordinators)}
    facts |= {"tokens": f"{sum(token.valid for token in tokens)} valid", "SCIM": f"/scim/{one.id}/v2"}
    facts["feed"] = ", ".join(["paused" if feed.paused else "not paused", *(["its breaker is open"] if feed.tripped_at else [])])
    say_facts(out, [("subsidiary", one.id), *((name, value if value not in {None, ""} else "-") for name, value in facts.items())])
    print_acl(one)


def print_acl(one: Subsidiary) -> None:
    """What its principal needs, if it has one."""
    if one.kafka_principal:
        say(out, f"{one.kafka_principal} may write once somebody has run this on the cluster:")
        for line in acl_lines(one.kafka_principal):
            say_command(out, line)
        say(out, NO_RIGHT_TO_A_KEY)


def print_list(found: Sequence[Subsidiary]) -> None:
    """A line each."""
    rows = [(one.id, one.name, one.zone, ", ".join(one.languages), len(one.grades)) for one in found]
    out.print(table(("subsidiary", "name", "zone", "languages", "grade codes"), rows))


def print_tokens(found: Sequence[FeedToken]) -> None:
    """A line each; what was revoked says so."""
    rows = [
        (
            one.id,
            f"…{one.last_four}",
            f"{one.made_at:%Y-%m-%d %H:%M}",
            one.made_by or "",
            f"{one.revoked_at:%Y-%m-%d %H:%M}" if one.revoked_at else "",
        )
        for one in found
    ]
    out.print(table(("token", "ends in", "made (UTC)", "by", "revoked (UTC)"), rows))


def print_grades(one: Subsidiary) -> None:
    """The grade table as the CSV that `amont contracts check --grades` reads, and that no spreadsheet computes anything of."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("grade", "band"))
    writer.writerows((as_cell(code), band) for band, code in sorted((band, code) for code, band in one.grades.items()))
