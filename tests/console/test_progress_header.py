"""The lines above the results, drawn without a screen."""

from collections.abc import Iterable

from rich.style import Style

from tui.console.store import Store
from tui.console.widgets.progress_header import HINT, PROGRESS_LINES, Listing, ProgressHeader
from tui.model.operation import Action, Operation


def operation(number: int, *, ended: float | None = None) -> Operation:
    """An operation on one server that started ``number`` minutes after the first."""
    made = Operation(f"op-{number}", Action.START_MAINTENANCE, ["WA1ACMEWEB1"], started=60.0 * number)
    made.ended = ended
    return made


def header(operations: Iterable[Operation]) -> ProgressHeader:
    store = Store(clock=lambda: 600.0)
    store.operations = {one.id: one for one in operations}
    return ProgressHeader(store)


def text(of: ProgressHeader, y: int, listing: Listing, width: int = 80) -> str:
    return "".join(segment.text for segment in of.draw(y, listing, width, lambda _: Style(), focused=True))


def test_before_the_first_operation_it_says_how_to_begin() -> None:
    empty = header([])
    assert empty.height("") == 2
    assert text(empty, 1, Listing()) == HINT
    assert text(empty, 0, Listing()).rstrip("─") == "─ Results "


def test_the_listed_operation_and_the_newest_of_the_others_have_a_line() -> None:
    made = header([operation(number) for number in range(5)])
    assert [one.id for one in made.operations("op-0")] == ["op-0", "op-3", "op-4"]
    assert made.height("op-0") == 1 + PROGRESS_LINES
    assert text(made, 1, Listing("op-0")).startswith("▸ Start maintenance")
    assert text(made, 2, Listing("op-0")).startswith("  Start maintenance")
    assert text(made, 4, Listing("op-0")) == ""


def test_only_what_is_under_way_ticks() -> None:
    made = header([operation(0, ended=90.0), operation(1)])
    assert list(made.ticking("op-0")) == [2]


def test_the_title_says_which_operation_and_whether_the_list_follows() -> None:
    made = header([operation(0), operation(1)])
    for listing, note in (
        (Listing("op-1"), "following"),
        (Listing("op-1", following=False), "staying · end follows"),
        (Listing("op-1", following=False, unseen=1200), "+1,200 new · end follows"),
        (Listing("op-1", following=False, failures_first=True), "failures first"),
    ):
        title = text(made, 0, listing)
        assert "2 of 2 operations" in title
        assert title.endswith(f" {note} ─")
        assert len(title) == 80
