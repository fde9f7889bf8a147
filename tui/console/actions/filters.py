"""The filter of the server list: typed, kept under a name, used again."""

from dataclasses import dataclass

from textual.widgets import Input

from tui.console.actions.base import Actions
from tui.console.preferences import Preferences
from tui.console.screens.prompt import Refused, ask_for
from tui.console.store import Store
from tui.console.terminal.queued_app import conversation
from tui.console.widgets.filter_bar import FilterBar
from tui.console.widgets.server_list import ServerList
from tui.model.filter.grammar import is_filter_name


@dataclass(eq=False, repr=False)
class FilterActions(Actions):
    """Applies the filter bar's filter to the list, and keeps filters under names."""

    store: Store
    bar: FilterBar
    servers: ServerList
    preferences: Preferences

    # -- typing

    def action_open(self) -> None:
        """Type a filter."""
        self.bar.add_class("-open")
        self.screen.set_focus(self.bar.query_one(Input))

    def apply(self, text: str) -> None:
        """Show the servers that match ``text``, or what is wrong with it."""
        self.bar.show_error(self.servers.set_filter(text))
        if not isinstance(self.screen.focused, Input):
            self.servers.end_typing()

    def show_count(self) -> None:
        """Show below the filter how many servers it finds."""
        shown, total = self.servers.line_count(), len(self.store.fleet.servers)
        found = f"{shown:,} of {total:,} · enter keep · esc clear"
        self.bar.show_note(found if self.servers.filter else "")

    def close(self) -> None:
        """Give the focus back to the list, unless the filter has a mistake to correct first."""
        if self.bar.wrong:
            return
        self.servers.end_typing()
        self.bar.history.add(self.bar.text)
        self.preferences.choose(history=list(self.bar.history.lines))
        self.bar.set_class(bool(self.bar.text), "-open")
        self.screen.set_focus(self.servers)

    # -- names

    @conversation
    async def action_keep(self) -> None:
        """Give the filter a name, under which the palette brings it back."""
        filters, text = self.preferences.settings.filters, self.servers.filter.text

        async def check(name: str) -> str:
            if not is_filter_name(name):
                raise Refused("A name is letters, digits, . _ and -, as in web.prod")
            if name in filters:
                raise Refused(f"There is a filter named {name}; forget that one first, or choose another")
            return name

        question = "Keep this filter under which name?"
        if name := await ask_for(self.screen.app, check, question, text, yes="keep"):
            self._set_named(filters | {name: text})
            self.notify(f"Kept: Filter: {name} in the palette, @{name} in a filter")

    def action_use(self, name: str) -> None:
        """Show what the filter with this name finds."""
        text = self.preferences.settings.filters[name]
        self.bar.add_class("-open")
        self.bar.set_text(text)
        self.bar.history.add(text)

    def action_forget(self, name: str) -> None:
        """Remove the name of a filter."""
        filters = self.preferences.settings.filters
        self._set_named({other: text for other, text in filters.items() if other != name})

    def _set_named(self, filters: dict[str, str]) -> None:
        self.preferences.choose(filters=filters)
        self.servers.named_filters = filters
