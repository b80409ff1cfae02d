"""Enrolment over HTTP for machines: translate in, call a command, translate back. One module per kind of thing."""

from amont.enrolment.api import employees, enrolments, programmes, subsidiaries

ROUTERS = (subsidiaries.router, programmes.router, employees.router, enrolments.router)
