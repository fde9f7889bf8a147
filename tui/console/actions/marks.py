"""Marking servers: one, a range, all that is shown, those of a group."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.console.actions.base import Actions
from tui.console.actions.chosen import ChosenServers
from tui.console.commands import Pane
from tui.console.store import Store
from tui.console.widgets.marking import Marking
from tui.console.widgets.results import Results
from tui.console.widgets.server_list import ServerList
from tui.console.widgets.status_bar import StatusBar
from tui.model.text import counted, named


@dataclass(eq=False, repr=False)
class MarkActions(Actions):
    """Marks servers in the list; with the focus in the results, those listed there."""

    store: Store
    servers: ServerList
    results: Results
    status: StatusBar
    chosen: ChosenServers

    def _marking(self) -> Marking:
        """The marks of the list, after it shows what the typed filter finds."""
        self.servers.search.finish()
        return self.servers.marking

    def action_mark(self) -> None:
        """Mark or unmark the server under the cursor, and go on to the next."""
        server_id = self.chosen.under_cursor
        if self.chosen.pane is Pane.LIST:
            if displaced := self.chosen.displaced_before_key(ignore_by_operator=True):
                self.status.say(displaced)
            else:
                self._marking().toggle_at_cursor()
        elif server_id is not None:
            self.servers.marking.mark_ids([server_id], server_id not in self.servers.selection)
            if self.chosen.pane is Pane.RESULTS:
                self.results.action_cursor_down()

    def action_mark_all(self) -> None:
        """Mark every server that is shown."""
        if self.chosen.pane is Pane.RESULTS:
            self._marking().mark_ids(self.results.server_ids())
        else:
            self._marking().mark_all()

    def action_invert(self) -> None:
        """Mark what is shown and unmarked, unmark the rest of it."""
        if self.chosen.pane is Pane.RESULTS:
            self._marking().invert_ids(self.results.server_ids())
        else:
            self._marking().invert()

    def action_unmark(self) -> None:
        """Remove every mark, also of servers that are not shown."""
        self._marking().unmark_all()

    def action_range(self) -> None:
        """Begin a range at the cursor, or end the one being drawn."""
        self._marking().toggle_range()

    def action_span(self) -> None:
        """Mark from the last mark to the cursor."""
        self._marking().mark_to_cursor()

    def action_undo(self) -> None:
        """Undo the last change of the marks."""
        self._marking().undo()

    def toggle_group(self, group_id: str | None) -> None:
        """Mark the servers below a group, or unmark them where all are marked; None is every server."""
        fleet = self.store.fleet
        groups = fleet.subtree(group_id) if group_id is not None else fleet.groups.keys()
        ids = [one.id for one in fleet.servers.values() if group_id is None or one.group_id in groups]
        on = not all(id_ in self.servers.selection for id_ in ids)
        self.servers.marking.mark_ids(ids, on, rule=f"group {group_id}", missing=fleet.missing(group_id))

    def notify_vanished(self, server_ids: Sequence[str]) -> None:
        """Show which marked servers no longer exist, if any."""
        if server_ids:
            what = counted(len(server_ids), "marked server")
            self.notify(f"{what} no longer there: {named(server_ids)}", "warning")

    def notify_range_ended(self) -> None:
        """Show that the range being drawn has ended."""
        self.notify("The list changed, so the range ended; what it marked stays marked", "warning")
