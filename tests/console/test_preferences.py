"""Choices made in the console: applied at once, and saved for the next start."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.console.conftest import OpenConsole
from tui.console.actions import refresh as refreshing
from tui.console.preferences import Preferences
from tui.console.widgets.column_chooser import ColumnChooser
from tui.engine import events
from tui.settings.loader import load, save
from tui.settings.paths import Paths
from tui.settings.schema import Settings


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The files of one test."""
    return Paths(tmp_path / "config.toml", tmp_path / "state")


def saved_choices(paths: Paths) -> dict[str, Any]:
    """The contents of the file in which the program saves choices."""
    saved: dict[str, Any] = json.loads(paths.saved.read_text()) if paths.saved.exists() else {}
    return saved


async def test_chosen_columns_are_applied_and_saved(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        assert "Power" in c.text()
        await c.press("C")
        assert isinstance(c.app.screen, ColumnChooser)
        await c.press("down", "down", "space", "enter")
        assert "Power" not in c.text()
        await c.until(lambda: "power" not in saved_choices(paths).get("columns", ["power"]))
    settings = load(paths, {}).settings
    async with console(settings=settings, save=partial(save, paths)) as c:
        assert "Power" not in c.text()
        await c.press("C", "d", "enter")
        assert "Power" in c.text()
        await c.until(lambda: saved_choices(paths)["columns"] == [])


async def test_cancelling_the_column_chooser_saves_nothing(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("C", "down", "space", "escape")
        assert "Group" in c.text()
    assert saved_choices(paths) == {}


async def test_the_sort_order_is_saved(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("greater_than_sign", "equals_sign")
        await c.until(lambda: saved_choices(paths).get("sort") == "-group")
    async with console(settings=load(paths, {}).settings) as c:
        shown = c.servers.servers.shown
        assert (shown.column, shown.descending) == ("group", True)


async def test_the_filter_history_is_restored_after_a_restart(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("slash", *"db", "enter", "slash", "escape", *"web", "enter")
        await c.until(lambda: saved_choices(paths).get("history") == ["db", "web"])
    async with console(settings=load(paths, {}).settings) as c:
        await c.press("slash", "up", "up")
        assert c.servers.filter.text == "db"


async def test_a_filter_can_be_named_used_and_forgotten(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("slash", *"group:databases", "enter")
        await c.until(lambda: c.servers.servers.line_count() == 3)
        await c.press("ctrl+p", *"keep this", "enter")
        await c.press(*"my db", "enter")
        await c.until(lambda: "letters, digits" in c.text())
        await c.press("home", "delete", "delete", "delete", "enter")
        await c.until(lambda: saved_choices(paths).get("filters") == {"db": "group:databases"})
    async with console(settings=load(paths, {}).settings, save=partial(save, paths)) as c:
        await c.press("ctrl+p", *"filter: db", "enter")
        await c.until(lambda: c.servers.servers.line_count() == 3)
        assert c.servers.filter.text == "group:databases"
        await c.press("slash", "escape", *"@db !db004", "enter")
        await c.until(lambda: c.servers.servers.line_count() == 2)
        await c.press("ctrl+p", *"forget filter: db", "enter")
        await c.until(lambda: not any(load(paths, {}).settings.filters))
        await c.press("slash", "escape", *"@db", "enter")
        await c.until(lambda: "no filter named" in c.text())


async def test_a_filter_name_cannot_be_given_twice(console: OpenConsole) -> None:
    async with console(settings=Settings(filters={"db": "group:databases"})) as c:
        await c.press("slash", *"web", "enter", "ctrl+p", *"keep this", "enter", *"db", "enter")
        await c.until(lambda: "There is a filter named db" in c.text())
        await c.press("escape")
        assert c.app.settings.filters == {"db": "group:databases"}


async def test_the_number_of_matches_is_shown_while_typing(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("slash", *"db")
        await c.until(lambda: "3 of 12 ·" in c.text())
        await c.press("escape")
        await c.until(lambda: "words · field:value" in c.text())


async def test_a_choice_that_cannot_be_saved_is_applied_and_reported(console: OpenConsole) -> None:
    def full(**chosen: object) -> None:
        raise OSError(28, "No space left on device")

    async with console(save=full) as c:
        await c.press("greater_than_sign")
        await c.until(c.notifications)
        assert "cannot be kept for the next start: No space left on device" in c.notifications()[0]
        assert c.servers.servers.shown.column == "group"


def test_only_filters_that_changed_are_saved(paths: Paths) -> None:
    """Filters of another console and of the configuration file stay."""
    paths.config.write_text('[filters]\nmine = "web"\nother = "db"\n')
    preferences = Preferences(load(paths, {}).settings, partial(save, paths), print)
    save(paths, filters={"elsewhere": "maint:on"})
    preferences.choose(filters={"mine": "web", "new": "cpu:8"})
    preferences.close()
    assert saved_choices(paths)["filters"] == {"elsewhere": "maint:on", "new": "cpu:8", "other": ""}
    assert load(paths, {}).settings.filters == {"mine": "web", "elsewhere": "maint:on", "new": "cpu:8"}


class Timers:
    """Records timers; the test fires them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Any]] = []

    def later(self, node: object, seconds: float, callback: Any) -> "Timers":
        """Stands in for ``tui.console.later.later``."""
        self.waiting.append((seconds, callback))
        return self

    def cancel(self) -> None:
        """Cancel the newest timer; there is only one."""
        self.waiting.pop()

    def fire(self) -> None:
        """Fire the newest timer."""
        self.waiting.pop()[1]()


async def test_the_next_refresh_is_scheduled_only_after_the_reading_ended(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers()
    monkeypatch.setattr(refreshing, "later", timers.later)
    async with console(settings=Settings(refresh_interval=30)) as c:
        readings = len(c.engine.calls_to("refresh"))
        assert [seconds for seconds, _ in timers.waiting] == [30]
        c.engine.auto_answer = False
        timers.fire()
        assert len(c.engine.calls_to("refresh")) == readings + 1
        c.engine.emit(events.Latency(0.5))
        await c.until(lambda: c.store.latency == 0.5)
        assert timers.waiting == [], "the next one waits for a reading that takes long"
        c.engine.emit(events.FleetFailed("no answer"))
        await c.until(lambda: timers.waiting)
        await c.press("r")
        assert timers.waiting == [], "a reading by hand replaces the scheduled one"


async def test_the_refresh_interval_is_applied_and_saved(
    console: OpenConsole, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers()
    monkeypatch.setattr(refreshing, "later", timers.later)
    async with console(save=partial(save, paths)) as c:
        assert timers.waiting == []
        await c.press("ctrl+p", *"refresh 1m", "enter")
        assert [seconds for seconds, _ in timers.waiting] == [60]
        await c.press("ctrl+p", *"refresh 5m", "enter")
        assert [seconds for seconds, _ in timers.waiting] == [300]
        await c.until(lambda: saved_choices(paths).get("refresh_interval") == 300)
        await c.press("ctrl+p", *"refresh off", "enter")
        assert timers.waiting == []
        await c.until(lambda: saved_choices(paths).get("refresh_interval") == 0)
