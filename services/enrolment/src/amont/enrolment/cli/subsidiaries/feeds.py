"""`amont subsidiaries pause|resume|held|release|drop`: a word about a subsidiary's feed, and what waits for one."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amont.common.cli import command_line, out, print_json, say, say_command, say_facts, table
from amont.common.events.values import instant_text
from amont.enrolment.cli.place import AsJson, Data, done, operator

if TYPE_CHECKING:
    from amont.enrolment.commands import FeedState
    from amont.enrolment.domain.employee import Employee
    from amont.enrolment.domain.ruling import Ruling

Id = Annotated[str, typer.Argument(help="the subsidiary", metavar="ID")]
Why = Annotated[str, typer.Option(help="Why: kept with who said so and when")]
MOST = 50


def pause(subsidiary: Id, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """Hold what the feed brings until it is resumed; nothing is lost, and other subsidiaries go on."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    state = done(data, commands.pause_feed, subsidiary, operator(), why)
    _tell(
        state,
        f"The feed of {subsidiary} is paused. What it brings is held until it is resumed:",
        command_line("subsidiaries", "resume", subsidiary, "--why", "…", data=data),
        as_json=as_json,
    )


def resume(subsidiary: Id, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """Take what was held while the feed was paused, in order, and what it brings from now on. The running service does it."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    state = done(data, commands.resume_feed, subsidiary, operator(), why)
    _tell(state, f"The feed of {subsidiary} is resumed; records of {state.people_with_held} people are being taken.", as_json=as_json)


def release(subsidiary: Id, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """Let everybody go whose leaving the breaker holds now, and close it. The running service does it."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    state = done(data, commands.release_leavers, subsidiary, operator(), why)
    _tell(state, f"The breaker of {subsidiary} is closed; {state.people_with_held} people are being let go.", as_json=as_json)


def drop(subsidiary: Id, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """Forget the leavings that the breaker holds now, and close it: these people stay. A feed that goes on being wrong is paused first."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    state = done(data, commands.drop_leavers, subsidiary, operator(), why)
    _tell(state, f"The breaker of {subsidiary} is closed; {state.people_with_held} people stay.", as_json=as_json)


def held(
    subsidiary: Id,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many people")] = MOST,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show whether the feed is paused, whether its breaker is open, what was decided about it, and of whom records are held. Ids only."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    state = done(data, commands.feed_state, subsidiary, operator())
    people = done(data, commands.held_records, subsidiary, operator(), None, limit)
    if as_json:
        print_json({**_as_data(state), "held": [_waiting(one) for one in people]})
        return
    say_facts(out, _facts(state))
    rows = [
        (one.id, record["what"], record["waits_for"], record["effective_at"], record["since"])
        for one in people
        for record in _waiting(one)["records"]
    ]
    if rows:
        out.print(table(("person", "what", "waits for", "effective", "held since"), rows))
    if len(people) < state.people_with_held:
        say(out, f"{state.people_with_held - len(people)} more people; --limit shows up to 200, the API all of them.")


COMMANDS: dict[str, Callable[..., None]] = {"pause": pause, "resume": resume, "held": held, "release": release, "drop": drop}


def _tell(state: "FeedState", words: str, next_command: str | None = None, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_data(state))
        return
    say(out, words)
    if next_command:
        say_command(out, next_command)


def _facts(state: "FeedState") -> list[tuple[str, Any]]:
    paused = f"since {state.paused.at:%Y-%m-%d %H:%M} UTC{_signed(state.paused)}" if state.paused else "no"
    is_open = f"open since {state.tripped_at:%Y-%m-%d %H:%M} UTC" if state.tripped_at else "closed"
    return [
        ("paused", paused),
        ("breaker", f"{is_open}; {state.leavers} of at most {state.limit} have left within the hour"),
        ("held", f"records of {state.people_with_held} people" + (", being taken or dropped now" if state.settling else "")),
        *((f"{one.at:%Y-%m-%d %H:%M}", f"{one.verb}{_signed(one)}") for one in state.rulings),
    ]


def _as_data(state: "FeedState") -> dict[str, Any]:
    """As the API shows it."""
    return {
        "subsidiary": state.tenant,
        "paused": _ruling(state.paused) if state.paused else None,
        "breaker": {"open_since": state.tripped_at and instant_text(state.tripped_at), "leavers": state.leavers, "limit": state.limit},
        "people_with_held_records": state.people_with_held,
        "settling": state.settling,
        "decisions": [_ruling(one) for one in state.rulings],
    }


def _signed(one: "Ruling") -> str:
    """By whom and why; nothing where that is forgotten."""
    return f" by {one.by}: {one.why}" if one.by else ""


def _ruling(one: "Ruling") -> dict[str, Any]:
    return {**asdict(one), "at": instant_text(one.at)}


def _waiting(one: "Employee") -> dict[str, Any]:
    """As the API shows it."""
    records = [
        {
            "what": "recorded" if held.entry.profile else "left",
            "waits_for": held.why,
            "effective_at": instant_text(held.entry.position.effective_at),
            "since": instant_text(held.since),
        }
        for held in one.held_in_order
    ]
    return {"person": one.id, "records": records}
