"""From the command line to the console and back: checks the terminal, runs the application, stops the engine.

Imports nothing of textual before the terminal is checked and the environment is set.
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
    """Run the console until it ends, and return the program's exit code.

    0: the operator quit. 1: a bug (the traceback is in the log file). 2: the terminal or a setting cannot be
    used. 129, 130, 143: ended by SIGHUP (or a hang-up), SIGINT, SIGTERM. ``save`` keeps settings for the next
    start, as ``tui.settings.loader.save`` does.
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
    with terminal.handle_signals(app.exit_for_signal, until_exit=True):
        terminal.watch_hang_up(0, app.exit_for_hang_up)
        app.run(mouse=settings.mouse)
        from tui.console.screens.quit import maintenance_reminder

        code = app.return_code or 0
        reminder = maintenance_reminder(app.store) if app.store is not None else ""
        if app.engine is not None:
            _stop_engine(app.engine, settings.on_hangup, hung_up=app.hung_up)
        app.preferences.close()
    if reminder and not app.hung_up:
        print(f"pitstop: {reminder}", file=sys.stderr)  # noqa: T201
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
    """The settings that the console cannot use, as sentences for the operator."""
    from tui.console.commands import keymap_problems
    from tui.model.listing.columns import ColumnLayout, parse_sort

    problems = keymap_problems(settings.keys) if settings.keys else []
    try:
        ColumnLayout.parse(settings.columns)
    except ValueError as error:
        problems.append(f"columns: {error}")
    try:
        parse_sort(settings.sort)
    except ValueError as error:
        problems.append(f"sort: {error}")
    return problems


def _stop_engine(engine: "EngineFacade", on_hangup: str, *, hung_up: bool) -> None:
    """Stop the engine, first following what was sent to its end if the settings want that after a hang-up.

    SIGTERM ends the following: what is under way is in the journal.
    """
    if hung_up:
        terminal.detach_streams()  # What is still buffered for it would turn the exit code into 120.
    if hung_up and on_hangup == "finish" and engine.running():
        log.info("the terminal has hung up; following what was sent to its end")
        engine.wind_down(send_rest=True)
        received: list[int] = []
        with terminal.handle_signals(received.append):
            while engine.running() and signal.SIGTERM not in received:
                engine.fetch_events()
                time.sleep(0.2)
    engine.stop()
