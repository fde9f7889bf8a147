"""Every link that an entity hands out leads somewhere: to an answer, or to a clear refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.world import Json, World, groups_of

ACTIONS = {
    "restore": "POST",
    "delete": "DELETE",
    "archiveGroupAction": "POST",
    "createGroup": "POST",
    "createServer": "POST",
}
"""Links that have no verbs but are not for reading, and the method that they take."""


def links_in(value: Json) -> Iterator[Json]:
    """Every link at any depth of a JSON value."""
    if isinstance(value, dict):
        if isinstance(value.get("rel"), str) and isinstance(value.get("href"), str):
            yield value
        for one in value.values():
            yield from links_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from links_in(one)


def methods_of(link: Json) -> list[str]:
    """The methods that a link offers."""
    verbs: list[str] = link.get("verbs") or [ACTIONS.get(link["rel"], "GET")]
    return verbs


async def everything(world: World) -> AsyncIterator[Json]:
    """The entities from which a client starts, of both accounts."""
    for alias in ("ACME", "ACMD"):
        yield await world.get(f"/v2/datacenters/{alias}?groupLinks=true&totals=true")
        yield await world.get(f"/v2/accounts/{alias}")
        for kind in ("alertPolicies", "autoscalePolicies", "antiAffinityPolicies"):
            yield await world.get(f"/v2/{kind}/{alias}")
        for center in await world.get(f"/v2/datacenters/{alias}"):
            yield await world.get(f"/v2-experimental/networks/{alias}/{center['id']}")
        for href in await world.roots(alias):
            yield await world.get(href)
            for group in groups_of(await world.get(f"{href}?serverDetail=detailed")):
                yield group


async def offered(world: World) -> set[tuple[str, str]]:
    """Every (method, href) that a client comes to by following links."""
    found: set[tuple[str, str]] = set()
    new = [entity async for entity in everything(world)]
    while new:
        calls = {(method, link["href"]) for link in links_in(new) for method in methods_of(link)} - found
        found |= calls
        new = [await world.get(href) for method, href in sorted(calls) if method == "GET"]
    return found


@pytest.mark.parametrize("user", ["demo", "viewer"])
async def test_every_link_is_answered_or_clearly_refused(make_world: MakeWorld, user: str) -> None:
    world = await make_world(user=user, servers=120)
    calls = await offered(world)
    reads = {href for method, href in calls if method == "GET"}
    for part in (
        "/statistics",
        "/billing",
        "/capabilities",
        "/snapshots/",
        "/publicIPAddresses/",
        "/servers/",
    ):
        assert any(part in href for href in reads), part
    others = sorted(call for call in calls if call[0] != "GET")
    answers = [(call, await world.http.request(*call, json={})) for call in others]
    for call, answer in answers:
        assert answer.status_code in (200, 202, 400, 405), (call, answer.status_code)
        assert answer.status_code < 400 or answer.json()["message"], call
    assert {answer.status_code for _, answer in answers} == (
        {200, 202, 400, 405} if user == "demo" else set()
    )


async def test_links_of_entities_that_operations_have_changed_are_answered_too(
    make_world: MakeWorld,
) -> None:
    world = await make_world(servers=120, job_seconds=(1.0, 1.0))
    names = (await world.ids(location="WA1"))[:4]
    await world.operate("archive", names[:2])
    await world.post("createSnapshot", {"serverIds": names[2:], "snapshotExpirationDays": 3})
    world.clock.now += 2
    for name in names:
        server = await world.server(name)
        for link in links_in(server):
            if methods_of(link)[0] == "GET":
                await world.get(link["href"])
    assert len(list(links_in((await world.server(names[2]))["details"]["snapshots"]))) == 3


async def test_the_paths_of_links_without_a_method_are_405(world: World) -> None:
    for path in ("/v2/groups/ACME", "/v2/servers/ACME", "/v2/servers/ACME/WA1ACMEWEB01/publicIPAddresses"):
        answer = await world.http.post(path, json={})
        assert answer.status_code == 405
        assert "'POST'" in answer.json()["message"]
