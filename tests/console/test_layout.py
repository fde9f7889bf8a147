"""The layout at usual terminal sizes: what is visible, covered or cut."""

from itertools import pairwise

import pytest
from textual.widget import Widget

from tests.console.conftest import Console, OpenConsole
from tests.console.textual_screen import is_visible
from tui.console.screens.ask import ask_to_cancel
from tui.console.screens.prompt import PromptScreen
from tui.console.screens.quit import QuitScreen
from tui.console.theme import to_ascii
from tui.console.widgets.progress import bar
from tui.model.operation import State

LONG = (
    "its job failed because the platform could not reach the agent in time; the server did not change at all"
)
SIZES = [(60, 15), (80, 24), (120, 40)]


async def start_operation(c: Console, *keys: str) -> None:
    """Start an operation on a few servers, and let one of them fail."""
    await c.press(*(keys or ("space",) * 2), "s", "enter", "y")
    await c.until(lambda: c.engine.operations)
    ids = list(c.engine.operations["op-1"].targets)
    c.engine.progress("op-1", State.SUBMITTING)
    c.engine.progress("op-1", State.QUEUED)
    c.engine.progress("op-1", State.FAILED, ids[:1], message=LONG)
    await c.until(lambda: "1 failed" in c.text() or "✗1" in c.text())


async def show_notifications(c: Console) -> list[Widget]:
    """Show three notifications; returns those that are visible."""
    for number in range(3):
        c.app.notify(f"{number}: {LONG}", markup=False)
    await c.until(lambda: len(c.app.screen.query("Toast")) >= 3)
    await c.pilot.pause()
    return [toast for toast in c.app.screen.query("Toast") if is_visible(toast)]


def overlaps(one: Widget, other: Widget) -> bool:
    """Whether two widgets overlap."""
    return bool(one.region.intersection(other.region))


@pytest.mark.parametrize("size", SIZES[1:])
async def test_notifications_do_not_cover_the_results(console: OpenConsole, size: tuple[int, int]) -> None:
    async with console(30, size=size) as c:
        await start_operation(c)
        notifications = await show_notifications(c)
        assert notifications
        assert not any(overlaps(toast, c.servers.results) for toast in notifications)
        assert not any(overlaps(toast, c.servers.status) for toast in notifications)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dialog", ["confirm", "ask", "prompt", "quit"])
async def test_notifications_do_not_cover_the_question_of_a_dialog(
    console: OpenConsole, size: tuple[int, int], dialog: str
) -> None:
    async with console(70, size=size) as c:
        if dialog == "confirm":
            await c.press("a", "s")
        elif dialog == "ask":
            await c.app.push_screen(ask_to_cancel(7, 70))
        elif dialog == "prompt":
            await c.app.push_screen(PromptScreen("Which file?", "Some text", yes="read"))
        else:
            await c.app.push_screen(QuitScreen(c.store, can_bring_back=True))
        await c.pilot.pause()
        notifications = await show_notifications(c)
        assert notifications
        parts = c.app.screen.query(".question, #question, .choices, #choices")
        assert len(parts) == 2
        for part in parts:
            assert part.region.height >= 1
            assert not any(overlaps(toast, part) for toast in notifications)


async def test_the_title_line_of_the_results_is_as_wide_as_the_terminal(console: OpenConsole) -> None:
    async with console(size=(120, 40)) as c:
        for width in (80, 120, 100):
            await c.pilot.resize_terminal(width, 30)
            await c.pilot.pause()
            rule = next(line for line in c.text().splitlines() if line.startswith("─ Results"))
            assert len(rule) == width


def test_a_progress_bar_shows_failures_without_colours() -> None:
    good, bad, rest = bar(5, 3, 10, 20)
    assert len({good[0], bad[0], rest[0]}) == 3
    assert len({to_ascii(good)[0], to_ascii(bad)[0], to_ascii(rest)[0]}) == 3


@pytest.mark.parametrize("size", SIZES)
async def test_the_details_show_the_whole_message_of_a_result(
    console: OpenConsole, size: tuple[int, int]
) -> None:
    async with console(30, size=size) as c:
        await start_operation(c)
        c.servers.results.focus()
        await c.press("f", "enter")
        assert c.servers.details.server is not None
        shown = " ".join(line.strip() for line, _ in c.servers.details.lines)
        assert LONG in shown
        await c.press("down")
        other = list(c.engine.operations["op-1"].targets)[1]
        await c.until(lambda: c.servers.details.server and c.servers.details.server.id == other)


@pytest.mark.parametrize("size", SIZES[:2])
async def test_in_a_narrow_terminal_the_details_open_below_the_list(
    console: OpenConsole, size: tuple[int, int]
) -> None:
    async with console(30, size=size) as c:
        await c.press("enter")
        await c.pilot.pause()
        details, servers = c.servers.details.region, c.servers.servers.region
        assert details.width == servers.width == size[0]
        assert details.y == servers.bottom
        assert min(details.height, servers.height) >= 5
        await c.press("enter")
        assert c.servers.servers.region.height > servers.height


@pytest.mark.parametrize("size", SIZES)
async def test_the_group_tree_leaves_room_for_the_list(console: OpenConsole, size: tuple[int, int]) -> None:
    async with console(30, size=size) as c:
        c.servers.remove_class("-no-groups").add_class("-groups")
        await c.pilot.pause()
        assert c.servers.groups.region.width >= 24
        assert c.servers.servers.region.width >= 30
        assert "WA1ACMEWEB001" in c.text()
        assert "Maint" in c.text()


@pytest.mark.parametrize("size", SIZES)
async def test_the_help_uses_the_width_and_keeps_its_columns(
    console: OpenConsole, size: tuple[int, int]
) -> None:
    async with console(size=size) as c:
        await c.press("question_mark")
        await c.pilot.pause()
        page = c.app.screen.query_one("#page")
        drawn = str(c.app.screen.query_one("#text").render()).splitlines()
        width = page.scrollable_content_region.width
        assert max(map(len, drawn)) <= width
        assert width >= min(size[0] - 6, 100)
        for line, following in pairwise(drawn):
            if line.startswith("ctrl+space") and following.startswith(" "):
                assert following[:30].isspace(), "wrapped text continues in its own column"
        text = "\n".join(drawn)
        for sign in ("▌", "✓", "+", "•", "●"):
            assert any(line.startswith(f"{sign} ") for line in text.splitlines()), sign
        if size[0] >= 120:
            assert not any(line[:30].isspace() for line in drawn if line), (
                "no line is wrapped where there is room"
            )
