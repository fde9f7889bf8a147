"""Start-up time: the login screen compared with a Textual app with one Static, and ``--version``.

``python -m tests.benchmarks.start [--runs 15]``. Interleaved runs in a real PTY of 120x40; medians.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.terminal.harness import Terminal, clean_environment

PITSTOP = (sys.executable, "-m", "tui")
HELLO = """
from textual.app import App
from textual.widgets import Static


class Hello(App):
    def compose(self):
        yield Static("hello, world")


Hello().run()
"""


def first_paint(command: tuple[str, ...], wanted: str, home: Path) -> tuple[float, float]:
    """Seconds from the start to ``wanted`` on the screen, and the peak of resident memory in MiB."""
    with Terminal(command, home=home) as terminal:
        terminal.wait_for(wanted)
        return terminal.first_shown(wanted), terminal.memory_mib("VmHWM")


def run_to_exit(command: tuple[str, ...], home: Path) -> tuple[float, float]:
    """Seconds that a command without a screen takes; its memory is not measured."""
    started = time.monotonic()
    subprocess.run(command, env=clean_environment(home, {}), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started, 0.0


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        cases: dict[str, Callable[[], tuple[float, float]]] = {
            "Textual app with one Static": lambda: first_paint((sys.executable, "-c", HELLO), "hello", home),
            "pitstop: login screen": lambda: first_paint(PITSTOP, "Password", home),
            "python -c pass": lambda: run_to_exit((sys.executable, "-c", "pass"), home),
            "pitstop --version": lambda: run_to_exit((*PITSTOP, "--version"), home),
            "pitstop --help": lambda: run_to_exit((*PITSTOP, "--help"), home),
        }
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
        for case in cases.values():
            case()
        for _ in range(runs):
            for name, case in cases.items():
                figures[name].append(case())
    median = {name: statistics.median(seconds for seconds, _ in each) for name, each in figures.items()}
    hello = median["Textual app with one Static"]
    print(f"Start, median of {runs} interleaved runs")
    print(f"{'':30}{'ms':>8}{'x Static':>10}{'MiB':>8}")
    for name, each in figures.items():
        memory = max(mib for _, mib in each)
        print(f"{name:30}{median[name] * 1000:8.0f}{median[name] / hello:10.2f}{memory or float('nan'):8.1f}")
    print("bound: the login screen at most 1.4 times the Static")


if __name__ == "__main__":
    main()
