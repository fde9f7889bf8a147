"""SECURITY.md's table: every row names tests that exist, and every test of this folder is in a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows() -> list[list[str]]:
    """Threat, defence and tests of each row, without the headings."""
    lines = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return [row for row in cells if not row[0].startswith("**")]


@cache
def names_of(path: Path) -> set[str]:
    """The names of the tests that pytest finds in a file."""
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def named_tests() -> Iterator[tuple[str, str]]:
    for row in rows():
        yield from TEST.findall(row[2])


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_each_row_has_a_defence_and_names_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 3
    assert row[1]
    tests = TEST.findall(row[2])
    assert tests
    assert TEST.sub("", row[2]).split() == [], "nothing but tests in the last column"
    for file, name in tests:
        assert name in names_of(ROOT / "tests" / file), f"{file} has no {name}"


def test_every_test_of_this_folder_is_named_in_the_table() -> None:
    assert len(rows()) >= 28
    in_table = {name for file, name in named_tests() if file.startswith("security/")}
    in_folder = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        if path.name != Path(__file__).name
        for name in names_of(path)
    }
    assert in_folder - in_table == set()
