"""Pictures are the same on every machine (zone, colours, version) and drawn anew on one Python only."""

import sys
import time
from collections.abc import Iterator

import pytest
from textual.content import Content

from tests.console.conftest import styles_parsed_once
from tui.console import dialog
from tui.console.screens import login
from tui.console.terminal import input_queue

__all__ = ["styles_parsed_once"]

BASELINE = (3, 11)
"""The oldest Python that is supported: what it draws is what is kept."""


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to overwrite pictures with those of another Python."""
    if config.getoption("update_snapshots", False) and sys.version_info[:2] != BASELINE:
        wanted = ".".join(map(str, BASELINE))
        raise pytest.UsageError(f"snapshots are drawn anew with Python {wanted} only")


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the environment would change in a picture."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(
        login, "TITLE", Content("pitstop  VERSION\nMaintenance windows on CenturyLink Cloud v2")
    )
    for pause in ("PAINTED_FOR", "ALONE_FOR"):
        monkeypatch.setattr(dialog, pause, 0.0)
    monkeypatch.setattr(input_queue, "TYPING_PAUSE", 0.0)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
