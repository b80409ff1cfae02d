"""Why not, in words: every reason against an enrolment, in English and in French, with a stable code that a program can tell it by.

One catalogue, each text in both languages; whoever shows a reason takes the reader's. What is not here: the rules themselves (`eligibility`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from amont.common.errors import Fault
from amont.common.events.values import ProgrammeStatus, Role

CATALOGUE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "programme-not-open": (
            "the programme is {status}; people enrol while it is open or running",
            "le programme est {status_fr} ; on s’inscrit tant qu’il est ouvert ou en cours",
        ),
        "programme-not-open.form": (
            "the programme is {status}; forms change while it is open or running",
            "le programme est {status_fr} ; une inscription se modifie tant qu’il est ouvert ou en cours",
        ),
        "subsidiary-not-in-programme": (
            "subsidiary {tenant!r} does not take part in this programme",
            "la filiale {tenant!r} ne participe pas à ce programme",
        ),
        "on-leave": ("the person is on leave; enrol on return", "la personne est en congé ; l’inscription se fait au retour"),
        "not-active": (
            "the person does not work in the group now",
            "la personne ne travaille pas dans le groupe en ce moment",
        ),
        "band-too-high": (
            "a mentor here is at most in band {limit}, the person is in band {band}",
            "ici, un mentor est au plus au niveau {limit} ; la personne est au niveau {band}",
        ),
        "band-too-low": (
            "a mentee here is at least in band {limit}, the person is in band {band}",
            "ici, un(e) mentoré(e) est au moins au niveau {limit} ; la personne est au niveau {band}",
        ),
        "joined-too-recently": (
            "a mentor here has been in the group for at least {months} months",
            "ici, un mentor est dans le groupe depuis au moins {months} mois",
        ),
        "other-role-taken": (
            "the person is enrolled as {role} already and this programme allows one role",
            "la personne est déjà inscrite comme {role_fr} et ce programme n’admet qu’un rôle",
        ),
        "already-enrolled": ("the person is enrolled as {role} already", "la personne est déjà inscrite comme {role_fr}"),
        "charter-not-accepted": (
            "the charter must be accepted to take part",
            "il faut accepter la charte pour participer",
        ),
        "charter-outdated": (
            "version {current} of the charter is the current one; read it, then accept it",
            "la version {current} de la charte est celle en vigueur ; lisez-la, puis acceptez-la",
        ),
        "line-too-long": ("{waiting} people wait for a seat already", "{waiting} personnes attendent déjà une place"),
        "topics-count": ("choose 1 to {most} topics", "choisissez de 1 à {most} sujets"),
        "unknown-topic": (
            "not a topic of this programme; it has {topics}",
            "ce n’est pas un sujet de ce programme ; il propose {topics}",
        ),
        "level-out-of-range": ("the level is 1, 2 or 3", "le niveau est 1, 2 ou 3"),
        "capacity": ("a {role} here takes 1 to {most} partners", "ici, un(e) {role_fr} accompagne de 1 à {most} personnes"),
        "capacity.one": ("a {role} here takes 1 partner", "ici, un(e) {role_fr} n’a qu’un binôme"),
        "languages-count": (
            "name 1 to {most} languages; a pair needs one in common",
            "indiquez de 1 à {most} langues ; un binôme en partage une",
        ),
        "language": (
            "{text!r} is not the code of a language (BCP 47), as in 'fr' or 'pt-BR'",
            "{text!r} n’est pas le code d’une langue (BCP 47), comme 'fr' ou 'pt-BR'",
        ),
        "language.meant": (
            "{text!r} is not the code of a language; did you mean {meant!r}?",
            "{text!r} n’est pas le code d’une langue ; vouliez-vous dire {meant!r} ?",
        ),
        "availability-count": ("at most {most} windows", "au plus {most} plages"),
        "window": (
            "{fault}",
            "{text!r} n’est pas une plage : un jour et deux heures rondes ou demies, la fin après le début, comme 'mon 09:00-11:30'",
        ),
        "too-few-hours": (
            "the windows must hold at least {needed} hours a week in all",
            "les plages doivent compter au moins {needed} heures par semaine en tout",
        ),
    }
)
"""By code, and after a dot by what is a little different about it."""
_STATUS = MappingProxyType(
    {
        ProgrammeStatus.DRAFT: "en préparation",
        ProgrammeStatus.OPEN: "ouvert",
        ProgrammeStatus.RUNNING: "en cours",
        ProgrammeStatus.CLOSED: "clos",
    }
)
_ROLE = MappingProxyType({Role.MENTOR: "mentor", Role.MENTEE: "mentoré(e)"})


@dataclass(frozen=True, slots=True)
class Reason(Fault):
    """Why not: a fault with a stable code, its sentence in English (`detail`) and in French."""

    code: str
    french: str = ""

    @property
    def words(self) -> dict[str, str]:
        """The sentence by language."""
        return {"en": self.detail, "fr": self.french}


def reason(which: str, pointer: str, **facts: Any) -> Reason:
    """A reason of the catalogue, with the facts that its sentences name."""
    english, french = CATALOGUE[which]
    if "status" in facts:
        facts["status_fr"] = _STATUS[facts["status"]]
    if "role" in facts:
        facts["role_fr"] = _ROLE[facts["role"]]
    return Reason(pointer, english.format(**facts), which.partition(".")[0], french.format(**facts))
