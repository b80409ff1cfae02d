"""`python -m amont.matching.domain.engine`: compile the loops once and keep them beside the code; part of an installation."""

from amont.matching.domain.engine import warm

if __name__ == "__main__":
    warm()
