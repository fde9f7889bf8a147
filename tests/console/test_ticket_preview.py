"""What a ticket names, before it is marked."""

import pytest
from textual.app import App

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
        self.preview = TicketPreview(find_servers(text, fleet, {"WA1ACMEWEB3"}), fleet)

    def on_mount(self) -> None:
        self.push_screen(self.preview, self.answered)

    def answered(self, ids: tuple[str, ...] | None) -> None:
        self.answer = ids


async def test_shows_found_marked_and_unknown() -> None:
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
async def test_one_key_marks_and_one_leaves(key: str, answer: tuple[str, ...]) -> None:
    app = Host(TEXT)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(key)
        assert app.answer == answer


async def test_nothing_to_mark_marks_nothing() -> None:
    app = Host("lunch at noon")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("m")
        assert app.answer is None
        await pilot.press("escape")
        assert app.answer == ()
