"""Programs in terminals, and sandboxes, that end with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.terminal.harness import Terminal
from tests.terminal.service import PITSTOP, Service

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


@pytest.fixture
def service(ends: ExitStack) -> Callable[..., Service]:
    """``service(*options)``: a sandbox over HTTP."""
    return lambda *options: ends.enter_context(Service(*options))
