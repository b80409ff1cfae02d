"""What can be wrong with a feed: a bounded list of kinds, each with what to do; and a finding, which is one of them at one place."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

MOST_SHOWN = 60
"""Characters of somebody else's value that a sentence repeats."""


class Severity(StrEnum):
    """An error is a line that is not taken, or a feed that must not be sent; a warning is taken, and perhaps not what was meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: its stable name, and what to do about it."""

    name: str
    severity: Severity
    do: str


def _kinds(severity: Severity, **advice: str) -> list[Kind]:
    return [Kind(name.replace("_", "-"), severity, do) for name, do in advice.items()]


_ALL = (
    *_kinds(
        Severity.ERROR,
        not_json="Write one JSON object a line, in UTF-8.",
        not_text="Write the whole file in one encoding, best UTF-8.",
        too_long="Look for a line end or a closing quote that is missing.",
        cut_off="It ends too early: make the export again, or have the source give all of it.",
        stray_quote="Close each quote that opens a cell, and double those inside one; the line is left out, and the file is not complete.",
        header="Make the first row name each column once, or say in the mapping file which column is meant.",
        columns="Put a value that contains the delimiter into quotes.",
        missing_field="Add the field: there is no record without it.",
        bad_value="Correct the value.",
        refused_field="Leave the field out of the feed: Amont never stores it.",
        unknown_grade="Add the code to the subsidiary's grade table, or correct the record.",
        unknown_zone="Write a name of the tz database, as in Europe/Paris, or none.",
        taken="Give each user a userName and an id of their own: the door refuses the second (409).",
        wrong_tenant="Send each subsidiary's people from its own feed.",
        empty="Look whether the export has worked: a feed without a record says nothing of anybody.",
        ids_reissued="Do not send this: people would join again beside themselves. Keep ids for life.",
        bad_envelope="Send CloudEvents 1.0 in binary mode, keyed by tenant:employee_id.",
    ),
    *_kinds(
        Severity.WARNING,
        unknown_field="Amont ignores it: correct the name, or leave it out.",
        not_an_address="The person is taken without it: mails cannot reach them.",
        unknown_language="It is kept as it is, and shared with nobody who writes it rightly: write its BCP 47 tag, as in fr or pt-BR.",
        own_manager="The link is left out: name the real manager, or nobody.",
        not_a_person="The link is left out: write an employee_id, or tenant:employee_id.",
        same_subsidiary="It is left out: name the id in another subsidiary, as in fr:1042; within one an id is for life.",
        claimed_twice="Only the first is followed: correct the former_id of whoever was somebody else, or of nobody.",
        markup="It is kept as plain text, and shown as it is written.",
        ignored_column="Nothing to do; or map it to a field.",
        repeated_record="The same record again changes nothing: leave it out.",
        same_id_twice="Two records for one instant contradict each other: only one can hold.",
        out_of_order="The later one in time wins whatever comes first; send in order to be sure that this is meant.",
        made_up_id="Have the provider send employeeNumber or externalId: the id for life that your other feeds have.",
        dropped_field="The door drops and counts it: leave it out of what the provider sends.",
        grade_not_there="Enrolment refuses the record until the subsidiary's table has the code: `amont subsidiaries change ID --grades FILE` puts "
        "FILE in the place of the whole table, which `amont subsidiaries show ID --grades` prints.",
        subsidiary_not_there="Enrolment refuses the record until `amont subsidiaries add ID` has added the subsidiary.",
        unknown_manager="The link waits for them: send the manager's own record.",
        manager_cycle="One link of a circle cannot be right: correct it.",
        same_person="Keep an id for life, also on return: a new id is a new person.",
        shared_address="Mails to all of them go to one mailbox: give each their own, or none.",
        no_line_end="Look whether the file is whole; a whole one ends with a line end.",
        addresses_gone="Mails cannot reach them: look whether the export still has the column.",
        fields_changed="Look whether each column is still the one that is meant; a reorganisation may be right.",
        many_leavers="Look whether the file is whole. More than may leave within an hour are held until a coordinator releases or drops them.",
    ),
)

KINDS = MappingProxyType({kind.name: kind for kind in _ALL})
"""Every kind, by name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `line` is the physical line a record begins at, counted from 1, or a record's number on a topic; 0 is the feed."""

    line: int
    kind: Kind
    where: str
    """A JSON pointer, a CSV column, or "" for the whole record."""
    what: str

    @property
    def is_error(self) -> bool:
        return self.kind.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def found(line: int, kind: str, where: str, what: str) -> Finding:
    """A finding of a kind, by its name."""
    return Finding(line, KINDS[kind], where, what)


def shown(value: object) -> str:
    """A value as a sentence repeats it: quoted, and not longer than a sentence can bear."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…")


@dataclass(slots=True)
class Tally:
    """How often each kind was found, in bounded memory: of each kind the first `keep` are kept."""

    keep: int
    counts: dict[str, int] = field(default_factory=dict)
    kept: dict[str, list[Finding]] = field(default_factory=dict)
    bad_lines: int = 0

    def add(self, findings: Iterable[Finding]) -> None:
        """Count what was found."""
        for one in findings:
            name = one.kind.name
            self.counts[name] = self.counts.get(name, 0) + 1
            if self.counts[name] <= self.keep:
                self.kept.setdefault(name, []).append(one)

    def total(self, severity: Severity) -> int:
        return sum(count for name, count in self.counts.items() if KINDS[name].severity is severity)
