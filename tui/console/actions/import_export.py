"""What comes from elsewhere and goes elsewhere: a ticket from a file, servers into one."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from textual.app import App

from tui.console.files import read_text, write_new
from tui.console.screens.confirm import count
from tui.console.screens.prompt import Refused, ask_for
from tui.model.completeness import read_note
from tui.model.fleet import Fleet
from tui.model.operation import Target
from tui.model.server import Server
from tui.report import servers_csv, servers_json

WHERE = "A name without a folder is in the one that pitstop was started in."
FORMS = {".csv": servers_csv, ".json": servers_json}


def default_name(at: float) -> str:
    """A name for an export: when it was made, to the second, so that it seldom is there already."""
    return time.strftime("pitstop-servers-%Y%m%d-%H%M%S.csv", time.localtime(at))


async def export(
    app: App[None],
    servers: Sequence[Server],
    what: str,
    fleet: Fleet,
    states: Mapping[str, Target],
    at: float,
) -> None:
    """Ask for a file, write ``servers`` into it, and say where it is; a file that is there stays as it is.

    Rows are made on a thread, from servers and states as they are now; ``what`` says which servers they are.
    """
    states, note = dict(states), read_note(fleet)

    async def write(name: str) -> Path:
        make = FORMS.get(Path(name).suffix.lower())
        if make is None:
            raise Refused("The name must end in .csv or .json: it says what is written")
        return await asyncio.to_thread(lambda: write_new(name, make(servers, fleet, states)))

    text = f"CSV, or JSON where the name ends in .json. {WHERE}"
    path = await ask_for(
        app, write, f"Write {what}{note} to which file?", text, line=default_name(at), yes="write"
    )
    if path is not None:
        app.notify(f"{count(len(servers))}{note} written to {path}", timeout=20, markup=False)


async def ask_for_ticket(app: App[None]) -> tuple[str, str] | None:
    """Ask for a file; its name and what stands in it, None if the operator leaves it."""

    async def read(name: str) -> tuple[str, str]:
        return Path(name).name, await asyncio.to_thread(read_text, name)

    text = f"A mail, a CSV, a table: it is searched for server ids and names. {WHERE}"
    return await ask_for(app, read, "Find the servers of which file?", text, yes="read")
