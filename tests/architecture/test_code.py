"""Rules of the code that no linter checks."""

import ast

import pytest

from tests.architecture.source import ROOT, modules

CATCH_ALLS = {"tui.cli", "tui.engine.engine"}
"""The modules that may catch every exception: the top of the command line, and of the engine's thread."""

LONG, TOO_LONG = 300, 600
"""Lines. One module in ten may be longer than the first; none may be longer than the second."""


def broad_handlers(tree: ast.AST) -> list[int]:
    """Line numbers of handlers that catch every exception and do not raise it again."""
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


def test_only_two_modules_catch_every_exception() -> None:
    broad = [(module.name, line) for module in modules() for line in broad_handlers(module.tree)]
    assert {name for name, _ in broad} <= CATCH_ALLS, broad


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
def test_a_broad_handler_is_found(source: str, lines: list[int]) -> None:
    assert broad_handlers(ast.parse(source)) == lines


def test_every_module_has_a_docstring() -> None:
    assert [module.name for module in modules() if not ast.get_docstring(module.tree)] == []


def test_modules_stay_small() -> None:
    sizes = {module.name: module.lines for module in modules()}
    longest = sorted(sizes, key=lambda name: -sizes[name])
    report = ", ".join(f"{name} {sizes[name]}" for name in longest[:8])
    assert max(sizes.values()) <= TOO_LONG, report
    assert sum(size > LONG for size in sizes.values()) <= len(sizes) / 10, report


def test_constraints_pin_hashes_and_name_no_index() -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]
    pinned = [line for line in text.splitlines() if "==" in line]
    assert len(pinned) > 20
    assert text.count("--hash=sha256:") >= len(pinned)
