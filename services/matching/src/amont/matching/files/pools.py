"""The pool file: from its bytes to a `Pool`, or to every fault it has, and back. The format is the scoring contract's, "The pool file".

Faults that concern one value are found first, then those between values: two entries of one person, unknown ids, cycles, pins. What cannot
be read is left out of the second part, so that one mistake is not told twice.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.roll import ROLES, Roll
from amont.matching.domain.scorer import Scorer
from amont.matching.files.faults import Fault, Faults, Path, Refused, shown, spell
from amont.matching.files.fields import Check, choice, every, mapping, name, once, parsed, record, text
from amont.matching.files.lines import block, in_json
from amont.matching.files.people import AS_SETS, OWN, Entry, Known, People
from amont.matching.files.text import parse

POOL_FORMAT = "pool/1"

_OPTIONAL = frozenset({"managers", "forbidden", "pinned", "current"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR, _LAST_YEAR = 1970, 2100

MOST_LEVELS = 250_000_000
"""Topics that are both wished and offered, times mentors: whoever solves or verifies has a byte or a few for each."""
MOST_TONGUES = 4_000_000_000
"""Languages times people: a bit for each."""


def read_pool(raw: bytes, policy: Policy | None = None) -> Pool:
    """The pool that a file describes.

    Args:
        raw: the whole file.
        policy: under which the pool is to be matched. A pin that breaks one of its rules is a fault, unless it lets pins override them.
            Without a policy, only a pin of somebody with themselves is.

    Raises:
        Refused: with every fault.
    """
    faults, id_ = Faults(), once(name, {})
    people = People(id_)
    entries: list[Entry] = []
    read = parse(raw, "pool", made=people.made)
    good = record(read, "$", faults, fields=_fields(people, entries, id_), optional=_OPTIONAL, what="a pool")
    roll = people.roll()
    known = Known(entries, roll, faults)
    managers = good.get("managers", {})
    for path in _cycles(managers):
        faults.add(path, "closes a cycle: nobody is their own manager, at any distance")
    for field in ("pinned", "current"):
        _hold_pairs(good.get(field, ()), ("$", field), known, faults)
    _hold_pins(good, known, policy, faults)
    _hold_breadth(roll, faults)
    if len(faults):
        raise Refused("pool", faults)
    return Pool(
        programme=good["programme"],
        seed=good["seed"],
        week_of=good["week_of"],
        people=roll,
        managers=managers,
        **{field: good.get(field, ()) for field in ("forbidden", "pinned", "current")},
    )


def _hold_breadth(roll: Roll, faults: Faults) -> None:
    """A small file can ask for much memory where everybody brings names of their own."""
    is_mentor = roll.column["role"] == ROLES.index("mentor")
    offered = np.repeat(is_mentor, np.diff(roll.topics.start))
    topics = len(np.intersect1d(roll.topics.item[offered], roll.topics.item[~offered]))
    mentors, people = int(is_mentor.sum()), len(roll)
    if topics * mentors > MOST_LEVELS:
        most = f"at most {MOST_LEVELS // mentors:,} with {mentors:,} mentors"
        faults.add(("$", "people"), f"wish and offer {topics:,} different topics: {most}; use the topics of one list")
    languages = len(frozenset().union(*(roll.values["languages"][code] for code in roll.used("languages"))))
    if languages * people > MOST_TONGUES:
        most = f"at most {MOST_TONGUES // people:,} for {people:,} people"
        faults.add(("$", "people"), f"speak {languages:,} different languages: {most}")


def without_effect(pool: Pool) -> Iterator[Fault]:
    """The forbidden pairs that name somebody who is not in the pool, which the format allows: where, and whom."""
    ids = frozenset(person.id for person in pool.people) if pool.forbidden else frozenset()
    for place, pair in enumerate(pool.forbidden):
        for side, id_ in enumerate(pair):
            if id_ not in ids:
                yield Fault(spell((((("$", "forbidden"), place)), side)), shown(id_))
                break


class Unwritable(ValueError):
    """The format has no place for what the pool says."""


def pool_lines(pool: Pool) -> Iterator[str]:
    """The file that describes a pool, line by line: a person, a manager's report or a pair to a line, in an order of their own.

    What is unknown of somebody gets a name that nobody else has, since the format wants one and what is unknown equals nothing. Who is forbidden to meet
    somebody outside the pool is left out.

    Raises:
        Unwritable: there is nobody, or somebody in both roles is described in two ways.
    """
    _hold_agreement(pool)
    ids = {person.id for person in pool.people}
    apart = {(min(couple), max(couple)) for couple in pool.forbidden if ids.issuperset(couple)}
    everybody = sorted(pool.people, key=lambda person: (person.id, person.role))
    yield "{"
    for key, value in {"amont": POOL_FORMAT, "programme": pool.programme, "seed": pool.seed, "week_of": pool.week_of.isoformat()}.items():
        yield f"{in_json(key)}: {in_json(value)},"
    yield from block("people", "[]", (in_json(_described(person)) for person in everybody))
    yield from block("managers", "{}", (f"{in_json(report)}: {in_json(pool.managers[report])}" for report in sorted(pool.managers)))
    yield from block("forbidden", "[]", map(in_json, sorted(apart)))
    yield from block("pinned", "[]", map(in_json, sorted(pool.pinned)))
    yield from block("current", "[]", map(in_json, sorted(pool.current)), end="")
    yield "}"


def _described(person: PoolPerson) -> dict[str, Any]:
    """An entry of the file."""
    entry = {field: getattr(person, field) for field in PoolPerson.__slots__}
    unknown = {field: f"? {person.id}" for field in ("business_unit", "team", "function", "site") if not entry[field]}
    return {**entry, **unknown, **{field: sorted(entry[field]) for field in AS_SETS}}


def _hold_agreement(pool: Pool) -> None:
    if not pool.people:
        raise Unwritable("there is nobody")
    roles = Counter(person.id for person in pool.people)
    first: dict[str, dict[str, Any]] = {}
    for person in pool.people:
        if roles[person.id] > 1:
            said = {field: value for field, value in _described(person).items() if field not in OWN}
            if first.setdefault(person.id, said) != said:
                raise Unwritable(f"{person.id} is described in two ways")


def _fields(people: People, entries: list[Entry], id_: Check) -> dict[str, Check]:
    def everybody(value: Any, path: Path, faults: Faults) -> tuple[Any, ...] | None:
        if type(value) is not list or not value:
            faults.add(path, "must name at least one person" if value == [] else f"must be a list of people, not {shown(value)}")
            return None
        entries.extend(people.read(one, (path, place), faults) for place, one in enumerate(value))
        return ()

    pairs = _each(every(id_, length=2, of="ids"), of="pairs of ids")
    return {
        "amont": choice(POOL_FORMAT),
        "programme": name,
        "seed": text,
        "week_of": parsed(_monday, {}),
        "people": everybody,
        "managers": mapping(once(_each(id_, of="ids"), {}), of="lists of managers by id", key=id_),
        "forbidden": pairs,
        "pinned": pairs,
        "current": pairs,
    }


def _each(check: Check, *, of: str) -> Check:
    """A list like `every`, but one that keeps its good items at their places, and None at the others', for the checks between values."""

    def whole(value: Any, path: Path, faults: Faults) -> tuple[Any, ...] | None:
        if type(value) is not list:
            faults.add(path, f"must be a list of {of}, not {shown(value)}")
            return None
        return tuple(check(one, (path, place), faults) for place, one in enumerate(value))

    return whole


