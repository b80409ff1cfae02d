"""The words that the made-up group is made of: subsidiaries with their grade tables, names, functions, sites, topics.

Nothing here is real. Given and family names are common ones of each country, drawn one by one and put together by a seed.
"""

from dataclasses import dataclass

GROUP = "Orvane"
PROGRAMME = "digital-2027"
PROGRAMME_NAME = "Digital 2027"

TOPICS = (
    "generative-ai",
    "data-literacy",
    "collaboration-tools",
    "social-networks",
    "cyber-hygiene",
    "inclusion",
    "sustainability",
    "new-ways-of-working",
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A subsidiary: `codes` is its own grade code for each band from 1 to 20, `share` its part of the group's people."""

    tenant: str
    name: str
    language: str
    zone: str
    share: float
    head: str
    employee_id: str
    codes: tuple[str, ...]
    sites: tuple[tuple[str, str, int], ...]
    """Site, zone, weight."""
    given: tuple[str, ...]
    family: tuple[str, ...]

    @property
    def grades(self) -> dict[str, int]:
        """Its grade table: code to band."""
        return {code: band for band, code in enumerate(self.codes, start=1)}


FRANCE = Company(
    tenant="fr",
    name=f"{GROUP} France",
    language="fr",
    zone="Europe/Paris",
    share=0.45,
    head="Managing director, France",
    employee_id="F{:05d}",
    codes=("E1", "E2", "E3", "M1", "M2", "M3", "C1", "C2", "C3", "C4", "C5", "C6", "D1", "D2", "D3", "D4", "CD1", "CD2", "DG1", "DG2"),
    sites=(("Paris", "Europe/Paris", 5), ("Lyon", "Europe/Paris", 2), ("Lille", "Europe/Paris", 2), ("Nantes", "Europe/Paris", 1)),
    given=_words(
        "Adèle Adrien Agathe Alice Antoine Aurélie Baptiste Benoît Camille Céline Charlotte Claire Clément Damien David Élise Émilie "
        "Étienne Fanny Florent Gaëlle Guillaume Hélène Hugo Inès Jeanne Julien Karim Léa Louis Lucie Malik Manon Marion Mathieu Nadia "
        "Nicolas Noémie Olivier Pauline Pierre Rachid Romain Samira Sophie Thomas Valérie Vincent Yasmine Zoé",
    ),
    family=_words(
        "Aubry Barbier Baron Benali Bernard Bertin Blanchard Bonnet Boyer Brunet Caron Charpentier Chevalier Colin Cordier Delattre "
        "Diallo Dumont Dupuis Fabre Faure Fontaine Fournier Garnier Gauthier Giraud Guérin Haddad Hubert Jacquet Lambert Leclerc "
        "Lefèvre Legrand Lemoine Marchand Masson Mercier Meunier Moreau Morel Noël Perrin Picard Renard Rolland Roussel Sanchez Traoré "
        "Vidal",
    ),
)

GERMANY = Company(
    tenant="de",
    name=f"{GROUP} Deutschland",
    language="de",
    zone="Europe/Berlin",
    share=0.33,
    head="Managing director, Germany",
    employee_id="{:06d}",
    codes=tuple(f"TG{n}" for n in range(1, 10)) + tuple(f"AT{n}" for n in range(1, 6)) + ("LK1", "LK2", "LK3", "GF1", "GF2", "VS"),
    sites=(("Berlin", "Europe/Berlin", 3), ("Hamburg", "Europe/Berlin", 2), ("München", "Europe/Berlin", 3)),
    given=_words(
        "Aylin Andreas Anja Anna Benedikt Birgit Björn Carsten Christina Clara Daniel Dennis Elif Emma Erik Eva Fabian Felix Franziska "
        "Greta Hannah Heike Ingrid Jan Jana Jonas Julia Kai Katrin Kerstin Lars Laura Lena Leon Lukas Maike Markus Mehmet Mia Moritz "
        "Nele Niklas Petra Sabine Sebastian Simon Stefan Svenja Tobias Ute",
    ),
    family=_words(
        "Albrecht Arnold Bauer Beck Böhm Brandt Busch Demir Dietrich Engel Fischer Frank Fuchs Graf Groß Haas Hahn Hartmann Heinrich "
        "Herrmann Hoffmann Horn Huber Jung Kaiser Kaya Keller Koch Köhler Kraus Krüger Kuhn Lang Lehmann Lorenz Maier Neumann Otto "
        "Peters Pohl Richter Roth Sauer Schäfer Scholz Schreiber Seidel Vogel Winkler Yildiz Ziegler",
    ),
)

SPAIN = Company(
    tenant="es",
    name=f"{GROUP} España",
    language="es",
    zone="Europe/Madrid",
    share=0.22,
    head="Managing director, Spain",
    employee_id="ES-{:04d}",
    codes=tuple(f"N{n:02d}" for n in range(20, 0, -1)),
    sites=(("Madrid", "Europe/Madrid", 5), ("Sevilla", "Europe/Madrid", 2), ("Las Palmas", "Atlantic/Canary", 1)),
    given=_words(
        "Adrián Aitana Alba Alejandro Álvaro Ana Andrés Beatriz Blanca Carla Carlos Carmen Claudia Cristina Diego Elena Fernando "
        "Gonzalo Hugo Inés Irene Isabel Iván Javier Jorge Julia Laura Lucía Manuel Marcos María Marta Mateo Miguel Nerea Noelia Nuria "
        "Óscar Pablo Paula Raquel Raúl Rocío Rubén Sara Sergio Silvia Sonia Teresa Víctor",
    ),
    family=_words(
        "Aguilar Álvarez Arias Blanco Bravo Cabrera Calvo Campos Cano Castillo Castro Cortés Crespo Cruz Delgado Díaz Domínguez "
        "Esteban Flores Fuentes Gallego Garrido Gil Giménez Guerrero Herrera Hidalgo Iglesias León Lorenzo Lozano Marín Medina Molina "
        "Mora Navarro Núñez Ortega Pascual Peña Prieto Ramos Reyes Rubio Santana Serrano Suárez Vargas Vega Vicente",
    ),
)

COMPANIES = (FRANCE, GERMANY, SPAIN)


@dataclass(frozen=True, slots=True)
class Function:
    """What part of the work it is: its business unit, its share of a subsidiary, and what its people are called."""

    name: str
    business_unit: str
    share: float
    trade: str


FUNCTIONS = (
    Function("Sales", "Markets", 0.24, "Account"),
    Function("Operations", "Services", 0.24, "Operations"),
    Function("Technology", "Services", 0.18, "Software"),
    Function("Marketing", "Markets", 0.12, "Brand"),
    Function("Finance", "Corporate", 0.12, "Financial"),
    Function("People", "Corporate", 0.10, "People"),
)
