"""Sentences about a fleet of which some data centers could not be read."""

import re
from collections.abc import Sequence

from tui.model.fleet import Fleet

MAX_LISTED = 4
"""A sentence names up to this many data centers, and gives the number of more."""


def read_of(fleet: Fleet) -> str:
    """How complete a fleet is, e.g. "1 of 3 data centers read"; empty when it is complete."""
    missing = len(fleet.missing())
    total = len({*fleet.expected, *fleet.read_at, *fleet.problems})
    return f"{total - missing} of {total} data centers read" if missing else ""


def read_note(fleet: Fleet) -> str:
    """``read_of`` as a suffix for a number of servers, e.g. " (1 of 3 data centers read)"."""
    return f" ({note})" if (note := read_of(fleet)) else ""


def listed(data_centers: Sequence[str]) -> str:
    """Data centers as an enumeration, e.g. "WA1, UC1 and DE1"; the number of them where they are many."""
    if len(data_centers) > MAX_LISTED:
        return f"{len(data_centers)} data centers"
    *others, last = data_centers
    return f"{', '.join(others)} and {last}" if others else last


def state_of(fleet: Fleet, data_center: str) -> str:
    """A clause on whether a data center has been read, e.g. "WA1 is not read yet"."""
    if problem := fleet.unlisted or fleet.problems.get(data_center):
        again = " again" if data_center in fleet.read_at else ""
        return f"{data_center} could not be read{again}: {problem}"
    if data_center in fleet.read_at:
        return f"{data_center} has been read since"
    return f"{data_center} is not read yet"


def failures(fleet: Fleet, data_centers: Sequence[str]) -> list[str]:
    """Why data centers could not be read: one sentence for all with the same reason."""
    alike: dict[str, list[str]] = {}
    for id_ in data_centers:
        alike.setdefault(fleet.problems.get(id_, ""), []).append(id_)
    return [f"{listed(ids)} could not be read: {reason}" for reason, ids in alike.items()]


def partial_note(fleet: Fleet, missing: Sequence[str]) -> str:
    """A warning for servers that a filter chose while the data centers ``missing`` were not read."""
    states = "; ".join(state_of(fleet, id_) for id_ in missing)
    advice = "wait or refresh, then mark again"
    if not set(missing) & set(fleet.missing()):
        advice = "mark again to take them in"
    return f"Chosen without {listed(missing)}: servers there may belong to it ({advice}). {states}"


def names_typed(text: str, missing: Sequence[str]) -> bool:
    """Whether ``text`` names exactly the data centers ``missing``, in any order and case."""
    return {word.upper() for word in re.findall(r"\w+", text)} == set(missing)
