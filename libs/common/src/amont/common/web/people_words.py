"""What pages for people say around what they are about: refusals by HTTP status, a title and a sentence, and the words above every page."""

from collections.abc import Mapping
from types import MappingProxyType

LANGUAGES = ("en", "fr")
"""What pages are written in, the first for whoever asks for none of them."""

SAYS: Mapping[int, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        401: {
            "en": ("You are signed out", "Sign in, then do it again: nothing has been changed."),
            "fr": ("Vous n’êtes plus connecté(e)", "Connectez-vous, puis recommencez : rien n’a été modifié."),
        },
        403: {
            "en": ("This cannot be done", "It is not yours to do, or the form was not one of ours. Nothing has been changed."),
            "fr": ("Ce n’est pas possible", "Cela ne vous revient pas, ou le formulaire n’était pas d’ici. Rien n’a été modifié."),
        },
        404: {
            "en": ("There is nothing here", "The page does not exist, or it is somebody else’s."),
            "fr": ("Il n’y a rien ici", "La page n’existe pas, ou elle est à quelqu’un d’autre."),
        },
        405: {
            "en": ("This cannot be done", "A page is opened, and a form of ours is sent; nothing else."),
            "fr": ("Ce n’est pas possible", "Une page s’ouvre et un formulaire d’ici s’envoie, rien d’autre."),
        },
        409: {
            "en": ("It has changed meanwhile", "Go back, open the page again and look: nothing of yours has been changed."),
            "fr": ("Cela a changé entre-temps", "Revenez, rouvrez la page et regardez : rien de vous n’a été modifié."),
        },
        413: {
            "en": ("This is too large", "Write less: nothing has been changed."),
            "fr": ("C’est trop long", "Écrivez moins : rien n’a été modifié."),
        },
        422: {
            "en": ("This cannot be accepted", "Go back and look over what you have entered: nothing has been changed."),
            "fr": ("Ce n’est pas acceptable", "Revenez et relisez ce que vous avez saisi : rien n’a été modifié."),
        },
        429: {
            "en": ("Too fast", "Wait a few seconds, then try again."),
            "fr": ("Trop vite", "Attendez quelques secondes, puis recommencez."),
        },
        500: {
            "en": (
                "A defect of ours",
                "Something went wrong on our side, and we have noted it. Look whether it was done before you repeat it.",
            ),
            "fr": ("Un défaut chez nous", "Quelque chose a échoué de notre côté, nous l’avons noté. Vérifiez avant de recommencer."),
        },
        501: {
            "en": (
                "Nobody can sign in here yet",
                "Ask your programme’s coordinator how to answer. Whoever runs Amont: set AMONT_CLIENT_ID and what goes with it.",
            ),
            "fr": (
                "On ne peut pas encore se connecter ici",
                "Demandez à la coordination de votre programme. À qui exploite Amont : renseignez AMONT_CLIENT_ID et ce qui l’accompagne.",
            ),
        },
        503: {
            "en": ("Not now", "Something that this needs does not answer. Try again in a few seconds, and look whether it was done."),
            "fr": ("Pas maintenant", "Un élément nécessaire ne répond pas. Réessayez dans quelques secondes et vérifiez si c’est fait."),
        },
    }
)
SIGN_IN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "too-late": {
            "en": "Signing in took longer than ten minutes, or was begun in another browser. Begin again.",
            "fr": "La connexion a pris plus de dix minutes, ou a commencé dans un autre navigateur. Recommencez.",
        },
        "refused": {
            "en": "The group’s identity provider refused. Begin again, or ask whoever runs it.",
            "fr": "Le fournisseur d’identité du groupe a refusé. Recommencez, ou adressez-vous à qui l’exploite.",
        },
        "nobody-of-ours": {
            "en": "The group’s identity provider does not say which employee you are (it should say tenant:employee_id). Ask whoever runs it.",
            "fr": "Le fournisseur d’identité du groupe ne dit pas quel salarié vous êtes (tenant:employee_id). Adressez-vous à qui l’exploite.",
        },
        "not-confirmed": {
            "en": "The group’s identity provider did not confirm who you are. Begin again.",
            "fr": "Le fournisseur d’identité du groupe n’a pas confirmé qui vous êtes. Recommencez.",
        },
    }
)
"""Why nobody was signed in."""
WORDS = MappingProxyType(
    {
        "en": {"sign in": "Sign in", "sign out": "Sign out", "home": "Your programmes"},
        "fr": {"sign in": "Se connecter", "sign out": "Se déconnecter", "home": "Vos programmes"},
    }
)


def says(status: int) -> Mapping[str, tuple[str, str]]:
    """Title and sentence of a refusal, by language."""
    return SAYS.get(status, SAYS[500 if status >= 500 else 422])
