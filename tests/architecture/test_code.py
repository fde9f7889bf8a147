"""Habits of the code that no linter knows."""

import ast

import pytest

from tests.architecture.source import ROOT, modules

GUARDS = {"tui.cli", "tui.engine.engine"}
"""Where what nobody else caught ends: the top of the command line, the top of the engine's thread."""

LONG, TOO_LONG = 300, 600
"""Lines. Modules rarely pass the first, and never the second."""


def broad_handlers(tree: ast.AST) -> list[int]:
    """Lines of handlers that catch everything and keep it: neither named errors nor raised again."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            broad = any(
                kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
                for kind in caught
            )
            last = node.body[-1]
            if broad and not (isinstance(last, ast.Raise) and last.exc is None):
                found.append(node.lineno)
    return found


def test_nothing_is_swallowed_outside_the_two_guards() -> None:
    broad = [(module.name, line) for module in modules() for line in broad_handlers(module.tree)]
    assert {name for name, _ in broad} <= GUARDS, broad


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("try:\n    f()\nexcept Exception:\n    pass", [3]),
        ("try:\n    f()\nexcept:\n    log()", [3]),
        ("try:\n    f()\nexcept (ValueError, BaseException) as error:\n    log(error)", [3]),
        ("try:\n    f()\nexcept BaseException:\n    tidy()\n    raise", []),
        ("try:\n    f()\nexcept OSError:\n    pass", []),
    ],
)
def test_a_swallowed_error_is_found(source: str, lines: list[int]) -> None:
    assert broad_handlers(ast.parse(source)) == lines


def test_every_module_says_what_it_is() -> None:
    assert [module.name for module in modules() if not ast.get_docstring(module.tree)] == []


def test_modules_stay_small() -> None:
    sizes = {module.name: module.lines for module in modules()}
    longest = sorted(sizes, key=lambda name: -sizes[name])
    report = ", ".join(f"{name} {sizes[name]}" for name in longest[:8])
    assert max(sizes.values()) <= TOO_LONG, report
    assert sum(size > LONG for size in sizes.values()) <= len(sizes) / 10, report


def test_the_pinned_packages_name_no_place_to_install_from() -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]
    pinned = [line for line in text.splitlines() if "==" in line]
    assert len(pinned) > 20
    assert text.count("--hash=sha256:") >= len(pinned)
