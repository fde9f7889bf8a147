"""Every async test of the engine runs in virtual time."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.engine.clock import VirtualClock, VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of async tests in this folder."""
    return {"virtual": VirtualLoop}


@pytest.fixture
def clock() -> VirtualClock:
    """The time of the test's own loop."""
    return VirtualClock()
