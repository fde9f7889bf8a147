"""Pauses that the endpoint requests: operations go on however long they are, and they are reported."""

from pathlib import Path
from typing import cast

import httpx
import pytest
from starlette.types import ASGIApp

from tests.engine.clock import VirtualClock
from tui.engine.endpoint import Endpoint
from tui.engine.events import Event, PauseRequested
from tui.engine.journal.writer import JournalWriter
from tui.engine.service import EngineService
from tui.model.operation import Action
from tui.model.plan import make_plan
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig

WEEK = 604_800
BOUND = 300


class Pausing(httpx.AsyncBaseTransport):
    """A transport to a sandbox whose first answers of one kind ask to wait for a week."""

    def __init__(self, app: object, part: str, times: int) -> None:
        self._inner = httpx.ASGITransport(cast(ASGIApp, app))
        self._part = part
        self.times = times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._part in request.url.path and self.times:
            self.times -= 1
            return httpx.Response(429, headers={"Retry-After": str(WEEK)})
        return await self._inner.handle_async_request(request)


@pytest.mark.parametrize("part", ["/status/", "/groups/", "/servers/startMaintenance"])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_pause_of_a_week_does_not_stop_an_operation(
    clock: VirtualClock, tmp_path: Path, part: str, times: int
) -> None:
    app = create_app(SandboxConfig(servers=40, job_seconds=(10, 10)), clock=clock.now)
    emitted: list[Event] = []
    transport = Pausing(app, part, 0)
    endpoint = Endpoint("sandbox", "http://127.0.0.1:1", sandbox=True, transport=lambda: transport)
    service = EngineService(
        journal=JournalWriter(tmp_path / "journal.db", now=clock.now), emit=emitted.append, clock=clock
    )
    await service.login(endpoint, "demo", "pitstop")
    await service.inventory.refresh()
    transport.times = times
    started = clock.now()
    fleet = service.inventory.fleet
    plan = make_plan(Action.START_MAINTENANCE, list(fleet.servers), fleet, batch_size=100)
    await service.operations.run(plan, operation_id="op-1")
    assert service.operations.recent["op-1"].summary() == {"verified": len(plan.server_ids)}
    pauses = [event for event in emitted if isinstance(event, PauseRequested)]
    assert 1 <= len(pauses) <= 2 * times
    assert all(event.until - started <= 2 * times * BOUND + 60 for event in pauses)
    assert BOUND <= clock.now() - started <= (2 * times * BOUND) + 120
    await service.close()
