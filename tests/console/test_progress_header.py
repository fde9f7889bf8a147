"""The header of the results with its progress lines, drawn without a screen."""

from collections.abc import Iterable

from rich.style import Style

from tui.console.store import Store
from tui.console.widgets.progress_header import HINT, PROGRESS_LINES, Listing, ProgressHeader
from tui.model.operation import Action, Operation


def operation(number: int, *, ended: float | None = None) -> Operation:
    """An operation on one server that started ``number`` minutes after the first."""
    result = Operation(f"op-{number}", Action.START_MAINTENANCE, ["WA1ACMEWEB1"], started=60.0 * number)
    result.ended = ended
    return result


def make_header(operations: Iterable[Operation]) -> ProgressHeader:
    store = Store(clock=lambda: 600.0)
    store.operations = {one.id: one for one in operations}
    return ProgressHeader(store)


def text(header: ProgressHeader, y: int, listing: Listing, width: int = 80) -> str:
    return "".join(
        segment.text for segment in header.draw(y, listing, width, lambda _: Style(), focused=True)
    )


def test_before_the_first_operation_the_header_shows_a_hint() -> None:
    empty = make_header([])
    assert empty.height("") == 2
    assert text(empty, 1, Listing()) == HINT
    assert text(empty, 0, Listing()).rstrip("─") == "─ Results "


def test_the_header_shows_the_listed_operation_and_the_newest_others() -> None:
    header = make_header([operation(number) for number in range(5)])
    assert [one.id for one in header.operations("op-0")] == ["op-0", "op-3", "op-4"]
    assert header.height("op-0") == 1 + PROGRESS_LINES
    assert text(header, 1, Listing("op-0")).startswith("▸ Start maintenance")
    assert text(header, 2, Listing("op-0")).startswith("  Start maintenance")
    assert text(header, 4, Listing("op-0")) == ""


def test_only_the_lines_of_running_operations_tick() -> None:
    header = make_header([operation(0, ended=90.0), operation(1)])
    assert list(header.ticking("op-0")) == [2]


def test_the_title_names_the_operation_and_whether_the_list_follows() -> None:
    header = make_header([operation(0), operation(1)])
    for listing, note in (
        (Listing("op-1"), "following"),
        (Listing("op-1", following=False), "staying · end follows"),
        (Listing("op-1", following=False, unseen=1200), "+1,200 new · end follows"),
        (Listing("op-1", following=False, failures_first=True), "failures first"),
    ):
        title = text(header, 0, listing)
        assert "2 of 2 operations" in title
        assert title.endswith(f" {note} ─")
        assert len(title) == 80
