"""Who may import whom. Imports in functions and those for types count like any other."""

import sys

import pytest

from tests.architecture.source import Module, imports, modules, part_of

ALLOWED: dict[str, set[str]] = {
    "__main__": {"cli"},
    "cli": {"settings", "topics"},
    "assembly": {"settings"},
    "topics": {"model", "settings"},
    "console": {"engine", "model", "settings", "report", "cells"},
    "headless": {"engine", "model", "settings", "report", "cells"},
    "engine": {"api", "model"},
    "api": {"model"},
    "report": {"model"},
    "cells": {"model"},
    "settings": set(),
    "model": set(),
    "contract": set(),
    "sandbox": {"contract"},
}
"""Part of the program -> the parts it may import besides itself."""

ALLOWED_LATE: dict[str, set[str]] = {
    "cli": {"assembly", "headless", "console", "contract", "sandbox"},
    "assembly": {"headless", "console", "sandbox", "engine", "model"},
    "topics": {"headless", "console", "sandbox"},
}
"""Part of the program -> the parts it may import only inside a function, or for types.

``assembly`` is the part of the command line that puts the program together: it hands the engine its endpoint
and its transport, the network or the sandbox in the process, and the settings the check of a URL.
"""

THIRD_PARTIES: dict[str, set[str]] = {
    "__main__": set(),
    "cli": {"click"},
    "assembly": set(),
    "topics": set(),
    "console": {"textual", "rich", "msgspec"},
    "headless": {"msgspec"},
    "engine": {"msgspec", "httpx"},
    "api": {"msgspec", "httpx"},
    "report": {"msgspec"},
    "cells": {"rich"},
    "settings": {"msgspec", "platformdirs"},
    "model": {"msgspec"},
    "contract": {"msgspec", "starlette"},
    "sandbox": {"msgspec", "starlette", "uvicorn", "httpx"},
}
"""Part of the program -> the packages it may import besides the standard library."""


def broken_rules(module: Module) -> list[str]:
    """Every import of ``module`` that no rule allows."""
    part, found = module.part, []
    for name, line, deferred in imports(module):
        root, other = name.split(".")[0], part_of(name)
        if root == "tui":
            late = ALLOWED_LATE.get(part, set()) if deferred else set()
            allowed = other in {"", part, "__version__"} | ALLOWED.get(part, set()) | late
        else:
            allowed = root in sys.stdlib_module_names or root in THIRD_PARTIES.get(part, set())
        if not allowed:
            found.append(f"{module.name}, line {line}, imports {name}")
    return found


def test_every_module_imports_only_what_is_allowed() -> None:
    assert [broken for module in modules() for broken in broken_rules(module)] == []


def test_every_part_of_the_program_has_a_rule() -> None:
    parts = {module.part for module in modules()} - {""}
    assert parts <= ALLOWED.keys()
    assert ALLOWED.keys() == THIRD_PARTIES.keys()


def test_the_package_itself_imports_nothing() -> None:
    (package,) = [module for module in modules() if module.name == "tui"]
    assert list(imports(package)) == []


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("model", "import httpx"),
        ("model", "def f():\n    from tui.engine import clock"),
        (
            "console",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tui.api.errors import ApiError",
        ),
        ("console", "from tui import sandbox"),
        ("engine", "from textual.app import App"),
        ("sandbox", "from ..model import server"),
        ("api", "from tui.contract import shapes"),
        ("contract", "from tui.sandbox import names"),
        ("cli", "from tui.console.app import PitstopApp"),
        ("cli", "def f():\n    from tui.api.endpoints import Api"),
    ],
)
def test_a_forbidden_import_is_found(part: str, source: str) -> None:
    import ast

    path = modules()[0].path.parent / part / "invented.py"
    assert broken_rules(Module(path, f"tui.{part}.invented", ast.parse(source), 1))
