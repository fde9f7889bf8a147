"""The confirmation before servers are changed. Every default is the safe one."""

from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from tui.console.dialog import Question
from tui.console.screens.plan import PlanScreen
from tui.console.store import Store
from tui.console.theme import styles
from tui.console.widgets.choice import Choice
from tui.console.widgets.line_input import LineInput
from tui.model.completeness import names_typed, partial_note
from tui.model.outlook import Outlook, facts
from tui.model.plan import Plan
from tui.model.text import counted, named

AROUND = 12
"""Lines of the dialog around facts and fields, with one to spare: where all do not fit, the facts scroll."""
REASONS = 4
"""How many reasons for skipping are listed; the servers of others are counted together."""


class Confirmed(NamedTuple):
    """The operator's consent: the plan to carry out, and the reason."""

    plan: Plan
    reason: str


def skipped(plan: Plan) -> str:
    """How many servers are skipped, by reason, e.g. "2 already in maintenance, 1 archived"."""
    reasons = [(len(ids), reason) for reason, ids in plan.skipped_by_reason().items()]
    listed = [f"{number:,} {reason}" for number, reason in reasons[:REASONS]]
    more = sum(number for number, _ in reasons[REASONS:])
    return ", ".join(listed) + (f", {more:,} for other reasons" if more else "")


