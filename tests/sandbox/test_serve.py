"""The sandbox as a program: its first line, its errors, its exit."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.conftest import ServeSandbox
from tests.patience import PATIENCE
from tests.sandbox.world import Clock, World, job_ids
from tui.sandbox.config import SandboxConfig
from tui.sandbox.serve import CannotListen, listen

PROGRAM = """
import sys
from tui.sandbox.config import SandboxConfig
from tui.sandbox.serve import serve
host, port, remote, slow = sys.argv[1:]
faults = {"slow": 1.0} if slow == "slow" else {}
sys.exit(serve(SandboxConfig(faults=faults, slow_seconds=(60, 60)), host, int(port), remote == "remote"))
"""


@contextmanager
def program(
    host: str = "127.0.0.1", port: int = 0, remote: str = "", slow: str = ""
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, host, str(port), remote, slow]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_first_line_has_the_url_and_a_signal_ends_the_program(signum: signal.Signals) -> None:
    with program() as process:
        line = first_line(process)
        assert line.startswith("listening on http://127.0.0.1:")
        url = line.removeprefix("listening on ")
        with urllib.request.urlopen(f"{url}/__sandbox/requests") as answer:
            assert answer.status == 200
        process.send_signal(signum)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "Traceback" not in errors


def test_a_signal_ends_the_program_with_open_connections_and_requests() -> None:
    with program(slow="slow") as process:
        url = first_line(process).removeprefix("listening on ")
        host, port = url.removeprefix("http://").split(":")
        with (
            socket.create_connection((host, int(port))) as idle,
            socket.create_connection((host, int(port))) as waiting,
        ):
            waiting.sendall(
                b"POST /v2/authentication/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
            )
            with httpx.Client(base_url=url, trust_env=False) as client:
                while client.get("/__sandbox/requests").json()["total"] == 0:
                    pass
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=PATIENCE)
            assert idle.recv(1) == b""
        assert process.returncode == 0
        assert "Traceback" not in errors
        assert "Exception" not in errors


def test_a_port_in_use_is_reported_in_one_sentence_with_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with program(port=port) as process:
            output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert output == ""
    (sentence,) = errors.splitlines()
    assert f"port {port}" in sentence
    assert "--port" in sentence


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_without_allow_remote_only_loopback_is_accepted(host: str) -> None:
    with pytest.raises(CannotListen, match="--allow-remote"):
        listen(host, 0, allow_remote=False)


def test_with_allow_remote_it_listens_on_all_addresses() -> None:
    with program(host="0.0.0.0", remote="remote") as process:
        line = first_line(process)
        assert line.startswith("listening on http://0.0.0.0:")


@pytest.mark.parametrize(("host", "port"), [("a..b", 0), ("127.0.0.1", 70_000), ("", 0), ("192.0.2.1", 0)])
def test_an_invalid_address_is_explained(host: str, port: int) -> None:
    with pytest.raises(CannotListen, match=r"address|cannot listen"):
        listen(host, port, allow_remote=True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_every_name_of_loopback_is_accepted(host: str) -> None:
    with listen(host, 0, allow_remote=False) as listener:
        assert listener.getsockname()[1] > 0


async def test_servers_enter_and_leave_maintenance_over_http(serve_sandbox: ServeSandbox) -> None:
    clock = Clock()
    world = World(SandboxConfig(), clock, serve_sandbox(SandboxConfig(), clock))
    await world.login()
    chosen = (await world.ids())[:40]
    jobs = job_ids(await world.operate("startMaintenance", chosen))
    assert {await world.status(job) for job in jobs} == {"notStarted"}
    clock.now += 600
    assert {await world.status(job) for job in jobs} <= {"succeeded"}
    assert set(chosen) <= set(await world.ids(maintenance=True))
    await world.operate("stopMaintenance", chosen)
    clock.now += 600
    assert set(chosen) <= set(await world.ids())
    truth = (await world.truth())["servers"]
    assert all(truth[name]["operations"] == {"startMaintenance": 1, "stopMaintenance": 1} for name in chosen)
    await world.http.aclose()


async def test_gzip_and_keep_alive_over_http(serve_sandbox: ServeSandbox) -> None:
    world = World(SandboxConfig(servers=2000), None, serve_sandbox(SandboxConfig(servers=2000)))
    await world.login()
    href = (await world.roots())[0] + "?serverDetail=detailed"
    packed = await world.http.get(href)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(packed.content) / 5
    assert len(packed.headers.get_list("date")) == 1
    await world.http.aclose()


async def test_concurrent_posts_get_a_job_each(serve_sandbox: ServeSandbox) -> None:
    world = World(SandboxConfig(), None, serve_sandbox(SandboxConfig(job_seconds=(0.0, 0.0))))
    await world.login()
    chosen = (await world.ids())[:50]
    posts = await asyncio.gather(*(world.operate("startMaintenance", [name]) for name in chosen))
    jobs = [job for entities in posts for job in job_ids(entities)]
    assert len(set(jobs)) == 50
    assert set(await asyncio.gather(*map(world.status, jobs))) == {"succeeded"}
    await world.http.aclose()
