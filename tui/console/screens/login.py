"""The login screen: one attempt per Enter, never an automatic one after a refusal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui import __version__
from tui.console.options import StartOptions
from tui.console.widgets.line_input import LineInput

if TYPE_CHECKING:
    from tui.console.change import StoreChange
    from tui.engine.endpoint import Endpoint
    from tui.settings.schema import Settings

DEMO_USER, DEMO_PASSWORD = "demo", "pitstop"
"""The sandbox's login. Not a secret: it is shown on this screen."""
TITLE = Content.assemble(
    ("pitstop", "bold $primary"),
    ("  " + __version__ + "\nMaintenance windows on CenturyLink Cloud v2", "$quiet"),
)


class EndpointChoice(Widget, can_focus=True):
    """One line naming the endpoint; left and right choose among several."""

    BINDINGS = [
        Binding("left,up", "choose(-1)", show=False),
        Binding("right,down,space", "choose(1)", show=False),
        Binding("enter", "screen.log_in", show=False),
    ]
    index: reactive[int] = reactive(0)

    def __init__(self, endpoints: "Sequence[Endpoint]", index: int) -> None:
        super().__init__(id="endpoint", disabled=len(endpoints) < 2)
        self.endpoints = endpoints
        self.set_reactive(EndpointChoice.index, index)

    @property
    def endpoint(self) -> "Endpoint":
        """The endpoint that is chosen."""
        return self.endpoints[self.index]

    def render(self) -> Content:
        """The endpoint's name and address, and its position among several."""
        endpoint = self.endpoint
        where = "inside this program" if endpoint.sandbox else endpoint.url
        text = Content.assemble((endpoint.name, "bold"), "  ", (where, "$quiet"))
        if len(self.endpoints) > 1:
            text += Content.assemble("  ", (f"‹ {self.index + 1} of {len(self.endpoints)} ›", "$quiet"))
        return text

    def action_choose(self, step: int) -> None:
        """Choose the next or the previous one."""
        self.index = (self.index + step) % len(self.endpoints)


class LoginScreen(Screen[None], inherit_bindings=False):
    """Asks for endpoint, user, password and account."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = []
    VERTICAL_BREAKPOINTS = []

    class Submitted(Message):
        """The operator wants to log in."""

        def __init__(self, endpoint: "Endpoint", user: str, password: str, account: str) -> None:
            super().__init__()
            self.endpoint = endpoint
            self.user = user
            self.password = password
            self.account = account

        def __rich_repr__(self) -> "Iterator[tuple[str, str]]":
            yield "user", self.user  # never the password

    def __init__(self, endpoints: "Sequence[Endpoint]", settings: "Settings", start: StartOptions) -> None:
        super().__init__()
        names = [endpoint.name for endpoint in endpoints]
        self._endpoints = endpoints
        self._first = names.index(start.endpoint) if start.endpoint in names else 0
        self._settings = settings
        self._start = start
        self._busy = self._ready = self._submitted_early = False
        self._filled_in = ("", "", "")
        """The values that the chosen endpoint filled in; the next one replaces them, unlike typed ones."""

    def compose(self) -> ComposeResult:
        """The form. Few widgets: each one delays the first paint."""
        start = self._start
        with Grid(id="form"):
            yield Static(TITLE, id="title")
            yield Static("Endpoint\nUser\nPassword\nAccount", id="labels", markup=False)
            yield EndpointChoice(self._endpoints, self._first)
            yield LineInput(start.user, id="user")
            yield LineInput(start.password, id="password", password=True)
            yield LineInput(start.account, id="account", placeholder="your own, or an alias below it")
            yield Static(id="message", markup=False)
            yield Static("enter log in   tab next field   ctrl+q quit", id="keys", markup=False)

    def on_mount(self) -> None:
        """Fill in the endpoint's known values, and focus the first empty field."""
        self._endpoint_changed()
        self.watch(self.query_one(EndpointChoice), "index", self._endpoint_changed, init=False)
        self.query_one("#password" if self._field("user") else "#user").focus()

    def _field(self, name: str) -> str:
        return self.query_one(f"#{name}", LineInput).value

    def _endpoint_changed(self) -> None:
        user, password = self.query_one("#user", LineInput), self.query_one("#password", LineInput)
        account = self.query_one("#account", LineInput)
        endpoint = self.query_one(EndpointChoice).endpoint
        sandbox = endpoint.sandbox
        if (user.value, password.value, account.value) == self._filled_in:
            profile = self._settings.profiles.get(endpoint.name)
            user.value = DEMO_USER if sandbox else profile.user if profile else ""
            password.value = DEMO_PASSWORD if sandbox else ""
            account.value = profile.account if profile else ""
            self._filled_in = (user.value, password.value, account.value)
        self._say(
            f"This is a sandbox: nothing real is touched. Log in as {DEMO_USER} with {DEMO_PASSWORD}; "
            "as viewer you may only look."
            if sandbox
            else "",
            "",
        )

    def ready(self) -> None:
        """Accept logins: the engine has started. With user and password in the start options, log in once."""
        self._ready = True
        if self._submitted_early or (self._start.user and self._start.password):
            self.action_log_in()

    @on(Input.Submitted)
    def action_log_in(self) -> None:
        """Try to log in: one attempt."""
        if self._busy:
            return
        if not self._ready:
            self._submitted_early = True
            return
        for name, what in (("user", "user name"), ("password", "password")):
            if not self._field(name):
                self._say(f"Please give the {what}.", "")
                self.query_one(f"#{name}").focus()
                return
        endpoint = self.query_one(EndpointChoice).endpoint
        self._set_busy(True)
        self._say(f"Logging in to {endpoint.name} …", "")
        self.post_message(
            self.Submitted(
                endpoint, self._field("user"), self._field("password"), self._field("account").strip()
            )
        )

    def store_changed(self, change: "StoreChange") -> None:
        """Show why the login failed, and allow another attempt."""
        if change.engine_failed:
            self._set_busy(True)
            self._say(change.engine_failed, "-error")
        if change.login_failed is None:
            return
        self._set_busy(False)
        self._say(change.login_failed.message, "-error")
        password = self.query_one("#password", LineInput)
        if change.login_failed.refused:
            password.value = ""
        password.focus()

    async def forget(self) -> None:
        """Drop everything that was typed; this screen is not shown again."""
        self._start = StartOptions()
        await self.query("#form").remove()

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.query_one("#form").disabled = busy

    def _say(self, text: str, css_class: str) -> None:
        message = self.query_one("#message", Static)
        message.set_class(css_class == "-error", "-error")
        message.update(text)
