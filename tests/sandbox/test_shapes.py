"""The shape of every server, group and data center of a fleet of 1,000, as recorded of the platform in 2015.

Names, types, order and case of the keys are written here a second time, from the recordings and not from the
program.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.sandbox.world import Json, World, groups_of
from tui.sandbox.config import SandboxConfig

SERVER_KEYS = [
    "id",
    "name",
    "description",
    "groupId",
    "isTemplate",
    "locationId",
    "osType",
    "os",
    "isManagedOS",
    "status",
    "details",
    "type",
    "storageType",
    "changeInfo",
    "links",
]
DETAILS_KEYS = [
    "ipAddresses",
    "secondaryIPAddresses",
    "alertPolicies",
    "cpuAutoscalePolicy",
    "antiAffinityPolicy",
    "cpu",
    "diskCount",
    "hostName",
    "inMaintenanceMode",
    "memoryMB",
    "powerState",
    "storageGB",
    "disks",
    "partitions",
    "snapshots",
    "customFields",
    "processorDescription",
    "storageDescription",
]
GROUP_KEYS = [
    "id",
    "name",
    "description",
    "locationId",
    "type",
    "status",
    "serversCount",
    "servers",
    "groups",
    "links",
    "changeInfo",
    "customFields",
]
ACTIVE_LINKS = [
    "self",
    "group",
    "account",
    "billing",
    "statistics",
    "upcomingScheduledActivities",
    "scheduledActivities",
    "publicIPAddresses",
    "alertPolicyMappings",
    "antiAffinityPolicyMapping",
    "cpuAutoscalePolicyMapping",
    "capabilities",
    "credentials",
]
GROUP_LINKS = {
    "root": [
        "createGroup",
        "createServer",
        "self",
        "defaults",
        "billing",
        "statistics",
        "upcomingScheduledActivities",
        "horizontalAutoscalePolicyMapping",
        "scheduledActivities",
    ],
    "default": [
        "createGroup",
        "createServer",
        "self",
        "parentGroup",
        "defaults",
        "billing",
        "archiveGroupAction",
        "statistics",
        "upcomingScheduledActivities",
        "horizontalAutoscalePolicyMapping",
        "scheduledActivities",
    ],
    "archive": ["self", "parentGroup", "defaults", "billing"],
    "templates": ["self", "parentGroup", "defaults", "billing"],
}
CENTER_LINKS = [
    "self",
    "deploymentCapabilities",
    "loadBalancers",
    "computeLimits",
    "networkLimits",
    "availableOvfs",
    "group",
    "createGroup",
    "createServer",
    "defaults",
    "billing",
    "statistics",
    "upcomingScheduledActivities",
    "horizontalAutoscalePolicyMapping",
    "scheduledActivities",
]
DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
HEX32 = r"[0-9a-f]{32}"
NO_HARDWARE = {"underConstruction", "deleted"}


class Fleet(NamedTuple):
    """A fleet of 1,000 as it was answered."""

    centers: Json
    detailed: list[Json]
    """The root group of each data center, with servers."""
    linked: list[Json]
    """The same, with links to servers."""
    alone: dict[str, Json]
    """Each server, read by a request of its own."""

    @property
    def groups(self) -> list[Json]:
        return [group for tree in self.detailed for group in groups_of(tree)]

    @property
    def listed(self) -> list[Json]:
        return [server for group in self.groups for server in group["servers"]]

    @property
    def servers(self) -> Iterator[Json]:
        """Each server twice: as it is listed in its group, and alone."""
        yield from self.listed
        yield from self.alone.values()


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    async def read() -> Fleet:
        world = World(SandboxConfig(servers=1000))
        await world.login()
        centers = await world.get("/v2/datacenters/ACME?groupLinks=true")
        roots = await world.roots()
        detailed = [await world.get(f"{href}?serverDetail=detailed") for href in roots]
        linked = [await world.get(href) for href in roots]
        ids = [server["id"] for tree in detailed for group in groups_of(tree) for server in group["servers"]]
        return Fleet(centers, detailed, linked, {one: await world.server(one) for one in ids})

    return asyncio.run(read())


def in_order(keys: Json, allowed: list[str]) -> bool:
    """Whether all keys are allowed ones, in their order."""
    return list(keys) == [key for key in allowed if key in keys]


def rels(thing: Json) -> list[str]:
    return [link["rel"] for link in thing["links"]]


def link(thing: Json, rel: str) -> Json:
    return next(one for one in thing["links"] if one["rel"] == rel)


def full_details(fleet: Fleet) -> list[tuple[Json, Json]]:
    """Servers with all details: the server and the details."""
    return [
        (server, server["details"]) for server in fleet.servers if "ipAddresses" in server.get("details", ())
    ]


def test_there_are_a_thousand_servers_of_every_status(fleet: Fleet) -> None:
    assert len(fleet.listed) == len(fleet.alone) == 1000
    assert {server["status"] for server in fleet.listed} == {
        "active",
        "archived",
        "underConstruction",
        "queuedForRestore",
        "queuedForDelete",
        "queuedForArchive",
        "deleted",
    }


def test_servers_have_their_keys_in_the_recorded_order(fleet: Fleet) -> None:
    for server in fleet.servers:
        assert in_order(server, SERVER_KEYS)
        assert set(SERVER_KEYS) - set(server) <= {"isManagedOS", "details"}
        assert server.get("isManagedOS", True) is True
        for key in ("id", "name", "description", "groupId", "osType", "os", "status", "type", "storageType"):
            assert type(server[key]) is str
        assert type(server["isTemplate"]) is bool


def test_servers_are_named_in_upper_case_and_have_ids_in_lower_case(fleet: Fleet) -> None:
    for server in fleet.servers:
        assert server["id"] == server["id"].lower()
        assert server["name"] == server["id"].upper()
        assert server["locationId"] == server["name"][:3]
        assert re.fullmatch(HEX32, server["groupId"])


def test_a_description_is_always_there(fleet: Fleet) -> None:
    assert "" in {server["description"] for server in fleet.servers}


def test_changes_have_a_user_and_a_date_in_utc(fleet: Fleet) -> None:
    for thing in (*fleet.servers, *fleet.groups):
        change = thing["changeInfo"]
        assert list(change) == ["createdBy", "createdDate", "modifiedBy", "modifiedDate"]
        assert re.fullmatch(DATE, change["createdDate"])
        assert re.fullmatch(DATE, change["modifiedDate"])


def test_details_depend_on_the_status(fleet: Fleet) -> None:
    for places, servers in (("listed", fleet.listed), ("alone", fleet.alone.values())):
        for server in servers:
            details = server.get("details")
            if server["status"] in NO_HARDWARE:
                assert details is None
            elif server["status"] in ("queuedForRestore", "queuedForArchive") or (
                server["status"] == "archived" and places == "listed"
            ):
                assert list(details) == ["powerState", "storageGB"]
            elif server["status"] != "queuedForDelete" or details is not None:
                assert in_order(details, DETAILS_KEYS)
                assert type(details["inMaintenanceMode"]) is bool
                assert {"ipAddresses", "cpu", "hostName", "partitions", "customFields"} <= set(details)


def test_numbers_of_details_are_integers(fleet: Fleet) -> None:
    for _, details in full_details(fleet):
        for key in ("cpu", "diskCount", "memoryMB", "storageGB"):
            assert type(details[key]) is int
        assert details["diskCount"] == len(details["disks"])
        assert [list(disk) for disk in details["disks"]] == [["id", "sizeGB", "partitionPaths"]] * len(
            details["disks"]
        )


def test_a_server_that_waits_for_its_deletion_is_started_or_paused(fleet: Fleet) -> None:
    states = {
        server["details"]["powerState"]
        for server in fleet.servers
        if server["status"] == "queuedForDelete" and "details" in server
    }
    assert states == {"started", "paused"}


def test_host_names_are_in_lower_case_and_some_are_empty(fleet: Fleet) -> None:
    names = [details["hostName"] for server, details in full_details(fleet) if server["status"] == "active"]
    assert all(name == name.lower() for name in names)
    assert 0.05 < names.count("") / len(names) < 0.25


def test_a_public_address_stands_before_the_internal_one(fleet: Fleet) -> None:
    shapes = Counter(
        tuple(address) for _, details in full_details(fleet) for address in details["ipAddresses"]
    )
    assert set(shapes) == {("internal",), ("public", "internal")}


def test_partitions_begin_with_swap_and_have_three_decimals(fleet: Fleet) -> None:
    for server, details in full_details(fleet):
        if "windows" not in server["os"]:
            assert details["partitions"][0] == {"sizeGB": 0.0, "path": "(swap)"}
        for partition in details["partitions"]:
            assert list(partition) == ["sizeGB", "path"]
            assert type(partition["sizeGB"]) is float
            assert round(partition["sizeGB"], 3) == partition["sizeGB"]


def test_policies_are_sometimes_there_with_a_link(fleet: Fleet) -> None:
    for key, keys in (
        ("cpuAutoscalePolicy", ["id", "links"]),
        ("antiAffinityPolicy", ["id", "name", "links"]),
    ):
        found = [details[key] for _, details in full_details(fleet) if key in details]
        assert 0 < len(found) < 100
        assert all(list(policy) == keys for policy in found)
        assert all(rels(policy) == ["self"] for policy in found)


def test_snapshots_are_named_by_their_time(fleet: Fleet) -> None:
    found = [
        (server, snapshot) for server, details in full_details(fleet) for snapshot in details["snapshots"]
    ]
    assert found
    for server, snapshot in found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d\.\d\d:\d\d:\d\d", snapshot["name"])
        assert rels(snapshot) == ["self", "delete", "restore"]
        here = link(snapshot, "self")["href"]
        assert re.fullmatch(rf"/v2/servers/acme/{server['id']}/snapshots/\d+", here)
        assert link(snapshot, "restore")["href"] == f"{here}/restore"


def test_links_of_servers_are_those_of_their_status_in_order(fleet: Fleet) -> None:
    for server in fleet.servers:
        expected = ACTIVE_LINKS if server["status"] == "active" else ACTIVE_LINKS[:4]
        if server["status"] == "archived":
            expected = [*expected, "restore", "delete"]
        assert [rel for rel in rels(server) if rel != "publicIPAddress"] == expected


def test_the_self_link_of_a_server_has_its_id(fleet: Fleet) -> None:
    for server in fleet.servers:
        verbs = ["GET", "PATCH", "DELETE"] if server["status"] == "active" else ["GET", "PATCH"]
        assert server["links"][0] == {
            "rel": "self",
            "href": f"/v2/servers/acme/{server['id']}",
            "id": server["id"],
            "verbs": verbs,
        }
        assert list(server["links"][0]) == ["rel", "href", "id", "verbs"]


def test_a_public_address_has_a_link_with_the_address_as_its_id(fleet: Fleet) -> None:
    for server in fleet.servers:
        addresses = server.get("details", {}).get("ipAddresses")
        if addresses is None:
            continue
        public = [address["public"] for address in addresses if "public" in address]
        links = [one for one in server["links"] if one["rel"] == "publicIPAddress"]
        assert [one["id"] for one in links] == public
        here = f"/v2/servers/acme/{server['id']}/publicIPAddresses"
        assert [one["href"] for one in links] == [f"{here}/{address}" for address in public]


def test_scheduled_activities_are_linked_by_the_other_id(fleet: Fleet) -> None:
    uuids = set()
    for server in fleet.alone.values():
        if server["status"] == "active":
            for rel in ("scheduledActivities", "upcomingScheduledActivities"):
                found = re.fullmatch(rf"/v2/servers/acme/({HEX32})/{rel}", link(server, rel)["href"])
                assert found
                uuids.add((found[1], server["id"]))
    assert len({uuid for uuid, _ in uuids}) == len(uuids)


def test_groups_have_their_keys_in_the_recorded_order(fleet: Fleet) -> None:
    for trees, expected in (
        (fleet.detailed, GROUP_KEYS),
        (fleet.linked, [k for k in GROUP_KEYS if k != "servers"]),
    ):
        for group in (group for tree in trees for group in groups_of(tree)):
            assert in_order(group, expected)
            assert set(expected) - set(group) <= {"description"}
            assert re.fullmatch(HEX32, group["id"])
            assert group["status"] == "active"
            assert type(group["serversCount"]) is int
            assert group["customFields"] == []


def test_groups_have_the_links_of_their_kind_in_order(fleet: Fleet) -> None:
    roots = {tree["id"] for tree in fleet.detailed}
    for trees in (fleet.detailed, fleet.linked):
        for group in (group for tree in trees for group in groups_of(tree)):
            kind = "root" if group["id"] in roots else group["type"]
            assert [rel for rel in rels(group) if rel != "server"] == GROUP_LINKS[kind]
            verbs = ["GET", "PATCH", "DELETE"] if kind == "default" else ["GET", "PATCH"]
            assert link(group, "self")["verbs"] == verbs
            assert "id" not in link(group, "self")


def test_groups_are_sorted_by_name_without_case(fleet: Fleet) -> None:
    for group in fleet.groups:
        names = [child["name"].lower() for child in group["groups"]]
        assert names == sorted(names)


def test_servers_of_a_group_are_sorted_and_their_links_are_not(fleet: Fleet) -> None:
    links_in_order = []
    linked = {group["id"]: group for tree in fleet.linked for group in groups_of(tree)}
    for group in fleet.groups:
        names = [server["name"] for server in group["servers"]]
        assert names == sorted(names)
        links = [one["id"] for one in linked[group["id"]]["links"] if one["rel"] == "server"]
        assert sorted(links) == names
        links_in_order.append(links == names)
    assert not all(links_in_order)


def test_links_to_servers_have_the_name_as_id_and_lower_case_in_the_href(fleet: Fleet) -> None:
    for group in (group for tree in fleet.linked for group in groups_of(tree)):
        for one in group["links"]:
            if one["rel"] == "server":
                assert one == {
                    "rel": "server",
                    "href": f"/v2/servers/acme/{one['id'].lower()}",
                    "id": one["id"].upper(),
                }


def test_system_groups_have_the_recorded_descriptions(fleet: Fleet) -> None:
    for tree in fleet.detailed:
        assert tree["description"] == tree["name"] == f"{tree['locationId']} Hardware"
        described = {
            child["type"]: child["description"] for child in tree["groups"] if child["type"] != "default"
        }
        assert described["archive"].startswith("Pay only for the storage consumed by the archived server.")
        assert described["templates"].startswith(
            "Custom templates provide a set of hardware/software settings"
        )


def test_data_centers_are_alphabetical_with_their_links_in_order(fleet: Fleet) -> None:
    codes = [center["id"] for center in fleet.centers]
    assert codes == sorted(codes)
    for center, tree in zip(fleet.centers, fleet.detailed, strict=True):
        assert list(center) == ["id", "name", "links"]
        assert center["id"] == center["id"].lower() == tree["locationId"].lower()
        assert center["name"].startswith(f"{center['id'].upper()} - ")
        assert rels(center) == CENTER_LINKS
        assert link(center, "loadBalancers")["href"] == f"/v2/sharedLoadBalancers/acme/{center['id']}"
        assert link(center, "group") == {
            "rel": "group",
            "href": f"/v2/groups/acme/{tree['id']}",
            "id": tree["id"],
            "name": tree["name"],
        }


@pytest.mark.parametrize(
    "body",
    [
        '{"Servers": [{"Id": "%s", "InMaintenanceMode": true}]}',
        '{"servers": [{"ID": "%s", "inmaintenancemode": "True"}]}',
    ],
)
async def test_keys_of_bodies_may_be_in_any_case(body: str) -> None:
    world = World(SandboxConfig(servers=40))
    await world.login()
    name = (await world.ids())[0]
    answer = await world.http.post("/v2/operations/ACME/servers/setMaintenance", content=body % name)
    assert [one["isQueued"] for one in answer.json()] == [True]


def test_no_key_is_ever_null(fleet: Fleet) -> None:
    def nulls(value: Json) -> bool:
        if isinstance(value, dict):
            return any(map(nulls, value.values()))
        return any(map(nulls, value)) if isinstance(value, list) else value is None

    assert not any(map(nulls, (*fleet.servers, *fleet.groups, *fleet.centers)))
