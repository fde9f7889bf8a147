"""Journals with a window in them, written as the engine writes them."""

from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from tests.engine.journals import record
from tui.engine.journal.owner import Owner
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.window import Window

PLACE = "https://cloud.example"
START = 1_800_000_000.0
"""When every window here was opened: 2027-01-15 08:00 UTC."""

STEPS = (State.SUBMITTING, State.QUEUED, State.EXECUTING, State.SUCCEEDED, State.VERIFIED)
FAILED = (State.SUBMITTING, State.QUEUED, State.EXECUTING, State.LOOKING, State.FAILED)


def window(
    id_: str = "win-1", reason: str = "CHG-1234", account: str = "ACME", opened: float = START
) -> Window:
    """A window of the user op."""
    return Window(id_, PLACE, account, "op", opened, reason, opened + 7_200)


class Recorder:
    """Writes operations into a journal as the engine does, each state a second after the one before."""

    def __init__(self, path: Path) -> None:
        self.journal = JournalWriter(path, owner=Owner("here", 1, "then"), now=lambda: START)

    def operation(
        self,
        id_: str,
        of: Window,
        servers: Sequence[str],
        *,
        action: Action = Action.START_MAINTENANCE,
        batch: int = 100,
        steps: Sequence[State] = STEPS,
        failed: Collection[str] = (),
        message: str = "the job failed",
    ) -> None:
        """One operation, a wave for each batch; the servers ``failed`` take the steps to failed instead."""
        batches = tuple(
            Batch(number, number, "WA1", tuple(servers[first : first + batch]))
            for number, first in enumerate(range(0, len(servers), batch))
        )
        plan = Plan(action, batches)
        operation = Operation(id_, action, servers, window_id=of.id, reason=of.reason, started=of.opened)
        before = dict.fromkeys(servers, action is not Action.START_MAINTENANCE)
        self.journal.create(operation, plan, of, was_in_maintenance=before, max_failed=3)
        at = of.opened
        for one in batches:
            for step, state in enumerate(steps):
                at += 1
                record(
                    self.journal,
                    id_,
                    [
                        Target(server, FAILED[step], at, "wa1-7", message)
                        if server in failed
                        else Target(server, state, at, "wa1-7" if step else "")
                        for server in one.server_ids
                    ],
                )
        self.journal.end_all([(id_, at)])

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def fill_window(path: Path, rows: int, operations: int) -> None:
    """A window with ``rows`` servers in all its operations; the second one brings back those of the first."""
    each = rows // operations
    with closing(Recorder(path)) as recorder:
        for number in range(operations):
            first = 0 if number == 1 else number * each
            action = Action.STOP_MAINTENANCE if number == 1 else Action.START_MAINTENANCE
            ids = [f"WA1ACMEWEB{first + one:06}" for one in range(each)]
            recorder.operation(f"op-{number}", window(), ids, action=action, failed=ids[::50])
