"""Pool files for the tests: the contract's example, and pools as files."""

import json
from copy import deepcopy
from typing import Any

from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson

EXAMPLE: dict[str, Any] = {
    "amont": "pool/1",
    "programme": "digital-2027",
    "seed": "round-3",
    "week_of": "2027-01-11",
    "people": [
        {
            "id": "fr:e42",
            "role": "mentee",
            "capacity": 1,
            "grade": 9,
            "subsidiary": "fr",
            "business_unit": "retail",
            "team": "t-17",
            "function": "finance",
            "site": "FR-PAR",
            "zone": "Europe/Paris",
            "languages": ["fr", "en"],
            "meeting": "either",
            "availability": ["mon 09:00-11:30", "thu 14:00-16:00"],
            "topics": {"ai": 3, "social-media": 1},
        },
        {
            "id": "de:e5",
            "role": "mentor",
            "capacity": 2,
            "grade": 5,
            "subsidiary": "de",
            "business_unit": "risk",
            "team": "t-3",
            "function": "it",
            "site": "DE-FRA",
            "zone": "Europe/Berlin",
            "languages": ["de", "en"],
            "meeting": "remote",
            "availability": ["mon 08:00-12:00", "thu 15:00-18:00"],
            "topics": {"ai": 3},
        },
    ],
    "managers": {"fr:e42": ["fr:e7"], "fr:e7": ["fr:e1", "de:e9"]},
    "forbidden": [["fr:e42", "de:e9"]],
    "pinned": [],
    "current": [["fr:e42", "de:e5"]],
}


def example(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(EXAMPLE), **changes}


def written(document: Any) -> bytes:
    return json.dumps(document).encode()


def document_of(pool: Pool) -> dict[str, Any]:
    """The pool as a file says it."""
    return {
        "amont": "pool/1",
        "programme": pool.programme,
        "seed": pool.seed,
        "week_of": pool.week_of.isoformat(),
        "people": [person_document(person) for person in pool.people],
        "managers": {report: list(managers) for report, managers in pool.managers.items()},
        "forbidden": [list(pair) for pair in pool.forbidden],
        "pinned": [list(pair) for pair in pool.pinned],
        "current": [list(pair) for pair in pool.current],
    }


def person_document(person: PoolPerson) -> dict[str, Any]:
    fields = {field: getattr(person, field) for field in PoolPerson.__slots__}
    return {
        **fields,
        "languages": sorted(person.languages),
        "availability": list(person.availability),
        "topics": dict(person.topics),
    }


def policy_document(policy: Policy) -> dict[str, Any]:
    """The policy as a file says it, every field of it."""
    fields = {field: getattr(policy, field) for field in Policy.__slots__}
    weights = {criterion: getattr(policy.weights, criterion) for criterion in policy.weights.__slots__}
    return {"amont": "policy/1", **fields, "off": sorted(policy.off), "weights": weights}
