"""The proof that comes with an answer: two covers and a price for everybody, so that anybody can check it with one pass over the pairs.

Values only. How they are found is the engine's work, how they are checked the verifier's; what they must fulfil is in the scoring contract,
"The certificate: three small proofs". Everything is an integer, so nothing needs a tolerance.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cover:
    """People who touch every pair of a kind, a mentor counting for each place that the pins left (Kőnig 1931).

    No matching of such pairs is larger than the cover, so one of its size is a largest one.
    """

    mentees: tuple[str, ...] = ()
    mentors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why no answer can be better, in the policy's order.

    Attributes:
        reward: what every pair counts beside its value, R; 0 under the order `total`.
        floor: the score under which no pair was made.
        profits: what each mentee gains, u(e) ≥ 0; who is absent gains 0.
        prices: what one place of each mentor costs, p(m) ≥ 0; who is absent costs 0.
        pairs_cover: touches every allowed pair, with the size of the answer; `None` under the order `total`.
        floor_cover: touches every allowed pair above the floor, smaller than the answer; `None` where no lowest score is sought.
    """

    reward: int
    floor: int
    profits: Mapping[str, int]
    prices: Mapping[str, int]
    pairs_cover: Cover | None
    floor_cover: Cover | None
