"""Other people's clients of the platform get from the sandbox what their code reads.

They are written in other languages, or need far more than this repository: what they send is replayed.
"""

from __future__ import annotations

import json
import re
from itertools import count
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import MakeWorld
from tests.sandbox.other_clients import CLIENTS, Client, Step
from tests.sandbox.world import Json, World

RUNNING = {"notStarted", "executing", "resumed"}
LOGIN = "/v2/authentication/login"

Held = dict[str, str]


def look(value: Json, path: str) -> list[Json]:
    """What a path leads to, such as `items[].name`, `[0].links[rel=status].id`, or nothing for the whole.

    `[]` leads to every item of a list, `[0]` to one, and `[rel=status]` to the first item with this value.
    Empty lists are left out where one path goes through several.
    """
    found = [value]
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if not part.startswith("["):
            found = [one[part] for one in found]
        elif part == "[]":
            found = [item for one in found for item in one]
        elif "=" in part:
            key, _, wanted = part[1:-1].partition("=")
            found = [next(item for item in one if item.get(key) == wanted) for one in found]
        else:
            found = [one[int(part[1:-1])] for one in found]
    return found


def filled(value: Any, held: Held) -> Any:
    """A value with what is held in place of the names in braces."""
    if isinstance(value, str):
        return value.format(**held)
    if isinstance(value, list):
        return [filled(one, held) for one in value]
    if isinstance(value, dict):
        return {key: filled(one, held) for key, one in value.items()}
    return value


def assert_reads(answer: Json, reads: Any, held: Held) -> None:
    """Everything that is read is there, with its type or value."""
    for path, expected in reads.items():
        found = look(answer, path.format(**held))
        assert found, path
        for one in found:
            if isinstance(expected, type):
                assert type(one) is expected, (path, one)
            else:
                assert one == filled(expected, held), path


class Replay:
    """One client at work on a sandbox whose clock moves between two polls."""

    def __init__(self, client: Client, world: World, held: Held) -> None:
        self.client = client
        self.world = world
        self.held = held
        self.token: dict[str, str] = {}

    async def send(self, step: Step) -> httpx.Response:
        """Send a request as the client does."""
        headers = {**self.client.headers, **self.token}
        content = None
        if step.body is not None:
            headers |= self.client.body_headers
            content = json.dumps(filled(step.body, self.held))
        answer = await self.world.http.request(
            step.method, step.path.format(**self.held), content=content, headers=headers
        )
        assert answer.status_code == step.status, (step.method, answer.url, answer.text)
        if answer.content:
            assert answer.headers["Content-Type"].startswith("application/json")
        else:
            assert step.status == 204
        return answer

    async def login(self) -> None:
        """Log in."""
        body = {"username": "demo", "password": "pitstop"}
        answer = await self.send(Step("POST", LOGIN, body=body))
        assert_reads(answer.json(), self.client.login_reads, self.held)
        self.token = {"Authorization": f"Bearer {answer.json()['bearerToken']}"}

    async def take(self, step: Step) -> None:
        """Carry out a step: one request, or the polls of a job."""
        for number in count():
            answer = await self.send(step)
            status = answer.json()["status"] if step.until else None
            if status not in RUNNING:
                break
            assert number < 10_000
            self.world.clock.now += self.client.poll
        assert status == step.until
        if answer.content:
            assert_reads(answer.json(), step.reads, self.held)
            for name, path in step.keeps.items():
                self.held[name] = look(answer.json(), path)[0]


@pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])
async def test_a_client_reads_what_it_needs(make_world: MakeWorld, client: Client) -> None:
    world = await make_world(servers=100)
    names = await world.ids(power=client.target, location="WA1")
    public = [server for server in await world.servers() if is_public(server)]
    del world.http.headers["Authorization"]
    replay = Replay(client, world, {"server": names[0], "other": names[-1], "public": public[0]["name"]})
    await replay.login()
    for step in client.steps:
        await replay.take(step)


def is_public(server: Json) -> bool:
    """Whether a server is active and has a public address."""
    addresses = server.get("details", {}).get("ipAddresses", ())
    return server["status"] == "active" and any("public" in address for address in addresses)
