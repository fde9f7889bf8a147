"""The confirmation before servers are changed. Every default is the safe one."""

from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from tui.console.dialog import Question
from tui.console.store import Store
from tui.console.theme import styles
from tui.console.widgets.choice import Choice
from tui.console.widgets.line_input import LineInput
from tui.console.widgets.plan_list import PlanList
from tui.model.completeness import names_typed, partial_note
from tui.model.plan import Plan
from tui.model.text import MAX_NAMED, counted, named

ROOMY = 36
"""The height of a terminal, in lines, from which on everything fits; on a lower one the facts scroll."""
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

    The reason, the count, the data centers not read and the answers come in this order; the focus is on the
    first one that is still missing.
    """

    CSS_PATH = styles("confirm.tcss")
    AUTO_FOCUS = ""
    BINDINGS = [
        Binding("y", "answer('yes')", show=False),
        Binding("n", "answer('no')", show=False),
        Binding("escape", "cancel", show=False),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
    ]

    def __init__(
        self,
        plan: Plan,
        store: Store,
        *,
        reason: str = "",
        count_above: int = 50,
        missing: tuple[str, ...] = (),
        hidden: int = 0,
    ) -> None:
        """``missing`` data centers were not read when a rule chose; the filter hides ``hidden`` servers.

        Above ``count_above`` servers, and for a drastic action on any, the operator must type their number.
        """
        super().__init__()
        self._missing = missing
        self._hidden = hidden
        self.plan = plan
        self._store = store
        self._reason = reason
        self._total = len(plan.server_ids)
        self._marked = self._total + len(plan.skipped)
        self._must_count = bool(self._total) and (self._marked > count_above or plan.action.drastic)

    def compose(self) -> ComposeResult:
        """The facts, the reason, and the two answers."""
        plan, total = self.plan, self._total
        with Vertical(id="dialog"):
            question = f"on {counted(total)}?" if total else "nothing to send"
            yield Static(
                f"{plan.action.label}{' ' if total else ': '}{question}", id="question", markup=False
            )
            with VerticalScroll(id="body", can_focus=False):
                yield from self._compose_body()
            yield Static("", id="hint", classes="hint", markup=False)
            with Horizontal(id="choices"):
                yield Choice("n", "leave them alone" if total else "close", id="no")
                if total:
                    yield Choice("y", plan.action.label.lower(), id="yes")

    def _compose_body(self) -> ComposeResult:
        total = self._total
        with Grid(id="facts"):
            for word, fact in self._facts():
                yield Static(word, classes="word", markup=False)
                yield Static(fact, markup=False)
            if total:
                yield Static("Reason", classes="word")
                yield LineInput(
                    self._reason, id="reason", placeholder="ticket number or why; enter goes on, also without"
                )
            if self._must_count:
                yield Static("Type", classes="word")
                what = "to show that you mean all of them" if total == self._marked else "for all you chose"
                yield LineInput(id="count", restrict=r"\d*", placeholder=f"{self._marked} {what}")
            if self._missing and total:
                yield Static("Type", classes="word")
                yield LineInput(id="partial", placeholder=f"{' '.join(self._missing)} to go on without")
        if len(self.plan.server_ids) > MAX_NAMED or self.plan.skipped:
            yield PlanList(self.plan, self._store.fleet, id="all")
            yield Static("", id="whole", classes="word", markup=False)
        yield Static(self.plan.action.warning if total else "", id="warning", markup=False)

    def _facts(self) -> list[tuple[str, str]]:
        plan, session, endpoint = self.plan, self._store.session, self._store.endpoint
        account = session.account if session else ""
        facts = []
        if endpoint is not None:
            where = "nothing real is touched" if endpoint.sandbox else endpoint.url
            facts.append(("Account", f"{account} at {endpoint.name} ({where})"))
        if plan.batches:
            facts.append(("Servers", named(plan.server_ids)))
            centers: dict[str, int] = {}
            for batch in plan.batches:
                centers[batch.data_center] = centers.get(batch.data_center, 0) + len(batch.server_ids)
            spread = ", ".join(f"{number:,} in {center}" for center, number in centers.items())
            facts.append(("Sent as", f"{counted(len(plan.batches), 'request')}: {spread}"))
        if plan.skipped:
            facts.append(("Skipped", f"{counted(len(plan.skipped))}: {skipped(plan)}"))
        if self._hidden:
            facts.append(("Hidden", f"{self._hidden:,} of these {self._marked:,} are hidden by the filter"))
        if self._missing:
            facts.append(("Partial", partial_note(self._store.fleet, self._missing)))
        facts += [("Note", remark) for remark in plan.remarks]
        return facts

    def on_mount(self) -> None:
        """Disable the yes until everything required is typed."""
        self._allow()
        self._focus_missing()

    def on_resize(self) -> None:
        """Let the facts scroll where they would push the answers off the screen."""
        self.set_class(self.size.height < ROOMY and bool(self.query("#all,#partial")), "-long")

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

    @on(PlanList.CutShort)
    def _show_whole(self, event: PlanList.CutShort) -> None:
        """Show below the list the line under its cursor, where it was cut."""
        whole = self.query_one("#whole", Static)
        whole.update(event.text)
        whole.display = bool(event.text)
        whole.scroll_visible(animate=False)

    @on(Input.Submitted)
    def _next(self) -> None:
        """Enter in a field goes to the next missing one. The reason is optional."""
        self._focus_missing(reason=False)

    @on(Choice.Pressed)
    def _pressed(self, event: Choice.Pressed) -> None:
        answer = event.choice.id or "no"
        self.press(answer, safe=answer == "no")

    def answer(self, answer: str) -> None:
        """Dismiss with None for no; with the confirmed plan for yes, if everything required is typed."""
        if answer == "no":
            self.dismiss(None)
        elif self._total and not self._counted():
            drastic = f"{self.plan.action.label} is not for a slip of the hand"
            why = drastic if self.plan.action.drastic else "it is more servers than one looks over"
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
