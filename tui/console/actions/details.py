"""The panel with everything about one server."""

from dataclasses import dataclass

from tui.console.actions.base import Actions
from tui.console.actions.chosen import ChosenServers
from tui.console.change import StoreChange
from tui.console.store import Store
from tui.console.widgets.details import Details, operations_on
from tui.console.widgets.server_list import ServerList


@dataclass(eq=False, repr=False)
class DetailsActions(Actions):
    """Opens and closes the panel, and keeps it on the server under the cursor."""

    store: Store
    panel: Details
    servers: ServerList
    chosen: ChosenServers

    def action_toggle(self) -> None:
        """Show everything about the server under the cursor; close the panel where it shows that already."""
        wanted, shown = self.chosen.under_cursor, self.panel.server
        if self.panel.display and (wanted is None or (shown is not None and shown.id == wanted)):
            self._close()
        elif wanted is not None:
            self.show(wanted)

    def action_raw(self) -> None:
        """Show the platform's answer as it is, or its fields."""
        self.panel.action_raw()

    def show(self, server_id: str) -> None:
        """Open the panel on a server."""
        self.panel.display = True
        self.screen.add_class("-details")
        self.panel.show(self.store.fleet.servers.get(server_id), operations_on(server_id, self.store))

    def follow_cursor(self, server_id: str | None) -> None:
        """Show another server if the panel is open."""
        if self.panel.display and server_id is not None:
            self.show(server_id)

    def store_changed(self, change: StoreChange) -> None:
        """Show what changed about the server in the panel."""
        if not self.panel.display:
            return
        if change.details is not None:
            self.panel.show_details(change.details)
        if change.details_failed is not None:
            self.panel.fail(change.details_failed.server_id, change.details_failed.message)
        shown = self.panel.server
        touched = shown is not None and any(shown.id in targets for targets in change.targets.values())
        if shown is not None and (touched or change.fleet or shown.id in change.servers):
            self.show(shown.id)

    def _close(self) -> None:
        if self.panel.has_focus:
            self.servers.focus()
        self.panel.display = False
        self.screen.remove_class("-details")
        self.panel.show(None)
