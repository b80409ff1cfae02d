"""A certificate of erasure for people, in French or English: how much of what was erased, where and when. It names nobody.

Services count by the names of their collections; what each holds is said here in words, one of it and several.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from amont.common.cli import out, say_facts, table

if TYPE_CHECKING:
    from amont.enrolment.domain.erasure import Erasure

Language = Literal["en", "fr"]
Words = Mapping[str, str]

WORDS: Mapping[Language, Words] = MappingProxyType(
    {
        "en": {
            "reference": "reference",
            "subsidiary": "subsidiary",
            "stage": "stage",
            "asked": "asked",
            "done": "done",
            "awaits": "awaits",
            "service": "service",
            "cleared": "cleared",
            "gone": "id gone",
            "removed": "removed",
            "nameless": "made nameless",
            "earliest": "not yet; it is final on {} at the earliest",
            "eight_days": "not yet; eight days after the others are told",
        },
        "fr": {
            "reference": "référence",
            "subsidiary": "filiale",
            "stage": "étape",
            "asked": "demandé",
            "done": "terminé",
            "awaits": "attend",
            "service": "service",
            "cleared": "effacé",
            "gone": "identifiant effacé",
            "removed": "supprimé",
            "nameless": "rendu anonyme",
            "earliest": "pas encore ; définitif le {} au plus tôt",
            "eight_days": "pas encore ; huit jours après que les autres l'auront appris",
        },
    }
)

STAGES: Mapping[Language, Words] = MappingProxyType(
    {
        "en": {stage: stage for stage in ("requested", "ordered", "cleared", "forgotten")},
        "fr": {"requested": "demandé", "ordered": "ordonné", "cleared": "effacé", "forgotten": "oublié"},
    }
)

KINDS: Mapping[str, Mapping[Language, tuple[str, str]]] = MappingProxyType(
    {
        "charters": {"en": ("charter", "charters"), "fr": ("charte", "chartes")},
        "cycles": {"en": ("circle of managers", "circles of managers"), "fr": ("cycle hiérarchique", "cycles hiérarchiques")},
        "dead_letters": {
            "en": ("record that could not be taken", "records that could not be taken"),
            "fr": ("fiche qui n'a pu être lue", "fiches qui n'ont pu être lues"),
        },
        "deliveries": {"en": ("message", "messages"), "fr": ("message", "messages")},
        "employees": {"en": ("staff record", "staff records"), "fr": ("fiche de personnel", "fiches de personnel")},
        "enrolments": {"en": ("enrolment", "enrolments"), "fr": ("inscription", "inscriptions")},
        "erased": {"en": ("other erasure", "other erasures"), "fr": ("autre effacement", "autres effacements")},
        "erasures": {"en": ("erasure of somebody else", "erasures of others"), "fr": ("effacement d'autrui", "effacements d'autrui")},
        "export_answers": {"en": ("part of an export", "parts of exports"), "fr": ("partie d'export", "parties d'exports")},
        "exports": {"en": ("export", "exports"), "fr": ("export", "exports")},
        "feed_tokens": {"en": ("list of tokens", "lists of tokens"), "fr": ("liste de jetons", "listes de jetons")},
        "feeds": {"en": ("feed", "feeds"), "fr": ("flux", "flux")},
        "invitations": {"en": ("list of invitations", "lists of invitations"), "fr": ("liste d'invitations", "listes d'invitations")},
        "pairs": {"en": ("pair", "pairs"), "fr": ("binôme", "binômes")},
        "people": {"en": ("person's entry", "people's entries"), "fr": ("entrée de personne", "entrées de personnes")},
        "plans": {"en": ("plan of sessions", "plans of sessions"), "fr": ("plan de séances", "plans de séances")},
        "programmes": {"en": ("programme", "programmes"), "fr": ("programme", "programmes")},
        "recipients": {"en": ("recipient", "recipients"), "fr": ("destinataire", "destinataires")},
        "round_pages": {"en": ("page of a round", "pages of rounds"), "fr": ("page d'appariement", "pages d'appariement")},
        "rounds": {"en": ("round", "rounds"), "fr": ("appariement", "appariements")},
        "rulings": {
            "en": ("ruling about two people", "rulings about two people"),
            "fr": ("décision sur deux personnes", "décisions sur deux personnes"),
        },
        "scim_groups": {"en": ("SCIM group", "SCIM groups"), "fr": ("groupe SCIM", "groupes SCIM")},
        "scim_names": {"en": ("SCIM name being taken", "SCIM names being taken"), "fr": ("nom SCIM en attente", "noms SCIM en attente")},
        "scim_users": {"en": ("SCIM user", "SCIM users"), "fr": ("utilisateur SCIM", "utilisateurs SCIM")},
        "seats": {"en": ("list of seats", "lists of seats"), "fr": ("liste de places", "listes de places")},
        "simulations": {"en": ("simulation", "simulations"), "fr": ("simulation", "simulations")},
        "subsidiaries": {"en": ("subsidiary", "subsidiaries"), "fr": ("filiale", "filiales")},
    }
)
"""By the collection's name. A kind of a release that this one does not know is shown by its own name."""


def show(erasure: "Erasure", language: Language) -> None:
    """Print it."""
    words = WORDS[language]
    done = at(erasure.done_at) if erasure.done_at else _not_yet(erasure.final_from, words)
    facts = {
        "reference": erasure.id,
        "subsidiary": erasure.tenant,
        "stage": STAGES[language][erasure.stage],
        "asked": at(erasure.requested_at),
        "done": done,
        "awaits": ", ".join(erasure.awaits) or "-",
    }
    say_facts(out, ((words[name], value) for name, value in facts.items()))
    rows = [
        (name, at(part.cleared_at), at(part.forgotten_at), counts(part.removed, language), counts(part.changed, language))
        for name, part in sorted(erasure.parts.items())
    ]
    out.print(table([words[name] for name in ("service", "cleared", "gone", "removed", "nameless")], rows))


def counts(many: Mapping[str, int], language: Language) -> str:
    """How many of what, in words; in French nought is one, too (CLDR, plural rules)."""
    return ", ".join(f"{number} {_kind(kind, number, language)}" for kind, number in sorted(many.items())) or "-"


def at(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else "-"


def _kind(kind: str, number: int, language: Language) -> str:
    named = KINDS.get(kind)
    if named is None:
        return kind.replace("_", " ")
    one, several = named[language]
    return one if number == 1 or (number == 0 and language == "fr") else several


def _not_yet(final_from: datetime | None, words: Words) -> str:
    return words["earliest"].format(at(final_from)) if final_from else words["eight_days"]
