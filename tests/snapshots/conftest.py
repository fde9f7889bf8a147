"""Snapshots are the same on every machine (time zone, colours, version); only one Python may update them."""

import sys
import time
from collections.abc import Iterator

import pytest
from textual.content import Content

from tests.console.conftest import parse_styles_once
from tui.console import dialog
from tui.console.screens import login
from tui.console.terminal import input_queue

__all__ = ["parse_styles_once"]

BASELINE = (3, 11)
"""The oldest supported Python: the stored snapshots are drawn with it."""


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to update the snapshots with another Python."""
    if config.getoption("update_snapshots", False) and sys.version_info[:2] != BASELINE:
        wanted = ".".join(map(str, BASELINE))
        raise pytest.UsageError(f"snapshots are updated with Python {wanted} only")


@pytest.fixture(autouse=True)
def fixed_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fix everything in the environment that would change a snapshot, and leave out the delays of dialogs."""
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
