"""`pitstop report`: a maintenance window, from the journal alone."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from tui.engine.endpoint import Endpoint
from tui.engine.errors import JournalError
from tui.engine.journal.reader import JournalReader
from tui.engine.journal.report import read_report
from tui.headless.exits import Exit, Stop
from tui.headless.narration import Narrator
from tui.headless.output import write_bytes, write_text
from tui.model.report import ReportSource
from tui.model.text import clean
from tui.model.window import Window, WindowNameError, find_window
from tui.report.html import window_html
from tui.report.markdown import markdown
from tui.report.window_csv import window_csv
from tui.report.window_json import schema_json, window_json
from tui.settings.paths import replacing

FORMATS: dict[str, Callable[[ReportSource], Iterator[str]]] = {
    "md": markdown,
    "csv": window_csv,
    "json": window_json,
    "html": window_html,
}
"""Name of a format, as --format and the suffix of a file have it -> what writes it."""

PIECE = 64 << 10
"""Characters that are collected before they are written."""


class JournalScope(msgspec.Struct, frozen=True):
    """What a command may read of the journal that needs neither a login nor the network."""

    journal: Path
    endpoint: Endpoint
    account: str | None
    """None for every account: without a login it is not known which one is the user's own."""


def report(scope: JournalScope, narrator: Narrator, name: str, form: str | None, output: str | None) -> Exit:
    """Write the report of the window that ``name`` means, the newest one for an empty name.

    Args:
        scope: Where to look for the window.
        narrator: Reports what was written, and what the journal forgot.
        name: As ``find_window`` takes it.
        form: One of ``FORMATS``; None for what the name of the file says, or else Markdown.
        output: The file, which is replaced; None for stdout.

    Raises:
        Stop: there is no such window, or several, or the report cannot be read or written.
    """
    reader = JournalReader(scope.journal)
    reader.database.on_note = narrator.say
    with closing(reader.database):
        try:
            window = _find(reader, scope, name)
            write = FORMATS[form or _form_of(output)]
            with read_report(reader, window) as source, _target(output) as put:
                for piece in _encoded(write(source)):
                    put(piece)
        except JournalError as error:
            raise Stop(Exit.FAILED, str(error)) from None
    if output is not None:
        narrator.say(f"the report of {clean(window.reason or window.id)} is in {clean(output)}")
    return Exit.VERIFIED


def print_schema() -> Exit:
    """Print the JSON Schema of the report."""
    write_text(schema_json())
    return Exit.VERIFIED


def _find(reader: JournalReader, scope: JournalScope, name: str) -> Window:
    windows = reader.windows(scope.endpoint.key, scope.account)
    if not windows:
        whose = f" (account {clean(scope.account)})" if scope.account else ""
        advice = (
            "each --sandbox begins with an empty journal; `pitstop sandbox` serves one that lasts"
            if scope.endpoint.sandbox
            else "--profile, --api-url and --account choose where to look"
        )
        place = clean(scope.endpoint.name)
        raise Stop(Exit.USAGE, f"the journal has no window of {place}{whose}; {advice}")
    if not name.strip():
        return max(windows, key=lambda window: window.opened)
    try:
        return find_window(windows, name)
    except WindowNameError as error:
        raise Stop(Exit.USAGE, str(error)) from None


def _form_of(output: str | None) -> str:
    suffix = Path(output or "").suffix.removeprefix(".").lower()
    return suffix if suffix in FORMATS else "md"


@contextmanager
def _target(output: str | None) -> Iterator[Callable[[bytes], object]]:
    """What takes the pieces: stdout, or a file that is there once all of it is written."""
    if output is None:
        yield write_bytes
        return
    path = Path(output).absolute()
    try:
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            what = f"{clean(output)} is a link or not a file, and is left alone; name another file"
            raise Stop(Exit.USAGE, what)
        with replacing(path) as file:
            yield file.write
    except OSError as error:
        raise Stop(Exit.FAILED, f"{clean(output)} cannot be written: {error.strerror}") from None


def _encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    """The text in UTF-8, in pieces that are worth a write."""
    kept: list[str] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield "".join(kept).encode()
            kept.clear()
            size = 0
    yield "".join(kept).encode()
