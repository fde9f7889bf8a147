"""Each key acts only after the full effect of the key before it, however fast they arrive."""

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


async def send_reads(c: Console, *reads: Sequence[str]) -> None:
    """Send reads of the terminal without a pause between them; each read holds several keys."""
    for keys in reads:
        c.app.post_message(
            KeysRead([Key(NAMES.get(key, key), key if len(key) == 1 else None) for key in keys])
        )
    await c.until(lambda: c.app.input_queue.current.event.time and c.app.input_queue.idle)
    await c.pilot.pause()
    await c.until(lambda: c.app.input_queue.idle)


async def test_a_named_filter_is_applied_before_the_next_key(console: OpenConsole) -> None:
    async with console(12, settings=Settings(filters={"dbs": "db"})) as c:
        await c.press("ctrl+p", *"Filter: dbs")
        await send_reads(c, ["enter"], ["a"])
        assert c.marked()
        assert all("DB" in id_ for id_ in c.marked())


async def test_a_typed_filter_is_applied_before_the_focus_moves(console: OpenConsole) -> None:
    async with console(12) as c:
        await send_reads(c, ["/"], ["d"], ["b"], ["tab"], ["shift+tab"], ["enter"], ["a"])
        assert c.marked()
        assert all("DB" in id_ for id_ in c.marked())


async def test_a_filter_enters_the_history_even_if_half_of_it_did_not_parse(console: OpenConsole) -> None:
    async with console(12) as c:
        await send_reads(c, "/", "p", "o", "w", "e", "r", ":")
        await c.until(lambda: c.servers.filter.wrong)
        await send_reads(c, "o", "n", "\r")
        assert c.servers.filter.history.lines == ["power:on"]


async def test_several_characters_in_one_read_are_taken_as_a_ticket(console: OpenConsole) -> None:
    async with console(12) as c:
        await send_reads(c, "aesy")
        assert c.marked() == []
        assert "No server is named in the pasted text: aesy" in c.text().splitlines()[0]
        await send_reads(c, "wa1acmeweb001")
        await c.until(lambda: "1 to mark" in c.text())
        assert c.marked() == []


async def test_alt_with_an_unbound_key_acts_as_escape_and_that_key(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("s")
        await send_reads(c, ["alt+a"])
        assert c.app.screen is c.servers
        assert len(c.marked()) == 12, "the key after Escape acts on the list"


@pytest.mark.parametrize("following_reads", [["ea"], ["e", "a"]], ids=["one-read", "two-reads"])
async def test_a_letter_followed_by_more_text_does_not_answer_a_dialog(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch, following_reads: list[str]
) -> None:
    """Two letters in one read look like a paste."""
    monkeypatch.setattr("tui.console.dialog.ALONE_FOR", 60.0)
    async with console(12) as c:
        await c.press("space", "s", "enter")
        await send_reads(c, "y")
        await send_reads(c, *following_reads)
        assert c.app.screen.query_one("#reason", Input).value == "yea"


async def test_a_letter_with_text_queued_behind_it_does_not_answer_a_dialog(console: OpenConsole) -> None:
    """The time for more text is over, but only because the machine was slow: the text is queued already."""
    async with console(12) as c:
        await c.press("space", "s", "enter")
        c.app.input_queue.put([Key("y", "y")])
        c.app.input_queue.put([Key("e", "e")])
        await c.until(lambda: c.app.screen.query_one("#reason", Input).value == "ye")


async def test_a_letter_answers_only_when_no_unread_input_is_left(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[InputQueue] = []

    def has_unread_input(queue: InputQueue) -> bool:
        checks.append(queue)
        return True

    monkeypatch.setattr(InputQueue, "has_unread_input", has_unread_input)
    async with console(12) as c:
        await c.press("space", "s", "enter")
        await send_reads(c, "y")
        await c.until(lambda: len(checks) > 1)
        await send_reads(c, "e")
        assert c.app.screen.query_one("#reason", Input).value == "ye"
        monkeypatch.setattr(InputQueue, "has_unread_input", lambda self: False)
        await c.press("escape", "s", "enter", "y")
        await c.until(lambda: c.app.screen is c.servers)


async def test_keys_typed_while_a_screen_changes_by_itself_are_dropped(
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
        ("\r/web", True),
        ("X/web", True),
    ],
)
def test_which_texts_count_as_a_paste(text: str, pasted: bool) -> None:
    assert is_paste(text) is pasted
