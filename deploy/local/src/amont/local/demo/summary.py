"""The table at the end: what happened, in counts, by kind and state."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from amont.common.cli import table
from amont.local.words import REFUSALS


def summary(found: Mapping[str, Any]) -> Table:
    """One row per kind of thing: how many, and by state."""
    return table(("what", "how many", "of which"), list(_rows(found)))


def _rows(found: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    staff, enrolments, pairs = found["staff_records"], found["enrolments"], found["pairs"]
    yield "staff records", staff["sent"], f"{found['people']['known']} people known; dead letters: {_list(staff['dead_letters'])}"
    yield "wishes to take part", enrolments["asked"], f"{enrolments['enrolled']} enrolled, {enrolments['refused']} refused"
    yield (
        "  refused because",
        enrolments["refused"],
        _list({REFUSALS.get(code, code): n for code, n in enrolments["refused_because"].items()}),
    )
    yield (
        "pairs in the round",
        found["round"]["pairs"],
        f"lowest score {found['round']['worst']}, {found['round']['unmatched']} people without a pair",
    )
    yield "pairs proposed", pairs["proposed"], f"{_list(pairs['by_state'])}; {pairs['replacements']} of them replacements"
    yield (
        "sessions",
        sum(found["sessions"]["by_state"].values()),
        f"{_list(found['sessions']['by_state'])}; {found['sessions']['moved']} moved",
    )
    yield "mails", found["mails"]["files"], _list(found["mails"]["by_kind"])
    yield "events on the log", sum(found["events"].values()), f"{found['days']} days of simulated time"
    yield (
        "seconds",
        round(found["seconds"]["in all"]),
        _list({name: s for name, s in found["seconds"].items() if name != "in all"}, last=True),
    )


def _list(counts: Mapping[str, float], *, last: bool = False) -> str:
    if last:
        return ", ".join(f"{name} {count:.1f}" for name, count in counts.items())
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