def _monday(text: str) -> date:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"{text!r} is not a day: write it as in '2027-01-11'")
    if day.weekday() != 0:
        raise ValueError(f"must be a Monday, and {text} is a {day:%A}")
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"must be in the years {_FIRST_YEAR} to {_LAST_YEAR}, not {text}")
    return day


def _cycles(managers: Mapping[str, Sequence[str | None]]) -> Iterator[Path]:
    """The path of one link on each cycle that a walk up from everybody meets, without recursion, in one step a link.

    The links given are those that lead back to somebody on the way up (Tarjan 1972): without them there is no cycle left.
    """
    finished: set[str] = set()
    for start in managers:
        if start in finished:
            continue
        way, on_it = [(start, _links(managers, start))], {start}
        while way:
            report, links = way[-1]
            for place, manager in links:
                if manager in on_it:
                    yield ((("$", "managers"), report), place)
                elif manager not in finished:
                    way.append((manager, _links(managers, manager)))
                    on_it.add(manager)
                    break
            else:
                finished.add(report)
                on_it.remove(report)
                way.pop()


def _links(managers: Mapping[str, Sequence[str | None]], report: str) -> Iterator[tuple[int, str]]:
    """Each manager once, with the place where they are named first."""
    first: dict[str, int] = {}
    for place, manager in enumerate(managers.get(report, ())):
        if manager is not None:
            first.setdefault(manager, place)
    return iter([(place, manager) for manager, place in first.items()])


