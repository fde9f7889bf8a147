"""The fleet generated from a seed and a size, as a client sees it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import World, groups_of
from tui.sandbox.fleet import Fleet


async def test_the_same_seed_and_size_make_the_same_fleet(make_world: MakeWorld) -> None:
    first, again, other = [await make_world(servers=120, seed=seed) for seed in (3, 3, 4)]
    assert await first.trees() == await again.trees()
    assert await first.servers() != await other.servers()


@pytest.mark.parametrize("size", [0, 1, 2, 7, 39, 40, 99, 100, 240, 1000])
async def test_the_fleet_has_the_requested_size(make_world: MakeWorld, size: int) -> None:
    world = await make_world(servers=size)
    names = [server["name"] for server in await world.servers()]
    assert len(names) == len(set(names)) == size
    assert len(await world.roots()) == (3 if size >= 100 else 2)


@pytest.mark.parametrize("size", [40, 240])
async def test_every_status_occurs(make_world: MakeWorld, size: int) -> None:
    servers = await (await make_world(servers=size)).servers()
    count = Counter(server["status"] for server in servers)
    assert set(count) == {
        "active",
        "archived",
        "underConstruction",
        "queuedForRestore",
        "queuedForDelete",
        "queuedForArchive",
        "deleted",
    }
    assert count["active"] >= 0.75 * size
    assert sum(server["isTemplate"] for server in servers) >= 1


async def test_power_and_maintenance_are_mixed(make_world: MakeWorld) -> None:
    world = await make_world(servers=1000)
    active = [s["details"] for s in await world.servers() if s["status"] == "active" and not s["isTemplate"]]
    seen = Counter((one["powerState"], one["inMaintenanceMode"]) for one in active)
    assert set(seen) == {
        ("started", True),
        ("started", False),
        ("stopped", False),
        ("paused", True),
        ("paused", False),
    }
    assert 20 <= seen[("started", True)] <= 60


async def test_names_are_data_center_alias_letters_and_digits(world: World) -> None:
    names = [server["name"] for server in await world.servers()]
    parts = [re.fullmatch(r"([A-Z]{2}\d)(ACME)([A-Z]{2,6})(\d{2,3})", name) for name in names]
    assert all(parts)
    assert {len(part[4]) for part in parts if part} == {2, 3}
    assert {part[3] for part in parts if part} >= {"WEB", "APP", "DB"}


def test_names_get_another_letter_when_numbers_run_out() -> None:
    fleet = Fleet("ACME", 100_000, 7)
    assert len(fleet.servers) == 100_000
    user_parts = {re.sub(r"\d+$", "", name[7:]) for name in fleet.servers}
    assert max(map(len, user_parts)) <= 6
    assert "WEBPA" in user_parts


async def test_descriptions_are_plain_wide_right_to_left_or_empty(make_world: MakeWorld) -> None:
    servers = await (await make_world(servers=500)).servers()
    texts = [server["description"] for server in servers]
    assert "" in texts
    letters = "".join(texts)
    assert any(unicodedata.east_asian_width(letter) == "W" for letter in letters)
    assert any(unicodedata.bidirectional(letter) == "R" for letter in letters)
    assert any(unicodedata.combining(letter) for letter in letters)
    assert "[" in letters


async def test_groups_are_nested_and_some_are_described(make_world: MakeWorld) -> None:
    trees = await (await make_world(servers=6000)).trees()
    for tree in trees:
        names = [child["name"] for child in tree["groups"]]
        assert tree["name"] == f"{tree['locationId']} Hardware"
        assert names == sorted(names, key=str.lower)
        types = {child["name"]: child["type"] for child in tree["groups"]}
        assert (types["Archive"], types["Templates"]) == ("archive", "templates")
        assert types["Default Group"] == "default"
    groups = [group for tree in trees for group in groups_of(tree)]
    assert len({group["id"] for group in groups}) == len(groups)
    assert all(re.fullmatch(r"[0-9a-f]{32}", group["id"]) for group in groups)
    assert 0 < sum("description" in group for group in groups) < len(groups) / 2
    assert max(len(group["servers"]) for group in groups if group["type"] == "default") <= 250
    web = next(child for child in trees[-1]["groups"] if child["name"] == "Web")
    assert {child["name"] for child in web["groups"]} == {"Prod", "Staging", "Dev"}
    assert any(child["name"] == "Pod 01" for stage in web["groups"] for child in stage["groups"])


async def test_server_counts_omit_those_queued_for_restore_as_on_the_platform(world: World) -> None:
    for tree in await world.trees():
        for group in groups_of(tree):
            below = [server for node in groups_of(group) for server in node["servers"]]
            restoring = sum(server["status"] == "queuedForRestore" for server in below)
            assert group["serversCount"] == len(below) - restoring
    everywhere = await world.servers()
    assert any(server["status"] == "queuedForRestore" for server in everywhere)


async def test_details_are_full_short_or_absent_by_status(world: World) -> None:
    shapes: dict[str, set[str]] = {}
    for server in await world.servers():
        details = server.get("details")
        shape = "absent" if details is None else "full" if "inMaintenanceMode" in details else "short"
        shapes.setdefault(server["status"], set()).add(shape)
        if shape == "short":
            assert set(details) == {"powerState", "storageGB"}
            assert details["powerState"] == "stopped"
    assert shapes == {
        "active": {"full"},
        "archived": {"short"},
        "underConstruction": {"absent"},
        "queuedForRestore": {"short"},
        "queuedForDelete": {"absent", "full"},
        "queuedForArchive": {"short"},
        "deleted": {"absent"},
    }


async def test_an_archived_server_read_alone_has_full_details_with_zeros(world: World) -> None:
    listed = next(server for server in await world.servers() if server["status"] == "archived")
    details = (await world.server(listed["name"]))["details"]
    assert (details["cpu"], details["memoryMB"], details["powerState"]) == (0, 0, "stopped")
    assert details["inMaintenanceMode"] is False


async def test_some_servers_have_what_the_details_panel_shows(make_world: MakeWorld) -> None:
    servers = await (await make_world(servers=2000)).servers()
    full = [server["details"] for server in servers if server["status"] == "active"]
    for key in ("snapshots", "alertPolicies", "customFields"):
        assert 0 < sum(bool(one[key]) for one in full) < len(full)
    assert 0 < sum("public" in one["ipAddresses"][0] for one in full) < len(full)
    assert all(one["disks"] and one["partitions"] for one in full)
    assert all(one["hostName"] == one["hostName"].lower() for one in full)
    assert 0 < sum(not one["hostName"] for one in full) < len(full) / 4
    assert {server["type"] for server in servers} == {"standard", "hyperscale", "bareMetal"}
    assert {server["storageType"] for server in servers} == {"standard", "premium", "hyperscale"}
    metal = [server["details"] for server in servers if server["type"] == "bareMetal" and "details" in server]
    assert any("processorDescription" in one for one in metal)
