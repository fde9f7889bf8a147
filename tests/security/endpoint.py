"""An endpoint in a thread of this process; it answers like the platform, or as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from tests.patience import PATIENCE
from tests.security.payloads import PAYLOADS

ACCOUNT = "ACME"
USER = "operator"
PASSWORD = "c4nary-Zq9-7f3a-unmistakable"
TOKEN = "t0ken-9e1d-unmistakable"


class Reply(NamedTuple):
    """An answer: the body as JSON unless it is bytes."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}


Route = Callable[[str], Reply | None]
"""Path -> the answer; None for the regular one."""


class Endpoint(ThreadingHTTPServer):
    """One data center with one server for each payload, every text of which is that payload.

    A server's id contains the name of its payload. Each text is the payload between ``before`` and ``after``,
    which show that the text has arrived.
    """

    daemon_threads = True

    def __init__(self, route: Route = lambda path: None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.route = route
        self.requests: list[str] = []
        self.tokens: set[str] = set()
        self.logins: list[str] = []
        """The passwords that were tried."""
        self.in_maintenance: set[str] = set()
        self.status_requests: dict[str, int] = {}

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Ignore it: a client should close the connection when it is attacked."""

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        """The answer of the test's route, or the regular one."""
        self.requests.append(f"{method} {path}")
        return self.route(path) or self._regular(path, body)

    def reset(self) -> None:
        """Take all servers out of maintenance and reset the jobs."""
        self.status_requests.clear()
        self.in_maintenance.clear()

    def _regular(self, path: str, body: bytes) -> Reply:
        what = path.removeprefix("/v2/").split("?")[0].split("/")
        match what:
            case ["authentication", "login"]:
                self.logins.append(json.loads(body)["password"])
                if self.logins[-1] != PASSWORD:
                    return Reply({"message": wrapped("title")}, 400)
                roles = ["ServerAdmin", wrapped("markup")]
                return Reply(
                    {
                        "userName": wrapped("colour"),
                        "accountAlias": ACCOUNT,
                        "roles": roles,
                        "bearerToken": TOKEN,
                    }
                )
            case ["datacenters", _]:
                links = [{"rel": "group", "id": "root", "href": "/v2/groups/ACME/root"}]
                return Reply([{"id": "wa1", "name": wrapped("override"), "links": links}])
            case ["groups", _, _]:
                return Reply(self._tree())
            case ["servers", _, server_id]:
                return Reply(self._server(server_id.upper(), details=True))
            case ["operations", _, "servers", _]:
                return Reply([self._result(server_id) for server_id in json.loads(body)])
            case ["operations", _, "status", job_id]:
                return Reply({"status": self._status(job_id)})
            case _:
                return Reply({"message": wrapped("clear")}, 404)

    def _tree(self) -> dict[str, Any]:
        servers = [self._server(server_id_of(name)) for name in PAYLOADS]
        inner = {
            "id": "inner",
            "name": wrapped("markup"),
            "description": wrapped("link"),
            "type": wrapped("reset"),
        }
        return {"id": "root", "name": wrapped("eight-bit"), "groups": [inner | {"servers": servers}]}

    def _server(self, server_id: str, *, details: bool = False) -> dict[str, Any]:
        text = wrapped(PAYLOAD_OF.get(server_id, "title"))
        more = {
            "hostName": text,
            "alertPolicies": [{"name": text}],
            "snapshots": [{"name": text}],
            "disks": [{"id": text, "sizeGB": 1, "partitionPaths": [text]}],
            "customFields": [{"name": text, "value": text, "displayValue": wrapped("markup")}],
        }
        return {
            "id": server_id.lower(),
            "name": text,
            "description": text,
            "locationId": "WA1",
            "os": text,
            "status": "active",
            "type": text,
            "details": {
                "powerState": "started",
                "inMaintenanceMode": server_id in self.in_maintenance,
                "ipAddresses": [{"internal": text, "public": text}],
                **(more if details else {}),
            },
            "changeInfo": {"modifiedDate": text, "modifiedBy": text},
        }

    def _result(self, server_id: str) -> dict[str, Any]:
        """Every third server is refused with its payload, the others get a job each."""
        index = list(PAYLOAD_OF).index(server_id)
        if index % 3 == 0:
            return {"server": server_id, "isQueued": False, "errorMessage": wrapped(PAYLOAD_OF[server_id])}
        self.in_maintenance.add(server_id)
        return {"server": server_id, "isQueued": True, "links": [{"rel": "status", "id": f"wa1-{index}"}]}

    def _status(self, job_id: str) -> str:
        """The first status is unknown and contains a payload; every later one is succeeded."""
        self.status_requests[job_id] = self.status_requests.get(job_id, 0) + 1
        payload = list(PAYLOADS.values())[int(job_id.rpartition("-")[2])]
        return f"before{payload}after" if self.status_requests[job_id] == 1 else "succeeded"


def wrapped(name: str) -> str:
    """A text that contains a payload."""
    return f"before {PAYLOADS[name]} after"


def log_in(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Set the endpoint and the credentials of commands that run in this process."""
    for name, value in (("API_URL", url), ("USERNAME", USER), ("PASSWORD", PASSWORD), ("VERIFY_LIMIT", "5")):
        monkeypatch.setenv(f"PITSTOP_{name}", value)


def server_id_of(name: str) -> str:
    """The server whose texts are this payload."""
    return f"WA1ACME{name.upper()}"


PAYLOAD_OF = {server_id_of(name): name for name in PAYLOADS}


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.tokens.add(self.headers.get("Authorization", ""))
        reply = self.server.answer(self.command, self.path, body)
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep the requests out of the test's own output."""


@contextmanager
def serve_endpoint(route: Route = lambda path: None) -> Iterator[Endpoint]:
    """Run an endpoint until the block ends."""
    with Endpoint(route) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield endpoint
        endpoint.shutdown()
        thread.join(PATIENCE)
