"""A password and a token, unmistakable, and everywhere that they could be found afterwards."""

from __future__ import annotations

import base64
import re
import resource
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.architecture.source import modules
from tests.security.endpoint import PASSWORD, TOKEN, USER, Endpoint, Reply, served, server_id_of
from tests.security.program import Home, Ran, run
from tests.terminal.harness import Terminal
from tui.cli import cli

REFUSED, DONE = server_id_of("colour"), server_id_of("clear")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with served() as running:
        yield running


def assert_hidden(home: Home, *outputs: bytes) -> None:
    """Neither is in any output, nor in any file, plainly or in base64."""
    for secret in (PASSWORD, TOKEN):
        for spelt in (secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")[:-2]):
            for place in outputs:
                assert spelt not in place
            for path in home.files():
                assert spelt not in path.read_bytes(), path


def log_in(terminal: Terminal) -> None:
    """Type user and password."""
    terminal.wait_for("Password")
    terminal.press(*USER, "tab", *PASSWORD, "enter")


# -- without a screen


def test_a_whole_operation_leaves_them_nowhere(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    ran = home.run("start", REFUSED, DONE, "--yes", "--json", "--reason", "CHG-1", url=endpoint.url)
    assert ran.code == 1
    assert b"verified" in ran.out
    assert TOKEN in str(endpoint.tokens)
    assert_hidden(home, ran.out, ran.err)


@pytest.mark.parametrize("how", ["refused", "gone", "nonsense", "echo"])
def test_a_login_that_fails_leaves_them_nowhere(tmp_path: Path, how: str) -> None:
    def route(path: str) -> Reply | None:
        body = f'{{"message": "no {PASSWORD}", "bearerToken": "{TOKEN}'.encode()
        return {"refused": Reply(status=401), "nonsense": Reply(body), "echo": Reply(body + b'"}', 400)}[how]

    home = Home(tmp_path)
    with served(route) as endpoint:
        url = endpoint.url
        ran = home.run("servers", url="http://127.0.0.1:1" if how == "gone" else url)
    assert ran.code in (3, 4)
    assert_hidden(home, ran.out, ran.err)


def test_a_bug_writes_a_traceback_without_them(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    ran = run_script(
        home,
        """
        from tui.headless import engine
        def broken(self):
            password = self.config.password
            raise RuntimeError("broken on purpose")
        engine.HeadlessEngine.read_fleet = broken
        """,
        endpoint.url,
        "servers",
    )
    assert ran.code == 1
    assert b"a bug in Pitstop (RuntimeError)" in ran.err
    log = (home.state / "pitstop.log").read_text()
    assert "broken on purpose" in log
    assert "in broken" in log, "a traceback is there to be read"
    assert_hidden(home, ran.out, ran.err)


def test_the_password_of_a_command_reaches_nobody_else(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    seen = tmp_path / "seen"
    program = f"import os, sys; open({str(seen)!r}, 'w').write(str((dict(os.environ), sys.argv)))"
    command = shlex.join([sys.executable, "-c", f"{program}; print({PASSWORD[:9]!r} + {PASSWORD[9:]!r})"])
    home.configure(
        f"[profiles.prod]\nurl = '{endpoint.url}'\nuser = '{USER}'\npassword_command = '''{command}'''\n"
    )
    ran = home.run("servers")
    assert ran.code == 0, ran.text
    assert endpoint.logins == [PASSWORD]
    assert "PATH" in seen.read_text()
    assert "PASSWORD" not in seen.read_text()
    assert_hidden(home, ran.out, ran.err)


def test_no_flag_takes_a_password() -> None:
    found = list(parameters(cli))
    assert "--profile" in found
    assert [name for name in found if re.search("pass|secret|token", name)] == []


def parameters(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from parameter.opts
    if isinstance(command, click.Group):
        for other in command.commands.values():
            yield from parameters(other)


def test_the_password_command_and_ps_are_the_only_other_programs_that_are_run() -> None:
    starters = re.compile(
        r"subprocess|multiprocessing|os\.(system|popen|exec|spawn|posix_spawn|fork)|\bpty\b"
    )
    found = {module.name for module in modules() if starters.search(module.path.read_text())}
    assert found == {"tui.settings.credentials", "tui.engine.journal.owner"}


# -- in the console


@pytest.fixture
def cores_allowed() -> Iterator[None]:
    """Programs that are started may leave core files, as far as this machine lets them."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("cores_allowed")
def test_what_is_typed_is_seen_by_nobody(tmp_path: Path, endpoint: Endpoint) -> None:
    """Not on the screen, by ``ps``, in the environment, in the clipboard or in Textual's own log."""
    home = Home(tmp_path)
    log = str(tmp_path / "textual.log")
    with home.terminal("--api-url", endpoint.url, TEXTUAL_LOG=log, TEXTUAL="debug") as terminal:
        terminal.wait_for("Password")
        terminal.press(*USER, "tab", *PASSWORD)
        terminal.settle()
        terminal.write(b"\x1b[1;2H")  # shift+home: all of it is selected
        terminal.press("ctrl+c", "ctrl+x", "ctrl+c")
        terminal.settle()
        assert b"\x1b]52;" not in terminal.raw
        terminal.press("enter")
        terminal.wait_for(REFUSED)
        process = Path(f"/proc/{terminal.process.pid}")
        told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        assert b"TEXTUAL_LOG" in told
        assert re.search(r"Max core file size +0 ", (process / "limits").read_text())
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert endpoint.logins == [PASSWORD]
        assert_hidden(home, terminal.raw, told)


def test_a_bug_in_the_console_shows_no_traceback_and_logs_one_without_them(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    """Textual's own shows the local variables of every frame."""
    home = Home(tmp_path)
    script = """
        from tui.console.screens.servers import ServersScreen
        def broken(self):
            password, session = "PASSWORD", self
            raise RuntimeError("broken on purpose")
        ServersScreen.compose = broken
    """.replace("PASSWORD", PASSWORD)
    with home.terminal_of(scripted(home, script, "--api-url", endpoint.url)) as terminal:
        log_in(terminal)
        assert terminal.wait_exit() == 1
        assert terminal.left_on() == set()
        assert "What was sent is in the journal" in terminal.text()
        assert b"Traceback" not in terminal.raw
        (tmp_path / "script.py").unlink()
        assert "broken on purpose" in (home.state / "pitstop.log").read_text()
        assert_hidden(home, terminal.raw.replace(b"PASSWORD", b""))


def scripted(home: Home, script: str, *arguments: str) -> list[str]:
    """The program, changed by a script first."""
    lines = [line[8:] for line in script.splitlines()]
    main = f"import sys\nfrom tui.cli import main\nsys.exit(main({list(arguments)!r}))\n"
    path = home.path / "script.py"
    path.write_text("\n".join([*lines, main]))
    return [sys.executable, str(path)]


def run_script(home: Home, script: str, url: str, *arguments: str) -> Ran:
    """The same, to its end."""
    return run(scripted(home, script, *arguments), home.environment(url))
