"""Which operations stay in memory."""

from tui.engine.operations.recent import KEEP, Recent
from tui.model.operation import Action, Operation


def operation(number: int) -> Operation:
    return Operation(f"op-{number}", Action.PAUSE, ["WA1A"])


def test_operations_under_way_and_the_newest_ended_ones_are_kept() -> None:
    recent = Recent()
    recent.add(operation(0))
    for number in range(1, KEEP + 10):
        recent.add(operation(number))
        recent.end(f"op-{number}")
    assert list(recent.operations) == ["op-0", *(f"op-{number}" for number in range(10, KEEP + 10))]


def test_a_resumed_operation_is_not_dropped() -> None:
    recent = Recent()
    for number in range(KEEP):
        recent.add(operation(number))
        recent.end(f"op-{number}")
    recent.add(operation(0))
    for number in range(KEEP, 2 * KEEP):
        recent.add(operation(number))
        recent.end(f"op-{number}")
    assert "op-0" in recent.operations
    recent.end("never-added")
    assert len(recent.operations) == KEEP + 1
