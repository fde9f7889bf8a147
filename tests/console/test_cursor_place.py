"""Where a cursor goes when its list shows other servers."""

from tui.console.widgets.cursor_place import CursorPlace, FilterOrigin

IDS = ["A", "B", "C", "D", "E"]


def place(line: int) -> CursorPlace:
    return CursorPlace(IDS[line], line, line, range(len(IDS)), IDS)


def index_by_id(*shown: str) -> dict[str, int]:
    return {id_: index for index, id_ in enumerate(shown)}


def test_the_cursor_stays_on_its_server_or_moves_to_the_next_below_or_above() -> None:
    assert place(2).find(index_by_id("A", "C", "D").get) == 1
    assert place(2).find(index_by_id("A", "B", "E").get) == 2
    assert place(2).find(index_by_id("A", "B").get) == 1
    assert place(2).find(index_by_id().get) == 0


def test_a_half_typed_filter_moves_the_cursor_only_until_it_is_complete() -> None:
    origin = FilterOrigin()
    origin.moved(place(2), "D")
    assert origin.before(place(3)) == place(2), "still where the filter put it"
    assert origin.before(place(1)) == place(1), "the operator moved it"
    origin.forget()
    assert origin.before(place(3)) == place(3)


def test_a_filter_that_keeps_the_cursors_server_clears_the_origin() -> None:
    origin = FilterOrigin()
    origin.moved(place(2), "D")
    origin.moved(place(2), "C")
    assert origin.before(place(3)) == place(3)