class ConfirmScreen(Question[Confirmed | None], inherit_bindings=False):
    """Shows what will happen to which servers and which are skipped, and asks.

    What must be read comes first. The reason, the count, the data centers not read and the answers
    come in this order below the facts, always on the screen; the focus is on the first one that is still
    missing.
    """

    CSS_PATH = styles("confirm.tcss")
    AUTO_FOCUS = ""
    BINDINGS = [
        Binding("y", "answer('yes')", show=False),
        Binding("n", "answer('no')", show=False),
        Binding("escape", "cancel", show=False),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
        Binding("pagedown", "scroll_facts('page_down')", show=False),
        Binding("pageup", "scroll_facts('page_up')", show=False),
        Binding("f2", "list_servers", show=False),
    ]

    def __init__(
        self,
        plan: Plan,
        outlook: Outlook,
        store: Store,
        *,
        reason: str = "",
        count_above: int = 50,
        missing: tuple[str, ...] = (),
        hidden: int = 0,
    ) -> None:
        """``missing`` data centers were not read when a rule chose; the filter hides ``hidden`` servers.

        Above ``count_above`` servers, with protected ones among them, and for a drastic action on any, their
        number must be typed.
        """
        super().__init__()
        self._missing = missing
        self._hidden = hidden
        self.plan = plan
        self._store = store
        self._reason = reason
        self._total = len(plan.server_ids)
        self._marked = self._total + len(plan.skipped)
        self._outlook = outlook
        many = self._marked > count_above
        self._must_count = bool(self._total) and (many or plan.action.drastic or bool(outlook.protected))

    def compose(self) -> ComposeResult:
        """The facts, the reason, and the two answers."""
        plan, total = self.plan, self._total
        with Vertical(id="dialog"):
            question = f"on {counted(total)}?" if total else "nothing to send"
            yield Static(
                f"{plan.action.label}{' ' if total else ': '}{question}", id="question", markup=False
            )
            with VerticalScroll(id="body", can_focus=False), Grid(id="facts"):
                for word, fact in self._facts():
                    yield Static(word, classes="word", markup=False)
                    yield Static(fact, markup=False)
            with Grid(id="fields"):
                yield from self._compose_fields()
            yield Static("", id="hint", classes="hint", markup=False)
            with Horizontal(id="choices"):
                yield Choice("n", "leave them alone" if total else "close", id="no")
                if total:
                    yield Choice("y", plan.action.label.lower(), id="yes")
                if self._marked:
                    yield Choice("f2", "list", id="list")

    def _compose_fields(self) -> ComposeResult:
        total = self._total
        if total:
            yield Static("Reason", classes="word")
            yield LineInput(
                self._reason, id="reason", placeholder="ticket number or why; enter goes on, also without"
            )
        if self._must_count:
            yield Static("Type", classes="word")
            what = "to show that you mean all of them" if total == self._marked else "for all you chose"
            if self._outlook.protected:
                what = "as protected servers are among them"
            yield LineInput(id="count", restrict=r"\d*", placeholder=f"{self._marked} {what}")
        if self._missing and total:
            yield Static("Type", classes="word")
            yield LineInput(id="partial", placeholder=f"{' '.join(self._missing)} to go on without")

    def _facts(self) -> list[tuple[str, str]]:
        plan, session, endpoint = self.plan, self._store.session, self._store.endpoint
        account = session.account if session else ""
        found = [("Warning", warning.text) for warning in self._outlook.warnings]
        if endpoint is not None:
            where = "nothing real is touched" if endpoint.sandbox else endpoint.url
            found.append(("Account", f"{account} at {endpoint.name} ({where})"))
        if self._hidden:
            found.append(("Hidden", f"{self._hidden:,} of these {self._marked:,} are hidden by the filter"))
        if self._missing:
            found.append(("Partial", partial_note(self._store.fleet, self._missing)))
        if plan.skipped:
            found.append(("Skipped", f"{counted(len(plan.skipped))}: {skipped(plan)}"))
        if plan.batches:
            if plan.action.warning:
                found.append(("Note", plan.action.warning))
            (_, centers), *known = facts(self._outlook)
            found.append(("Sent as", f"{counted(len(plan.batches), 'request')}: {centers}"))
            found += [*known, ("Servers", named(plan.server_ids))]
        return found

    def on_mount(self) -> None:
        """Disable the yes until everything required is typed."""
        self._allow()
        self._focus_missing()
        self.watch(self.query_one("#body"), "show_vertical_scrollbar", self._show_more)

    def on_resize(self) -> None:
        """Let the facts scroll where they would push the answers off the screen."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        wanted = self.query_one("#facts").outer_size.height + self.query_one("#fields").outer_size.height
        self.set_class(wanted + AROUND > self.size.height, "-long")

    def _show_more(self, more: bool) -> None:
        self.query_one("#dialog").border_subtitle = "pgdn, pgup: more of this" if more else ""

    def action_scroll_facts(self, how: str) -> None:
        """Scroll the facts, while the focus stays where it is."""
        getattr(self.query_one("#body"), f"scroll_{how}")(animate=False)

    def action_list_servers(self) -> None:
        """List every server that goes, and every one that is skipped with the reason."""
        if self._marked:
            self.app.push_screen(PlanScreen(self.plan, self._store.fleet, self._outlook))

    @on(Input.Changed, "#count,#partial")
    def _allow(self) -> None:
        for choice in self.query("#yes"):
            choice.disabled = not (self._counted() and self._is_partial())

    def _counted(self) -> bool:
        return not self._must_count or self.query_one("#count", LineInput).value.strip() == str(self._marked)

    def _is_partial(self) -> bool:
        """Whether the operator typed the data centers that were not read."""
        fields = self.query("#partial").results(LineInput)
        return all(names_typed(field.value, self._missing) for field in fields)

    def _focus_missing(self, *, reason: bool = True) -> None:
        """Focus the first field that is missing, else the safe answer."""
        if reason and self._total and not self.query_one("#reason", LineInput).value:
            self.query_one("#reason").focus()
        elif not self._counted():
            self.query_one("#count").focus()
        elif not self._is_partial():
            self.query_one("#partial").focus()
        else:
            self.query_one("#no").focus()

    @on(Input.Submitted)
    def _next(self) -> None:
        """Enter in a field goes to the next missing one. The reason is optional."""
        self._focus_missing(reason=False)

    @on(Choice.Pressed)
    def _pressed(self, event: Choice.Pressed) -> None:
        answer = event.choice.id or "no"
        self.press(answer, safe=answer != "yes")

    def answer(self, answer: str) -> None:
        """Dismiss with None for no; with the confirmed plan for yes, if everything required is typed."""
        if answer == "no":
            self.dismiss(None)
        elif answer == "list":
            self.action_list_servers()
        elif self._total and not self._counted():
            if self.plan.action.drastic:
                why = f"{self.plan.action.label} is not for a slip of the hand"
            elif self._outlook.protected:
                why = "protected servers are among them"
            else:
                why = "it is more servers than one looks over"
            self.say(f"Type {self._marked} first: {why}.")
            self.query_one("#count").focus()
        elif self._total and not self._is_partial():
            self.say(f"Type {' '.join(self._missing)} first: servers there are left out.")
            self.query_one("#partial").focus()
        elif self._total:
            self.dismiss(Confirmed(self.plan, self.query_one("#reason", LineInput).value.strip()))

    def text_field(self) -> Input | None:
        """The reason."""
        return self.query_one("#reason", LineInput) if self._total else None

    def action_cancel(self) -> None:
        """Answer no, as with escape."""
        self.dismiss(None)
