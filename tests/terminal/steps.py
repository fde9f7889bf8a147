"""What every operator does in a terminal: wait for the list, mark, answer a question."""

import re

from tests.terminal.harness import Terminal, pasted

LIST = "ACME"
"""Every server's name has it, and no other text of the console before the list is there."""

READ = re.compile(r" read \d\d:\d\d")
SERVERS = re.compile(r"Servers \S+ \d")
ELIGIBLE = "maint:off power:started status:active"
"""Filter for servers that can be put into maintenance."""
NOTHING_SENT = "Nothing started yet"
"""What the results say until an operation begins."""


def marked(terminal: Terminal) -> int:
    """How many servers the list's title says are marked."""
    found = re.search(r"(\d+) marked", terminal.text())
    return int(found[1]) if found else 0


def list_is_there(terminal: Terminal) -> None:
    """Wait until the list has the servers of all data centers: then the status line says when it was read."""
    terminal.wait_for(lambda: READ.search(terminal.screen()[0]) and SERVERS.search(terminal.text()))


def begin_again(terminal: Terminal, filtered: str = ELIGIBLE) -> None:
    """Close what is open, take the marks off, and go to the top of the list, with this filter or none."""
    for _ in range(2):
        terminal.press("escape")
        terminal.settle(0.12)
    terminal.press("/", "ctrl+u", pasted(filtered) if filtered else "", "enter", "home")
    terminal.settle(0.12)
    if "▏ Details" in terminal.text():
        terminal.press("enter")
        terminal.wait_for(lambda: "▏ Details" not in terminal.text())
    if marked(terminal):
        terminal.press("u")
        terminal.wait_for(lambda: not marked(terminal))


def reset(terminal: Terminal) -> bool:
    """Make a console as it was after its start, as far as can be; whether that was possible."""
    if NOTHING_SENT not in terminal.text():
        return False
    begin_again(terminal, "")
    return NOTHING_SENT in terminal.text()


def open_list(terminal: Terminal) -> None:
    """Wait for the list, and show only what can be put into maintenance."""
    list_is_there(terminal)
    terminal.press("/", pasted(ELIGIBLE), "enter")
    terminal.wait_for("shown")
    terminal.settle()


def confirm(terminal: Terminal, question: str, reason: str | None = "") -> None:
    """Answer a question with yes, when it has been on the screen for a moment.

    Its reason is asked for first, unless one was given before: None.
    """
    terminal.wait_for(question)
    if reason is not None:
        terminal.press(*reason, "enter")
    terminal.settle(0.4)
    terminal.press("y")
    terminal.wait_for(lambda: question not in terminal.text())
