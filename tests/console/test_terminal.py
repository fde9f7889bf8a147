"""Whether a terminal is usable, and the ASCII forms drawn on limited ones."""

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
    """A stream that reports whether it is a terminal."""

    def __init__(self, answer: bool = True) -> None:
        super().__init__()
        self.answer = answer

    def isatty(self) -> bool:
        return self.answer


@pytest.mark.parametrize(
    ("term", "stdin", "stderr", "expected"),
    [
        ("xterm", False, True, "standard input is not a terminal"),
        ("xterm", True, False, "standard error is not a terminal"),
        ("dumb", True, True, "TERM is dumb"),
        ("", True, True, "TERM is not set"),
    ],
)
def test_an_unusable_terminal_is_refused_with_a_reason(
    term: str, stdin: bool, stderr: bool, expected: str
) -> None:
    reason = terminal.why_unfit({"TERM": term}, Tty(stdin), Tty(stderr))
    assert reason is not None
    assert expected in reason


def test_a_usable_terminal_is_accepted() -> None:
    assert terminal.why_unfit({"TERM": "screen-256color"}, Tty(), Tty()) is None


def test_variables_set_by_the_user_are_kept() -> None:
    environ = {"SSH_CONNECTION": "1", "TEXTUAL_FPS": "5"}
    terminal.set_defaults(environ)
    assert environ["TEXTUAL_FPS"] == "5"
    assert environ["TEXTUAL_ANIMATIONS"] == "none"


@pytest.mark.parametrize(
    ("environ", "encoding", "uses_unicode"),
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
def test_locale_and_encoding_decide_whether_unicode_is_used(
    environ: dict[str, str], encoding: str, uses_unicode: bool
) -> None:
    assert terminal.speaks_unicode(environ, encoding, coerced=False) is uses_unicode


def test_a_locale_coerced_by_python_does_not_count() -> None:
    environ = {"LANG": "C", "LC_CTYPE": "C.UTF-8"}
    assert not terminal.speaks_unicode(environ, "utf-8", coerced=True)
    assert terminal.speaks_unicode(environ, "utf-8", coerced=False)


def test_every_state_sign_has_the_ascii_form_of_the_model() -> None:
    for style in STATE_STYLES.values():
        assert to_ascii(style.sign) == style.ascii


@pytest.mark.parametrize(
    "text", ["─ Results ─", "✓ verified", "名前", "e\N{COMBINING ACUTE ACCENT}x", "▁▂▃▄▅▆▇█"]
)
def test_an_ascii_form_is_as_wide_as_the_original(text: str) -> None:
    plain = to_ascii(text)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text)


def test_a_hang_up_is_noticed_without_a_signal() -> None:
    master, slave = pty.openpty()
    calls: list[bool] = []
    thread = terminal.watch_hang_up(slave, lambda: calls.append(True))
    os.close(master)
    thread.join(PATIENCE)
    os.close(slave)
    assert calls == [True]
