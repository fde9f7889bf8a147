"""The history of a line of text."""

from tui.model.history import History


def test_goes_back_and_forth_and_keeps_what_is_being_typed() -> None:
    history = History(["web", "db"])
    assert history.older("draf") == "db"
    assert history.older("db") == "web"
    assert history.older("web") == "web"
    assert history.newer("web") == "db"
    assert history.newer("db") == "draf"
    assert history.newer("draf") == "draf"


def test_has_each_line_once_the_newest_last() -> None:
    history = History(["web", "db"])
    for line in ("web", "  ", "mail "):
        history.add(line)
    assert history.lines == ["db", "web", "mail"]
    assert history.older("") == "mail"


def test_does_not_grow_for_ever() -> None:
    history = History(str(number) for number in range(1000))
    assert len(history.lines) == 100
    history.add("new")
    assert (len(history.lines), history.lines[-1]) == (100, "new")
