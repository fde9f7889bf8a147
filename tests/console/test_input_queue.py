"""Each key acts after the whole effect of the one before, however fast they come."""

from collections.abc import Sequence

import pytest
from textual.events import Key
from textual.widgets import Input

from tests.console.conftest import Console, OpenConsole
from tui.console.terminal.driver import KeysRead
from tui.console.terminal.input_queue import InputQueue
from tui.model.keystrokes import is_paste
from tui.settings.schema import Settings

NAMES = {" ": "space", "\r": "enter", "/": "slash"}


async def at_once(c: Console, *reads: Sequence[str]) -> None:
    """The terminal gives the keys of each read together, and all reads without a pause."""
    for keys in reads:
        c.app.post_message(
            KeysRead([Key(NAMES.get(key, key), key if len(key) == 1 else None) for key in keys])
        )
    await c.until(lambda: c.app.input_queue.current.event.time and c.app.input_queue.idle)
    await c.pilot.pause()
    await c.until(lambda: c.app.input_queue.idle)


async def test_a_named_filter_is_in_force_before_the_next_key(console: OpenConsole) -> None:
    async with console(12, settings=Settings(filters={"dbs": "db"})) as c:
        await c.press("ctrl+p", *"Filter: dbs")
        await at_once(c, ["enter"], ["a"])
        assert c.marked()
        assert all("DB" in id_ for id_ in c.marked())


async def test_a_filter_is_in_force_wherever_the_focus_goes_next(console: OpenConsole) -> None:
    async with console(12) as c:
        await at_once(c, ["/"], ["d"], ["b"], ["tab"], ["shift+tab"], ["enter"], ["a"])
        assert c.marked()
        assert all("DB" in id_ for id_ in c.marked())


async def test_a_filter_is_remembered_also_where_half_of_it_was_wrong(console: OpenConsole) -> None:
    async with console(12) as c:
        await at_once(c, "/", "p", "o", "w", "e", "r", ":")
        await c.until(lambda: c.servers.filter.wrong)
        await at_once(c, "o", "n", "\r")
        assert c.servers.filter.history.lines == ["power:on"]


async def test_several_characters_in_one_read_are_a_ticket(console: OpenConsole) -> None:
    async with console(12) as c:
        await at_once(c, "aesy")
        assert c.marked() == []
        assert "No server is named in the pasted text: aesy" in c.text().splitlines()[0]
        await at_once(c, "wa1acmeweb001")
        await c.until(lambda: "1 to mark" in c.text())
        assert c.marked() == []


async def test_alt_and_a_key_without_a_binding_is_escape_and_that_key(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("s")
        await at_once(c, ["alt+a"])
        assert c.app.screen is c.servers
        assert len(c.marked()) == 12, "the key behind Escape acts on the list"


@pytest.mark.parametrize("behind", [["ea"], ["e", "a"]], ids=["one read", "two"])
async def test_a_letter_answers_nothing_when_text_follows_however_it_comes(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch, behind: list[str]
) -> None:
    """Two letters in one read look like a paste."""
    monkeypatch.setattr("tui.console.dialog.ALONE_FOR", 60.0)
    async with console(12) as c:
        await c.press("space", "s", "enter")
        await at_once(c, "y")
        await at_once(c, *behind)
        assert c.app.screen.query_one("#reason", Input).value == "yea"


async def test_a_letter_answers_nothing_when_text_is_already_waiting(console: OpenConsole) -> None:
    """Its moment is over by the clock; but the machine, not the operator, has paused."""
    async with console(12) as c:
        await c.press("space", "s", "enter")
        c.app.input_queue.put([Key("y", "y")])
        c.app.input_queue.put([Key("e", "e")])
        await c.until(lambda: c.app.screen.query_one("#reason", Input).value == "ye")


async def test_a_letter_waits_for_input_that_was_not_read_yet(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[InputQueue] = []

    def has_unread_input(queue: InputQueue) -> bool:
        asked.append(queue)
        return True

    monkeypatch.setattr(InputQueue, "has_unread_input", has_unread_input)
    async with console(12) as c:
        await c.press("space", "s", "enter")
        await at_once(c, "y")
        await c.until(lambda: len(asked) > 1)
        await at_once(c, "e")
        assert c.app.screen.query_one("#reason", Input).value == "ye"
        monkeypatch.setattr(InputQueue, "has_unread_input", lambda self: False)
        await c.press("escape", "s", "enter", "y")
        await c.until(lambda: c.app.screen is c.servers)


async def test_what_is_typed_when_a_screen_changes_by_itself_is_dropped(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.console.terminal.input_queue.TYPING_PAUSE", 60.0)
    async with console(12) as c:
        c.app.input_queue.discard_typing()
        await c.press("a", "s")
        assert c.marked() == []
        assert c.app.screen is c.servers
        assert "did not go anywhere" in c.text().splitlines()[0]


@pytest.mark.parametrize(
    ("text", "pasted"),
    [
        ("s", False),
        ("aaaa", False),
        ("  ", False),
        ("  /web\r", False),
        ("/web\ra", False),
        ("\r\ta", False),
        ("sy", True),
        ("wa1acmeweb01", True),
        ("  wa1acmeweb01\r", True),
        ("s\t\tyearly", True),
    ],
)
def test_what_is_a_paste(text: str, pasted: bool) -> None:
    assert is_paste(text) is pasted
