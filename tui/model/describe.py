"""The description of one server, as lines."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from tui.model.listing.columns import flag_text, size_text
from tui.model.operation import STATE_STYLES, Action, State, Target
from tui.model.server import Server, ServerDetails

MAX_RAW = 200_000
"""Bytes; more of a raw answer is not shown."""


class ServerOperation(msgspec.Struct, frozen=True):
    """An operation on the server, and the server's target in it."""

    action: Action
    target: Target
    when: str
    """The time of the target's state, formatted."""


class Fact(NamedTuple):
    """A line of the description; a heading has no value."""

    label: str
    value: str = ""
    state: State | None = None
    maintenance: bool = False


def describe(
    server: Server,
    paths: Mapping[str, str],
    details: ServerDetails | None = None,
    operations: Iterable[ServerOperation] = (),
) -> list[Fact]:
    """The facts about ``server``, with ``details`` where they were fetched. ``paths`` is group id -> path."""
    facts = [
        Fact("name", server.name),
        Fact("group", paths.get(server.group_id, "")),
        Fact("data center", server.data_center),
        Fact("maintenance", flag_text(server.maintenance), maintenance=bool(server.maintenance)),
        Fact("power", server.power or "-"),
        Fact("status", server.status),
        Fact("os", server.os),
        Fact("cpu", "" if server.cpu is None else str(server.cpu)),
        Fact("memory", size_text(server.memory_mb)),
        Fact("storage", "" if server.storage_gb is None else f"{server.storage_gb} GB"),
        Fact("address", server.ip),
        Fact("description", server.description),
        Fact("kind", server.kind + (" template" if server.is_template else "")),
        Fact("changed", " by ".join(filter(None, (server.modified, server.modified_by)))),
    ]
    known = [Fact(server.id), *_operation_facts(operations), *(fact for fact in facts if fact.value)]
    return known + _more(details) if details is not None else known


def _operation_facts(operations: Iterable[ServerOperation]) -> list[Fact]:
    facts = []
    for one in operations:
        style = STATE_STYLES[one.target.state]
        text = f"{style.sign} {style.word} {one.when} {one.target.message}".strip()
        facts += [Fact(one.action.label), Fact("", text, state=one.target.state)]
    return facts


def raw_lines(details: ServerDetails) -> list[str]:
    """The raw answer as lines, indented where it is JSON."""
    raw = details.raw[:MAX_RAW]
    try:
        text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # RecursionError: it is nested too deeply.
        text = raw.decode(errors="replace")
    return text.splitlines()


def _more(details: ServerDetails) -> list[Fact]:
    sections: list[tuple[str, list[tuple[str, str]]]] = [
        (
            "Addresses",
            [(ip.internal or "-", f"public {ip.public}" if ip.public else "") for ip in details.ips],
        ),
        ("Disks", [(disk.id, f"{disk.size_gb} GB {' '.join(disk.paths)}".strip()) for disk in details.disks]),
        ("Alert policies", [(name, "") for name in details.alert_policies]),
        ("Snapshots", [(name, "") for name in details.snapshots]),
        ("Custom fields", list(details.custom_fields)),
    ]
    facts = [Fact("host name", details.host_name)] if details.host_name else []
    for heading, lines in sections:
        if lines:
            facts.append(Fact(heading))
            facts += [Fact("", label if not value else f"{label}  {value}") for label, value in lines]
    return facts
