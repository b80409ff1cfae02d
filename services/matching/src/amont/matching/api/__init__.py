"""Matching as JSON over HTTP: translate in, call a command, translate out."""

from amont.matching.api.routes import router

__all__ = ["router"]
