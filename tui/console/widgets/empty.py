"""Why a list of servers is empty, and what changes that."""

from tui.console.store import Store
from tui.console.widgets.times import clock_time
from tui.model.listing.view import View


def why_empty(store: Store, view: View) -> list[str]:
    """Return the lines to show where ``view`` has no servers."""
    fleet = store.fleet
    if fleet.servers:
        group = fleet.groups.get(view.group_id or "")
        where = f" in {group.path}" if group else ""
        if view.query:
            return [f"No server{where} matches the filter; / changes it, esc there clears it."]
        return [f"No server is{where}; enter on that group shows all again."]
    if store.reading:
        read, total = len(fleet.read_at), len(fleet.expected)
        return [f"Reading {read:,} of {total:,} data centers …" if total else "Reading the data centers …"]
    problems = dict.fromkeys(fleet.problems.values()) or {store.trouble: None}
    if not any(problems):
        return ["The account has no servers."] if store.read_at is not None else []
    again = f" at {clock_time(store.next_try)}" if store.next_try is not None else ""
    return [
        f"No server could be read{' from ' + ', '.join(fleet.problems) if fleet.problems else ''}.",
        *problems,
        f"r tries again; it is tried again by itself{again}.",
    ]
