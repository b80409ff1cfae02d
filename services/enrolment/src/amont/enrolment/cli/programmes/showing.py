"""How programmes look on a terminal and as data. Nothing is decided here."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from amont.common.cli import out, say, table

if TYPE_CHECKING:
    from amont.enrolment.commands import Affected
    from amont.enrolment.domain.history import Change
    from amont.enrolment.domain.programme import Programme
    from amont.enrolment.domain.templates import Template


def as_data(one: "Programme", version: int) -> dict[str, Any]:
    return {
        "programme": one.id,
        "name": one.name,
        "status": one.status.value,
        "tenants": list(one.tenants),
        "topics": list(one.topics),
        "policy": one.policy.model_dump(mode="json"),
        "policy_version": one.policy_version,
        "template": one.template,
        "version": version,
    }


def history_as_data(one: "Programme") -> list[dict[str, Any]]:
    return [
        {
            "number": revision.number,
            "at": revision.at.isoformat(),
            "by": revision.by,
            "why": revision.why,
            "policy_version": revision.policy_version,
            "changed": {pointer: {"before": change.before, "after": change.after} for pointer, change in revision.changed.items()},
        }
        for revision in one.history
    ]


def template_as_data(one: "Template") -> dict[str, Any]:
    return {"template": one.id, "names": dict(one.names), "about": one.about, "topics": list(one.topics), "policy": one.policy.model_dump()}


def affected_as_data(one: "Affected") -> dict[str, Any]:
    reasons = [{"code": reason.code, "pointer": reason.pointer, "detail": reason.detail} for reason in one.reasons]
    return {"enrolment": one.enrolment.id, "person": one.person, "role": one.enrolment.role.value, "reasons": reasons}


def print_list(found: Sequence["Programme"]) -> None:
    rows = [(one.id, one.status.value, ", ".join(one.tenants), f"{one.policy_version}", one.name) for one in found]
    out.print(table(("programme", "status", "subsidiaries", "policy", "name"), rows))


def print_templates(found: Sequence["Template"]) -> None:
    out.print(table(("template", "about", "topics"), [(one.id, one.about, ", ".join(one.topics)) for one in found]))


def print_one(one: "Programme") -> None:
    from amont.common.events import Policy  # noqa: PLC0415 - heavy, and help comes without it

    say(out, f"{one.id}: {one.name}, {one.status.value}; {', '.join(one.tenants)}; topics {', '.join(one.topics)}.")
    default = Policy().model_dump(mode="json")
    own = [(name, str(value), str(default[name])) for name, value in one.policy.model_dump(mode="json").items() if value != default[name]]
    if own:
        out.print(table((f"policy, version {one.policy_version}", "is", "by default"), own))
    else:
        say(out, f"Its policy, version {one.policy_version}, is the default one.")
    out.print(table(("when", "who", "why", "what"), [_revision(each) for each in one.history]))


def _revision(one: Any) -> tuple[str, str, str, str]:
    changes = "; ".join(f"{pointer.removeprefix('/')}: {change.before} → {change.after}" for pointer, change in one.changed.items())
    return f"{one.at:%Y-%m-%d %H:%M}", one.by or "", one.why or "", changes or "made"


def print_changes(changes: "Mapping[str, Change]") -> None:
    if not changes:
        say(out, "Nothing is another than it was.")
        return
    rows = [(pointer.removeprefix("/").replace("/", " "), str(one.before), str(one.after)) for pointer, one in changes.items()]
    out.print(table(("what", "before", "after"), rows))


def print_affected(found: Sequence["Affected"]) -> None:
    if not found:
        say(out, "Nobody who has enrolled would become ineligible.")
        return
    rows = [(one.person, one.enrolment.role.value, "; ".join(reason.detail for reason in one.reasons)) for one in found]
    out.print(table(("person", "role", "why not"), rows))
    say(out, f"{len(found)} enrolment(s) would become ineligible. Nobody is thrown out by a change; they could not enrol anew.")