def _hold_pairs(pairs: Sequence[tuple[str, str] | None], path: Path, known: Known, faults: Faults) -> None:
    """Both in the pool, each in their role; no pair twice."""
    seen = set()
    for place, pair in enumerate(pairs):
        if pair is None:
            continue
        mentee, mentor = pair
        at = (path, place)
        if not known.has("mentee", mentee):
            faults.add((at, 0), f"{shown(mentee)} is not a mentee of this pool")
        if not known.has("mentor", mentor):
            faults.add((at, 1), f"{shown(mentor)} is not a mentor of this pool")
        if pair in seen:
            faults.add(at, "is a pair that stands there already; keep one")
        seen.add(pair)


def _hold_pins(good: Mapping[str, Any], known: Known, policy: Policy | None, faults: Faults) -> None:
    """Pins of two people of the pool, within what both can take, and within the rules unless the policy says otherwise."""
    pinned = good.get("pinned", ())
    taken: Counter[tuple[str, str]] = Counter()
    apart = {frozenset(pair) for pair in good.get("forbidden", ()) if pair is not None}
    lines = good.get("managers", {}) if pinned else {}
    managers = {report: tuple(manager for manager in some if manager is not None) for report, some in lines.items()}
    for place, pair in enumerate(pinned):
        if pair is None or not (known.has("mentee", pair[0]) and known.has("mentor", pair[1])):
            continue
        mentee, mentor = pair
        taken.update([("mentee", mentee), ("mentor", mentor)])
        path = (("$", "pinned"), place)
        if taken["mentee", mentee] > 1 or taken["mentor", mentor] > known.capacity(mentor):
            faults.add(path, "is one pin more than the mentee or the mentor has places")
        two = known.person("mentee", mentee), known.person("mentor", mentor)
        broken = _broken(two, policy, managers, forbidden=frozenset(pair) in apart, week_of=good.get("week_of"))
        if mentee == mentor:
            faults.add(path, "pairs somebody with themselves, which no policy allows")
        elif broken and not (policy and policy.pins_override):
            faults.add(path, f"breaks {', '.join(broken)}; unpin it, or set pins_override in the policy")


def _broken(
    two: tuple[PoolPerson | None, PoolPerson | None],
    policy: Policy | None,
    managers: Mapping[str, tuple[str, ...]],
    *,
    forbidden: bool,
    week_of: date | None,
) -> tuple[Rule, ...]:
    """The rules that these two break, by the definition; none where something that the rules need cannot be read."""
    mentee, mentor = two
    if mentee is None or mentor is None or policy is None or week_of is None:
        return ()
    apart = ((mentee.id, mentor.id),) if forbidden else ()
    small = Pool(programme="", seed="", week_of=week_of, people=(mentee, mentor), managers=managers, forbidden=apart)
    return Scorer(small, policy).all_broken(mentee.id, mentor.id)
