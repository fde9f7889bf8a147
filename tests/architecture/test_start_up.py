"""Which packages are loaded at start, measured in a fresh interpreter: the source alone does not show it."""

import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "httpx", "starlette", "uvicorn", "sqlite3", "asyncio", "msgspec")


def loaded_after(code: str, *names: str) -> set[str]:
    """Which of the packages ``names`` are loaded once ``code`` has run in a new interpreter."""
    script = f"import sys\n{code}\nprint('LOADED', *sorted(set({names!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("LOADED")]
    return set(line.split()[1:])


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["start", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    code = f"from tui.cli import main\ncode = main({arguments!r})\nassert code == 0, code"
    assert loaded_after(code, *HEAVY) == set()


def test_the_engines_facade_loads_no_client_and_no_database() -> None:
    assert loaded_after("import tui.engine.engine", "httpx", "sqlite3", "starlette", "uvicorn") == set()


def test_the_login_screen_loads_no_client_no_database_and_no_sandbox() -> None:
    code = "import tui.console.app, tui.console.screens.login, tui.engine.endpoint"
    assert loaded_after(code, "httpx", "sqlite3", "starlette", "uvicorn", "tui.sandbox") == set()


def test_a_loaded_package_is_detected() -> None:
    assert loaded_after("import httpx", "httpx", "sqlite3") == {"httpx"}
