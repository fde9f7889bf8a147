"""Whether a terminal will do, and what is drawn where it cannot do much."""

import io
import os
import pty

import pytest
from rich.cells import cell_len

from tests.patience import PATIENCE
from tui.console import terminal
from tui.console.theme import to_ascii
from tui.model.operation import LOOKS


class Tty(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, answer: bool = True) -> None:
        super().__init__()
        self.answer = answer

    def isatty(self) -> bool:
        return self.answer


@pytest.mark.parametrize(
    ("term", "stdin", "stderr", "said"),
    [
        ("xterm", False, True, "standard input is not a terminal"),
        ("xterm", True, False, "standard error is not a terminal"),
        ("dumb", True, True, "TERM is dumb"),
        ("", True, True, "TERM is not set"),
    ],
)
def test_what_will_not_do_is_said(term: str, stdin: bool, stderr: bool, said: str) -> None:
    reason = terminal.why_unfit({"TERM": term}, Tty(stdin), Tty(stderr))
    assert reason is not None
    assert said in reason


def test_a_terminal_will_do() -> None:
    assert terminal.why_unfit({"TERM": "screen-256color"}, Tty(), Tty()) is None


def test_what_the_user_set_stays() -> None:
    environ = {"SSH_CONNECTION": "1", "TEXTUAL_FPS": "5"}
    terminal.set_defaults(environ)
    assert environ["TEXTUAL_FPS"] == "5"
    assert environ["TEXTUAL_ANIMATIONS"] == "none"


@pytest.mark.parametrize(("encoding", "speaks"), [("utf-8", True), ("latin-1", False), ("ascii", False)])
def test_the_encoding_decides(encoding: str, speaks: bool) -> None:
    assert terminal.speaks_unicode(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is speaks


def test_every_sign_has_the_ascii_form_that_the_model_gives_it() -> None:
    for look in LOOKS.values():
        assert to_ascii(look.sign) == look.ascii


@pytest.mark.parametrize(
    "text", ["─ Results ─", "✓ verified", "名前", "e\N{COMBINING ACUTE ACCENT}x", "▁▂▃▄▅▆▇█"]
)
def test_ascii_is_as_wide_as_what_it_stands_for(text: str) -> None:
    plain = to_ascii(text)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text)


def test_a_hang_up_is_noticed_without_a_signal() -> None:
    master, slave = pty.openpty()
    heard: list[bool] = []
    thread = terminal.watch_hang_up(slave, lambda: heard.append(True))
    os.close(master)
    thread.join(PATIENCE)
    os.close(slave)
    assert heard == [True]
