"""The vendor's own Python SDK, which knows nothing of Pitstop, works against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import clc
import pytest
import requests

from tests.conftest import ServeSandbox
from tui.sandbox.config import SandboxConfig

POLL = 0.05


@pytest.fixture
def sdk(serve_sandbox: ServeSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK, pointed at a sandbox whose jobs take milliseconds, with its globals put back afterwards."""
    monkeypatch.setattr(clc.defaults, "ENDPOINT_URL_V2", serve_sandbox(SandboxConfig(time_scale=0.005)))
    for name, value in (("ALIAS", False), ("LOCATION", False), ("_LOGIN_TOKEN_V2", False)):
        monkeypatch.setattr(clc, name, value)
    with requests.Session() as session:
        session.trust_env = False
        monkeypatch.setattr(clc, "_REQUESTS_SESSION", session)
        yield clc


def log_in(sdk: Any, password: str = "pitstop") -> None:
    sdk.v2.SetCredentials("demo", password)


def servers_in(sdk: Any, group: Any) -> list[Any]:
    """The servers of a subtree, each read by a request of its own, as the SDK does it."""
    found = list(group.Servers().Servers())
    for child in group.Subgroups().groups:
        found += servers_in(sdk, child)
    return found


def eligible(sdk: Any, location: str) -> list[Any]:
    servers = servers_in(sdk, sdk.v2.Datacenter(location).RootGroup())
    return [
        server
        for server in servers
        if server.status == "active"
        and not server.is_template
        and server.power_state == "started"
        and not server.in_maintenance_mode
    ]


def test_login_and_a_wrong_password(sdk: Any) -> None:
    log_in(sdk, "wrong")
    with pytest.raises(Exception, match="We didn't recognize"):
        sdk.v2.Account.GetAlias()
    log_in(sdk)
    assert sdk.v2.Account.GetAlias() == "ACME"
    assert sdk.v2.Account.GetLocation() == "WA1"
    assert sdk.v2.Account(alias="ACMD").ParentAccount().alias == "ACME"


def test_data_centers_groups_and_servers(sdk: Any) -> None:
    log_in(sdk)
    centers = sdk.v2.Datacenter.Datacenters()
    assert [center.id for center in centers] == ["ny1", "va1", "wa1"]
    root = centers[-1].RootGroup()
    assert root.name == "WA1 Hardware"
    assert root.Subgroups().Get("default group").name == "Default Group"
    server = eligible(sdk, "WA1")[0]
    assert server.memory >= 2
    assert server.Group().type == "default"
    with pytest.raises(clc.CLCException, match="does not exist"):
        sdk.v2.Server("WA1ACMENONE01")


def test_maintenance_on_one_server_and_back(sdk: Any) -> None:
    log_in(sdk)
    server = eligible(sdk, "WA1")[0]
    assert server.StartMaintenance().WaitUntilComplete(poll_freq=POLL) == 0
    server.Refresh()
    assert server.in_maintenance_mode is True
    assert server.modified_by == "demo"
    assert server.StopMaintenance().WaitUntilComplete(poll_freq=POLL) == 0
    server.Refresh()
    assert server.in_maintenance_mode is False


def test_maintenance_on_many_servers_and_a_power_operation(sdk: Any) -> None:
    log_in(sdk)
    chosen = eligible(sdk, "WA1")[:5] + eligible(sdk, "wa1")[5:8]
    many = sdk.v2.Servers([server.id for server in chosen])
    queued = many.StartMaintenance()
    assert len(queued.requests) == 8
    assert len({request.id for request in queued.requests}) == 1
    assert queued.WaitUntilComplete(poll_freq=POLL) == 0
    assert all(server.in_maintenance_mode for server in many.Servers(cached=False))
    assert many.StartMaintenance().requests == []
    mixed = sdk.v2.Servers([eligible(sdk, "WA1")[0].id, *many.servers_lst]).StartMaintenance()
    assert [request.data["context_key"] for request in mixed.requests] == ["server"]
    assert mixed.WaitUntilComplete(poll_freq=POLL) == 0
    assert many.StopMaintenance().WaitUntilComplete(poll_freq=POLL) == 0
    assert many.PowerOff().WaitUntilComplete(poll_freq=POLL) == 0
    after = many.Servers(cached=False)
    assert {(server.power_state, server.in_maintenance_mode) for server in after} == {("stopped", False)}
    assert many.PowerOn().WaitUntilComplete(poll_freq=POLL) == 0
