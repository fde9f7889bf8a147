"""The password and the token appear in no output and no file. Both are unique texts, easy to search for."""

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
from tests.security.endpoint import PASSWORD, TOKEN, USER, Endpoint, Reply, serve_endpoint, server_id_of
from tests.security.program import Home, Ran, run
from tests.terminal.harness import Terminal
from tui.cli import cli

REFUSED_SERVER, QUEUED_SERVER = server_id_of("colour"), server_id_of("clear")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve_endpoint() as running:
        yield running


def assert_hidden(home: Home, *outputs: bytes) -> None:
    """Assert that neither secret is in the outputs or in a file of the home, as it is or in base64."""
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


def test_an_operation_writes_no_secret_anywhere(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    ran = home.run(
        "start", REFUSED_SERVER, QUEUED_SERVER, "--yes", "--json", "--reason", "CHG-1", url=endpoint.url
    )
    assert ran.code == 1
    assert b"verified" in ran.out
    assert TOKEN in str(endpoint.tokens)
    reports = [
        home.run("report", "--format", form, url=endpoint.url) for form in ("md", "csv", "json", "html")
    ]
    assert {(one.code, b"CHG-1" in one.out) for one in reports} == {(0, True)}
    assert_hidden(home, ran.out, ran.err, *(one.out + one.err for one in reports))


@pytest.mark.parametrize("how", ["refused", "unreachable", "truncated", "echoed"])
def test_a_failed_login_writes_no_secret_anywhere(tmp_path: Path, how: str) -> None:
    def route(path: str) -> Reply | None:
        body = f'{{"message": "no {PASSWORD}", "bearerToken": "{TOKEN}'.encode()
        return {"refused": Reply(status=401), "truncated": Reply(body), "echoed": Reply(body + b'"}', 400)}[
            how
        ]

    home = Home(tmp_path)
    with serve_endpoint(route) as endpoint:
        url = endpoint.url
        ran = home.run("servers", url="http://127.0.0.1:1" if how == "unreachable" else url)
    assert ran.code in (3, 4)
    assert_hidden(home, ran.out, ran.err)


def test_the_traceback_of_a_bug_is_logged_without_secrets(tmp_path: Path, endpoint: Endpoint) -> None:
    home = Home(tmp_path)
    ran = run_patched(
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
    assert "in broken" in log, "the log has the traceback"
    assert_hidden(home, ran.out, ran.err)


def test_the_output_of_password_command_is_written_nowhere(tmp_path: Path, endpoint: Endpoint) -> None:
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


def test_no_flag_takes_a_secret() -> None:
    found = list(parameters(cli))
    assert "--profile" in found
    assert [name for name in found if re.search("pass|secret|token", name)] == []


def parameters(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from parameter.opts
    if isinstance(command, click.Group):
        for other in command.commands.values():
            yield from parameters(other)


def test_only_the_credentials_and_owner_modules_start_programs() -> None:
    starters = re.compile(
        r"subprocess|multiprocessing|os\.(system|popen|exec|spawn|posix_spawn|fork)|\bpty\b"
    )
    found = {module.name for module in modules() if starters.search(module.path.read_text())}
    assert found == {"tui.settings.credentials", "tui.engine.journal.owner"}


# -- in the console


@pytest.fixture
def cores_allowed() -> Iterator[None]:
    """Let child processes leave core files, up to this machine's hard limit."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("cores_allowed")
def test_a_typed_password_is_visible_nowhere(tmp_path: Path, endpoint: Endpoint) -> None:
    """On the screen, to ``ps``, in the environment, in the clipboard, and in Textual's own log."""
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
        terminal.wait_for(REFUSED_SERVER)
        process = Path(f"/proc/{terminal.process.pid}")
        visible = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        assert b"TEXTUAL_LOG" in visible
        assert re.search(r"Max core file size +0 ", (process / "limits").read_text())
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert endpoint.logins == [PASSWORD]
        assert_hidden(home, terminal.raw, visible)


def test_the_traceback_of_a_console_bug_is_logged_without_secrets(tmp_path: Path, endpoint: Endpoint) -> None:
    """Textual's own traceback would show the local variables of every frame."""
    home = Home(tmp_path)
    script = """
        from tui.console.screens.servers import ServersScreen
        def broken(self):
            password, session = "PASSWORD", self
            raise RuntimeError("broken on purpose")
        ServersScreen.compose = broken
    """.replace("PASSWORD", PASSWORD)
    with home.terminal_of(patched_program(home, script, "--api-url", endpoint.url)) as terminal:
        log_in(terminal)
        assert terminal.wait_exit() == 1
        assert terminal.unrestored_modes() == set()
        assert "What was sent is in the journal" in terminal.text()
        assert b"Traceback" not in terminal.raw
        (tmp_path / "script.py").unlink()
        assert "broken on purpose" in (home.state / "pitstop.log").read_text()
        assert_hidden(home, terminal.raw.replace(b"PASSWORD", b""))


def patched_program(home: Home, script: str, *arguments: str) -> list[str]:
    """The command of a program that runs ``script`` before it starts."""
    lines = [line[8:] for line in script.splitlines()]
    main = f"import sys\nfrom tui.cli import main\nsys.exit(main({list(arguments)!r}))\n"
    path = home.path / "script.py"
    path.write_text("\n".join([*lines, main]))
    return [sys.executable, str(path)]


def run_patched(home: Home, script: str, url: str, *arguments: str) -> Ran:
    """Run such a program until it exits."""
    return run(patched_program(home, script, *arguments), home.environment(url))
