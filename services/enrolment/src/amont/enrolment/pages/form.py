"""The enrolment's form as a page has it: from fields to the domain's form and back, what was typed kept as it was typed, each fault beside its field.

Fields: `topic-<topic>` (0 to 3), `language` (any number) and `languages` (more tags, by comma), `from-<day>` and `to-<day>` (as many as there are rows;
midnight at the end is 00:00), `meeting`, `capacity`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.datastructures import FormData

from amont.common.errors import Invalid
from amont.common.events.values import Meeting
from amont.enrolment.domain.eligibility import MAX_LANGUAGES, MAX_WINDOWS
from amont.enrolment.domain.enrolment import Form
from amont.enrolment.domain.hours import DAYS
from amont.enrolment.domain.reasons import Reason
from amont.enrolment.pages.page_words import Words

ROWS = 2
"""For how many windows a day there is room at least."""
MOST_CHARACTERS = 200
"""Of a field, as of the longest that the page has: what is beyond, no page of ours sends. Of languages and windows one more than there may be is kept, for
the domain to say so: what is shown again is never long.
"""
_TOPIC = "topic-"
_MIDNIGHT, _END = "00:00", "24:00"


class Window(NamedTuple):
    """One window as it stands in the page."""

    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Entries:
    """What is in the fields. `accepted` is whether the charter's box is ticked."""

    topics: Mapping[str, str]
    languages: Sequence[str]
    windows: Sequence[tuple[str, Window]]
    meeting: str = Meeting.EITHER
    capacity: str = "1"
    accepted: bool = False

    @classmethod
    def empty(cls, languages: Sequence[str]) -> "Entries":
        """Before anything was entered."""
        return cls(topics={}, languages=languages, windows=())

    @classmethod
    def of(cls, form: Form) -> "Entries":
        """What somebody entered before."""
        windows = [(text[:3], Window(*text[4:].split("-"))) for text in form.availability]
        return cls(
            topics={topic: str(level) for topic, level in form.topics.items()},
            languages=form.languages,
            windows=[(day, Window(one.start, _MIDNIGHT if one.end == _END else one.end)) for day, one in windows],
            meeting=form.meeting,
            capacity=str(form.capacity),
        )

    @classmethod
    def sent(cls, fields: FormData) -> "Entries":
        """What a page has sent."""
        texts = [(name[:MOST_CHARACTERS], str(value).strip()[:MOST_CHARACTERS]) for name, value in fields.multi_items()]
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for name, text in texts:
            by_name[name].append(text)
        windows = ((day, Window(*both)) for day in DAYS for both in zip(by_name[f"from-{day}"], by_name[f"to-{day}"], strict=False))
        more = re.split(r"[\s,;]+", " ".join(by_name["languages"]))
        languages = [one for one in dict.fromkeys((*by_name["language"], *more)) if one]
        return cls(
            topics={name.removeprefix(_TOPIC): text for name, text in texts if name.startswith(_TOPIC) and text not in {"", "0"}},
            languages=languages[: MAX_LANGUAGES + 1],
            windows=[(day, one) for day, one in windows if any(one)][: MAX_WINDOWS + 1],
            meeting=next(iter(by_name["meeting"]), Meeting.EITHER),
            capacity=next(iter(by_name["capacity"]), "1"),
            accepted=bool(by_name["accepted"]),
        )

    def form(self) -> Form:
        """What the domain judges. Raises Invalid for what none of our pages sends."""
        try:
            meeting = Meeting(self.meeting)
        except ValueError:
            raise Invalid("There is no such way to meet.") from None
        return Form(
            topics={topic: number(text) for topic, text in self.topics.items()},
            languages=tuple(self.languages),
            availability=tuple(f"{day} {one.start}-{_END if one.end == _MIDNIGHT else one.end}" for day, one in self.windows),
            meeting=meeting,
            capacity=number(self.capacity),
        )

    def rows(self) -> list[tuple[str, list[Window]]]:
        """Each day with its windows and room for another one."""
        of_day = {day: [one for name, one in self.windows if name == day] for day in DAYS}
        return [(day, [*found, *[Window()] * max(1, ROWS - len(found))]) for day, found in of_day.items()]

    def faults(self, reasons: Iterable[Reason], language: str, words: Words, days: Mapping[str, str]) -> dict[str, list[str]]:
        """Sentences by the part of the page that they are about; `form` is the whole."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for one in reasons:
            _, part, *rest = (*one.pointer.split("/"), "")
            text = one.words[language]
            if one.code == "window":
                text = words("availability.fault", day=days[self.windows[int(rest[0])][0]])
            if part == "topics" and rest[0]:
                text = f"{topic_name(rest[0].replace('~1', '/').replace('~0', '~'))}: {text}"
            found[_PARTS.get(part, "form")].append(text[:1].upper() + text[1:])
        return {part: list(dict.fromkeys(texts)) for part, texts in found.items()}


_PARTS = {
    **{part: part for part in ("topics", "languages", "availability", "capacity")},
    "charter_accepted": "charter",
    "charter_version": "charter",
}


def topic_name(topic: str) -> str:
    """A topic's slug, for reading."""
    return topic.replace("-", " ")


def number(text: str) -> int:
    """0 for what is no number: it is no level, no edition, no version and no number of partners, and the domain says so."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
