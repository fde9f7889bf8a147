"""The question before quitting while work is under way or servers are still in maintenance."""

from enum import Enum

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui.console.dialog import Question
from tui.console.store import Store
from tui.console.widgets.choice import Choice
from tui.model.completeness import listed
from tui.model.text import counted, named


class QuitAnswer(Enum):
    """What the operator decided."""

    STAY = "stay"
    QUIT = "quit"
    BRING_BACK = "bring back"


class QuitScreen(Question[QuitAnswer], inherit_bindings=False):
    """Shows what is unfinished, and asks; staying has the focus.

    With ``can_bring_back`` the operator may also bring back the servers left in maintenance.
    """

    AUTO_FOCUS = "#stay"
    letters = frozenset("ynb")
    BINDINGS = [
        Binding("y", "answer('quit')", show=False),
        Binding("n", "answer('stay')", show=False),
        Binding("escape", "stay", show=False),
        Binding("b", "answer('bring back')", show=False),
        Binding("tab,right,down", "app.focus_next", show=False),
        Binding("shift+tab,left,up", "app.focus_previous", show=False),
    ]

    def __init__(self, store: Store, *, can_bring_back: bool) -> None:
        super().__init__()
        self._question, self._text = quit_question(store)
        self._in_maintenance = store.still_in_maintenance()
        self._can_bring_back = can_bring_back and bool(self._in_maintenance)

    def compose(self) -> ComposeResult:
        """The question, what is unfinished, and the answers."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            yield Static(self._text, classes="explanation", markup=False)
            yield Static("", classes="hint", markup=False)
            with Horizontal(classes="choices"):
                yield Choice("n", "stay", id="stay")
                if self._can_bring_back:
                    yield Choice("b", "bring them back", id="bring-back")
                yield Choice("y", "leave in maintenance" if self._in_maintenance else "leave", id="quit")

    @on(Choice.Pressed)
    def _pressed(self, event: Choice.Pressed) -> None:
        answer = (event.choice.id or "stay").replace("-", " ")
        self.press(answer, safe=answer == QuitAnswer.STAY.value)

    def answer(self, answer: str) -> None:
        """Dismiss with the answer; nothing for one that is not offered."""
        if answer != QuitAnswer.BRING_BACK.value or self._can_bring_back:
            self.dismiss(QuitAnswer(answer))

    def action_stay(self) -> None:
        """Stay, as with escape."""
        self.dismiss(QuitAnswer.STAY)


def quit_question(store: Store) -> tuple[str, str]:
    """The question, and the lines below it about work under way and servers in maintenance."""
    running, held, unread = store.running(), store.still_in_maintenance(), store.held_unread()
    inside = store.endpoint is not None and store.endpoint.sandbox
    waiting = sum(operation.unsent for operation in running)
    sent = store.unsettled() - waiting
    lines = []
    if sent:
        then = (
            "The sandbox ends with pitstop, and their jobs with it"
            if inside
            else "The platform carries on without pitstop"
        )
        lines.append(f"{counted(sent)}: sent and not settled. {then}.")
    if waiting:
        lines.append(f"{counted(waiting)}: not sent yet, and not sent if you leave.")
    if running and not inside:
        lines.append("Everything is in the journal: the next start, or `pitstop resume`, takes it up.")
    if held:
        lines.append(f"You put into maintenance, and did not bring back: {named(held)}.")
    if unread:
        without = listed(store.fleet.missing())
        lines.append(f"You put into maintenance, with {without} not read: {named(unread)}.")
    under_way = f"{counted(len(running), 'operation')} under way"
    still = f"{counted(len(held))} of yours still in maintenance"
    perhaps = f"{counted(len(unread))} of yours perhaps still in maintenance"
    behind = " and ".join(
        text for text, there in ((under_way, running), (still, held), (perhaps, unread)) if there
    )
    return f"Leave with {behind}?", "\n".join(lines)


def maintenance_reminder(store: Store) -> str:
    """The line for the shell about servers left in maintenance; empty if there are none."""
    if store.endpoint is not None and store.endpoint.sandbox:
        return ""  # it ends with this process
    kinds = {
        "still in maintenance": store.still_in_maintenance(),
        "perhaps still in maintenance, and could not be read": store.held_unread(),
    }
    sentences = [
        f"{counted(len(ids))} of yours {'is' if len(ids) == 1 else 'are'} {how}: {named(ids)}. "
        for how, ids in kinds.items()
        if ids
    ]
    end = "The console shows them when it is opened again; b brings them back"
    return "".join(sentences) + end if sentences else ""
