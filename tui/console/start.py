"""From the command line to the console and back: the terminal's fitness, the way in, the way out.

Imports nothing of textual before the terminal is known to do and the environment is set.
"""

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.console.terminal import checks as terminal

if TYPE_CHECKING:
    from tui.console.facade import EngineFacade
    from tui.console.options import StartOptions
    from tui.engine.endpoint import Endpoint
    from tui.settings.schema import Settings

log = logging.getLogger("pitstop.console")
logging.getLogger("pitstop").addHandler(logging.NullHandler())  # or a traceback would end on the screen

CRASHED, UNFIT = 1, 2


def run_console(
    *,
    engine_factory: "Callable[[], EngineFacade]",
    endpoints: "Sequence[Endpoint]",
    settings: "Settings",
    start: "StartOptions",
    save: "Callable[..., None]",
) -> int:
    """Run the console until it is left; returns the program's exit code. ``save`` keeps what is chosen in it.

    0 left by the operator, 1 a bug (the traceback is in the log file), 2 the terminal will not do,
    129, 130 and 143 told to go by SIGHUP (or a hang-up), SIGINT and SIGTERM.
    """
    reason = terminal.why_unfit(os.environ, sys.__stdin__, sys.__stderr__)
    if reason is not None:
        print(f"pitstop: {reason}", file=sys.stderr)  # noqa: T201
        return UNFIT
    terminal.set_defaults(os.environ)
    gc.disable()  # nothing of what is loaded now is garbage; collecting begins after the first paint
    from tui.console.app import PitstopApp
    from tui.console.commands import keymap_problems

    if problems := keymap_problems(settings.keys):
        print(f"pitstop: {problems[0]}", file=sys.stderr)  # noqa: T201
        return UNFIT

    problems = settings_problems(settings)
    if problems:
        print(*(f"pitstop: {problem}" for problem in problems), sep="\n", file=sys.stderr)  # noqa: T201
        return UNFIT
    app = PitstopApp(
        engine_factory=engine_factory,
        endpoints=endpoints,
        settings=settings,
        start=start,
        ascii_only=not terminal.speaks_unicode(
            os.environ, getattr(sys.__stderr__, "encoding", "ascii"), coerced=bool(sys.flags.utf8_mode)
        ),
        save=save,
    )
    with terminal.handle_signals(app.told_to_go):
        terminal.watch_hang_up(0, app.hung_up)
        app.run(mouse=settings.mouse)
        from tui.console.screens.leave import farewell

        code = app.return_code or 0
        left = farewell(app.store) if app.store is not None else ""
        if app.engine is not None:
            _see_off(app.engine, app.gone, settings.on_hangup)
    if left and not app.gone:
        print(f"pitstop: {left}", file=sys.stderr)  # noqa: T201
    if app.crashed:
        where = f"; details are in {start.log_file}" if start.log_file else ""
        print(  # noqa: T201
            f"pitstop: something in the console broke{where}. What was sent is in the journal: "
            "`pitstop resume` follows it up",
            file=sys.stderr,
        )
        return CRASHED
    return code


def settings_problems(settings: "Settings") -> list[str]:
    """What the settings say that means nothing to the console, for the operator."""
    from tui.console.commands import keymap_problems
    from tui.model.listing.columns import COLUMNS, ColumnLayout, find_column

    problems = keymap_problems(settings.keys) if settings.keys else []
    try:
        ColumnLayout.parse(settings.columns)
    except ValueError as error:
        problems.append(f"columns: {error}")
    if find_column(settings.sort.removeprefix("-")) is None:
        problems.append(f"sort: there is no column {settings.sort!r}; there are: {', '.join(COLUMNS)}")
    return problems


def _see_off(engine: "EngineFacade", gone: bool, on_hangup: str) -> None:
    """Stop the engine; when the terminal has gone, first follow what was sent to its end, if so asked.

    SIGTERM ends that too: what is under way is in the journal.
    """
    if gone:
        terminal.detach_streams()  # What is still buffered for it would turn the exit code into 120.
    if gone and on_hangup == "finish" and engine.running():
        log.info("the terminal has gone; following what was sent to its end")
        engine.wind_down(send_rest=True)
        told: list[int] = []
        with terminal.handle_signals(told.append):
            while engine.running() and signal.SIGTERM not in told:
                engine.fetch_events()
                time.sleep(0.2)
    engine.stop()
