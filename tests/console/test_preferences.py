"""What is chosen in the console: in force at once, and kept for the next start."""

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
    """Files of their own."""
    return Paths(tmp_path / "config.toml", tmp_path / "state")


def kept(paths: Paths) -> dict[str, Any]:
    """What is in the file of the program's own."""
    found: dict[str, Any] = json.loads(paths.saved.read_text()) if paths.saved.exists() else {}
    return found


async def test_columns_are_chosen_and_kept(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        assert "Power" in c.text()
        await c.press("C")
        assert isinstance(c.app.screen, ColumnChooser)
        await c.press("down", "down", "space", "enter")
        assert "Power" not in c.text()
        await c.until(lambda: "power" not in kept(paths).get("columns", ["power"]))
    settings = load(paths, {}).settings
    async with console(settings=settings, save=partial(save, paths)) as c:
        assert "Power" not in c.text()
        await c.press("C", "d", "enter")
        assert "Power" in c.text()
        await c.until(lambda: kept(paths)["columns"] == [])


async def test_leaving_the_columns_as_they_were_writes_nothing(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("C", "down", "space", "escape")
        assert "Group" in c.text()
    assert kept(paths) == {}


async def test_the_order_is_kept(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("greater_than_sign", "equals_sign")
        await c.until(lambda: kept(paths).get("sort") == "-group")
    async with console(settings=load(paths, {}).settings) as c:
        shown = c.servers.servers.shown
        assert (shown.column, shown.descending) == ("group", True)


async def test_what_was_typed_as_a_filter_comes_back_after_a_restart(
    console: OpenConsole, paths: Paths
) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("slash", *"db", "enter", "slash", "escape", *"web", "enter")
        await c.until(lambda: kept(paths).get("history") == ["db", "web"])
    async with console(settings=load(paths, {}).settings) as c:
        await c.press("slash", "up", "up")
        assert c.servers.filter.text == "db"


async def test_a_filter_is_named_used_and_forgotten(console: OpenConsole, paths: Paths) -> None:
    async with console(save=partial(save, paths)) as c:
        await c.press("slash", *"group:databases", "enter")
        await c.until(lambda: c.servers.servers.line_count() == 3)
        await c.press("ctrl+p", *"keep this", "enter")
        await c.press(*"my db", "enter")
        await c.until(lambda: "letters, digits" in c.text())
        await c.press("home", "delete", "delete", "delete", "enter")
        await c.until(lambda: kept(paths).get("filters") == {"db": "group:databases"})
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


async def test_a_name_is_not_given_twice(console: OpenConsole) -> None:
    async with console(settings=Settings(filters={"db": "group:databases"})) as c:
        await c.press("slash", *"web", "enter", "ctrl+p", *"keep this", "enter", *"db", "enter")
        await c.until(lambda: "There is a filter named db" in c.text())
        await c.press("escape")
        assert c.app.settings.filters == {"db": "group:databases"}


async def test_the_number_found_is_told_while_typing(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("slash", *"db")
        await c.until(lambda: "3 of 12 ·" in c.text())
        await c.press("escape")
        await c.until(lambda: "words · field:value" in c.text())


async def test_a_choice_that_cannot_be_kept_holds_and_is_told(console: OpenConsole) -> None:
    def full(**chosen: object) -> None:
        raise OSError(28, "No space left on device")

    async with console(save=full) as c:
        await c.press("greater_than_sign")
        await c.until(c.told)
        assert "cannot be kept for the next start: No space left on device" in c.told()[0]
        assert c.servers.servers.shown.column == "group"


def test_only_filters_that_changed_are_saved(paths: Paths) -> None:
    """Another console's filters stay, and so do those of the configuration file."""
    paths.config.write_text('[filters]\nmine = "web"\nother = "db"\n')
    preferences = Preferences(load(paths, {}).settings, partial(save, paths), print)
    save(paths, filters={"elsewhere": "maint:on"})
    preferences.choose(filters={"mine": "web", "new": "cpu:8"})
    preferences.close()
    assert kept(paths)["filters"] == {"elsewhere": "maint:on", "new": "cpu:8", "other": ""}
    assert load(paths, {}).settings.filters == {"mine": "web", "elsewhere": "maint:on", "new": "cpu:8"}


class Timers:
    """What is asked for later, until the test has it happen."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Any]] = []

    def later(self, node: object, seconds: float, callback: Any) -> "Timers":
        """As ``tui.console.later``."""
        self.waiting.append((seconds, callback))
        return self

    def cancel(self) -> None:
        """Only the newest is asked for."""
        self.waiting.pop()

    def fire(self) -> None:
        """The time has come."""
        self.waiting.pop()[1]()


async def test_the_servers_are_read_again_only_after_the_last_reading_ended(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers()
    monkeypatch.setattr(refreshing, "later", timers.later)
    async with console(settings=Settings(refresh_interval=30)) as c:
        readings = len(c.engine.asked_for("refresh"))
        assert [seconds for seconds, _ in timers.waiting] == [30]
        c.engine.willing = False
        timers.fire()
        assert len(c.engine.asked_for("refresh")) == readings + 1
        c.engine.tell(events.Latency(0.5))
        await c.until(lambda: c.store.latency == 0.5)
        assert timers.waiting == [], "a reading that takes long is waited for"
        c.engine.tell(events.FleetFailed("no answer"))
        await c.until(lambda: timers.waiting)
        await c.press("r")
        assert timers.waiting == [], "a reading by hand takes its place"


async def test_the_interval_is_chosen_and_kept(
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
        await c.until(lambda: kept(paths).get("refresh_interval") == 300)
        await c.press("ctrl+p", *"refresh off", "enter")
        assert timers.waiting == []
        await c.until(lambda: kept(paths).get("refresh_interval") == 0)
