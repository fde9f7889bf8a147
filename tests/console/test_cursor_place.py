"""Where a cursor goes when its list shows other servers."""

from tui.console.widgets.cursor_place import CursorPlace, FilterOrigin

IDS = ["A", "B", "C", "D", "E"]


def place(line: int) -> CursorPlace:
    return CursorPlace(IDS[line], line, line, range(len(IDS)), IDS)


def line_in(*shown: str) -> dict[str, int]:
    return {id_: index for index, id_ in enumerate(shown)}


def test_it_stays_on_its_server_else_goes_to_the_next_below_else_above() -> None:
    assert place(2).find(line_in("A", "C", "D").get) == 1
    assert place(2).find(line_in("A", "B", "E").get) == 2
    assert place(2).find(line_in("A", "B").get) == 1
    assert place(2).find(line_in().get) == 0


def test_half_a_filter_moves_the_cursor_only_until_the_rest_is_typed() -> None:
    origin = FilterOrigin()
    origin.moved(place(2), "D")
    assert origin.before(place(3)) == place(2), "still where the filter put it"
    assert origin.before(place(1)) == place(1), "somebody moved it"
    origin.forget()
    assert origin.before(place(3)) == place(3)


def test_a_filter_that_hides_no_cursor_is_not_remembered() -> None:
    origin = FilterOrigin()
    origin.moved(place(2), "D")
    origin.moved(place(2), "C")
    assert origin.before(place(3)) == place(3)
