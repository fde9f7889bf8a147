"""Sandboxes in the process, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.sandbox.world import World
from tui.sandbox.config import SandboxConfig

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def make_world() -> AsyncIterator[MakeWorld]:
    """`await make_world(user="demo", **config)`: a sandbox and a client that is logged in."""
    async with AsyncExitStack() as stack:

        async def make(user: str | None = "demo", **config: Any) -> World:
            world = World(SandboxConfig(**config))
            await stack.enter_async_context(world.http)
            if user is not None:
                await world.login(user)
            return world

        yield make


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A sandbox with the default configuration, logged in as demo."""
    return await make_world()
