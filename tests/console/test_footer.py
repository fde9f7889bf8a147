"""The last line belongs to the pane that has the focus."""

import pytest

from tests.console.conftest import OpenConsole
from tui.console.commands import CommandContext, Pane
from tui.console.footer import hints

BUSY = CommandContext(
    chosen=2, marked=2, shown=9, operations=2, unsent=1, details=True, still_in_maintenance=1
)


def words(pane: Pane, width: int) -> list[str]:
    return [text for _, text in hints(BUSY, pane, {}, width)]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(
    ("pane", "own"),
    [
        (Pane.GROUPS, ["enter show group", "space mark group"]),
        (Pane.RESULTS, ["f failures"]),
        (Pane.FILTER, ["enter keep", "esc clear", "↑↓ older"]),
        (Pane.LIST, ["space mark"]),
    ],
)
def test_the_keys_of_the_pane_come_first(pane: Pane, own: list[str], width: int) -> None:
    shown = words(pane, width)
    assert shown[: len(own)] == own
    assert sum(map(len, shown)) + 2 * (len(shown) - 1) <= width


def test_each_pane_says_all_it_can_where_there_is_room() -> None:
    assert set(words(Pane.RESULTS, 200)) >= {"f failures", "l follow", "o other", "z larger"}
    assert {"l follow", "z larger", "j raw"}.isdisjoint(words(Pane.LIST, 200))
    assert "j raw" in words(Pane.DETAILS, 200)
    assert {"space mark", "enter details"}.isdisjoint(words(Pane.GROUPS, 200))


def test_no_letter_is_offered_where_letters_are_typed() -> None:
    keys = [text.split()[0] for text in words(Pane.FILTER, 200)]
    assert all(len(key) > 1 for key in keys)
    assert {"F1", "ctrl+q"} <= set(keys)


async def test_the_footer_follows_the_focus(console: OpenConsole) -> None:
    async with console(size=(120, 40)) as c:

        def footer() -> str:
            return c.text().splitlines()[-1]

        assert "space mark" in footer()
        c.servers.groups.focus()
        await c.until(lambda: "enter show group" in footer())
        await c.press("slash")
        await c.until(lambda: "enter keep" in footer())
        assert "  q quit" not in footer()
        await c.press("escape")
        await c.until(lambda: "space mark" in footer())
        c.servers.results.focus()
        await c.until(lambda: "l follow" in footer())
