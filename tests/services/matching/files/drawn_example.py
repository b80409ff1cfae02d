"""The coordinator's page's drawing, made from an actual run of `amont match --explain` on `docs/matching/example-pool.json`.

`python -m tests.services.matching.files.drawn_example` writes it again; a test says when that is needed.
"""

import json
from pathlib import Path
from typing import Any

from amont.matching.domain.engine import VERSION, Engine
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy
from amont.matching.domain.scorer import Scorer
from amont.matching.files import NO_POLICY, Origin, digest, read_pool, write_result

PAGES = Path(__file__).parents[4] / "docs" / "matching"
POOL, DRAWING = PAGES / "example-pool.json", PAGES / "example.svg"

WIDTH, ROW, TOP = 920, 96, 92
LEFT, RIGHT, BOX, HIGH = 30, 630, 260, 60
INK, GREY, BLUE, RED = "#1d2733", "#8b97a3", "#0b62a8", "#a5391f"


def example_result() -> dict[str, Any]:
    """What the command writes."""
    raw = POOL.read_bytes()
    origin = Origin(
        pool=digest(raw), policy=digest(NO_POLICY), engine=VERSION, tzdata=tzdata_version(), load_seconds=0.0, solve_seconds=0.0
    )
    result: dict[str, Any] = json.loads(
        b"".join(write_result(Engine().solve(read_pool(raw), Policy(), explain=True), origin, explain=True))
    )
    return result


def drawn() -> str:
    """The drawing as SVG: mentees left, mentors right, a line for each allowed pair, a thick one for each that was made."""
    result, scorer = example_result(), Scorer(read_pool(POOL.read_bytes()), Policy())
    pairs = {(pair["mentee"], pair["mentor"]): pair for pair in result["pairs"]}
    alone = {person["id"]: person for person in result["unmatched"]}
    mentees, mentors = list(scorer.mentees), [pairs_mentor(pairs, id_) for id_ in scorer.mentees]
    right = [id_ for id_ in mentors if id_] + [id_ for id_ in scorer.mentors if id_ not in mentors]
    place = {id_: TOP + ROW * at for at, id_ in enumerate(mentees)} | {id_: TOP + ROW * at for at, id_ in enumerate(right)}
    allowed = [(one, other) for one in mentees for other in right if scorer.allowed(one, other)]
    lines = [line(place, pair, scorer.score(*pair), made=pair in pairs) for pair in sorted(allowed, key=lambda pair: pair in pairs)]
    boxes = [box(LEFT, place[id_], id_, under_a_mentee(id_, pairs, alone), alone=id_ in alone) for id_ in mentees]
    boxes += [box(RIGHT, place[id_], id_, under_a_mentor(id_, pairs, alone), alone=id_ in alone) for id_ in right]
    high = TOP + ROW * max(len(mentees), len(right)) + 40
    made = result["objective"]
    title = f"{made['pairs']} pairs, {made['total']:,} points in all, {made['worst']} the lowest"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" font-family="DejaVu Sans, Verdana, sans-serif" font-size="13">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{high}" fill="white"/>',
        text(WIDTH / 2, 30, title, INK, "middle", 'font-size="17" font-weight="bold"'),
        text(LEFT, 66, "Mentees (executives)", INK, "start", 'font-weight="bold"'),
        text(RIGHT, 66, "Mentors (juniors)", INK, "start", 'font-weight="bold"'),
        *lines,
        *boxes,
        text(
            WIDTH / 2,
            high - 16,
            "thick and blue: a pair that was made; thin and grey: another pair that the rules allow",
            GREY,
            "middle",
            "",
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def pairs_mentor(pairs: dict[tuple[str, str], Any], mentee: str) -> str:
    return next((mentor for one, mentor in pairs if one == mentee), "")


def under_a_mentee(id_: str, pairs: dict[tuple[str, str], Any], alone: dict[str, Any]) -> list[str]:
    """What the result says of them."""
    if id_ in alone:
        return under_somebody_alone(alone[id_])
    pair = pairs[id_, pairs_mentor(pairs, id_)]
    best = pair["next_best"]
    worth = "worth: cannot be replaced" if pair["worth"] is None else f"worth {pair['worth']} points"
    return ["next best: nobody" if best is None else f"next best: {best['mentor']}, {best['score']}", worth]


def under_a_mentor(id_: str, pairs: dict[tuple[str, str], Any], alone: dict[str, Any]) -> list[str]:
    if id_ in alone:
        return under_somebody_alone(alone[id_])
    return [f"mentor of {one}" for one, other in pairs if other == id_]


def under_somebody_alone(person: dict[str, Any]) -> list[str]:
    candidates = f"{person['left']} candidate{'' if person['left'] == 1 else 's'} allowed" if person["left"] else "no candidate allowed"
    change = (person["change"] or "").split(",")[0]
    return [f"in no pair; {candidates}", f"would help: {change}" if change else "nothing would help"]


def line(place: dict[str, int], pair: tuple[str, str], score: int, *, made: bool) -> str:
    """A straight line with the score on it, near the mentee, or near the mentor where it rises, so that scores do not meet."""
    (x, y), (to_x, to_y) = (LEFT + BOX, place[pair[0]] + HIGH / 2), (RIGHT, place[pair[1]] + HIGH / 2)
    at = 0.5 if made else 0.22 if to_y >= y else 0.8
    here, there = x + at * (to_x - x), y + at * (to_y - y)
    colour, width = (BLUE, 4) if made else (GREY, 1.2)
    weight = 'font-weight="bold"' if made else ""
    return (
        f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="{colour}" stroke-width="{width}"/>'
        f'<rect x="{here - 18:.0f}" y="{there - 10:.0f}" width="36" height="20" fill="white"/>'
        + text(here, there + 5, str(score), colour if made else INK, "middle", weight)
    )


def box(x: float, y: float, id_: str, lines: list[str], *, alone: bool) -> str:
    colour = RED if alone else INK
    dash = ' stroke-dasharray="6 4"' if alone else ""
    rows = [text(x + 12, y + 21, id_, colour, "start", 'font-weight="bold"')]
    rows += [text(x + 12, y + 38 + 15 * at, words, colour if alone else INK, "start", 'font-size="11"') for at, words in enumerate(lines)]
    return f'<rect x="{x}" y="{y}" width="{BOX}" height="{HIGH}" rx="8" fill="#f6f8fa" stroke="{colour}"{dash}/>' + "".join(rows)


def text(x: float, y: float, words: str, colour: str, anchor: str, more: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}" {more}>{words}</text>'


if __name__ == "__main__":
    DRAWING.write_text(drawn(), encoding="utf-8")
