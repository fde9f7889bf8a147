"""Importing and exporting servers: a ticket's text, a file, the clipboard."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from tui.console.actions.base import Actions
from tui.console.actions.chosen import ChosenServers
from tui.console.files import read_text, write_new
from tui.console.screens.prompt import Refused, ask_for
from tui.console.store import Store
from tui.console.terminal.queued_app import conversation
from tui.console.widgets.server_list import ServerList
from tui.console.widgets.status_bar import StatusBar
from tui.console.widgets.ticket_preview import TicketPreview
from tui.model.completeness import read_note
from tui.model.text import clean, counted
from tui.model.ticket import find_servers
from tui.report.servers import servers_csv, servers_json

WHERE = "A name without a folder is in the one that pitstop was started in."
FORMS = {".csv": servers_csv, ".json": servers_json}


@dataclass(eq=False, repr=False)
class ImportExport(Actions):
    """Finds the servers that a text names; writes servers to a file or the clipboard."""

    store: Store
    servers: ServerList
    status: StatusBar
    chosen: ChosenServers

    @conversation
    async def action_ticket(self) -> None:
        """Ask for a file, and find the servers that it names."""

        async def read(name: str) -> tuple[str, str]:
            return Path(name).name, await asyncio.to_thread(read_text, name)

        text = f"A mail, a CSV, a table: it is searched for server ids and names. {WHERE}"
        ticket = await ask_for(self.screen.app, read, "Find the servers of which file?", text, yes="read")
        if ticket is not None:
            name, content = ticket
            self.find(content, f"file {name}")

    def find(self, text: str, source: str = "pasted text") -> None:
        """Show which servers ``text`` names, and mark them if the operator agrees."""
        fleet, selection = self.store.fleet, self.servers.selection
        preview = TicketPreview(text, lambda text: find_servers(text, fleet, selection), fleet, source)
        if not preview.found:
            self.status.say(f"No server is named in the {source}: {clean(text.strip(), 24)}")
            return

        def mark(ids: tuple[str, ...] | None) -> None:
            if ids:
                missing = fleet.missing() if preview.found.unknown else ()  # what was found is certain
                self.servers.marking.mark_ids(ids, rule=f"ticket {preview.text}", missing=missing)

        self.screen.app.push_screen(preview, mark)

    @conversation
    async def action_export(self, what: str) -> None:
        """Write servers to a file: those ``shown``, in their order, or those ``marked``, shown or not.

        Rows are made on a thread, from servers and states as they are now. An existing file is not changed.
        """
        fleet, marked = self.store.fleet, what == "marked"
        ids = list(self.servers.selection) if marked else self.servers.shown_ids()
        servers = [fleet.servers[id_] for id_ in ids if id_ in fleet.servers]
        states, note = dict(self.servers.states), read_note(fleet)
        holds = dict(self.store.held_in_maintenance) if self.store.held_is_known else None

        async def write(name: str) -> Path:
            make = FORMS.get(Path(name).suffix.lower())
            if make is None:
                raise Refused("The name must end in .csv or .json: it says what is written")
            return await asyncio.to_thread(lambda: write_new(name, make(servers, fleet, states, holds)))

        title = (
            f"{counted(len(servers), 'marked server' if marked else 'server')}{'' if marked else ' shown'}"
        )
        question = f"Write {title}{note} to which file?"
        text = f"CSV, or JSON where the name ends in .json. {WHERE}"
        line = default_name(self.store.clock())
        path = await ask_for(self.screen.app, write, question, text, line=line, yes="write")
        if path is not None:
            self.screen.app.notify(
                f"{counted(len(servers))}{note} written to {path}", timeout=20, markup=False
            )

    def action_copy(self) -> None:
        """Copy ids to the clipboard of the operator's own terminal (OSC 52)."""
        ids = self.chosen.ids()
        self.screen.app.copy_to_clipboard("\n".join(ids))
        what = f"{counted(len(ids), 'id')}{read_note(self.store.fleet)}"
        self.notify(f"{what} sent to the terminal's clipboard")


def default_name(at: float) -> str:
    """A name for an export made at ``at`` (seconds since the epoch), to the second, so that it is unique."""
    return time.strftime("pitstop-servers-%Y%m%d-%H%M%S.csv", time.localtime(at))
