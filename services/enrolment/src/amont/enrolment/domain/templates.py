"""The three programmes that ship: a policy, topics and a charter to begin with. All of it may be changed, before and after opening.

This is the one place where they are written down; `docs/matching/policy.md` shows their pairing rules, and a test holds the two together. Topics are
practices, never identities: what somebody offers must not say what they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from amont.common.events import Policy
from amont.common.events.enrolment import Weights

_CHARTER = {
    "en": """Taking part is voluntary. Either of us may leave at any time, in one click, without a reason and without any consequence.
What we say to each other stays between us: we do not report it to managers, to human resources or to the programme, and nobody asks us to.
The mentor is the junior one and leads the sessions; the mentee comes to learn. Neither assesses the other, during the programme or after it.
We keep the times we have agreed on, or move them early. We speak to each other with respect, and stop when one of us asks to.
{purpose}""",
    "fr": """La participation est volontaire. Chacun de nous peut partir à tout moment, en un clic, sans raison à donner et sans aucune conséquence.
Ce que nous nous disons reste entre nous : nous ne le rapportons ni à la hiérarchie, ni aux RH, ni au programme, et personne ne nous le demande.
Le mentor est le junior des deux et mène les séances ; le mentoré vient apprendre. Aucun n’évalue l’autre, ni pendant le programme ni après.
Nous tenons les horaires convenus, ou les déplaçons à temps. Nous nous parlons avec respect et nous arrêtons quand l’un de nous le demande.
{purpose}""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A programme to begin with. `names` and `charter` are by language."""

    id: str
    names: Mapping[str, str]
    about: str
    topics: tuple[str, ...]
    policy: Policy
    charter: Mapping[str, str]


def _charter(en: str, fr: str) -> Mapping[str, str]:
    return {"en": _CHARTER["en"].format(purpose=en), "fr": _CHARTER["fr"].format(purpose=fr)}


_ALL = (
    Template(
        id="digital",
        names={"en": "Digital", "fr": "Numérique"},
        about="Executives learn new tools and usages. Topics decide; pairs are across subsidiaries.",
        topics=("ai", "data", "social-media", "collaboration-tools", "automation", "cyber-hygiene"),
        policy=Policy(stickiness=20),
        charter=_charter(
            "We try things out on our own devices and accounts, and share no confidential document to do so.",
            "Nous essayons sur nos propres appareils et comptes, sans partager de document confidentiel.",
        ),
    ),
    Template(
        id="inclusion",
        names={"en": "Inclusion", "fr": "Inclusion"},
        about="People who would not have met talk. A human approves every pair, replacements too; nothing sensitive is asked, stored or scored.",
        topics=(
            "first-years-in-the-group",
            "inclusive-meetings",
            "listening",
            "plain-language",
            "accessible-tools",
            "working-across-cultures",
        ),
        policy=Policy(
            min_grade_gap=3,
            across="business_unit",
            max_zone_hours=4,
            min_common_hours=3,
            weights=Weights(topics=350, function=250, hours=200, grade_gap=50, meeting=150),
            stickiness=20,
            replacements="reviewed",
        ),
        charter=_charter(
            "We do not ask about origin, health, belief, family or orientation. What somebody chooses to tell is theirs, and goes no further.",
            "Nous ne posons pas de question sur l’origine, la santé, les convictions, la famille ou l’orientation. "
            "Ce que quelqu’un choisit de dire lui appartient et ne va pas plus loin.",
        ),
    ),
    Template(
        id="new-ways-of-working",
        names={"en": "New ways of working", "fr": "Nouvelles façons de travailler"},
        about="Teams learn from each other how they work, best on one site and within a subsidiary, across business units.",
        topics=("remote-work", "asynchronous-work", "agile", "feedback", "deciding-together", "learning-at-work"),
        policy=Policy(
            across="business_unit",
            max_zone_hours=2,
            weights=Weights(topics=400, function=200, hours=100, grade_gap=50, meeting=250),
            order="pairs, total",
        ),
        charter=_charter(
            "What we learn about each other’s team is for learning, not for comparing.",
            "Ce que nous apprenons de l’équipe de l’autre sert à apprendre, pas à comparer.",
        ),
    ),
)

TEMPLATES: Mapping[str, Template] = MappingProxyType({one.id: one for one in _ALL})
