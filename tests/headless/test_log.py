"""``PITSTOP_LOG``: what the log file holds, against a sandbox over HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.conftest import ServeSandbox
from tests.headless.conftest import Pitstop
from tui.sandbox.config import SandboxConfig

pytestmark = pytest.mark.usefixtures("log_in")
LINE = re.compile(r"DEBUG tui\.api\.transport: (GET|POST) (/\S+) (\d{3}|-) \d+ ms( \w+)?$")


def requests(home: Path) -> list[tuple[str, str, str, str]]:
    """Method, path, status and error of each request in the log file; the log has no other lines."""
    found = [LINE.search(line) for line in (home / "pitstop.log").read_text().splitlines()]
    return [(one[1], one[2], one[3], (one[4] or "").strip()) for one in found if one is not None]


def test_debug_logs_each_request_and_no_secret(
    pitstop: Pitstop, serve_sandbox: ServeSandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITSTOP_LOG", "debug")
    url = serve_sandbox(SandboxConfig(servers=40, job_seconds=(0, 0)))
    ran = pitstop("start", "--filter", "power:started maint:off status:active", "--yes", "--api-url", url)
    assert ran.code == 0, ran.err
    logged = requests(home)
    served = httpx.get(f"{url}/__sandbox/requests").json()["log"]
    assert sorted((method, f"/v2{path.partition('?')[0]}", status) for method, path, status, _ in logged) == (
        sorted((method, path, str(status)) for _, method, path, status in served)
    )
    assert ("POST", "/authentication/login", "200", "") in logged
    assert ("POST", "/operations/ACME/servers/startMaintenance", "200", "") in logged
    text = (home / "pitstop.log").read_text()
    assert len(text.splitlines()) == len(logged), text
    assert "eyJ" not in text, "the beginning of every token"
    assert "Bearer" not in text
    assert '["' not in text, "the body of an operation"
    # The user's password is also the program's name.
    assert re.findall(r"pitstop", text) == []


def test_debug_logs_the_class_of_a_connection_error(
    pitstop: Pitstop, serve_sandbox: ServeSandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITSTOP_LOG", "debug")
    url = serve_sandbox(SandboxConfig(servers=5, faults={"group-500": 1.0}))
    pitstop("servers", "--api-url", url)
    assert {status for method, path, status, _ in requests(home) if path.startswith("/groups/")} == {"500"}
    assert pitstop("servers", "--api-url", "http://127.0.0.1:1").code == 4
    assert requests(home)[-1] == ("POST", "/authentication/login", "-", "ConnectError")


def test_without_the_variable_no_log_file_is_written(
    pitstop: Pitstop, serve_sandbox: ServeSandbox, home: Path
) -> None:
    assert pitstop("servers", "--api-url", serve_sandbox(SandboxConfig(servers=5))).code == 0
    assert not (home / "pitstop.log").exists()


@pytest.mark.parametrize("level", ["loud", "DEBUGGING"])
def test_an_unknown_log_level_is_refused(
    pitstop: Pitstop, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITSTOP_LOG", level)
    ran = pitstop("where")
    assert ran.code == 2
    assert f"PITSTOP_LOG: must be one of error, warning, info, debug, not '{level}'" in ran.err
