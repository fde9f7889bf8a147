"""The application: its screens, its theme, and the start of the engine."""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Event, Key, Resize
from textual.filter import LineFilter
from textual.widgets import Input

from tui.console import commands
from tui.console.dialog import Question
from tui.console.event_pump import EventPump
from tui.console.idle import IdleLock
from tui.console.options import StartOptions
from tui.console.preferences import Preferences
from tui.console.screens.login import LoginScreen
from tui.console.terminal import checks as terminal
from tui.console.terminal.driver import Driver
from tui.console.terminal.queued_app import QueuedInputApp
from tui.console.theme import THEME, AsciiFilter, styles

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

    from tui.console.facade import EngineFacade
    from tui.console.screens.lock import LockScreen
    from tui.console.screens.quit import QuitAnswer
    from tui.console.store import Store
    from tui.engine.endpoint import Endpoint
    from tui.settings.schema import Settings

log = logging.getLogger("pitstop.console")

LATER_STYLES = ("servers", "confirm", "help", "palette")
"""Style sheets that the first screen does not need."""


class PitstopApp(QueuedInputApp, inherit_bindings=False):
    """The console. Starts the engine, applies its events to the store, and shows the screens."""

    CSS_PATH = [styles("app.tcss"), styles("login.tcss")]
    TITLE = "pitstop"
    BINDINGS = [
        *commands.bindings(commands.Scope.APP),
        Binding("ctrl+q", "quit", show=False, priority=True),
        Binding("ctrl+l", "redraw", show=False, priority=True),
        Binding("ctrl+z", "suspend", show=False, priority=True),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False
    PAUSE_GC_ON_SCROLL = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (150, "-huge")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]
    NOTIFICATION_TIMEOUT = 5

    def __init__(
        self,
        *,
        engine_factory: "Callable[[], EngineFacade]",
        endpoints: "Sequence[Endpoint]",
        settings: "Settings",
        start: StartOptions,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        ascii_only: bool = False,
        save: Callable[..., None] = lambda **_: None,
    ) -> None:
        self._ascii = [AsciiFilter()] if ascii_only else []
        super().__init__(driver_class=Driver if sys.platform != "win32" else None)
        self.register_theme(THEME)
        # Not the watcher: it would parse every style sheet a second and a third time.
        self.set_reactive(App.theme, THEME.name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.animation_level = "none"
        self.set_keymap(settings.keys)
        self.start_options = start
        self.preferences = Preferences(settings, save, self._warn_from_thread)
        self.endpoints = endpoints
        self.engine: EngineFacade | None = None
        """None until the first paint."""
        self.store: Store | None = None
        self.readonly = start.readonly or settings.readonly
        self.hung_up = False
        """Whether the terminal hung up."""
        self.crashed = False
        self._engine_factory = engine_factory
        self._clock = clock
        self._pump = EventPump(self, self._take_events, 0.2 if terminal.is_remote(os.environ) else 0.1)
        self._too_small = False
        self.idle = IdleLock(self, 60 * settings.lock_after, monotonic, self._lock_screen)

    @property
    def settings(self) -> "Settings":
        """The settings in force."""
        return self.preferences.settings

    # -- start and exit ----------------------------------------------------------------------

    def get_default_screen(self) -> LoginScreen:
        """Textual: the login screen comes first."""
        return LoginScreen(self.endpoints, self.settings, self.start_options)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and the one for ASCII on a terminal without Unicode."""
        return [*super().get_line_filters(), *self._ascii]

    def on_mount(self) -> None:
        """Start to take input; start the engine once the first screen is painted."""
        self.input_queue.start()
        self.call_after_refresh(lambda: self.run_worker(self._begin()))

    async def _begin(self) -> None:
        from tui.console.store import Store

        self.store = Store(clock=self._clock or time.time, readonly=self.readonly)
        self.engine = await asyncio.to_thread(self._start_engine)
        self._pump.schedule()  # for events emitted before the pump was ready
        self.idle.start()
        if isinstance(self.screen, LoginScreen):
            self.screen.ready()
        self.call_later(self._warm_up)

    def _start_engine(self) -> "EngineFacade":
        """Load and start the engine. Takes a moment, so it runs on a thread."""
        engine = self._engine_factory()
        engine.on_events(self._pump.wake)
        engine.start()
        return engine

    def _warm_up(self) -> None:
        """Load what the next screen needs while the operator types a password."""
        import_module("tui.console.screens.servers")
        self.stylesheet.read_all([styles(f"{name}.tcss") for name in LATER_STYLES])
        self.stylesheet.parse()
        gc.freeze()
        gc.enable()

    def exit_for_signal(self, number: int) -> None:
        """Exit because of SIGHUP, SIGINT or SIGTERM, with the terminal restored."""
        self.hung_up = self.hung_up or number == signal.SIGHUP
        self._exit_from_outside(128 + number)

    def exit_for_hang_up(self) -> None:
        """Exit because the terminal hung up without a signal. May be called from any thread."""
        self.hung_up = True
        self._exit_from_outside(128 + signal.SIGHUP)

    def _exit_from_outside(self, code: int) -> None:
        loop = self.event_loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(lambda: self.exit(return_code=code))

    def handle_error(self, error: Exception) -> None:
        """Log the traceback of a bug, and never show it on the terminal."""
        self.crashed = True
        log.critical("the console broke", exc_info=error)
        self.abort(error)

    def panic(self, *renderables: Any) -> None:
        """Textual: a bug on its input thread."""
        self.crashed = True
        log.critical("the console broke: %s", sys.exc_info()[1] or "see above")
        self.abort()

    # -- events of the engine ----------------------------------------------------------------

    def _take_events(self) -> None:
        """Apply the engine's events to the store, and pass what changed to every screen that shows it."""
        if self.engine is None or self.store is None:
            return
        change = self.store.apply(self.engine.fetch_events())
        if change.login_needed is not None:
            self._ask_password_again(change.login_needed.message)
        for screen in list(self.screen_stack):
            if hasattr(screen, "store_changed"):
                screen.store_changed(change)
        if change.logged_in is not None:
            self.call_next(self._open_servers)
        for notice in change.notices:
            self.notify(notice.message, severity=notice.severity, markup=False)

    def _lock_screen(self) -> "LockScreen | None":
        """A screen that asks for the password of the login; None while nobody is logged in."""
        if self.engine is None or self.store is None or self.store.session is None:
            return None
        from tui.console.screens.lock import LockScreen

        return LockScreen(self.store.session.user, self.engine.unlock)

    async def _open_servers(self) -> None:
        from tui.console.screens.servers import ServersScreen

        store, engine = self.store, self.engine
        login = self.screen_stack[0]
        if isinstance(login, LoginScreen) and store is not None and engine is not None:
            self.add_mode("servers", lambda: ServersScreen(store, engine, self.preferences))
            await self.switch_mode("servers")
            await login.forget()
            self.start_options = replace(self.start_options, password="")

    def _ask_password_again(self, message: str) -> None:
        if self.idle.locked:
            self.idle.hold(lambda: self._ask_password_again(message), once="password")
            return
        from tui.console.screens.relogin import ReloginScreen

        open_already = any(isinstance(screen, ReloginScreen) for screen in self.screen_stack)
        if self.store is not None and not open_already:
            self.push_screen(ReloginScreen(self.store, message), lambda _: self.input_queue.discard_typing())

    def on_login_screen_submitted(self, message: LoginScreen.Submitted) -> None:
        """Log in as the login screen requests."""
        if self.engine is not None and self.store is not None:
            profile = self.settings.profiles.get(message.endpoint.name)
            self.store.endpoint = message.endpoint
            self.store.readonly = self.readonly or (profile is not None and profile.readonly)
            self.engine.login(message.endpoint, message.user, message.password, message.account)

    # -- commands of every screen ------------------------------------------------------------

    @property
    def command_context(self) -> commands.CommandContext:
        """The facts that decide which commands can be used now, from the screen below the dialogs."""
        for screen in reversed(self.screen_stack):
            command_context = getattr(screen, "command_context", None)
            if isinstance(command_context, commands.CommandContext):
                return command_context
        return commands.CommandContext(readonly=self.readonly)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Textual: whether an action may run. While locked only redrawing may."""
        return not self.idle.locked or action == "redraw"

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action; for a command that cannot be used now, show why instead.

        An action ``kind.name`` is looked up in the ``actions`` of the screen.
        """
        command = commands.of_action(action) if isinstance(action, str) else None
        if (
            command is not None
            and (reason := commands.disabled_reason(command, self.command_context)) is not None
        ):
            self.say(f"{command.label}: {reason}")
            return True
        if namespaces is None:
            namespaces = getattr(default_namespace, "actions", None)
        return await super().run_action(action, default_namespace, namespaces)

    async def dispatch_input(self, event: Event) -> None:
        """Handle a queued event, unless the console is locked or should be."""
        if not self.idle.admits(event):
            return
        if isinstance(event, Key):
            self.say("")
            if isinstance(self.screen, Question) and self.screen.takes(event):
                return
        await super().dispatch_input(event)

    def say(self, text: str) -> None:
        """Show a line that answers a key, on the screen or as a notice; an empty text removes it."""
        say = getattr(self.screen, "say", None)
        if say is not None:
            say(text)
        elif text:
            self.notify(text, severity="warning", markup=False)

    def notify(self, message: str, **options: Any) -> None:
        """Show a notice; while the console is locked, keep it for afterwards."""
        if self.idle.locked:
            self.idle.hold(lambda: self.notify(message, **options), once=("notice", message))
        else:
            super().notify(message, **options)

    def _warn_from_thread(self, message: str) -> None:
        self.call_later(lambda: self.notify(message, severity="warning", markup=False))

    def action_interrupt(self) -> None:
        """Copy what is selected, as with ctrl+c. It never ends the program."""
        selected = self.screen.get_selected_text()
        if isinstance(self.focused, Input) and not self.focused.password:
            selected = self.focused.selected_text or selected
        if selected:
            self.copy_to_clipboard(selected)
        else:
            self.notify("ctrl+c does not end pitstop; press q or ctrl+q to leave", markup=False)

    def action_redraw(self) -> None:
        """Draw everything again, e.g. after another program wrote to the terminal."""
        self.draw_all()

    async def action_help(self) -> None:
        """Show the help screen."""
        from tui.console.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            await self.push_screen(HelpScreen(self.command_context, self.settings.keys))

    async def action_palette(self) -> None:
        """Find a command by its name."""
        from tui.console.screens.palette import PaletteScreen

        if not self.screen.is_modal:
            await self.push_screen(PaletteScreen(self.command_context, self.settings.keys), self._run_command)

    async def _run_command(self, action: str | None) -> None:
        if action is not None:
            await self.run_action(action, default_namespace=self.screen)

    async def action_quit(self) -> None:
        """Quit; ask first when work is under way or servers are still in maintenance."""
        from tui.console.screens.quit import QuitScreen

        store = self.store
        if store is None or not (store.running() or store.still_in_maintenance() or store.held_unread()):
            self.exit()
        elif not any(isinstance(screen, QuitScreen) for screen in self.screen_stack):
            can = commands.disabled_reason(commands.BY_NAME["maintenance.back"], self.command_context) is None
            await self.push_screen(QuitScreen(store, can_bring_back=can), self._quit)

    async def _quit(self, answer: "QuitAnswer | None") -> None:
        from tui.console.screens.quit import QuitAnswer

        if answer is QuitAnswer.QUIT:
            self.exit()
        elif answer is QuitAnswer.BRING_BACK:
            await self._run_command(commands.BY_NAME["maintenance.back"].action)

    def on_resize(self, event: Resize) -> None:
        """Textual: cover the screen while the terminal is too small."""
        small = event.size.width < terminal.NARROWEST or event.size.height < terminal.LOWEST
        if small != self._too_small:
            self._too_small = small
            self.set_class(small, "-too-small")
            self.call_later(self._show_too_small if small else self._show_again)

    def _show_too_small(self) -> None:
        from tui.console.screens.too_small import TooSmallScreen

        if self._too_small:
            self.push_screen(TooSmallScreen())

    def _show_again(self) -> None:
        from tui.console.screens.too_small import TooSmallScreen

        if self.idle.locked:
            self.idle.hold(self._show_again, once="size")
        if not self._too_small and isinstance(self.screen, TooSmallScreen):
            self.pop_screen()
