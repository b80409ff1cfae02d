"""A solved pool that is repaired is as good, and as well proved, as one that is solved afresh; whoever is promised to somebody is not moved."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.services.matching.domain.pools import (
    THOROUGHNESS,
    mentee,
    mentor,
    pool_of,
    random_mentor,
    random_person,
    random_policy,
    random_pool,
)
from tests.services.matching.files.pool_documents import document_of, policy_document, written

from amont.matching.domain.engine import VERSION, Engine
from amont.matching.domain.engine.repair import Outgrown
from amont.matching.domain.engine.repair.differences import differences
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson, Role
from amont.matching.domain.solver import Solution
from amont.matching.files import Origin, digest, write_result
from amont.matching.verifier import verify

ENGINE = Engine(threads=1)
ORDERS = ["pairs, worst, total", "pairs, total", "total"]
Key = tuple[Role, str]


def faults(solution: Solution, pool: Pool, policy: Policy) -> list[str]:
    """What the independent verifier has to say."""
    files = written(document_of(pool)), written(policy_document(policy))
    origin = Origin(
        pool=digest(files[0]), policy=digest(files[1]), engine=VERSION, tzdata=tzdata_version(), load_seconds=0, solve_seconds=0
    )
    report = verify(files[0], b"".join(write_result(solution, origin, explain=False)), files[1])
    return [str(fault) for fault in report.faults]


def as_good(one: Solution, other: Solution, policy: Policy) -> bool:
    """Whether two answers are equal in everything that the policy's order asks for."""
    asked = {"total": ("total",), "pairs, total": ("pairs", "total")}.get(policy.order, ("pairs", "worst", "total"))
    return all(getattr(one.objective, name) == getattr(other.objective, name) for name in asked)


def known(person: PoolPerson) -> PoolPerson:
    """The person as a file can have them, with nothing left open."""
    return replace(person, **{name: getattr(person, name) or "?" for name in ("business_unit", "team", "function", "site")})


