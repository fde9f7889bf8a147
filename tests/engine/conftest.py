"""Every async test of the engine runs in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.engine.clock import VirtualClock, VirtualLoop
from tests.engine.cloud import Cloud
from tests.engine.console import Console, memory_directory


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of async tests in this folder."""
    return {"virtual": VirtualLoop}


@pytest.fixture
def clock() -> VirtualClock:
    """The time of the test's own loop."""
    return VirtualClock()


@pytest.fixture
def cloud(clock: VirtualClock) -> Cloud:
    """A platform with six servers in one data center."""
    return Cloud(clock)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A directory in memory: journals sync at every step, and these tests need not wait for a disk."""
    with memory_directory() as directory:
        yield Path(directory)


@pytest.fixture
async def console(clock: VirtualClock, cloud: Cloud, tmp_path: Path) -> AsyncIterator[Console]:
    """An operator's console, logged in to the cloud, its fleet read."""
    console = await Console(clock, cloud, tmp_path / "journal.db").login()
    yield console
    await console.service.close()
