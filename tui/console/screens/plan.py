"""Every server of a plan and every one that it skips, to be looked over before the question is answered."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.console.dialog import Dialog
from tui.console.theme import styles
from tui.console.widgets.line_input import LineInput
from tui.console.widgets.plan_list import PlanList
from tui.model.fleet import Fleet
from tui.model.outlook import Outlook, warning_words
from tui.model.plan import Plan
from tui.model.text import counted


class PlanScreen(Dialog[None], inherit_bindings=False):
    """Lists the servers; words that are typed narrow the list. Escape goes back to the question."""

    CSS_PATH = styles("plan.tcss")
    AUTO_FOCUS = "#words"
    BINDINGS = [
        Binding("escape,f2", "dismiss(None)", show=False),
        Binding("down", "move('cursor_down')", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
        Binding("ctrl+home", "move('first')", show=False),
        Binding("ctrl+end", "move('last')", show=False),
    ]

    def __init__(self, plan: Plan, fleet: Fleet, outlook: Outlook) -> None:
        super().__init__()
        self._plan = plan
        self._fleet = fleet
        self._outlook = outlook

    def compose(self) -> ComposeResult:
        """A line to type in, the servers, and the whole line under the cursor where it is cut."""
        going, skipped = len(self._plan.server_ids), len(self._plan.skipped)
        with Vertical(id="plan") as frame:
            left = f", {skipped:,} skipped" if skipped else ""
            frame.border_title = f"{self._plan.action.label} on {counted(going)}{left}"
            frame.border_subtitle = "up, down, pgup, pgdn, ctrl+end; esc goes back to the question"
            yield LineInput(
                id="words", placeholder="words to find: an id, a group, a reason, skipped, protected"
            )
            servers = PlanList(self._plan, self._fleet, warning_words(self._outlook.warnings), id="all")
            servers.can_focus = False
            servers.explain(["No server has these words."])
            yield servers
            yield Static("", id="whole", classes="word", markup=False)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one(PlanList).find(event.value)

    @on(PlanList.CutShort)
    def _show_whole(self, event: PlanList.CutShort) -> None:
        """Show below the list the line under its cursor, where it was cut."""
        whole = self.query_one("#whole", Static)
        whole.update(event.text)
        whole.display = bool(event.text)

    def action_move(self, how: str) -> None:
        """Move the cursor of the list, while the focus stays on the line of input."""
        getattr(self.query_one(PlanList), f"action_{how}")()
