"""A programme as matching knows it, and the one document that every publication of a round must win: the pool.

`edition` counts the rounds that began to be published. A round is solved against an edition and published only if it is still that one; so of
two rounds one wins, and nobody gets more pairs than seats. While `publishing` is set the round's pairs are being written, page by page.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict
from amont.common.events import Policy, ProgrammeChanged
from amont.common.events.values import Instant, ProgrammeStatus
from amont.common.identity import Resource

DEFAULTS = Policy()

REPLACEMENT_WAIT = timedelta(seconds=30)
"""How long freed seats are gathered before they are matched again: what is freed together is matched together."""
IMMINENT = timedelta(seconds=10)
"""A replacement this near may already be looking at the pool: what is freed now must ask again."""


class ProgrammeNotOpen(Conflict):
    """Rounds are for programmes that are open or running."""

    code = "programme-not-open"
    title = "The programme is not open"

    def __init__(self, programme: str, status: ProgrammeStatus) -> None:
        super().__init__(f"Programme {programme!r} is {status.value}; a round needs it to be open or running.")


class PoolHasMoved(Conflict):
    """Another round was published since this one was solved."""

    code = "pool-has-moved"
    title = "The pool has moved"

    def __init__(self, programme: str, base: int, edition: int) -> None:
        super().__init__(f"Programme {programme!r} is at edition {edition}, the round was solved on {base}. Solve a new round.")


class PolicyHasChanged(Conflict):
    """What people looked at is not what the policy in force would bring."""

    code = "policy-has-changed"
    title = "The policy has changed"

    def __init__(self, programme: str, version: int, solved_under: int) -> None:
        super().__init__(
            f"Programme {programme!r} is under version {version} of its policy, the round was solved under {solved_under}. Solve a new round."
        )


class PublicationRunning(Conflict):
    """The pairs of a round are being written right now."""

    code = "publication-running"
    title = "A round is being published"

    def __init__(self, programme: str, round_id: str) -> None:
        super().__init__(f"Round {round_id!r} of programme {programme!r} is being published. Wait until it is, then try again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A round on its way: who stands behind it, and how many of its pairs are settled (written or left out for good) and made.

    `missed` are the mentors of pairs that were left out, once for each.
    """

    round: str
    by: str
    at: Instant
    override_reason: str | None = None
    settled: int = 0
    made: int = 0
    missed: tuple[str, ...] = ()

    def past(self, page: int, missed: tuple[str, ...]) -> "Publication":
        """One page further."""
        return replace(self, settled=self.settled + page, made=self.made + page - len(missed), missed=self.missed + missed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme(Aggregate):
    """See the module. `authority` is the person who published the last full round: replacements are published in their name."""

    status: ProgrammeStatus = ProgrammeStatus.DRAFT
    tenants: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    policy: Policy = DEFAULTS
    policy_version: int = 0
    edition: int = 0
    publishing: Publication | None = None
    authority: str | None = None
    replace_at: Instant | None = None
    recheck: bool = False
    """The policy has changed: all live pairs are to be looked at again."""
    rechecked_to: str | None = None
    """The last pair that was looked at."""

    @property
    def resource(self) -> Resource:
        return Resource("programme", self.id, frozenset(self.tenants))

    @property
    def is_open(self) -> bool:
        return self.status in {ProgrammeStatus.OPEN, ProgrammeStatus.RUNNING}

    @property
    def wants_replacements(self) -> bool:
        """Whether freed seats are matched again without being asked."""
        return self.is_open and self.authority is not None

    def hear(self, event: ProgrammeChanged, now: datetime) -> Decision["Programme"]:
        """Take over what enrolment says; another policy has every live pair looked at again, and nothing happens in anybody's name once it is closed."""
        heard = self.becomes(
            status=event.status,
            tenants=event.tenants,
            topics=event.topics,
            policy=event.policy,
            policy_version=event.policy_version,
            authority=None if event.status is ProgrammeStatus.CLOSED else self.authority,
        ).state
        if self.edition and event.policy != self.policy:
            return heard.becomes(recheck=True, rechecked_to=None, due_at=now)
        return heard.becomes()

    def is_publishing(self, round_id: str) -> bool:
        """Whether the pairs of that round are being written now."""
        return self.publishing is not None and self.publishing.round == round_id

    def must_be_ready(self) -> None:
        """Raises ProgrammeNotOpen, PublicationRunning."""
        if not self.is_open:
            raise ProgrammeNotOpen(self.id, self.status)
        if self.publishing is not None:
            raise PublicationRunning(self.id, self.publishing.round)

    def must_be_under(self, policy_version: int) -> None:
        """Raises PolicyHasChanged."""
        if self.policy_version != policy_version:
            raise PolicyHasChanged(self.id, self.policy_version, policy_version)

    def publish(self, publication: Publication, *, base: int, full: bool) -> Decision["Programme"]:
        """Begin to publish a round that was solved on edition `base`. The same round again changes nothing.

        Raises PublicationRunning, ProgrammeNotOpen, PoolHasMoved.
        """
        if self.is_publishing(publication.round):
            return self.becomes()
        self.must_be_ready()
        if self.edition != base:
            raise PoolHasMoved(self.id, base, self.edition)
        return self.becomes(
            edition=self.edition + 1,
            publishing=publication,
            authority=publication.by if full else self.authority,
            due_at=publication.at,
        )

    def want_replacement(self, now: datetime) -> Decision["Programme"]:
        """Seats are free: match them in a while. Only when nothing is planned yet."""
        at = now + REPLACEMENT_WAIT
        return self.becomes(replace_at=at, due_at=min(self.due_at or at, at))

    def covers_what_was_freed_by(self, at: datetime) -> bool:
        """Whether a replacement is planned that cannot have begun to look at the pool then."""
        return self.replace_at is not None and self.replace_at > at + IMMINENT

    def goes_on(self, at: datetime) -> Decision["Programme"]:
        """Look again at `at` if anything is left to do at once; otherwise when replacements are due."""
        if self.publishing or self.recheck:
            return self.becomes(due_at=at)
        return self.becomes(due_at=self.replace_at and max(self.replace_at, at))