class LivingRounds(RuleBasedStateMachine):
    """People come, go, decline and are promised to each other, in any order; after each step all is held against a new beginning."""

    @initialize(seed=st.integers(0, 2**32), order=st.sampled_from(ORDERS))
    def begin(self, seed: int, order: Any) -> None:
        self.random = Random(seed)
        self.policy = random_policy(self.random, order=order)
        pool = random_pool(self.random, self.random.randint(0, 9), self.random.randint(0, 9))
        self.people: dict[Key, PoolPerson] = {(person.role, person.id): known(person) for person in pool.people}
        self.pool = replace(pool, people=tuple(self.people.values()), pinned=(), managers={})
        self.promised: dict[str, str] = {}
        self.born = 0
        self.living = ENGINE.keep(self.pool, self.policy)

    def becomes(self, **changes: Any) -> None:
        """Those with a place left are in the pool, as they are for a round."""
        pool = replace(self.pool, people=tuple(person for person in self.people.values() if person.capacity), **changes)
        here = {(person.role, person.id) for person in pool.people}
        self.pool = replace(pool, current=tuple(one for one in pool.current if {("mentee", one[0]), ("mentor", one[1])} <= here))
        try:
            self.living.become(self.pool)
        except Outgrown:
            self.living = ENGINE.keep(self.pool, self.policy)

    def one(self, among: Any) -> Any:
        return self.random.choice(sorted(among))

    @precondition(lambda self: self.living.pairs)
    @rule()
    def somebody_declines(self) -> None:
        couple = self.one(self.living.pairs.items())
        self.becomes(forbidden=(*self.pool.forbidden, couple))

    @precondition(lambda self: self.living.pairs)
    @rule()
    def a_pair_is_confirmed(self) -> None:
        one, other = self.one(self.living.pairs.items())
        self.promised[one] = other
        for key in (("mentee", one), ("mentor", other)):
            self.people[key] = replace(self.people[key], capacity=self.people[key].capacity - 1)
        self.becomes()

    @precondition(lambda self: self.promised)
    @rule()
    def a_confirmed_pair_ends(self) -> None:
        one = self.one(self.promised)
        other = self.promised.pop(one)
        for key in (("mentee", one), ("mentor", other)):
            if key in self.people:
                self.people[key] = replace(self.people[key], capacity=self.people[key].capacity + 1)
        self.becomes(forbidden=(*self.pool.forbidden, (one, other)))

    @precondition(lambda self: self.pool.forbidden)
    @rule()
    def the_history_of_a_couple_is_let_go_of(self) -> None:
        gone = self.one(self.pool.forbidden)
        self.becomes(forbidden=tuple(one for one in self.pool.forbidden if set(one) != set(gone)))

    @precondition(lambda self: self.people)
    @rule()
    def somebody_leaves(self) -> None:
        del self.people[self.one(self.people)]
        self.becomes()

    @rule(as_mentor=st.booleans())
    def somebody_comes(self, *, as_mentor: bool) -> None:
        self.born += 1
        place = 100 + self.born
        person = random_mentor(self.random, place, []) if as_mentor else random_person(self.random, place)
        self.people[person.role, person.id] = known(person)
        self.becomes()

    @precondition(lambda self: self.people)
    @rule()
    def somebody_changes(self) -> None:
        _, id_ = self.one(self.people)
        new = {"grade": self.random.randint(3, 9), "function": f"f{self.born}", "languages": frozenset({"en"})}
        for key in (("mentee", id_), ("mentor", id_)):
            if key in self.people:
                self.people[key] = replace(self.people[key], **new)
        self.becomes()

    @precondition(lambda self: len(self.people) > 1)
    @rule()
    def somebody_moves(self) -> None:
        """Under somebody whose id is smaller, so that there is no cycle."""
        ids = sorted({id_ for _, id_ in self.people})
        if len(ids) > 1:
            above, below = sorted(self.random.sample(ids, 2))
            self.becomes(managers={**self.pool.managers, below: (above,)})

    @rule()
    def proposals_go_out(self) -> None:
        self.becomes(current=tuple(sorted(self.living.pairs.items())))

    @invariant()
    def is_as_good_as_a_new_beginning(self) -> None:
        told = ENGINE.tell(self.living, self.policy)
        assert as_good(told, ENGINE.solve(self.pool, self.policy), self.policy)
        assert not self.pool.people or faults(told, self.pool, self.policy) == []

    @invariant()
    def nobody_promised_is_in_another_pair(self) -> None:
        assert not self.promised.keys() & self.living.pairs.keys()


LivingRounds.TestCase.settings = settings(
    max_examples=int(25 * THOROUGHNESS),
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_any_sequence_of_repairs_ends_where_a_new_beginning_would = LivingRounds.TestCase


def test_a_mentor_who_comes_with_two_places_takes_two() -> None:
    """The pool that was solved first had none with more than one."""
    pool = pool_of(mentee(id="a"), mentee(id="b"), mentor(id="x", capacity=1))
    living = ENGINE.keep(pool, Policy())
    living.become(replace(pool, people=(*pool.people[:2], mentor(id="y", capacity=2))))
    assert living.pairs == {"a": "y", "b": "y"}


def test_a_decline_moves_few_others_when_proposals_stick() -> None:
    """One of four equals says no: only who must move does."""
    people = [mentee(id=f"e{place}") for place in range(4)] + [mentor(id=f"m{place}", capacity=1) for place in range(5)]
    policy = Policy(stickiness=20)
    living = ENGINE.keep(pool_of(*people), policy)
    before = living.pairs
    pool = pool_of(*people, current=tuple(before.items()))
    living.become(pool)
    assert living.pairs == before
    living.become(replace(pool, forbidden=(("e0", before["e0"]),)))
    assert {one for one in before if living.pairs[one] != before[one]} == {"e0"}


def test_a_couple_of_whom_one_has_gone_may_meet_again_without_a_new_beginning() -> None:
    pool = replace(random_pool(Random(1), 4, 4), pinned=(), managers={})
    mentee, mentor = (next(one.id for one in pool.people if one.role == role) for role in ("mentee", "mentor"))
    apart = replace(pool, forbidden=((mentee, mentor),))
    without = replace(apart, people=tuple(one for one in pool.people if one.id != mentor), current=())
    assert differences(apart, replace(without, forbidden=())).forbidden == ()
    with pytest.raises(Outgrown, match="may meet again"):
        differences(apart, replace(apart, forbidden=()))
