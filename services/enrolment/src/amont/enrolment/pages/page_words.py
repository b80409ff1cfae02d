"""What the pages say, in English and in French: one catalogue, each text in both. Reasons against an enrolment have their own (`domain.reasons`)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from babel import Locale
from babel.dates import get_day_names

from amont.common.web.people_words import LANGUAGES
from amont.enrolment.domain.hours import DAYS

CATALOGUE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "home": ("Your programmes", "Vos programmes"),
        "home.none": ("No programme is open to your subsidiary.", "Aucun programme n’est ouvert à votre filiale."),
        "home.unknown": (
            "Your HR system has not told us about you yet, so there is nothing to take part in. Ask your programme’s coordinator.",
            "Votre système RH ne nous a pas encore parlé de vous ; il n’y a donc rien à rejoindre. Demandez à la coordination du programme.",
        ),
        "home.yours": ("You take part", "Vous participez"),
        "home.all": ("Programmes", "Programmes"),
        "enrolment": ("{programme}, as {role}", "{programme}, en tant que {role}"),
        "role.mentor": ("mentor", "mentor"),
        "role.mentee": ("mentee", "mentoré(e)"),
        "status.waiting": ("waiting for a seat", "en attente d’une place"),
        "status.enrolled": ("enrolled", "inscription active"),
        "status.suspended": ("suspended, for instance for a leave", "suspendue, par exemple pendant un congé"),
        "status.withdrawn": ("withdrawn", "retirée"),
        "status.ended": ("ended", "terminée"),
        "programme.draft": ("in preparation", "en préparation"),
        "programme.open": ("open", "ouvert"),
        "programme.running": ("running", "en cours"),
        "programme.closed": ("closed", "clos"),
        "programme.about": (
            "A junior employee mentors an executive. Topics: {topics}.",
            "Une personne moins gradée accompagne une personne de la direction. Sujets : {topics}.",
        ),
        "as.mentor": (
            "As mentor: you show somebody more senior what you know",
            "En tant que mentor : vous montrez ce que vous savez à plus gradé que vous",
        ),
        "as.mentee": ("As mentee: you learn from somebody junior", "En tant que mentoré(e) : vous apprenez de quelqu’un de moins gradé"),
        "enrol.mentor": ("Enrol as mentor", "S’inscrire en tant que mentor"),
        "enrol.mentee": ("Enrol as mentee", "S’inscrire en tant que mentoré(e)"),
        "enrol.not": ("This is not open to you, because:", "Ce n’est pas possible pour vous :"),
        "enrol.in": ("You are in it as {role}.", "Vous y êtes en tant que {role}."),
        "faults": ("It was not sent: look at what is marked below.", "Rien n’a été envoyé : voyez ce qui est signalé ci-dessous."),
        "stale": (
            "It has been changed meanwhile, perhaps in another window. This is what you entered; sending it replaces what is there now.",
            "Cela a été modifié entre-temps, peut-être dans une autre fenêtre. Voici votre saisie ; l’envoyer remplace ce qui y est maintenant.",
        ),
        "topics": ("Topics", "Sujets"),
        "topics.mentor": ("What can you show? Choose 1 to {most}.", "Que savez-vous montrer ? Choisissez-en de 1 à {most}."),
        "topics.mentee": ("What would you learn? Choose 1 to {most}.", "Que voulez-vous apprendre ? Choisissez-en de 1 à {most}."),
        "level.0": ("no", "non"),
        "level.mentor.1": ("a little", "un peu"),
        "level.mentor.2": ("well", "bien"),
        "level.mentor.3": ("very well", "très bien"),
        "level.mentee.1": ("gladly", "volontiers"),
        "level.mentee.2": ("very gladly", "très volontiers"),
        "level.mentee.3": ("above all", "avant tout"),
        "languages": ("Languages", "Langues"),
        "languages.more": ("Others, as codes (ja, pt-BR)", "D’autres, par leur code (ja, pt-BR)"),
        "availability": ("When in the week you can meet", "Quand, dans la semaine, vous êtes disponible"),
        "availability.hint": (
            "At least {hours} hours in all, in your own time zone, on the half-hour. Leave empty what does not suit you.",
            "Au moins {hours} heures en tout, dans votre fuseau horaire, aux heures et demi-heures. Laissez vide ce qui ne va pas.",
        ),
        "availability.from": ("{day}, from", "{day}, de"),
        "availability.to": ("{day}, until", "{day}, jusqu’à"),
        "availability.fault": (
            "{day}: both times are needed, on the half-hour, the second after the first",
            "{day} : il faut les deux heures, rondes ou demies, la seconde après la première",
        ),
        "meeting": ("How to meet", "Comment se voir"),
        "meeting.in-person": ("in person", "en personne"),
        "meeting.remote": ("remotely", "à distance"),
        "meeting.either": ("either way", "l’un ou l’autre"),
        "capacity": ("With how many people at once", "Avec combien de personnes à la fois"),
        "charter": ("The charter", "La charte"),
        "charter.edition": ("Edition {version}", "Édition {version}"),
        "charter.none": ("The programme has no text of its own.", "Ce programme n’a pas de texte particulier."),
        "charter.accept": ("I have read the charter and accept it", "J’ai lu la charte et je l’accepte"),
        "charter.new": (
            "There is a new edition of the charter. Read it and accept it; until then you stay enrolled.",
            "Il y a une nouvelle édition de la charte. Lisez-la et acceptez-la ; d’ici là, votre inscription demeure.",
        ),
        "charter.waits": ("a new charter to accept", "une nouvelle charte à accepter"),
        "charter.sign": ("I accept it", "Je l’accepte"),
        "send": ("Enrol", "S’inscrire"),
        "save": ("Save", "Enregistrer"),
        "edit": ("Change", "Modifier"),
        "edit.title": ("Change what you have entered", "Modifier votre saisie"),
        "withdraw": ("Withdraw", "Se retirer"),
        "withdraw.title": ("Withdraw from {programme}?", "Se retirer de {programme} ?"),
        "withdraw.what": (
            "Your part in the programme ends, and so does a pair that you have there; the other person is told. You can enrol again.",
            "Votre participation prend fin, ainsi que le binôme que vous y avez ; l’autre personne est prévenue. Vous pourrez vous réinscrire.",
        ),
        "withdraw.reason": (
            "Why, if you want to say so. No coordinator and no manager is shown it.",
            "Pourquoi, si vous voulez le dire. Ni la coordination ni votre hiérarchie ne le voient.",
        ),
        "withdraw.back": ("No, go back", "Non, revenir"),
        "again": ("Enrol again", "Se réinscrire"),
        "said.already": (
            "You were enrolled already, so what you entered just now was not saved. This is what is there; you can change it.",
            "Vous étiez déjà inscrit(e) : votre dernière saisie n’a pas été enregistrée. Voici ce qui y est ; vous pouvez le modifier.",
        ),
        "said.over": (
            "What you entered just now was not saved: this cannot be changed any more.",
            "Votre dernière saisie n’a pas été enregistrée : cela ne peut plus être modifié.",
        ),
        "line": (
            "You are number {line} in the line for a seat. A free one is given within seconds: open the page again.",
            "Vous êtes au rang {line} de la liste d’attente. Une place libre est donnée en quelques secondes : rouvrez la page.",
        ),
        "line.soon": (
            "Whether there is a seat is being looked at; open the page again.",
            "On regarde s’il y a une place ; rouvrez la page.",
        ),
        "signed": (
            "You accepted edition {version} of the charter on {day}.",
            "Vous avez accepté l’édition {version} de la charte le {day}.",
        ),
        "accepted": ("You accepted the charter on {day}.", "Vous avez accepté la charte le {day}."),
        "back": ("Go back", "Revenir"),
        "programme": ("The programme", "Le programme"),
    }
)

Words = Callable[..., str]


def words_in(language: str) -> Words:
    """`words(key, **facts)`: a text of the catalogue."""
    at = LANGUAGES.index(language)

    def words(key: str, **facts: Any) -> str:
        return CATALOGUE[key][at].format(**facts)

    return words


def day_names(language: str) -> dict[str, str]:
    """The days of the week by their short English names, as they stand in windows."""
    names = get_day_names("wide", locale=language)
    return {day: names[at].capitalize() for at, day in enumerate(DAYS)}


def language_name(tag: str, language: str) -> str:
    """What a language is called; its tag where nobody knows."""
    base, _, region = tag.partition("-")
    name = Locale.parse(language).languages.get(base)
    return f"{name} ({region})" if name and region else name or tag
