"""The policy file: from its bytes to a `Policy`, or to every fault it has, and back. The format is the scoring contract's, "The policy file"."""

import json
from dataclasses import asdict
from typing import Any, get_args

from amont.matching.domain.policy import FULL_SCORE, Across, Order, Policy, Rule, Weights
from amont.matching.files.faults import Faults, Path, Refused
from amont.matching.files.fields import Check, boolean, choice, every, integer, record
from amont.matching.files.text import parse

POLICY_FORMAT = "policy/1"

NO_POLICY = b"{}"
"""What is read, and hashed, where there is no policy file."""

SWITCHABLE = tuple(rule.value for rule in Rule if rule is not Rule.TWO_PEOPLE)
CRITERIA = ("topics", "function", "hours", "grade_gap", "meeting")


def read_policy(raw: bytes = NO_POLICY) -> Policy:
    """The policy that a file describes; what it leaves out is as in `Policy`.

    Raises:
        Refused: with every fault.
    """
    faults = Faults()
    good = record(parse(raw, "policy"), "$", faults, fields=FIELDS, optional=frozenset(FIELDS), what="a policy")
    if len(faults):
        raise Refused("policy", faults)
    good.pop("amont", None)
    return Policy(**good)


def write_policy(policy: Policy) -> str:
    """The file that says a policy, every field of it."""
    said = {"amont": POLICY_FORMAT, **asdict(policy), "off": [rule.value for rule in Rule if rule in policy.off]}
    return json.dumps(said, indent=2) + "\n"


def _off(value: Any, path: Path, faults: Faults) -> frozenset[Rule] | None:
    names = _NAMES(value, path, faults)
    return None if names is None else frozenset(map(Rule, names))


def _weights(value: Any, path: Path, faults: Faults) -> Weights | None:
    before = len(faults)
    good = record(value, path, faults, fields=_CRITERIA, optional=frozenset(), what="the weights")
    if len(faults) > before:
        return None
    total = sum(good.values())
    if total == FULL_SCORE:
        return Weights(**good)
    faults.add(path, f"must add up to {FULL_SCORE:,}, and {' + '.join(map(str, good.values()))} is {total}")
    return None


_NAMES = every(choice(*SWITCHABLE), of="rules")
_CRITERIA: dict[str, Check] = dict.fromkeys(CRITERIA, integer(0, FULL_SCORE))

FIELDS: dict[str, Check] = {
    "amont": choice(POLICY_FORMAT),
    "min_grade_gap": integer(-19, 19),
    "across": choice(*get_args(Across)),
    "max_zone_hours": integer(0, 26),
    "min_common_hours": integer(0, 168),
    "off": _off,
    "weights": _weights,
    "order": choice(*get_args(Order)),
    "min_score": integer(0, FULL_SCORE),
    "stickiness": integer(0, FULL_SCORE),
    "pins_override": boolean,
}
"""Every field of a policy file and what it may hold; the documentation is held against this table."""
