"""The vendor's own Python SDK, which knows nothing of Pitstop, works against the sandbox over HTTP.

Comments say what it gets wrong itself. The sandbox is shared: a test chooses servers whose state suits it and
waits for their jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import clc
import pytest
import requests

from tests.serving import serve
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig

POLL = 0.02


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The origin of a sandbox whose jobs take fractions of a second."""
    with serve(create_app(SandboxConfig(servers=100, time_scale=0.001))) as url:
        yield url


@pytest.fixture
def sdk(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK, pointed at the sandbox, with its globals put back afterwards."""
    monkeypatch.setattr(clc.defaults, "ENDPOINT_URL_V2", endpoint)
    for name, value in (("ALIAS", False), ("LOCATION", False), ("_LOGIN_TOKEN_V2", False)):
        monkeypatch.setattr(clc, name, value)
    with requests.Session() as session:
        session.trust_env = False
        monkeypatch.setattr(clc, "_REQUESTS_SESSION", session)
        log_in(clc)
        yield clc


def log_in(sdk: Any, password: str = "pitstop") -> None:
    sdk.v2.SetCredentials("demo", password)


def servers_in(sdk: Any, group: Any) -> list[Any]:
    """The servers of a subtree, each read by a request of its own, as the SDK does it."""
    found = list(group.Servers().Servers())
    for child in group.Subgroups().groups:
        found += servers_in(sdk, child)
    return found


def servers(sdk: Any, location: str = "WA1") -> list[Any]:
    """All active servers of a data center, without templates."""
    found = servers_in(sdk, sdk.v2.Datacenter(location).RootGroup())
    return [server for server in found if server.status == "active" and not server.is_template]


def eligible(sdk: Any, location: str = "WA1") -> list[Any]:
    """The started servers of a data center that are not in maintenance mode."""
    return [
        server
        for server in servers(sdk, location)
        if server.power_state == "started" and not server.in_maintenance_mode
    ]


def done(queued: Any, servers: int = 1) -> bool:
    """Wait for the jobs of an operation; whether it was queued for so many servers and went well."""
    return len(queued.requests) == servers and queued.WaitUntilComplete(poll_freq=POLL) == 0


def test_login_and_a_wrong_password(sdk: Any) -> None:
    log_in(sdk, "wrong")
    with pytest.raises(Exception, match="We didn't recognize"):
        sdk.v2.Account.GetAlias()
    log_in(sdk)
    assert sdk.v2.Account.GetAlias() == "ACME"
    assert sdk.v2.Account.GetLocation() == "WA1"


def test_a_session_of_its_own_logs_in_with_a_form(sdk: Any) -> None:
    session = sdk.v2.get_session("demo", "pitstop")
    with session["http_session"]:
        assert (session["alias"], session["location"]) == ("ACME", "WA1")
        assert sdk.v2.Account(session=session).primary_datacenter == "WA1"
        assert sdk.v2.Datacenter(session=session).RootGroup().name == "WA1 Hardware"


def test_an_account(sdk: Any) -> None:
    account = sdk.v2.Account()
    assert (str(account), account.business_name, account.status) == ("ACME", "Acme Corporation", "active")
    assert account.is_managed is False
    assert account.PrimaryDatacenter().name == "WA1 - US West (Seattle)"
    assert sdk.v2.Account(alias="ACMD").ParentAccount().alias == "ACME"
    # Where there is no parent, the SDK promises None and reads the account itself.
    assert account.ParentAccount().alias == "ACME"


def test_a_data_center_its_groups_networks_and_templates(sdk: Any) -> None:
    centers = sdk.v2.Datacenter.Datacenters()
    assert [center.id for center in centers] == ["ny1", "va1", "wa1"]
    center = centers[-1]
    assert center.supports_premium_storage is True
    assert center.supports_shared_load_balancer is True
    assert center.BareMetalCapabilities() is None
    offered = [network.id for network in center.Networks().networks]
    networks = center.Networks(forced_load=True)
    assert [network.id for network in networks.networks] == offered
    network = networks.Get(networks.networks[1].cidr)
    assert network.id == offered[1]
    network.Refresh(location="WA1")
    assert (network.netmask, network.vlan) == ("255.255.255.0", networks.Get(network.name).vlan)
    with pytest.raises(sdk.CLCException, match="Network does not exist"):
        sdk.v2.Network("0" * 32)
    templates = center.Templates()
    assert templates.Search("ubuntu-14-64")[0].osType == "ubuntu14_64Bit"
    assert templates.Get("WIN2012R2DTC-64").drivePathLength == 1


def test_groups(sdk: Any) -> None:
    root = sdk.v2.Datacenter("WA1").RootGroup()
    assert (str(root), root.description, root.status) == ("WA1 Hardware", "WA1 Hardware", "active")
    assert root.created_date < root.modified_date
    groups = sdk.v2.Datacenter("WA1").Groups()
    assert groups.Get("default group").name == "Default Group"
    assert [group.name for group in groups.Search("pay only for the storage")] == ["Archive"]
    below = sdk.v2.Group.GetAll(root.id)
    assert [group.id for group in below] == [group.id for group in groups.groups]
    assert sum(group.servers_count for group in below) == root.servers_count
    assert (root.Defaults("cpu"), root.Defaults("memoryGB")) == (1, 2)
    # The SDK's own creation of servers reads "memory", which no version of the documents has.
    assert root.Defaults("memory") is None
    assert root.HorizontalAutoscale() is None
    assert sdk.v2.HorizontalAutoscalePolicy.GetAll() == []
    assert root.Account().alias == "ACME"


def test_what_a_server_shows(sdk: Any) -> None:
    server = eligible(sdk)[0]
    assert server.Account().alias == "ACME"
    assert server.Group().type == "default"
    assert server.memory >= 2
    assert server.name == server.id == str(server)
    assert server.created_date < server.modified_date
    assert server.secondary_ip_addresses == []
    disks = server.Disks()
    assert len(disks.disks) == server.disk_count
    assert disks.Get("0:1").size == disks.Search("0:1")[0].size == 2
    assert disks.Get("0:1").partition_paths == []
    assert set(server.Credentials()) == {"userName", "password"}
    assert server.adding_cpu_requires_reboot in (True, False)
    assert server.adding_cpu_requires_reboot == server.adding_memory_requires_reboot
    assert server.reserved_drive_paths
    assert set(server.PriceUnits()) == {"cpu", "memory", "storage", "managed_os"}
    assert 0.04 < server.PriceHourly() < 1
    with pytest.raises(sdk.CLCException, match="does not exist"):
        sdk.v2.Server("WA1ACMENONE01")
    with pytest.raises(sdk.ServerDeletedException):
        sdk.v2.Server("WA1ACMENONE01", server_obj={"name": "WA1ACMENONE01"}).PriceUnits()


def test_public_addresses_alerts_and_policies(sdk: Any) -> None:
    found = servers(sdk) + servers(sdk, "NY1") + servers(sdk, "VA1")
    public = next(server for server in found if server.PublicIPs().public_ips)
    address = public.PublicIPs().public_ips[0]
    assert public.PublicIPs().Get(address.internal).id == address.id
    assert [str(port) for port in address.ports] == ["80/TCP", "443/TCP"]
    assert address.source_restrictions == []
    alert = next(server for server in found if server.alert_policies).Alerts().alerts[0]
    assert alert.name
    known = sdk.v2.API.Call("GET", "alertPolicies/ACME")["items"]
    assert alert.id in {policy["id"] for policy in known}
    (apart,) = sdk.v2.AntiAffinity.GetAll()
    assert [policy.id for policy in sdk.v2.AntiAffinity.GetLocation("wa1")] == [apart.id]
    assert sdk.v2.AntiAffinity.GetLocation("NY1") == []
    read = sdk.v2.AntiAffinity(id=apart.id)
    assert (read.name, read.location, read.servers) == (apart.name, "WA1", [])


def test_maintenance_on_one_server_and_back(sdk: Any) -> None:
    server = eligible(sdk)[0]
    assert done(server.StartMaintenance())
    server.Refresh()
    assert server.in_maintenance_mode is True
    assert server.modified_by == "demo"
    assert done(server.StopMaintenance())
    server.Refresh()
    assert server.in_maintenance_mode is False


def test_maintenance_on_many_servers_and_a_power_operation(sdk: Any) -> None:
    chosen = eligible(sdk)[:5] + eligible(sdk, "wa1")[5:8]
    many = sdk.v2.Servers([server.id for server in chosen])
    queued = many.StartMaintenance()
    assert len({request.id for request in queued.requests}) == 1
    assert done(queued, 8)
    assert all(server.in_maintenance_mode for server in many.Servers(cached=False))
    assert many.StartMaintenance().requests == []
    mixed = sdk.v2.Servers([eligible(sdk)[0].id, *many.servers_lst]).StartMaintenance()
    assert [request.data["context_key"] for request in mixed.requests] == ["server"]
    other = mixed.requests[0].Server()
    assert done(mixed)
    assert done(sdk.v2.Servers([other.id, *many.servers_lst]).StopMaintenance(), 9)
    assert done(many.PowerOff(), 8)
    after = many.Servers(cached=False)
    assert {(server.power_state, server.in_maintenance_mode) for server in after} == {("stopped", False)}
    assert done(many.PowerOn(), 8)


def test_every_power_operation(sdk: Any) -> None:
    server = eligible(sdk)[0]
    for operation, power in (
        (server.Pause, "paused"),
        (server.PowerOn, "started"),
        (server.Reboot, "started"),
        (server.Reset, "started"),
        (server.ShutDown, "stopped"),
        (server.PowerOn, "started"),
        (server.PowerOff, "stopped"),
    ):
        assert done(operation())
        server.Refresh()
        assert server.power_state == power
    # A server in no valid state fails the whole batch, and the SDK forgets the jobs of the others.
    with pytest.raises(Exception, match="cannot be queued"):
        server.Reset()
    assert server.PowerOff().requests == []
    assert done(server.PowerOn())


def test_operations_of_a_group_are_those_of_its_own_servers(sdk: Any) -> None:
    found = servers_in(sdk, sdk.v2.Datacenter("WA1").RootGroup())
    refusing = {server.group_id for server in found if server.status != "active" or server.is_template}
    server = next(server for server in eligible(sdk) if server.group_id not in refusing)
    group = server.Group()
    members = group.Servers().servers_lst
    assert server.name in members
    queued = group.StartMaintenance()
    assert {request.Server().name for request in queued.requests} <= set(members)
    assert queued.WaitUntilComplete(poll_freq=POLL) == 0
    server.Refresh()
    assert server.in_maintenance_mode is True
    started = sdk.v2.Servers([request.context_val for request in queued.success_requests])
    assert started.StopMaintenance().WaitUntilComplete(poll_freq=POLL) == 0


def test_snapshots(sdk: Any) -> None:
    server = next(server for server in eligible(sdk) if not server.GetSnapshots())
    # Where there is a snapshot, the SDK deletes it and creates the next one without waiting. The sandbox then
    # refuses the server, which is busy; what the platform did is not recorded.
    assert done(server.CreateSnapshot(expiration_days=2))
    server.Refresh()
    (name,) = server.GetSnapshots()
    with pytest.raises(sdk.CLCException, match="Snapshot already exists"):
        server.CreateSnapshot(delete_existing=False)
    assert done(server.RestoreSnapshot(name))
    assert done(server.DeleteSnapshot())
    server.Refresh()
    assert server.GetSnapshots() == []
    with pytest.raises(sdk.CLCException, match="No snapshots exist"):
        server.RestoreSnapshot()


def test_a_package_and_changes(sdk: Any) -> None:
    server = eligible(sdk)[0]
    assert done(server.ExecutePackage("77ab3844-579d-4c8d-8955-c69a94a2ba1a", {"Name": "value"}))
    default = sdk.v2.Datacenter("WA1").Groups().Get("Default Group")
    change = server.Change(description="for the SDK", group_id=default.id)
    assert change.requests == []
    server.Refresh()
    assert (server.description, server.Group().name) == ("for the SDK", "Default Group")
    with pytest.raises(sdk.APIFailedResponse) as failure:
        server.SetCPU(2)
    assert failure.value.response_status_code == 400
    assert failure.value.response_json["modelState"] == {
        "member": ["Only description and groupId can be set, not cpu."]
    }


def test_archive(sdk: Any) -> None:
    server = eligible(sdk, "NY1")[0]
    assert done(server.Archive())
    server.Refresh()
    assert (server.status, server.Group().type) == ("archived", "archive")
    # Its restore sends nothing.
    assert server.Restore() is None


def test_what_goes_wrong_is_counted_or_raised(sdk: Any, endpoint: str) -> None:
    one, other = eligible(sdk)[:2]
    faults = f"{endpoint}/__sandbox/faults"
    requests.post(faults, json={"job-fails": 1}, timeout=60)
    try:
        both = one.Reboot() + other.Reboot()
    finally:
        requests.post(faults, json={"job-fails": 0}, timeout=60)
    assert both.WaitUntilComplete(poll_freq=POLL) == 2
    assert [request.Status(cached=True) for request in both.error_requests] == ["failed", "failed"]
    request = one.Reboot().requests[0]
    request.WaitUntilComplete(poll_freq=POLL)
    assert (request.Status(), request.Server().name) == ("succeeded", one.name)
    with pytest.raises(sdk.APIFailedResponse) as failure:
        sdk.v2.Datacenter("WA1").RootGroup().Create("Test")
    assert failure.value.response_status_code == 405
