"""What carrying out an operation needs: the account's session, inventory, journal and pollers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tui.engine.clock import Clock
from tui.engine.events import Event
from tui.engine.options import Options
from tui.engine.session import Session

if TYPE_CHECKING:
    from tui.engine.inventory import Inventory
    from tui.engine.journal.thread import JournalThread
    from tui.engine.polling.tracker import Tracker
    from tui.engine.polling.verifier import Verifier


class RunContext(NamedTuple):
    """The parts of the engine that every operation at one endpoint and account shares."""

    session: Session
    account: str
    inventory: "Inventory"
    tracker: "Tracker"
    verifier: "Verifier"
    journal: "JournalThread"
    clock: Clock
    options: Options
    emit: Callable[[Event], None]
