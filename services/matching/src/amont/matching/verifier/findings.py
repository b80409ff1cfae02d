"""What a verification found: everything that is wrong with a result and where, and what was not looked at."""

from dataclasses import dataclass

from amont.matching.files.faults import Fault, Path, spell

MOST_FINDINGS = 100_000
"""So many are listed; a result that is wrong in more places is wrong altogether."""
UNCHECKED_ORIGIN = "which version of the engine made it, and how long that took"
UNCHECKED_WORDS = "the words of `change`"
UNCHECKED_REASONS = "the words of `worth_reason`"
UNCHECKED_WORTH = "what each pair is worth: the pool is too large to be solved again without every pair"
UNCHECKED_WRONG = "what each pair is worth, since the result is wrong without it"
"""What may not have been checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdict.

    Attributes:
        faults: what is wrong, with paths into the result; none when the result is right and proved.
        pairs: how many pairs the result makes, the pinned ones included.
        looked_at: how many possible pairs were looked at again.
        unchecked: what was not checked, in sentences.
    """

    faults: tuple[Fault, ...]
    pairs: int = 0
    looked_at: int = 0
    unchecked: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class Findings:
    """Collects what is wrong; one place may be wrong for several reasons."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.faults: list[Fault] = []
        self.unchecked: list[str] = []

    def add(self, path: Path, reason: str) -> None:
        """Something is wrong there."""
        if len(self.faults) < MOST_FINDINGS:
            self.faults.append(Fault(spell(path), reason))

    def expect(self, path: Path, claimed: object, found: object) -> None:
        """What is claimed there must be what was found."""
        if claimed != found:
            self.add(path, f"is {_word(claimed)} and must be {_word(found)}")


def _word(value: object) -> str:
    if value is None:
        return "null"
    return repr(value) if isinstance(value, str) else str(value)
