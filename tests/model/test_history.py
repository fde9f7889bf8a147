"""The history of a line of text."""

from tui.model.history import History


def test_going_through_the_history_keeps_the_text_being_typed() -> None:
    history = History(["web", "db"])
    assert history.older("draf") == "db"
    assert history.older("db") == "web"
    assert history.older("web") == "web"
    assert history.newer("web") == "db"
    assert history.newer("db") == "draf"
    assert history.newer("draf") == "draf"


def test_each_line_is_kept_once_and_the_newest_is_last() -> None:
    history = History(["web", "db"])
    for line in ("web", "  ", "mail "):
        history.add(line)
    assert history.lines == ["db", "web", "mail"]
    assert history.older("") == "mail"


def test_the_history_keeps_a_hundred_lines() -> None:
    history = History(str(number) for number in range(1000))
    assert len(history.lines) == 100
    history.add("new")
    assert (len(history.lines), history.lines[-1]) == (100, "new")
