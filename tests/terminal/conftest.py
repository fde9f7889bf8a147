"""Programs in terminals, and sandboxes. They end with the test; ``shared`` ends with its module."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import open_list, reset

Run = Callable[..., Terminal]


@pytest.fixture
def exit_stack() -> Iterator[ExitStack]:
    """Context managers entered here are closed after the test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def pitstop(exit_stack: ExitStack, tmp_path: Path) -> Run:
    """``pitstop(*arguments, **terminal)``: the program in a terminal, with a home of its own."""

    def run(*arguments: str, **terminal: object) -> Terminal:
        return exit_stack.enter_context(
            Terminal([*PITSTOP, *arguments], home=tmp_path, fork=True, **terminal)  # type: ignore[arg-type]
        )

    return run


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Terminal]]:
    """At most one running console, which the tests of a module reuse: see ``console``."""
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def console(shared: list[Terminal], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A console on the sandbox without any operation; those that a test starts are verified at once.

    Starting one takes longer than most tests, so the next test reuses it if it can be reset.
    """
    is_new = not shared
    if is_new:
        home = tmp_path_factory.mktemp("home")
        shared.append(Terminal([*PITSTOP, "demo", "--time-scale", "0.01"], home=home, fork=True))
    terminal = shared.pop()
    with ExitStack() as close_terminal:
        close_terminal.callback(terminal.close)
        if is_new:
            open_list(terminal)
        yield terminal
        assert terminal.process.poll() is None, "it still runs"
        if reset(terminal):
            close_terminal.pop_all()
            shared.append(terminal)


@pytest.fixture
def service(exit_stack: ExitStack) -> Callable[..., Service]:
    """``service(*options)``: a sandbox over HTTP."""
    return lambda *options: exit_stack.enter_context(Service(*options, fork=True))
