"""Enrolment over HTTP for machines: translate in, call a command, translate back. One module per kind of thing."""

from amont.enrolment.api import (
    charters,
    eligibility,
    employees,
    enrolments,
    erasures,
    exports,
    feeds,
    invitations,
    programmes,
    revisions,
    subsidiaries,
    tokens,
)

ROUTERS = (
    subsidiaries.router,
    tokens.router,
    feeds.router,
    programmes.router,
    revisions.router,
    charters.router,
    eligibility.router,
    invitations.router,
    employees.router,
    enrolments.router,
    erasures.router,
    exports.router,
)
