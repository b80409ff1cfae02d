"""Who numbers which events, which collections copy others' facts, and which documents act on them: declared here, and compared with every service's own
tables by a test.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from amont.common.documents import Document


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose `seq` numbers the events of a topic: service, collection, and the field of the event that names the document."""

    service: str
    collection: str
    field: str


OTHERS = ("matching", "scheduling", "notifications")
"""The services that answer when somebody is exported or erased."""
OWNERS: Mapping[str, Owner] = {
    "enrolment-subsidiaries": Owner("enrolment", "subsidiaries", "subsidiary"),
    "enrolment-employees": Owner("enrolment", "employees", "person"),
    "enrolment-enrolments": Owner("enrolment", "employees", "person"),
    "enrolment-programmes": Owner("enrolment", "programmes", "programme"),
    "enrolment-seats": Owner("enrolment", "employees", "person"),
    "enrolment-invitations": Owner("enrolment", "invitations", "person"),
    "enrolment-exports": Owner("enrolment", "exports", "reference"),
    **{f"{one}-erasures": Owner(one, "cleared", "reference") for one in OTHERS},
    **{f"{one}-exports": Owner(one, "export_answers", "reference") for one in OTHERS},
    "matching-rounds": Owner("matching", "rounds", "round"),
    "matching-pairs": Owner("matching", "pairs", "pair"),
    "scheduling-sessions": Owner("scheduling", "plans", "pair"),
    "notifications-deliveries": Owner("notifications", "deliveries", "delivery"),
}
"""By topic. An employee owns its enrolments and what it asks of seats. Staff records are numbered by nobody."""

_CLOCKWORK = frozenset({"due_at", "recheck"})
_PLANNED = ("programme", "mentee", "mentor", "mentee_enrolment", "mentor_enrolment")
_TOLD = ("person", "kind", "channel", "about", "matter", "happened_at")


@dataclass(frozen=True, slots=True)
class Projection:
    """Which fields of a collection are copies of others' facts: all but the service's `own`, or `only` these. The guard `_seen` is one of them.

    Of a document that keeps something under one of `ruled` somebody has decided, or is yet to decide, what the log does not say.
    """

    own: frozenset[str] = frozenset()
    only: tuple[str, ...] = ()
    ruled: tuple[str, ...] = ()

    def decides(self, document: Document) -> bool:
        """Whether the log alone decides about a document."""
        return not any(document.get(name) for name in self.ruled)

    def of(self, document: Document) -> Mapping[str, Any]:
        """The part of a document that the log alone decides."""
        if self.only:
            return {name: document.get(name) for name in ("_id", *self.only)}
        return {name: value for name, value in document.items() if name not in _SHELL and name not in self.own}


_SHELL = frozenset({"v", "_out", "_out_at"})

PROJECTIONS: Mapping[tuple[str, str], Projection] = {
    ("enrolment", "employees"): Projection(only=("last",), ruled=("held", "dropped")),
    ("matching", "people"): Projection(own=_CLOCKWORK),
    ("matching", "enrolments"): Projection(own=_CLOCKWORK),
    ("matching", "programmes"): Projection(
        own=_CLOCKWORK | {"edition", "publishing", "authority", "replace_at", "rechecked_to"},
    ),
    ("scheduling", "people"): Projection(),
    ("scheduling", "enrolments"): Projection(),
    ("scheduling", "programmes"): Projection(),
    ("scheduling", "plans"): Projection(only=_PLANNED),
    ("notifications", "recipients"): Projection(),
    ("notifications", "subsidiaries"): Projection(),
    ("notifications", "programmes"): Projection(),
    ("notifications", "deliveries"): Projection(only=_TOLD),
}
"""The collections that a replay of the log must give again, each by the fields that it decides. No run lasts until history is let go of: that is on the log."""

OWN: Collection[tuple[str, str]] = frozenset(
    {
        *(
            ("enrolment", name)
            for name in (
                *("subsidiaries", "feed_tokens", "feeds", "programmes", "charters", "seats", "invitations"),
                *("scim_users", "scim_names", "scim_groups", "exports", "erasures", "doors", "erased"),
            )
        ),
        *((service, name) for service in OTHERS for name in ("clearings", "cleared", "export_answers")),
        ("matching", "cycles"),
        ("matching", "rounds"),
        ("matching", "round_pages"),
        ("matching", "simulations"),
        ("matching", "rulings"),
        ("matching", "pairs"),
    },
)
"""The collections that hold a service's own decisions: no replay gives them again. Dead letters (`dead_letters`) are of neither kind."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Which of a service's own documents a topic's events act on: `field` of the event names the document, `hears` the classes that do.

    Its guard says up to where a document has heard. With `last`, only the last of the planned sessions acts.
    """

    service: str
    collection: str
    field: str
    hears: frozenset[str]
    last: bool = False


LISTENERS: Mapping[str, Listener] = {
    "matching-rounds": Listener("enrolment", "programmes", "programme", frozenset({"RoundPublished"})),
    "scheduling-sessions": Listener("matching", "pairs", "pair", frozenset({"SessionCompleted"}), last=True),
    "matching-pairs": Listener(
        "scheduling",
        "plans",
        "pair",
        frozenset({"PairConfirmed", "PairSuspended", "PairResumed", "PairEnded", "PairDeclined", "PairExpired"}),
    ),
}
"""By topic."""
