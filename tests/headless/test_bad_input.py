"""Errors from outside Pitstop: each prints one clear sentence and no traceback, with the right exit code."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.headless.conftest import Pitstop, Ran, Serve

LOGIN = (
    b'{"userName":"demo","accountAlias":"ACME","locationAlias":"WA1","roles":["ServerAdmin"],'
    b'"bearerToken":"token"}'
)
CENTERS = (
    b'[{"id":"wa1","name":"WA1 - US West","links":[{"rel":"group","href":"/v2/groups/acme/'
    + b"0" * 32
    + b'","id":"'
    + b"0" * 32
    + b'","name":"WA1 Hardware"}]}]'
)
Answers = dict[str, tuple[int, str, bytes]]
"""Start of a path -> status, content type, body."""


@contextmanager
def serve_answers(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run a server that gives these answers; yields its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.do_GET()

        def do_GET(self) -> None:
            status, kind, body = next(
                answer for start, answer in answers.items() if self.path.startswith(start)
            )
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def start_server(log_in: None) -> Iterator[Callable[..., str]]:
    """``start_server(answers, context=None)`` -> origin of a server that stops after the test."""
    with ExitStack() as running:
        yield lambda answers, context=None: running.enter_context(serve_answers(answers, context))


def assert_one_error(ran: Ran, code: int, *words: str) -> None:
    """Assert that the command exited with ``code`` and printed only one error line, with ``words``."""
    assert (ran.code, ran.out) == (code, ""), ran
    assert "Traceback" not in ran.err
    (line,) = ran.err.splitlines()
    assert line.startswith("pitstop: ")
    for word in words:
        assert word in line


JSON = "application/json; charset=utf-8"
WORKING: Answers = {"/v2/authentication/login": (200, JSON, LOGIN), "/v2/datacenters": (200, JSON, CENTERS)}
HTML_PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please sign in</body></html>"


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", HTML_PAGE),
        (200, JSON, LOGIN[:40]),
        (200, JSON, b""),
        (200, JSON, b"[1, 2]"),
        (200, JSON, b"\xff\xfe\x00"),
        (500, JSON, b'{"message":"An error has occurred."}'),
        (503, "text/html", HTML_PAGE),
        (404, "text/html", HTML_PAGE),
    ],
    ids=["html", "truncated", "empty", "another shape", "not text", "500", "503", "404"],
)
def test_an_invalid_login_answer_is_an_error_that_names_the_endpoint(
    pitstop: Pitstop, start_server: Callable[..., str], status: int, kind: str, body: bytes
) -> None:
    url = start_server({"/": (status, kind, body)})
    assert_one_error(pitstop("servers", "--api-url", url), 4, url.partition("//")[2])


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [(200, "text/html", HTML_PAGE), (200, JSON, CENTERS[:30]), (500, JSON, b"{}")],
    ids=["html", "truncated", "500"],
)
def test_an_invalid_answer_after_the_login_is_an_error(
    pitstop: Pitstop, start_server: Callable[..., str], status: int, kind: str, body: bytes
) -> None:
    url = start_server({**WORKING, "/v2/datacenters": (status, kind, body)})
    for command in (("servers",), ("start", "--filter", "web", "--yes")):
        ran = pitstop(*command, "--api-url", url)
        assert (ran.code, ran.out) == (4, "")
        assert "Traceback" not in ran.err
        assert url.partition("//")[2] in ran.err


def test_a_refused_connection_is_reported_with_its_port(pitstop: Pitstop, log_in: None) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        assert_one_error(pitstop("servers", "--api-url", f"http://127.0.0.1:{port}"), 4, str(port))


def test_an_unknown_host_is_reported_by_name(pitstop: Pitstop, log_in: None) -> None:
    assert_one_error(
        pitstop("servers", "--api-url", "https://no-such-host.invalid"), 4, "no-such-host.invalid"
    )


@pytest.mark.needs("openssl")
def test_an_untrusted_certificate_is_refused(
    pitstop: Pitstop, start_server: Callable[..., str], tmp_path: Path
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    command += f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    url = start_server(WORKING, context)
    assert_one_error(pitstop("servers", "--api-url", url), 4, "certificate")


def test_a_wrong_password_is_tried_once_and_the_api_message_is_shown(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform(servers=5)
    monkeypatch.setenv("PITSTOP_PASSWORD", "hunter2")
    ran = pitstop("servers")
    assert_one_error(ran, 3, "We didn't recognize the username or password you entered", "demo")
    assert "hunter2" not in ran.err
    assert place.requests == {"POST /v2/authentication/login": 1}


def test_missing_credentials_are_wrong_usage(pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_one_error(pitstop("servers", "--api-url", "https://x.invalid"), 2, "PITSTOP_USERNAME")
    monkeypatch.setenv("CLC_USER", "demo")
    assert_one_error(pitstop("servers", "--api-url", "https://x.invalid"), 2, "PITSTOP_PASSWORD")


def test_an_empty_account_lists_nothing_and_operates_on_nothing(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(servers=0)
    ran = pitstop("servers", "--json")
    assert (ran.code, ran.json) == (0, [])
    assert "has no servers" in ran.err
    ran = pitstop("start", "WA1ACMEWEB01", "--yes", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "WA1ACMEWEB01" in ran.err
    assert place.posts == 0


def test_an_account_without_permission_is_reported(pitstop: Pitstop, platform: Serve) -> None:
    platform(servers=5)
    assert_one_error(pitstop("servers", "--account", "NOPE"), 4, "permission")


def test_plain_http_to_another_machine_needs_allow_http(pitstop: Pitstop, log_in: None) -> None:
    assert_one_error(pitstop("servers", "--api-url", "http://api.example.net"), 2, "allow_http")


def test_a_slow_endpoint_is_named_while_the_command_waits(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.headless.engine.PATIENCE", 0.0)
    place = platform(servers=20)
    ran = pitstop("servers")
    host = place.url.partition("//")[2]
    assert f"waiting for {host} to answer the login" in ran.err
    assert f"waiting for {host} to list the servers" in ran.err


def test_a_port_in_use_is_reported_once(pitstop: Pitstop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = pitstop("sandbox", "--port", port)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count(port) == 1
    assert "Traceback" not in ran.err


def test_the_console_refuses_to_start_without_a_terminal(pitstop: Pitstop) -> None:
    for command in ((), ("demo",)):
        assert_one_error(pitstop(*command), 2, "not a terminal")


def test_an_unknown_setting_is_reported_with_the_closest_name(pitstop: Pitstop, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("batchsize = 3\n")
    assert_one_error(pitstop("servers", "--sandbox"), 2, "config.toml", "batchsize", "batch_size")


def test_with_an_unusable_journal_nothing_is_sent(pitstop: Pitstop, platform: Serve, home: Path) -> None:
    place = platform()
    (id_, *_) = [server["id"] for server in pitstop("servers", "maint:off status:active", "--json").json]
    (home / "journal.sqlite3").write_bytes(b"this is no database" * 100)
    ran = pitstop("start", id_, "--yes", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was sent" in ran.err
    assert "journal" in ran.err
    assert "Traceback" not in ran.err
    assert place.posts == 0


def test_with_a_journal_on_a_network_file_system_nothing_is_sent(
    pitstop: Pitstop, platform: Serve, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform()
    (id_, *_) = [server["id"] for server in pitstop("servers", "maint:off status:active", "--json").json]
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 25 0:31 / {tmp_path} rw,relatime - nfs4 files:/home rw\n", encoding="utf-8")
    monkeypatch.setattr("tui.engine.journal.mounts.MOUNTS", mounts)
    ran = pitstop("start", id_, "--yes", "--json")
    assert (ran.code, ran.out) == (1, "")
    for words in ("nothing was sent", f"{home} is on a network file system (nfs4)", "XDG_STATE_HOME"):
        assert words in ran.err
    assert not (home / "journal.sqlite3").exists()
    assert place.posts == 0


def test_a_home_that_cannot_be_created_is_reported(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PITSTOP_HOME", str(tmp_path / "file" / "home"))
    assert_one_error(pitstop("servers", "--sandbox"), 2, "Not a directory")


def test_a_bug_prints_one_sentence_and_logs_its_traceback(
    pitstop: Pitstop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> int:
        raise RuntimeError("a reason for the log")

    monkeypatch.setattr("tui.headless.servers.list_servers", broken)
    assert_one_error(pitstop("servers", "--sandbox"), 1, "RuntimeError", str(home / "pitstop.log"))
    assert "a reason for the log" in (home / "pitstop.log").read_text()
    assert "Traceback" in (home / "pitstop.log").read_text()
