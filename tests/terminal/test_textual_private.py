"""Textual's private API: what Pitstop uses of it exists, and only one module uses it."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import textual
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen

from tests.architecture.source import Module, modules

PRIVATE = "tui.console.terminal.textual_private"

IMPORTS = {
    "textual._ansi_sequences": {"SYNC_END", "SYNC_START"},
    "textual._compositor": {"ChopsUpdate", "CompositorUpdate", "LayoutUpdate"},
    "textual._styles_cache": {"StylesCache"},
    "textual._xterm_parser": {"XTermParser"},
    "textual.keys": {"_character_to_key"},
}
"""Module -> the names imported from it, where the module or the names are private."""

METHODS = {
    "_display": (App, ["self", "screen", "renderable"]),
    "_end_batch": (App, ["self"]),
    "_handle_exception": (App, ["self", "error"]),
    "_close_messages_no_wait": (App, ["self"]),
    "_get_terminal_size": (LinuxDriver, ["self"]),
    "_sigtstp_application": (LinuxDriver, ["self", "_"]),
    "_sigcont_application": (LinuxDriver, ["self", "_"]),
    "_modal_binding_chain": (Screen, ["self"]),
    "_load_screen_css": (App, ["self", "screen"]),
    "_get_breakpoint_classes": (Screen, ["self", "dimension", "breakpoints"]),
}
"""Methods and properties, with their class and parameters: called, or overridden and called by Textual."""

ATTRIBUTES = {
    "_driver": App, "_loop": App, "_batch_count": App, "_sync_available": App, "_return_code": App,
    "_exception": App, "_exception_event": App, "_css_update_count": App,
    "_app": LinuxDriver, "_file": LinuxDriver, "_debug": LinuxDriver, "_key_thread": LinuxDriver,
}  # fmt: skip
"""Attribute -> the class of its instances."""


def changed(what: str) -> str:
    """The failure message for a private name that was removed or changed."""
    return f"Textual {textual.__version__} has no {what} as it was: see what {PRIVATE} uses it for"


def parameters(function: Any) -> list[str]:
    called = function.fget if isinstance(function, property) else function
    assert callable(called)
    return list(inspect.signature(called).parameters)


def attributes_set_by(kind: type) -> set[str]:
    """The attributes that a class and its bases set anywhere, and their properties and methods."""
    found = set(dir(kind))
    for base in kind.__mro__:
        if base.__module__.startswith("textual"):
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
            found |= {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            }
    return found


@pytest.mark.parametrize("module", IMPORTS)
def test_the_private_modules_and_functions_exist(module: str) -> None:
    try:
        found = importlib.import_module(module)
    except ImportError:
        pytest.fail(changed(f"module {module}"))
    for name in IMPORTS[module]:
        assert hasattr(found, name), changed(f"{module}.{name}")


@pytest.mark.parametrize("name", METHODS)
def test_the_private_methods_have_the_expected_parameters(name: str) -> None:
    kind, wanted = METHODS[name]
    assert hasattr(kind, name), changed(f"{kind.__name__}.{name}")
    assert parameters(inspect.getattr_static(kind, name)) == wanted, changed(f"{kind.__name__}.{name}")


def test_the_parser_method_has_the_expected_parameters() -> None:
    parser = importlib.import_module("textual._xterm_parser").XTermParser
    what = "XTermParser._sequence_to_key_events"
    assert hasattr(parser, "_sequence_to_key_events"), changed(what)
    assert parameters(parser._sequence_to_key_events) == ["self", "sequence", "alt"], changed(what)


def test_the_private_attributes_exist() -> None:
    for kind in {App, LinuxDriver}:
        found = attributes_set_by(kind)
        for name in (name for name, owner in ATTRIBUTES.items() if owner is kind):
            assert name in found, changed(f"{kind.__name__}.{name}")


def test_the_style_cache_has_the_parameters_that_are_patched() -> None:
    cache = importlib.import_module("textual._styles_cache").StylesCache
    assert parameters(cache.get_inner_outer)[-2:] in (["base_background", "background"], ["_", "key"]), (
        changed("StylesCache.get_inner_outer")
    )


# -- and nothing else is used


def console() -> Iterator[Module]:
    yield from (module for module in modules() if module.name.startswith("tui.console"))


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_imports(module: Module) -> set[tuple[str, str]]:
    """Imports from Textual that are private by their own name or by that of their module."""
    return {
        (node.module, alias.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("textual")
        for alias in node.names
        if private(alias.name) or any(map(private, node.module.split(".")))
    }


def test_the_tables_name_all_private_names_of_the_module() -> None:
    (module,) = [module for module in console() if module.name == PRIVATE]
    used = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
    used |= {node.name for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)}
    named = METHODS.keys() | ATTRIBUTES.keys() | {"_sequence_to_key_events"}
    assert set(filter(private, used)) == named
    assert private_imports(module) == {(name, one) for name, names in IMPORTS.items() for one in names}


def own_names() -> set[str]:
    """The private names that the console defines itself, and those of named tuples."""
    names = {"_replace", "_asdict", "_fields"}
    for module in console():
        for node in ast.walk(module.tree):
            if module.name == PRIVATE:
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return names


def test_no_other_module_uses_a_private_name_of_textual() -> None:
    own, found = own_names(), []
    for module in console():
        if module.name == PRIVATE:
            continue
        found += [f"{module.name} imports {source}.{name}" for source, name in private_imports(module)]
        found += [
            f"{module.name}, line {node.lineno}, uses {node.attr}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and private(node.attr) and node.attr not in own
        ]
    assert found == []


def test_no_other_module_overrides_a_private_method_of_textual() -> None:
    found = []
    for module in console():
        if module.name == PRIVATE:
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if not (inspect.isclass(kind) and kind.__module__ == module.name):
                continue
            theirs = {
                name for base in kind.__mro__ if base.__module__.startswith("textual") for name in vars(base)
            }
            found += [
                f"{kind.__name__}.{name}"
                for name, value in vars(kind).items()
                if private(name) and name in theirs and inspect.isfunction(value)
            ]
    assert found == []


def test_a_use_of_a_private_name_is_found() -> None:
    source = "from textual._compositor import Compositor\nfrom textual.keys import _get_key_display"
    invented = Module(modules()[0].path, "tui.console.invented", ast.parse(source), 2)
    assert len(private_imports(invented)) == 2
    assert "_compositor" not in own_names()
    assert "_is_mounted" in attributes_set_by(MessagePump)
    assert "_compositor" not in attributes_set_by(MessagePump)
