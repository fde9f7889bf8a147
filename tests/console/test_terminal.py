"""Whether a terminal will do, and what is drawn where it cannot do much."""

import io
import os
import pty

import pytest
from rich.cells import cell_len

from tests.patience import PATIENCE
from tui.console.terminal import checks as terminal
from tui.console.theme import to_ascii
from tui.model.operation import STATE_STYLES


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


@pytest.mark.parametrize(
    ("environ", "encoding", "speaks"),
    [
        ({"LANG": "en_US.UTF-8"}, "utf-8", True),
        ({"LANG": "C.UTF-8"}, "utf-8", True),
        ({"LANG": "de_DE"}, "utf-8", True),
        ({"LANG": "en_US.UTF-8"}, "latin-1", False),
        ({"LANG": "en_US.UTF-8"}, "ascii", False),
        ({"LANG": "C"}, "utf-8", False),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, "utf-8", False),
        ({"LC_CTYPE": "C", "LANG": "en_US.UTF-8"}, "utf-8", False),
        ({"LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C"}, "utf-8", True),
        ({}, "utf-8", False),
        ({"LANG": "C", "PYTHONIOENCODING": "utf-8"}, "utf-8", True),
    ],
)
def test_the_locale_and_the_encoding_decide(environ: dict[str, str], encoding: str, speaks: bool) -> None:
    assert terminal.speaks_unicode(environ, encoding, coerced=False) is speaks


def test_the_locale_that_python_set_by_itself_promises_nothing() -> None:
    environ = {"LANG": "C", "LC_CTYPE": "C.UTF-8"}
    assert not terminal.speaks_unicode(environ, "utf-8", coerced=True)
    assert terminal.speaks_unicode(environ, "utf-8", coerced=False)


def test_every_sign_has_the_ascii_form_that_the_model_gives_it() -> None:
    for look in STATE_STYLES.values():
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
