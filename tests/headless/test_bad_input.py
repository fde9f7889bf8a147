"""What can go wrong around Pitstop: each gets one clear sentence, the right exit code, and no traceback."""

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
def misbehaving(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers just what it is told to; gives its origin."""

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
def answering(log_in: None) -> Iterator[Callable[..., str]]:
    """Start misbehaving servers that end with the test."""
    with ExitStack() as running:
        yield lambda answers, context=None: running.enter_context(misbehaving(answers, context))


def is_told(ran: Ran, code: int, *words: str) -> None:
    """The command ended with ``code``, printed nothing, and said so in one sentence with ``words``."""
    assert (ran.code, ran.out) == (code, ""), ran
    assert "Traceback" not in ran.err
    (line,) = ran.err.splitlines()
    assert line.startswith("pitstop: ")
    for word in words:
        assert word in line


JSON = "application/json; charset=utf-8"
FINE: Answers = {"/v2/authentication/login": (200, JSON, LOGIN), "/v2/datacenters": (200, JSON, CENTERS)}
PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please sign in</body></html>"


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", PAGE),
        (200, JSON, LOGIN[:40]),
        (200, JSON, b""),
        (200, JSON, b"[1, 2]"),
        (200, JSON, b"\xff\xfe\x00"),
        (500, JSON, b'{"message":"An error has occurred."}'),
        (503, "text/html", PAGE),
        (404, "text/html", PAGE),
    ],
    ids=["html", "truncated", "empty", "another shape", "not text", "500", "503", "404"],
)
def test_an_endpoint_that_is_none(
    pitstop: Pitstop, answering: Callable[..., str], status: int, kind: str, body: bytes
) -> None:
    url = answering({"/": (status, kind, body)})
    is_told(pitstop("servers", "--api-url", url), 4, url.partition("//")[2])


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [(200, "text/html", PAGE), (200, JSON, CENTERS[:30]), (500, JSON, b"{}")],
    ids=["html", "truncated", "500"],
)
def test_an_endpoint_that_breaks_after_the_login(
    pitstop: Pitstop, answering: Callable[..., str], status: int, kind: str, body: bytes
) -> None:
    url = answering({**FINE, "/v2/datacenters": (status, kind, body)})
    for command in (("servers",), ("start", "--filter", "web", "--yes")):
        ran = pitstop(*command, "--api-url", url)
        assert (ran.code, ran.out) == (4, "")
        assert "Traceback" not in ran.err
        assert url.partition("//")[2] in ran.err


def test_an_endpoint_that_is_not_there(pitstop: Pitstop, log_in: None) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        is_told(pitstop("servers", "--api-url", f"http://127.0.0.1:{port}"), 4, str(port))


def test_a_host_that_has_no_address(pitstop: Pitstop, log_in: None) -> None:
    is_told(pitstop("servers", "--api-url", "https://no-such-host.invalid"), 4, "no-such-host.invalid")


@pytest.mark.needs("openssl")
def test_a_certificate_that_does_not_verify(
    pitstop: Pitstop, answering: Callable[..., str], tmp_path: Path
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    command += f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    url = answering(FINE, context)
    is_told(pitstop("servers", "--api-url", url), 4, "certificate")


def test_a_wrong_password_is_tried_once_and_the_api_has_the_word(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform(servers=5)
    monkeypatch.setenv("PITSTOP_PASSWORD", "hunter2")
    ran = pitstop("servers")
    is_told(ran, 3, "We didn't recognize the username or password you entered", "demo")
    assert "hunter2" not in ran.err
    assert place.requests == {"POST /v2/authentication/login": 1}


def test_nobody_to_log_in_as(pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch) -> None:
    is_told(pitstop("servers", "--api-url", "https://x.invalid"), 2, "PITSTOP_USERNAME")
    monkeypatch.setenv("CLC_USER", "demo")
    is_told(pitstop("servers", "--api-url", "https://x.invalid"), 2, "PITSTOP_PASSWORD")


def test_an_empty_account(pitstop: Pitstop, platform: Serve) -> None:
    place = platform(servers=0)
    ran = pitstop("servers", "--json")
    assert (ran.code, ran.json) == (0, [])
    assert "has no servers" in ran.err
    ran = pitstop("start", "WA1ACMEWEB01", "--yes", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "WA1ACMEWEB01" in ran.err
    assert place.posts == 0


def test_an_account_that_is_not_yours(pitstop: Pitstop, platform: Serve) -> None:
    platform(servers=5)
    is_told(pitstop("servers", "--account", "NOPE"), 4, "permission")


def test_plain_http_to_another_machine(pitstop: Pitstop, log_in: None) -> None:
    is_told(pitstop("servers", "--api-url", "http://api.example.net"), 2, "allow_http")


def test_an_endpoint_that_takes_its_time_is_named_meanwhile(
    pitstop: Pitstop, platform: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.headless.engine.PATIENCE", 0.0)
    place = platform(servers=20)
    ran = pitstop("servers")
    host = place.url.partition("//")[2]
    assert f"waiting for {host} to answer the login" in ran.err
    assert f"waiting for {host} to list the servers" in ran.err


def test_a_port_in_use(pitstop: Pitstop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = pitstop("sandbox", "--port", port)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count(port) == 1
    assert "Traceback" not in ran.err


def test_a_terminal_that_is_none(pitstop: Pitstop) -> None:
    for command in ((), ("demo",)):
        is_told(pitstop(*command), 2, "not a terminal")


def test_settings_that_make_no_sense(pitstop: Pitstop, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("batchsize = 3\n")
    is_told(pitstop("servers", "--sandbox"), 2, "config.toml", "batchsize", "batch_size")


def test_a_journal_that_cannot_be_used_sends_nothing(pitstop: Pitstop, platform: Serve, home: Path) -> None:
    place = platform()
    (id_, *_) = [server["id"] for server in pitstop("servers", "maint:off status:active", "--json").json]
    (home / "journal.sqlite3").write_bytes(b"this is no database" * 100)
    ran = pitstop("start", id_, "--yes", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was sent" in ran.err
    assert "journal" in ran.err
    assert "Traceback" not in ran.err
    assert place.posts == 0


def test_a_journal_on_a_network_file_system_sends_nothing(
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


def test_a_home_that_cannot_be_made(
    pitstop: Pitstop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PITSTOP_HOME", str(tmp_path / "file" / "home"))
    is_told(pitstop("servers", "--sandbox"), 2, "Not a directory")


def test_a_bug_is_one_sentence_and_its_traceback_is_in_the_log(
    pitstop: Pitstop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> int:
        raise RuntimeError("a reason for the log")

    monkeypatch.setattr("tui.headless.servers.list_servers", broken)
    is_told(pitstop("servers", "--sandbox"), 1, "RuntimeError", str(home / "pitstop.log"))
    assert "a reason for the log" in (home / "pitstop.log").read_text()
    assert "Traceback" in (home / "pitstop.log").read_text()
