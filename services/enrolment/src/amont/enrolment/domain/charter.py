"""The charter of a programme: what both sides sign, in as many languages as the programme speaks, edition by edition.

An edition is never changed: who signed the first one signed what it said. It is a document of its own, because whoever opens a list of programmes
does not want twenty pages of law with it. What is not here: who has signed which edition (`enrolment`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Fault, Invalid, NotFound
from amont.enrolment.domain.history import Stamp, aged, known_until
from amont.enrolment.domain.words import is_language

MAX_TEXT = 20_000
MAX_CHARACTERS = 1_000_000
"""Of all editions together: they are one document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition(Stamp):
    """One version of the text, by language; the first language is the one that others fall back on."""

    version: int
    texts: Mapping[str, str]

    def text(self, language: str | None) -> tuple[str, str]:
        """The language and its text: the one asked for, else the same without its region, else the first."""
        wanted = [language, language.partition("-")[0]] if language else []
        found = next((one for one in wanted if one in self.texts), next(iter(self.texts)))
        return found, self.texts[found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter(Aggregate):
    """See the module. The id is the programme's; version 0 is a programme without a text."""

    editions: tuple[Edition, ...] = ()

    @property
    def version(self) -> int:
        return len(self.editions)

    def edition(self, version: int | None) -> Edition:
        """One edition, the newest when no version is asked for. Raises NotFound."""
        wanted = self.version if version is None else version
        if not 1 <= wanted <= self.version:
            raise NotFound("charter", f"{self.id}/{wanted}" if wanted else self.id)
        return self.editions[wanted - 1]

    def publish(self, texts: Mapping[str, str], stamp: Stamp) -> Decision["Charter"]:
        """Another text is the next edition; the same one changes nothing. Raises Invalid with every fault."""
        if self.editions and dict(self.editions[-1].texts) == dict(texts):
            return self.becomes()
        faults = faults_in_texts(texts)
        written = sum(len(text) for one in self.editions for text in one.texts.values())
        if not faults and written + sum(map(len, texts.values())) > MAX_CHARACTERS:
            faults.append(Fault("/texts", f"all editions together hold at most {MAX_CHARACTERS:,} characters; make a new programme"))
        if faults:
            raise Invalid(f"The charter of {self.id!r} cannot be taken as it is: {len(faults)} fault(s).", faults)
        edition = Edition(version=self.version + 1, texts=dict(texts), by=stamp.by, at=stamp.at, why=stamp.why)
        return self._with((*self.editions, edition))

    def aged(self, now: datetime) -> Decision["Charter"]:
        """A year after an edition was published nobody knows any more by whom and why; what people have signed stays."""
        return self._with(aged(self.editions, now))

    def _with(self, editions: tuple[Edition, ...]) -> Decision["Charter"]:
        return self.becomes(editions=editions, due_at=known_until(editions))


def faults_in_texts(texts: Mapping[str, str]) -> list[Fault]:
    """Everything that is wrong with a charter's texts."""
    faults = [] if texts else [Fault("/texts", "a text in at least one language")]
    for language, text in texts.items():
        pointer = f"/texts/{language[:40].replace('~', '~0').replace('/', '~1')}"
        if not is_language(language):
            faults.append(Fault(pointer, f"{language[:40]!r} is not a BCP 47 tag, as in 'fr' or 'pt-BR'"))
        if not text.strip() or len(text) > MAX_TEXT:
            faults.append(Fault(pointer, f"a text of 1 to {MAX_TEXT:,} characters"))
    return faults
