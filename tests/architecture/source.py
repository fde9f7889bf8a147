"""The program's modules and their imports, for the rules of this folder."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Import(NamedTuple):
    """One import."""

    name: str
    """The module, and for ``from module import name`` the name in it."""
    line: int
    deferred: bool
    """Whether it happens only when a function runs or types are checked."""


class Module(NamedTuple):
    """One file of the program."""

    path: Path
    name: str
    tree: ast.Module
    lines: int

    @property
    def part(self) -> str:
        """The part it belongs to: ``model`` for ``tui.model.server``, ``cli`` for ``tui.cli``."""
        return part_of(self.name)


def part_of(name: str) -> str:
    """The part of the program that a module of ``tui`` belongs to; empty for ``tui`` itself."""
    return [*name.split("."), ""][1]


@cache
def modules() -> tuple[Module, ...]:
    """Every file of the package."""
    found = []
    for path in sorted((ROOT / "tui").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(path, name, ast.parse(text, str(path)), text.count("\n")))
    return tuple(found)


def imports(module: Module) -> Iterator[Import]:
    """Everything that ``module`` imports, at the top, in functions and for types."""
    yield from _imports(module.tree, module, deferred=False)


def _imports(node: ast.AST, module: Module, *, deferred: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import():
                yield from (Import(alias.name, child.lineno, deferred) for alias in child.names)
            case ast.ImportFrom():
                base = child.module or ""
                if child.level:
                    package = module.name.split(".")
                    if module.path.name != "__init__.py":
                        package = package[:-1]
                    package = package[: len(package) - child.level + 1]
                    base = ".".join([*package, base] if base else package)
                for alias in child.names:
                    yield Import(f"{base}.{alias.name}", child.lineno, deferred)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _imports(child, module, deferred=True)
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from _imports(child, module, deferred=True)
            case _:
                yield from _imports(child, module, deferred=deferred)
