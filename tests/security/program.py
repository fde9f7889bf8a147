"""Run the program as an operator does, in a home directory of its own, and keep all that it writes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.forked import start
from tests.patience import PATIENCE
from tests.security.endpoint import PASSWORD, USER
from tests.terminal.harness import Terminal, clean_environment

PITSTOP = (sys.executable, "-m", "tui")


class Ran(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """stdout and stderr."""
        return (self.out + self.err).decode()


class Home:
    """An operator's home directory, with the program's files and its temporary files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path / "tmp"
        path.mkdir(exist_ok=True)
        self.temporary.mkdir(mode=0o700, exist_ok=True)

    def environment(self, url: str = "", **changes: str | None) -> dict[str, str]:
        """A program's environment, with credentials for ``url`` if it is given; ``changes`` override it."""
        variables = {"TMPDIR": str(self.temporary), "PITSTOP_VERIFY_LIMIT": "5"}
        if url:
            variables |= {"PITSTOP_API_URL": url, "PITSTOP_USERNAME": USER, "PITSTOP_PASSWORD": PASSWORD}
        return clean_environment(self.path, {**variables, **changes})

    def run(self, *arguments: str, url: str = "", stdin: str = "", **changes: str | None) -> Ran:
        """Run a command without a terminal, until it exits."""
        return run([*PITSTOP, *arguments], self.environment(url, **changes), stdin)

    def terminal(
        self, *arguments: str, url: str = "", size: tuple[int, int] = (120, 40), **changes: str | None
    ) -> Terminal:
        """Run a command in a terminal."""
        return self.terminal_of([*PITSTOP, *arguments], url=url, size=size, **changes)

    def terminal_of(
        self, command: list[str], *, url: str = "", size: tuple[int, int] = (120, 40), **changes: str | None
    ) -> Terminal:
        """Run any program in a terminal."""
        environment: Mapping[str, str | None] = self.environment(url, **changes)
        return Terminal(command, size=size, env=environment, home=self.path, fork=True)

    @property
    def state(self) -> Path:
        """The directory of the journal, the log and the saved view."""
        return self.path / "state" / "pitstop"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.state / "journal.sqlite3"

    def configure(self, text: str) -> Path:
        """Write the configuration file."""
        path = self.path / "config" / "pitstop" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def files(self) -> list[Path]:
        """Every file in the home directory."""
        return sorted(path for path in self.path.rglob("*") if path.is_file())


def texts_of(journal: Path) -> Iterator[str]:
    """Every text in a journal."""
    db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
    try:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"'):
                yield from (value for value in row if isinstance(value, str))
    finally:
        db.close()


def run(command: list[str], environment: Mapping[str, str], stdin: str = "") -> Ran:
    """Run a program until it exits."""
    pipe = subprocess.PIPE
    process = start(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = process.communicate(stdin.encode(), timeout=PATIENCE)
    return Ran(process.wait(), out, err)


def with_umask(umask: int, command: Callable[[], Ran]) -> Ran:
    """Run a command under another umask."""
    before = os.umask(umask)
    try:
        return command()
    finally:
        os.umask(before)
