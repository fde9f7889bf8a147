"""What the configuration file says, seen in the console."""

from pathlib import Path

import pytest

from tests.terminal.conftest import Run

LOADED = "Servers ── 240"
"""The list is there."""


def configure(home: Path, text: str) -> dict[str, str]:
    """Write a configuration file, and give the environment that leads to it."""
    (home / "config.toml").write_text(text)
    return {"PITSTOP_HOME": str(home)}


def test_columns_order_and_keys(pitstop: Run, tmp_path: Path) -> None:
    config = 'columns = ["cpu", "name:20"]\nsort = "-cpu"\n[keys]\n"mark" = "m"\n'
    terminal = pitstop("demo", env=configure(tmp_path, config))
    terminal.wait_for(LOADED)
    terminal.wait_for("▼")
    (heading,) = [line for line in terminal.screen() if "▼  Name" in line]
    assert "Power" not in heading
    terminal.press("m")
    terminal.wait_for("1 marked")


def test_a_filter_by_its_name(pitstop: Run, tmp_path: Path) -> None:
    terminal = pitstop("demo", env=configure(tmp_path, '[filters]\nnight = "dc:wa1 maint:on"\n'))
    terminal.wait_for(LOADED)
    terminal.press("/", *"@night", "enter")
    terminal.wait_for("4 of 240")


def test_the_list_is_read_again_by_itself(pitstop: Run, tmp_path: Path) -> None:
    terminal = pitstop("demo", env=configure(tmp_path, "refresh_interval = 1\n"))
    terminal.wait_for(LOADED)
    terminal.settle()
    before = terminal.total_bytes
    terminal.wait_for(lambda: terminal.total_bytes > before)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('columns = ["colour"]', "columns: there is no column 'colour'"),
        ('sort = "colour"', "sort: there is no column 'colour'"),
        ('keys = { "no.such" = "x" }', "there is no command 'no.such'"),
        ('keys = { "mark" = "s" }', "'s' is both"),
    ],
)
def test_what_means_nothing_is_told_before_the_screen_is_taken(
    pitstop: Run, tmp_path: Path, config: str, told: str
) -> None:
    terminal = pitstop("demo", env=configure(tmp_path, config))
    assert terminal.wait_exit() == 2
    assert told in terminal.text()
    assert b"\x1b" not in terminal.raw
