"""The title of the list of servers."""

from tui.model.completeness import listed, read_of
from tui.model.listing.view import View
from tui.model.selection import Selection


def list_title(shown: View, marked: Selection, note: str = "") -> str:
    """Return the title: servers shown and marked, data centers read, and those that the marks may lack.

    ``note`` comes last, where not all of the account was read, so that a narrow title loses it first.
    """
    fleet = shown.catalog.fleet
    total, found = len(shown.catalog), len(shown)
    group = fleet.groups.get(shown.group_id or "")
    text = f"Servers in {group.path} ── " if group else "Servers ── "
    text += f"{found:,} of {total:,} shown" if found != total else f"{total:,}"
    if read := read_of(fleet):
        text += f" · {read}"
    if marked:
        hidden = shown.hidden(marked)
        text += f" · {len(marked):,} marked" + (f" ({hidden:,} hidden)" if hidden else "")
        if marked.missing:
            text += f" without {listed(marked.missing)}"
    return text + note if read else text
