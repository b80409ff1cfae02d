"""The words of the page, by language. What has no word here is shown by its own name, with spaces for underscores."""

from collections.abc import Mapping
from types import MappingProxyType

FALLBACK = "en"

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "title": "What Amont holds of you",
            "about": "Everything that the four services of Amont hold about you. export.json has the same for machines.",
            "withheld": "Asked for on your behalf: what you said for nobody else to read is left out. Sign in and ask for it yourself to have that, too.",
            "contents": "Contents",
            "nothing": "Nothing.",
            "made": "Made",
            "yes": "yes",
            "no": "no",
            "enrolment": "Who takes part (enrolment)",
            "matching": "Pairs (matching)",
            "scheduling": "Sessions (scheduling)",
            "notifications": "Messages (notifications)",
            "private_reason": "your private reason",
        },
        "fr": {
            "title": "Ce qu'Amont conserve à votre sujet",
            "about": "Tout ce que les quatre services d'Amont conservent à votre sujet. Le fichier export.json contient la même chose pour les machines.",
            "withheld": "Demandé en votre nom : ce que vous avez dit pour que personne d'autre ne le lise n'y figure pas. "
            "Connectez-vous et faites la demande vous-même pour l'obtenir.",
            "contents": "Sommaire",
            "nothing": "Rien.",
            "made": "Établi le",
            "yes": "oui",
            "no": "non",
            "enrolment": "Participation (enrolment)",
            "matching": "Binômes (matching)",
            "scheduling": "Séances (scheduling)",
            "notifications": "Messages (notifications)",
            "record": "votre fiche",
            "records that lie ahead": "changements à venir",
            "records that are held": "changements en attente",
            "enrolments": "inscriptions",
            "seats": "places",
            "moves between subsidiaries": "passages d'une filiale à l'autre",
            "place in the line of management": "place dans la ligne hiérarchique",
            "invitations": "invitations",
            "what an identity provider wrote": "ce qu'un fournisseur d'identité a écrit",
            "records that could not be taken": "fiches qui n'ont pu être lues",
            "place": "votre place",
            "pairs": "binômes",
            "decisions about you and somebody else": "décisions vous concernant avec une autre personne",
            "rounds without a partner": "appariements restés sans partenaire",
            "person": "personne",
            "hours": "horaires",
            "plans": "plans de séances",
            "recipient": "destinataire",
            "messages": "messages",
            "given_name": "prénom",
            "family_name": "nom",
            "email": "adresse électronique",
            "preferred_language": "langue préférée",
            "band": "niveau",
            "job_title": "poste",
            "function": "fonction",
            "business_unit": "unité",
            "team": "équipe",
            "site": "site",
            "zone": "fuseau horaire",
            "languages": "langues",
            "managers": "responsables",
            "joined_on": "entrée dans le groupe",
            "status": "état",
            "programme": "programme",
            "role": "rôle",
            "topics": "thèmes",
            "availability": "disponibilités",
            "meeting": "forme des rencontres",
            "capacity": "nombre de partenaires",
            "charter_accepted_at": "charte acceptée le",
            "private_reason": "votre motif privé",
            "your reason to decline": "votre motif de refus",
            "mentee": "mentoré(e)",
            "mentor": "mentor",
            "sessions": "séances",
            "kind": "nature",
            "reason": "motif",
        },
    }
)
"""Per language: the page's own words, then kinds and fields."""


def spoken(language: str | None) -> str:
    """The language of the page for somebody's preferred one."""
    main = (language or "").partition("-")[0]
    return main if main in WORDS else FALLBACK
