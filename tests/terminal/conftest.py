"""Programs in terminals, and sandboxes. They end with the test, or with its module where that is said."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service
from tests.terminal.steps import open_list, reset

Run = Callable[..., Terminal]


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    """What is entered here ends with the test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def pitstop(ends: ExitStack, tmp_path: Path) -> Run:
    """``pitstop(*arguments, **terminal)``: the program in a terminal, with a home of its own."""

    def run(*arguments: str, **terminal: object) -> Terminal:
        return ends.enter_context(Terminal([*PITSTOP, *arguments], home=tmp_path, **terminal))  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Terminal]]:
    """At most one running console, which the tests of a module hand on to each other: see ``console``."""
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def console(shared: list[Terminal], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A console on the sandbox in which nothing was started; what is started is verified at once.

    Starting one costs more than most tests, so the next test gets it, unless this test left traces in it.
    """
    if shared:
        terminal = shared.pop()
    else:
        home = tmp_path_factory.mktemp("home")
        terminal = Terminal([*PITSTOP, "demo", "--time-scale", "0.01"], home=home)
    with ExitStack() as unless_reset:
        unless_reset.callback(terminal.close)
        open_list(terminal)
        yield terminal
        assert terminal.process.poll() is None, "it still runs"
        if reset(terminal):
            unless_reset.pop_all()
            shared.append(terminal)


@pytest.fixture
def service(ends: ExitStack) -> Callable[..., Service]:
    """``service(*options)``: a sandbox over HTTP."""
    return lambda *options: ends.enter_context(Service(*options))
