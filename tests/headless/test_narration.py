"""What is told on stderr while it goes on."""

import io
import time

from tui.headless.narration import Narrator
from tui.model.operation import Action, Operation

OPERATION = Operation("op-1", Action.START_MAINTENANCE, ["A1", "A2"], account="ACME", window_id="", reason="")


def test_a_pause_that_was_asked_for_is_said_at_once_and_with_the_progress_while_it_lasts() -> None:
    stream, now = io.StringIO(), 0.0
    narrator = Narrator(stream, lambda: now)
    at = time.time() + 3600
    until = time.strftime("wait until %H:%M:%S", time.localtime(at))
    narrator.wait_until(at)
    narrator.progress(OPERATION)
    narrator.wait_until(time.time() - 1)
    now = 60.0
    narrator.progress(OPERATION)
    first, second, _, last = stream.getvalue().splitlines()
    assert first == f"the endpoint asks us to {until}"
    assert second.endswith(f", asked to {until}")
    assert "wait" not in last
