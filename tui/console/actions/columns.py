"""The columns of the server list, and the one that it is sorted by."""

from dataclasses import dataclass

from tui.console.actions.base import Actions
from tui.console.preferences import Preferences
from tui.console.terminal.queued_app import conversation
from tui.console.widgets.column_chooser import ColumnChooser
from tui.console.widgets.server_list import ServerList
from tui.model.listing.columns import DEFAULT_LAYOUT, parse_sort


@dataclass(eq=False, repr=False)
class ColumnActions(Actions):
    """Chooses and sorts columns, and keeps the choice for the next start."""

    servers: ServerList
    preferences: Preferences

    @conversation
    async def action_choose(self) -> None:
        """Choose columns, their order and widths."""
        line, width = self.servers.line, self.servers.body_width
        chooser = ColumnChooser(line.layout, lambda layout: line.fitting(layout, width))
        layout = await self.screen.app.push_screen_wait(chooser)
        if layout is not None:
            self.servers.set_layout(layout)
            self.preferences.choose(columns=[] if layout == DEFAULT_LAYOUT else layout.items())

    def action_sort_next(self) -> None:
        """Sort by the column to the right."""
        self.servers.search.finish()
        self.servers.action_sort_next()

    def action_sort_previous(self) -> None:
        """Sort by the column to the left."""
        self.servers.search.finish()
        self.servers.action_sort_previous()

    def action_sort_reverse(self) -> None:
        """Sort by the same column in the other direction."""
        self.servers.search.finish()
        self.servers.action_sort_reverse()

    def restore_sort(self) -> None:
        """Sort by the setting ``sort``, e.g. ``-cpu``."""
        if (sort := self.preferences.settings.sort) != "id":
            self.servers.sort(*parse_sort(sort))

    def keep_sort(self) -> None:
        """Keep the column and direction for the next start."""
        shown = self.servers.shown
        self.preferences.choose(sort=("-" if shown.descending else "") + shown.column)
