"""What columns and values are called: the names that HR systems give to the fields of a staff record, in four languages.

A name is compared without case, accents, spaces and signs. What is not here is said in a mapping file (`mapping`); a name that could be two fields is
in neither.
"""

from collections.abc import Mapping

from amont.common.feeds.refused import plain

FIELDS: Mapping[str, str] = {
    "tenant": "tenant, subsidiary, filiale, Tochtergesellschaft, filial",
    "employee_id": "employee_id, employee number, employee no, emp id, emp no, person id, personnel number, pernr, staff id, worker id, user id, "
    "matricule, id salarié, numéro salarié, Personalnummer, Mitarbeiter-ID, Pers.-Nr., número de empleado, id empleado",
    "given_name": "given_name, first name, forename, prénom, Vorname, nombre",
    "family_name": "family_name, last name, surname, nom, nom de famille, Nachname, apellido, apellidos",
    "email": "email, e-mail, mail, e-mail address, email address, work email, business email, courriel, adresse e-mail, adresse mail, "
    "E-Mail-Adresse, correo, correo electrónico",
    "preferred_language": "preferred_language, language, langue, Sprache, idioma, locale",
    "status": "status, employment status, employee status, statut, Beschäftigungsstatus, estado",
    "grade": "grade, grade code, job grade, pay scale group, classification, niveau, Vergütungsgruppe, Tarifgruppe, grado, nivel",
    "job_title": "job_title, title, position, job, position title, poste, intitulé de poste, fonction exercée, emploi, Stelle, Stellenbezeichnung, "
    "puesto, cargo",
    "function": "function, job function, job family, filière, famille d'emploi, métier, Funktion, Funktionsbereich, función",
    "business_unit": "business_unit, bu, division, direction, Geschäftsbereich, unidad de negocio",
    "team": "team, department, équipe, service, département, Abteilung, equipo, departamento",
    "site": "site, location, work location, office, lieu, lieu de travail, Standort, Arbeitsort, sede, centro de trabajo",
    "zone": "zone, time zone, tz, fuseau, fuseau horaire, Zeitzone, zona horaria",
    "languages": "languages, langues, spoken languages, langues parlées, Sprachen, idiomas",
    "manager_id": "manager_id, manager, manager employee id, supervisor id, reports to, line manager id, matricule manager, matricule n+1, "
    "matricule du responsable, id responsable, Vorgesetzter, Vorgesetzten-ID, Personalnummer Vorgesetzter, id del responsable",
    "dotted_manager_ids": "dotted_manager_ids, dotted line managers, matrix managers, matrix manager id, responsables fonctionnels",
    "joined_on": "joined_on, hire date, start date, original hire date, date d'embauche, date d'entrée, date d'ancienneté, Eintrittsdatum, "
    "fecha de alta, fecha de ingreso",
    "former_id": "former_id, former employee id, previous employee id, ancien matricule, frühere Personalnummer",
    "effective_at": "effective_at, effective date, effective from, date d'effet, valid from, gültig ab, fecha efectiva, fecha de efecto",
    "occurred_at": "occurred_at, last modified, modified at, date de modification, geändert am, fecha de modificación",
    "left": "left, leaver, sorti, ausgetreten, baja",
}

STATUS: Mapping[str, str] = {
    "active": "active, actif, active employee, en poste, présent, aktiv, activo, activa, employed",
    "on_leave": "on_leave, on leave, leave, leave of absence, en congé, congé, suspendu, suspended, beurlaubt, Elternzeit, excedencia, de permiso",
    "left": "left, terminated, leaver, resigned, sorti, sortie, parti, ausgetreten, cesado",
}

TRUE_OR_FALSE: Mapping[str, str] = {
    "true": "true, yes, y, 1, x, oui, vrai, ja, wahr, sí, verdadero",
    "false": "false, no, n, 0, non, faux, nein, falsch, falso",
}


def key(name: str) -> str:
    """A name as it is compared."""
    return "".join(char for char in plain(name).casefold() if char.isalnum())


def index(table: Mapping[str, str]) -> dict[str, str]:
    """What each name stands for."""
    return {key(name): what for what, names in table.items() for name in names.split(",")}
