"""What a coordinator has decided about two people of a programme before any round: they are to be a pair (pinned), or never (forbidden).

One document for each two people and programme, whoever of them is the mentee: two coordinators who decide differently at the same moment meet at its
compare-and-set. What was decided before stays readable in `earlier`, the last of it, with who, when and why, until one of the two leaves the group: then
names and reasons go, and what is left of the document only counts its versions on, should they come back.
Who decided and why is known for a year, the audit's. After that two who are forbidden stay so in nobody's name; a pin, for which somebody must stand, is
over, and so is what only says that something was taken back.
Which pins can hold in a round is found out in `pinning`. Nothing is decided about two who are a pair. When both happen at the same moment, a pair that is
only proposed ends (`judging`), and one that is confirmed stays until somebody ends it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict
from amont.common.events.values import Instant
from amont.common.identity import Resource
from amont.common.kept import DECISIONS_KEPT


class RulingKind(StrEnum):
    """What was decided; `released` takes the one before back, and of what is `forgotten` nothing is known any more."""

    PINNED = "pinned"
    FORBIDDEN = "forbidden"
    RELEASED = "released"
    FORGOTTEN = "forgotten"


STANDING = (RulingKind.PINNED, RulingKind.FORBIDDEN)
READABLE = (*STANDING, RulingKind.RELEASED)
EARLIER_KEPT = 50
"""How many earlier decisions about two people stay readable: the last ones."""


class RuledOtherwise(Conflict):
    """Pinned and forbidden at once, or pinned in both roles, is nothing that a round could do."""

    code = "ruled-otherwise"
    title = "It was decided otherwise"

    def __init__(self, ruling: str, kind: RulingKind) -> None:
        super().__init__(f"The two are {kind.value} by ruling {ruling!r}. Release that first, then decide again.")


class PairLives(Conflict):
    """The two are a pair now."""

    code = "pair-lives"
    title = "The two are a pair"

    def __init__(self, pair: str) -> None:
        super().__init__(
            f"The two are pair {pair!r}, which nothing decided here would change. To part them, end it: who were a pair are not proposed to each other again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One decision: what, by whom, when, why. `override`: a pin that is to hold against the rules, too. After a year nobody knows any more by whom."""

    kind: RulingKind
    mentee: str
    mentor: str
    by: str | None
    at: Instant
    reason: str | None = None
    override: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling(Aggregate):
    """See the module. `kind` repeats what `now` says, to be found by; `tenants` are all that the programme had whenever something was decided."""

    programme: str
    tenants: tuple[str, ...]
    kind: RulingKind
    now: Said
    earlier: tuple[Said, ...] = ()

    @property
    def resource(self) -> Resource:
        return Resource("ruling", self.id, frozenset(self.tenants))

    @property
    def people(self) -> tuple[str, ...]:
        """The two; nobody once they are forgotten."""
        return () if self.kind is RulingKind.FORGOTTEN else (self.now.mentee, self.now.mentor)

    def lets_break_rules(self, mentee: str) -> bool:
        """Whether a pin stands by which the two, with that one as the mentee, may break rules."""
        return self.kind is RulingKind.PINNED and self.now.override and self.now.mentee == mentee

    def say(self, said: Said, tenants: tuple[str, ...] = ()) -> Decision["Ruling"]:
        """Decide again, while the programme has these tenants. What stands must be released before something else is said.

        Saying the same again changes nothing, but that a new reason why two are forbidden is recorded. A pin is good for one proposal after it was said, so
        it does not become younger. Raises RuledOtherwise.
        """
        if self.kind in STANDING and said.kind in STANDING:
            if not self._says_the_same(said):
                raise RuledOtherwise(self.id, self.kind)
            if said.kind is RulingKind.PINNED or said.reason in {None, self.now.reason}:
                return self.becomes()
        if said.kind not in STANDING and self.kind not in STANDING:
            return self.becomes()
        earlier = () if self.kind is RulingKind.FORGOTTEN else (*self.earlier, self.now)[-EARLIER_KEPT:]
        concerned = tuple(sorted({*self.tenants, *tenants}))
        return self.becomes(kind=said.kind, now=said, earlier=earlier, tenants=concerned, due_at=said.at)

    def _says_the_same(self, said: Said) -> bool:
        """Who is forbidden is so in both roles; who is pinned has one."""
        pinned_alike = (said.mentee, said.override) == (self.now.mentee, self.now.override)
        return said.kind is self.kind and (said.kind is RulingKind.FORBIDDEN or pinned_alike)

    def forget(self, now: datetime) -> Decision["Ruling"]:
        """One of the two has left, or it is over: whom it was about, who decided and why is gone."""
        nothing = Said(kind=RulingKind.FORGOTTEN, mentee="", mentor="", by=None, at=now)
        return self.becomes(kind=RulingKind.FORGOTTEN, now=nothing, earlier=(), due_at=None)

    @property
    def decided_until(self) -> datetime | None:
        """Until when it is known of all decisions who made them; None when nobody is known."""
        known = [one.at for one in (*self.earlier, self.now) if one.by is not None]
        return min(known) + DECISIONS_KEPT if known else None

    def checked(self, now: datetime) -> Decision["Ruling"]:
        """Both were here after this was written: what remains is to forget who decided, and why, when that is a year ago."""
        year_ago = now - DECISIONS_KEPT
        if self.now.at <= year_ago and self.kind is not RulingKind.FORBIDDEN:
            return self.forget(now)
        said = replace(self.now, by=None, reason=None) if self.now.at <= year_ago else self.now
        aged = replace(self, now=said, earlier=tuple(one for one in self.earlier if one.at > year_ago))
        return aged.becomes(due_at=aged.decided_until)


def first_ruling(programme: str, tenants: tuple[str, ...], said: Said, *, id_: str) -> Decision[Ruling]:
    """The first that is decided about two people. It looks at once whether both are still there: see `commands.rulings`."""
    return Ruling(id=id_, programme=programme, tenants=tenants, kind=said.kind, now=said, due_at=said.at).becomes()


def released(ruling: Ruling, *, by: str, reason: str | None, at: datetime) -> Said:
    """What is said to take a ruling back."""
    return Said(kind=RulingKind.RELEASED, mentee=ruling.now.mentee, mentor=ruling.now.mentor, by=by, at=at, reason=reason)
