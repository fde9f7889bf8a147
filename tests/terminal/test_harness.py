"""The harness itself, on small programs with known output."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terminal.emulator import Emulator
from tests.terminal.harness import Terminal, clean_environment

CBREAK = "import sys, tty; tty.setcbreak(0)\n"
ECHO = (
    CBREAK
    + "print('ready', flush=True)\nwhile key := sys.stdin.read(1): print('<%r>' % key, end='', flush=True)"
)


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_the_screen_shows_output_and_the_echo_of_keys() -> None:
    with Terminal(python(ECHO), size=(40, 10)) as terminal:
        terminal.wait_for("ready")
        terminal.press("x", "escape", "ctrl+@")
        terminal.wait_for(r"<'x'><'\x1b'><'\x00'>")
        assert terminal.find("<'x'>") == (0, 1)


def test_the_program_has_the_size_and_a_clean_environment(tmp_path: Path) -> None:
    script = (
        "import os; env = os.environ\nprint(*os.get_terminal_size(), env['TERM'], env['HOME'], 'LANG' in env)"
    )
    with Terminal(
        python(script), size=(90, 20), env={"TERM": "vt100", "LANG": None}, home=tmp_path
    ) as terminal:
        assert terminal.wait_exit() == 0
        assert "".join(terminal.screen()) == f"90 20 vt100 {tmp_path} False"


def test_a_failed_wait_reports_the_screen() -> None:
    failure = pytest.raises(AssertionError, match=r"'wanted': ended with 0(?s:.*)something else")
    with Terminal(python("print('something else')")) as terminal, failure:
        terminal.wait_for("wanted")


def test_a_burst_is_exactly_the_bytes_of_one_answer() -> None:
    with Terminal(
        python(CBREAK + "print('ready', flush=True)\nwhile sys.stdin.read(1): print('a' * 500)")
    ) as terminal:
        terminal.wait_for("ready")
        burst = terminal.burst(lambda: terminal.press("x"))
        assert burst.data == b"a" * 500 + b"\r\n"
        assert burst.latency > 0
        assert terminal.burst(lambda: None).data == b""


def test_a_paused_reader_stalls_the_writer_and_nothing_is_lost() -> None:
    script = "import sys\nfor n in range(20000): print(f'line {n:06}')\nprint('end')"
    with Terminal(python(script)) as terminal:
        terminal.pause()
        time.sleep(0.3)
        assert terminal.process.poll() is None
        terminal.resume()
        terminal.wait_for("end")
        assert terminal.raw.count(b"line") == 20000


def test_a_throttled_reader_limits_the_rate() -> None:
    with Terminal(python("input(); print('x' * 4000)")) as terminal:
        terminal.throttle(10_000)
        started = time.monotonic()
        terminal.press("enter")
        terminal.wait_exit()
        terminal.wait_for(lambda: terminal.total_bytes >= 4000)
        assert terminal.last_byte_at - started > 0.2


def test_unrestored_modes_are_reported() -> None:
    on = r"\x1b[?1049h\x1b[?1003h\x1b[?2004h\x1b[?25l\x1b[>1u"
    off = r"\x1b[<u\x1b[?25h\x1b[?2004l\x1b[?1003l\x1b[?1049l"
    with Terminal(python(f"print('{on}{off}')")) as terminal:
        terminal.wait_exit()
        assert terminal.unrestored_modes() == set()
    with Terminal(python(f"import tty; tty.setraw(0); print('{on}')")) as terminal:
        terminal.wait_exit()
        assert terminal.unrestored_modes() == {
            "mode 1003",
            "mode 2004",
            "hidden cursor",
            "kitty keyboard",
            "alternate screen",
            "tty settings",
        }


def test_the_normal_screen_returns_after_the_alternate_one() -> None:
    with Terminal(python(r"print('before'); print('\x1b[?1049hinside\x1b[?1049l', end='')")) as terminal:
        terminal.wait_exit()
        assert "".join(terminal.screen()) == "before"


def test_resize_hang_up_and_signals_reach_the_program() -> None:
    script = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size(), flush=True))\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(9)"
    )
    with Terminal(python(script)) as terminal:
        terminal.wait_for("ready")
        terminal.resize(70, 15)
        terminal.wait_for("columns=70, lines=15")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit() == -signal.SIGTERM
    with Terminal(python("print('ready', flush=True); input()")) as terminal:
        terminal.wait_for("ready")
        terminal.hang_up()
        assert terminal.wait_exit() == -signal.SIGHUP
    with Terminal(python("print('ready', flush=True); input()"), ignored=[signal.SIGHUP]) as terminal:
        terminal.wait_for("ready")
        terminal.hang_up()
        assert terminal.wait_exit() > 0, "it read the end of the file, because the signal is ignored"


def test_cpu_and_memory_of_the_process_are_measured() -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass\nblock = bytearray(50 << 20)\n"
    with Terminal(python(busy + "print('ready'); input()")) as terminal:
        terminal.wait_for("ready")
        spent = terminal.cpu_seconds()
        assert 0.3 <= spent < time.monotonic() - terminal.started, "one thread has no more than one processor"
        assert terminal.memory_mib() > 50
        assert terminal.memory_mib("VmHWM") >= terminal.memory_mib()


def test_standard_streams_can_be_redirected() -> None:
    script = "import sys; print(*(s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)), file=sys.stderr)"
    with Terminal(python(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as terminal:
        terminal.wait_for("False False True")


def test_the_emulator_handles_split_and_unknown_sequences() -> None:
    drawn = "\x1b[?2026hé\x1b[38;2;1;2;3m漢\x1b[0m"
    stream = f"{drawn}\x1b[?2048$p\x1b]52;c;d2ViMDE=\x07\x1bP+q\x1b\\\x1b[?2026lz".encode()
    whole, pieces = Emulator(10, 2), Emulator(10, 2)
    whole.feed(stream)
    for byte in stream:
        pieces.feed(bytes([byte]))
    for emulator in (whole, pieces):
        assert emulator.lines() == ["é漢z", ""]
        assert emulator.cell(1, 0).foreground == "010203"
        assert emulator.queries == ["?2048$p"]
        assert emulator.copied == ["web01"]
        assert emulator.unknown == ["+q"]
        assert emulator.unrestored_modes() == set()


def test_a_clean_environment_has_no_variables_of_the_developer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PITSTOP_PASSWORD", "secret")
    assert "PITSTOP_PASSWORD" not in clean_environment(tmp_path, {})
