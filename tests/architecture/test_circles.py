"""No module imports itself, through however many others."""

import ast

import pytest

from tests.architecture.source import Module, imports, modules


def import_cycles(source: tuple[Module, ...], *, deferred: bool) -> list[list[str]]:
    """Groups of modules that all import each other, directly or through others.

    With ``deferred`` imports in functions and under TYPE_CHECKING count as well.
    """
    names = {module.name for module in source}
    graph: dict[str, set[str]] = {}
    for module in source:
        found = (one.name for one in imports(module) if deferred or not one.deferred)
        targets = (name if name in names else name.rpartition(".")[0] for name in found)
        graph[module.name] = {name for name in targets if name in names} - {module.name}
    reached = {name: _reachable(graph, name) for name in graph}
    groups = {tuple(sorted(other for other in reached[name] if name in reached[other])) for name in graph}
    return sorted(list(group) for group in groups if group)


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def test_there_are_no_import_cycles() -> None:
    assert import_cycles(modules(), deferred=True) == []


@pytest.mark.parametrize(
    ("first", "deferred", "found"),
    [
        ("from tui import b", False, True),
        ("import tui.b", False, True),
        ("from tui.b import name", False, True),
        ("def f():\n    from tui.b import name", True, True),
        ("def f():\n    from tui.b import name", False, False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tui.b import name", True, True),
        ("import b", True, False),
    ],
)
def test_an_import_cycle_is_found(first: str, deferred: bool, found: bool) -> None:
    path = modules()[0].path.parent
    source = tuple(
        Module(path / f"{name}.py", f"tui.{name}", ast.parse(text), 1)
        for name, text in {"a": first, "b": "from tui.c import name", "c": "from tui import a"}.items()
    )
    assert bool(import_cycles(source, deferred=deferred)) is found
