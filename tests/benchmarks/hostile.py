"""What an endpoint can make Pitstop hold: answers that are small on the wire and large in memory.

    python -m tests.benchmarks.hostile [CASE ...] [--data-centers 16]

Each case is one ``pitstop servers`` whose data centers all answer with the same hostile group tree.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.terminal.harness import clean_environment

MILLION = 1_000_000
TREE = '{"id":"a0","name":"hostile","groups":[%s],"servers":[%s],"customFields":[%s]}'


def many(item: str, size: int) -> str:
    """Return as many items of a JSON list as ``size`` characters hold."""
    return ",".join([item] * (size // (len(item) + 1)))


def servers(size: int, **more: object) -> str:
    """Return different servers with what a reading needs of them."""

    def texts() -> Iterator[str]:
        length = number = 0
        while length < size:
            number += 1
            text = json.dumps(
                {"id": f"wa1x{number:08}", "name": f"WA1X{number:08}", "status": "active", **more}
            )
            length += len(text) + 1
            yield text

    return ",".join(texts())


RUN = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, code)
"""

CASES: dict[str, Callable[[], str]] = {
    "empty-servers": lambda: TREE % ("", many("{}", 240 * MILLION), ""),
    "empty-groups": lambda: TREE % (many("{}", 240 * MILLION), "", ""),
    "small-groups": lambda: TREE % (many('{"id":"b0","name":"b"}', 240 * MILLION), "", ""),
    "numbers": lambda: TREE % ("", "", many("0", 240 * MILLION)),
    "lists": lambda: TREE % ("", "", many("[]", 240 * MILLION)),
    "deep": lambda: TREE % ("", "", "[" * 120 * MILLION + "]" * 120 * MILLION),
    "strangers": lambda: TREE % (many("7", 120 * MILLION), many("7", 120 * MILLION), ""),
    "servers": lambda: TREE % ("", servers(100 * MILLION), ""),
    "long-texts": lambda: TREE % ("", servers(240 * MILLION, description="x" * 100_000), ""),
    "long-details": lambda: TREE % ("", servers(240 * MILLION, details={"disks": [{}] * 60_000}), ""),
    "too-large": lambda: TREE % ("", "", '"' + "x" * 400 * MILLION + '"'),
    "honest": lambda: TREE % ("", servers(300_000, description="web front"), ""),
}


class Endpoint(ThreadingHTTPServer):
    """Accepts every login and answers every group with one tree."""

    daemon_threads = True

    def __init__(self, tree: bytes, data_centers: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tree = tree
        self.data_centers = [
            {
                "id": f"d{number:02}",
                "name": f"D{number:02}",
                "links": [{"rel": "group", "href": f"/v2/groups/ACME/a{number}", "id": "a0"}],
            }
            for number in range(data_centers)
        ]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that has seen enough closes the connection."""

    def answer(self, path: str) -> bytes:
        """Return the body for a path, compressed."""
        if path.startswith("/v2/groups/"):
            return self.tree
        if path.startswith("/v2/datacenters/"):
            return gzip.compress(json.dumps(self.data_centers).encode())
        login = {
            "userName": "demo",
            "accountAlias": "ACME",
            "bearerToken": "t" * 40,
            "roles": ["ServerAdmin"],
        }
        return gzip.compress(json.dumps(login).encode())


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.server.answer(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def measure(tree: bytes, data_centers: int) -> str:
    """Run ``pitstop servers`` against the tree; return its memory, CPU, time and exit code as text."""
    endpoint = Endpoint(tree, data_centers)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    credentials = {"PITSTOP_USERNAME": "demo", "PITSTOP_PASSWORD": "pitstop"}
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "tui", "servers", "--json"]
        command += ["--api-url", f"http://127.0.0.1:{endpoint.server_port}"]
        begun = time.monotonic()
        # A process of its own starts it: the peak of whoever starts a process counts as that process's.
        measured = subprocess.run(
            [sys.executable, "-c", RUN, *command],
            env=clean_environment(Path(home), credentials),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        memory, cpu, code = measured.stdout.split()
    endpoint.shutdown()
    endpoint.server_close()
    return (
        f"{int(memory) / 1024:5.0f} MiB, {float(cpu):5.1f} s of CPU in {time.monotonic() - begun:5.1f} s, "
        f"exit {code}"
    )


def main() -> None:
    """Measure the cases, and print a line for each."""
    parser = argparse.ArgumentParser(description="Memory and CPU against a hostile endpoint.")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--data-centers", type=int, default=16)
    options = parser.parse_args()
    for name in options.cases or CASES:
        text = CASES[name]().encode()
        tree = gzip.compress(text, 6)
        size, wire = len(text), options.data_centers * len(tree)
        del text
        result = measure(tree, options.data_centers)
        print(
            f"{name:14} {options.data_centers} x {size / 1e6:5.0f} MB, {wire / 1e6:5.1f} MB sent: {result}",
            flush=True,
        )


if __name__ == "__main__":
    main()
