"""The preview of the servers that a ticket names, before they are marked."""

import pytest
from textual.app import App
from textual.events import Paste

from tests.console.list_host import fleet_of, lines, server
from tui.console.theme import THEME
from tui.console.widgets.ticket_preview import FoundList, TicketPreview
from tui.model.ticket import find_servers

TEXT = "please take wa1acmeweb1, WA1ACMEWEB2 and WA1ACMEWEB3; not WA1ACMEGONE1"


class Host(App[None]):
    answer: tuple[str, ...] | None = None

    def __init__(self, text: str) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        fleet = fleet_of(server(number) for number in range(1, 5))
        self.preview = TicketPreview(text, lambda text: find_servers(text, fleet, {"WA1ACMEWEB3"}), fleet)

    def on_mount(self) -> None:
        self.push_screen(self.preview, self.record_answer)

    def record_answer(self, ids: tuple[str, ...] | None) -> None:
        self.answer = ids


async def test_the_preview_lists_found_marked_and_unknown_servers() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(100, 30)):
        shown = [line.split() for line in lines(app.preview.query_one(FoundList)) if line.strip()]
        assert [line[0] if line[0] != "▌" else line[1] for line in shown] == [
            "WA1ACMEGONE1", "WA1ACMEWEB1", "WA1ACMEWEB2", "WA1ACMEWEB3",
        ]  # fmt: skip
        assert "not known here" in " ".join(shown[0])
        assert "marked already" in " ".join(shown[3])


@pytest.mark.parametrize(
    ("key", "answer"), [("m", ("WA1ACMEWEB1", "WA1ACMEWEB2")), ("escape", ()), ("q", ())]
)
async def test_m_marks_the_servers_and_escape_or_q_cancels(key: str, answer: tuple[str, ...]) -> None:
    app = Host(TEXT)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(key)
        assert app.answer == answer


async def test_a_paste_in_several_pieces_is_searched_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow connection may cut it anywhere, even inside an id."""
    monkeypatch.setattr("tui.console.widgets.ticket_preview.ONE_PASTE", 60.0)
    app = Host("please take wa1acmeweb1, WA1ACM")
    async with app.run_test(size=(100, 30)) as pilot:
        app.preview.post_message(Paste("EWEB2 and WA1ACMEWEB4"))
        await pilot.pause()
        assert app.preview.found.unknown == ()
        await pilot.press("m")
        assert app.answer == ("WA1ACMEWEB1", "WA1ACMEWEB2", "WA1ACMEWEB4")


async def test_a_second_paste_is_searched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.console.widgets.ticket_preview.ONE_PASTE", 0.0)
    app = Host("WA1ACMEWEB1")
    async with app.run_test(size=(100, 30)) as pilot:
        app.preview.post_message(Paste("WA1ACMEWEB2"))
        await pilot.pause()
        await pilot.press("m")
        assert app.answer == ("WA1ACMEWEB1", "WA1ACMEWEB2")


async def test_m_does_nothing_when_no_server_is_named() -> None:
    app = Host("lunch at noon")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("m")
        assert app.answer is None
        await pilot.press("escape")
        assert app.answer == ()
