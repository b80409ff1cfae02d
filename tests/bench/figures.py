"""What was asked for and what was reached: benchmarks put their figures down here, and `make bench` ends with the table of them all."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `asked` says the limit in words, `met` is `None` where nothing could be measured."""

    what: str
    asked: str
    reached: str
    met: bool | None


_PUT_DOWN: list[Figure] = []


def at_least(what: str, limit: float, value: float, unit: str = "x") -> None:
    """A figure that should be at least that large."""
    _PUT_DOWN.append(Figure(what, f"at least {limit:g} {unit}", f"{value:.3g} {unit}", value >= limit))


def at_most(what: str, limit: float, value: float, unit: str) -> None:
    """A figure that should be at most that large."""
    _PUT_DOWN.append(Figure(what, f"at most {limit:g} {unit}", f"{value:.3g} {unit}", value <= limit))


def holds(what: str, asked: str, *, met: bool) -> None:
    """Something that is so or is not."""
    _PUT_DOWN.append(Figure(what, asked, "so" if met else "NOT SO", met))


def left_out(what: str, why: str) -> None:
    """A figure that this run could not measure."""
    _PUT_DOWN.append(Figure(what, "-", why, None))


def table() -> list[str]:
    """The lines of the table; none where nothing was put down."""
    if not _PUT_DOWN:
        return []
    said = {True: "met", False: "MISSED", None: "not measured"}
    rows = [("figure", "asked", "reached", ""), *((one.what, one.asked, one.reached, said[one.met]) for one in _PUT_DOWN)]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows]
