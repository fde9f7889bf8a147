"""Text from outside takes time, memory and stack in proportion to its length. Each case was once a bug."""

from __future__ import annotations

import io
import sys

import pytest

from tui.api import trees
from tui.api.errors import Oversized
from tui.api.limits import Limits
from tui.headless.output import Cell, write_rows
from tui.model.describe import raw_lines
from tui.model.fleet import Fleet
from tui.model.group import DataCenter
from tui.model.server import Server
from tui.model.ticket import find_servers

WA1 = DataCenter("WA1", root_group_id="a0")


def test_a_very_long_word_in_a_ticket_takes_linear_time() -> None:
    fleet = Fleet("ACME")
    fleet.replace(WA1, (), (Server(id="WA1ACMEWEB01", data_center="WA1"),), 0.0)
    found = find_servers(f"WA1{'a' * 300_000} wa1acmeweb01 WA1ACMEGONE07", fleet)
    assert found.ids == ("WA1ACMEWEB01",)
    assert found.unknown == ("WA1ACMEGONE07",)


def test_a_very_long_description_is_cut_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", terminal)
    write_rows(["id", "text"], [[Cell("A1"), Cell("é" * 100_000)], [Cell("A2"), Cell("東" * 100_000)]])
    lines = terminal.buffer.getvalue().decode().splitlines()
    assert [len(line) for line in lines[1:]] == [80, 42], "the width assumed where the terminal reports none"


def test_an_answer_of_the_deepest_allowed_nesting_is_shown_raw() -> None:
    """It is decoded on one thread and shown on another, where the stack is deeper already."""
    depth = 900
    details = trees.server(b'{"id": "A1", "x": ' + b"[" * depth + b"]" * depth + b"}")

    def further_down(frames: int) -> list[str]:
        return further_down(frames - 1) if frames else raw_lines(details)

    assert "[[[" in "".join(further_down(250)).replace(" ", "")


def test_entries_of_a_tree_that_are_no_servers_are_skipped_up_to_a_limit() -> None:
    body = b'{"id": "a0", "servers": [' + b"1," * 2000 + b'{"id": "A1"}]}'
    assert [server.id for server in trees.group_tree(body, WA1).servers] == ["A1"]
    with pytest.raises(Oversized, match="more than 1,000 entries that are none"):
        trees.group_tree(body, WA1, Limits(strays=1000))
