"""Fields that Amont never stores, by their usual names: no photo, no birth date or age, no gender, no salary (product contract; GDPR 5 and 25).

A name is taken apart into words (`birthDate`, `date_of_birth`, `Date de naissance`), without accents and case. Some words decide alone; others only
as the whole name, since `genre` or `image` may be part of something harmless.
"""

import re
import unicodedata
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_ALONE = {
    "photo": "photo photos photograph photographie picture avatar portrait headshot selfie foto fotografia lichtbild bild thumbnailphoto",
    "birth date": "birth birthdate birthday birthdays dob naissance geburtsdatum geburtstag nacimiento fechanacimiento age alter edad",
    "gender": "gender sex sexe geschlecht sexo genero pronouns pronoun",
    "salary": "salary salaries salaire salaires gehalt salario wage wages remuneration remuneracion vergutung lohn paygrade bonus sueldo",
}
_WHOLE = {
    "photo": "image face",
    "birth date": "born bday dateofbirth anniversaire datenaissance yearofbirth birthyear",
    "gender": "genre civilite anrede salutation honorificprefix mf",
    "salary": "compensation pay basepay annualpay ctc brut gross grosspay traitement",
}


def _index(table: dict[str, str]) -> dict[str, str]:
    return {word: what for what, words in table.items() for word in words.split()}


_BY_WORD, _BY_NAME = _index(_ALONE), _index(_WHOLE)


def plain(name: str) -> str:
    """Letters without accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))


@lru_cache(maxsize=4096)
def never_stored(name: str) -> str | None:
    """What a field of this name would be that Amont never stores; None for any other."""
    words = [word.lower() for word in _WORDS.findall(plain(name))]
    whole = "".join(words)
    if whole in _BY_NAME or whole in _BY_WORD:
        return _BY_NAME.get(whole) or _BY_WORD[whole]
    return next((_BY_WORD[word] for word in words if word in _BY_WORD), None)
