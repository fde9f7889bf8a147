"""Common steps in a terminal: wait for the list, filter it, answer a question."""

import re
import sqlite3
from collections import Counter
from pathlib import Path

from tests.terminal.harness import Terminal, pasted

LIST = "ACME"
"""Part of every server's name, and of no other text before the list is shown."""

READ = re.compile(r" read \d\d:\d\d")
SERVERS = re.compile(r"Servers \S+ \d")
ELIGIBLE = "maint:off power:started status:active"
"""Filter for servers that can be put into maintenance."""
NOTHING_SENT = "Nothing started yet"
"""Shown in the results until the first operation starts."""


def marked(terminal: Terminal) -> int:
    """How many servers the list's title says are marked."""
    found = re.search(r"(\d+) marked", terminal.text())
    return int(found[1]) if found else 0


def wait_for_list(terminal: Terminal) -> None:
    """Wait until the list has all servers: the status line then has the time of reading."""
    terminal.wait_for(lambda: READ.search(terminal.screen()[0]) and SERVERS.search(terminal.text()))


def shows_list(terminal: Terminal, filtered: str) -> bool:
    """Whether the list has the focus, and this filter."""
    lines = terminal.screen()
    return lines[1].endswith(f"▕ {filtered}") and any("▕▌" in line for line in lines)


def start_over(terminal: Terminal, filtered: str = ELIGIBLE) -> None:
    """Close dialogs and details, unmark all, and go to the top of the list, with this filter or none."""
    for _ in range(2):
        terminal.press("escape")
        terminal.settle(0.12)
    if filtered and shows_list(terminal, filtered):  # filtering again would take most of the time
        terminal.press("home")
    else:
        terminal.press("/", "ctrl+u", pasted(filtered) if filtered else "", "enter", "home")
    terminal.settle(0.12)
    if "▏ Details" in terminal.text():
        terminal.press("enter")
        terminal.wait_for(lambda: "▏ Details" not in terminal.text())
    if marked(terminal):
        terminal.press("u")
        terminal.wait_for(lambda: not marked(terminal))


def reset(terminal: Terminal) -> bool:
    """Reset a console to its state after ``open_list``; False if an operation was started in it."""
    if NOTHING_SENT not in terminal.text():
        return False
    start_over(terminal)
    return NOTHING_SENT in terminal.text()


def open_list(terminal: Terminal) -> None:
    """Wait for the list, and show only what can be put into maintenance."""
    wait_for_list(terminal)
    terminal.press("/", pasted(ELIGIBLE), "enter")
    terminal.wait_for("shown")
    terminal.settle()


def confirm(terminal: Terminal, question: str, reason: str | None = "") -> None:
    """Answer a question with yes, once it has been on the screen for a moment.

    The reason is typed first; None where it was given before.
    """
    terminal.wait_for(question)
    if reason is not None:
        terminal.press(*reason, "enter")
    terminal.settle(0.4)
    terminal.press("y")
    terminal.wait_for(lambda: question not in terminal.text())


def states(home: Path) -> Counter[str]:
    """The journal's current states: state -> number of servers."""
    path = home / "state" / "pitstop" / "journal.sqlite3"
    if not path.exists():
        return Counter()
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return Counter(dict(db.execute("SELECT state, count(*) FROM targets GROUP BY state")))
    except sqlite3.OperationalError:
        return Counter()
    finally:
        db.close()
