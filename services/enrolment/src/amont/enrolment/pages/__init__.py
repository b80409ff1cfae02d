"""Enrolment over HTTP for people: the same commands as the API, by pages and forms that work without a script. One module per kind of thing."""

from amont.common.web.people import People
from amont.enrolment.pages import enrolments, programmes

DOOR = People("enrolment", programmes.router, enrolments.router)
