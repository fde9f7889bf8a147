"""The footer shows the keys of the pane that has the focus."""

import pytest

from tests.console.conftest import OpenConsole
from tui.console.commands import CommandContext, Pane
from tui.console.footer import hints

BUSY = CommandContext(
    chosen=2, marked=2, shown=9, operations=2, unsent=1, details=True, still_in_maintenance=1
)


def hint_texts(pane: Pane, width: int) -> list[str]:
    return [text for _, text in hints(BUSY, pane, {}, width)]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(
    ("pane", "first_hints"),
    [
        (Pane.GROUPS, ["enter show group", "space mark group"]),
        (Pane.RESULTS, ["f failures"]),
        (Pane.FILTER, ["enter keep", "esc clear", "↑↓ older"]),
        (Pane.LIST, ["space mark"]),
    ],
)
def test_the_keys_of_the_pane_are_listed_first(pane: Pane, first_hints: list[str], width: int) -> None:
    shown = hint_texts(pane, width)
    assert shown[: len(first_hints)] == first_hints
    assert sum(map(len, shown)) + 2 * (len(shown) - 1) <= width


def test_a_wide_footer_lists_all_keys_of_the_pane_and_of_no_other() -> None:
    assert set(hint_texts(Pane.RESULTS, 200)) >= {"f failures", "l follow", "o other", "z larger"}
    assert {"l follow", "z larger", "j raw"}.isdisjoint(hint_texts(Pane.LIST, 200))
    assert "j raw" in hint_texts(Pane.DETAILS, 200)
    assert {"space mark", "enter details"}.isdisjoint(hint_texts(Pane.GROUPS, 200))


def test_the_filter_pane_offers_no_single_letter_keys() -> None:
    keys = [text.split()[0] for text in hint_texts(Pane.FILTER, 200)]
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
