"""The effect of the configuration file on the console."""

from pathlib import Path

import pytest

from tests.terminal.conftest import Run

LOADED = "Servers ── 240"
"""Shown once the list has all servers."""


def configure(home: Path, text: str) -> dict[str, str]:
    """Write a configuration file; returns the environment that selects it."""
    (home / "config.toml").write_text(text)
    return {"PITSTOP_HOME": str(home)}


def test_the_settings_choose_columns_order_and_keys(pitstop: Run, tmp_path: Path) -> None:
    config = 'columns = ["cpu", "name:20"]\nsort = "-cpu"\n[keys]\n"mark" = "m"\n'
    terminal = pitstop("demo", env=configure(tmp_path, config))
    terminal.wait_for(LOADED)
    terminal.wait_for("▼")
    (heading,) = [line for line in terminal.screen() if "▼  Name" in line]
    assert "Power" not in heading
    terminal.press("m")
    terminal.wait_for("1 marked")


def test_a_filter_of_the_settings_can_be_used_by_name(pitstop: Run, tmp_path: Path) -> None:
    terminal = pitstop("demo", env=configure(tmp_path, '[filters]\nnight = "dc:wa1 maint:on"\n'))
    terminal.wait_for(LOADED)
    terminal.press("/", *"@night", "enter")
    terminal.wait_for("4 of 240")


def test_refresh_interval_reads_the_list_again(pitstop: Run, tmp_path: Path) -> None:
    terminal = pitstop("demo", env=configure(tmp_path, "refresh_interval = 1\n"))
    terminal.wait_for(LOADED)
    terminal.settle()
    before = terminal.total_bytes
    terminal.wait_for(lambda: terminal.total_bytes > before)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('columns = ["colour"]', "columns: there is no column 'colour'"),
        ('sort = "colour"', "sort: there is no column 'colour'"),
        ('keys = { "no.such" = "x" }', "there is no command 'no.such'"),
        ('keys = { "mark" = "s" }', "'s' is both"),
    ],
)
def test_invalid_settings_are_reported_before_the_screen_opens(
    pitstop: Run, tmp_path: Path, config: str, message: str
) -> None:
    terminal = pitstop("demo", env=configure(tmp_path, config))
    assert terminal.wait_exit() == 2
    assert message in terminal.text()
    assert b"\x1b" not in terminal.raw
