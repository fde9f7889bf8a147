"""An engine controlled by the test, and the fleet that it serves."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from textual.pilot import Pilot

from tests.patience import PATIENCE
from tui.console.app import PitstopApp
from tui.console.options import StartOptions
from tui.engine import events
from tui.engine.endpoint import Endpoint
from tui.model.group import DataCenter, Group
from tui.model.operation import Operation, State, Target
from tui.model.plan import Plan
from tui.model.server import Server
from tui.settings.schema import Settings

NOW = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC."""
SANDBOX = Endpoint("sandbox", "http://sandbox.invalid", sandbox=True)
REAL = Endpoint("prod", "https://api.example.net")
CENTER = DataCenter("WA1", "US West (Seattle)", "wa1-0")
GROUPS = (
    Group("wa1-0", "WA1 Hardware", "WA1", None, "WA1 Hardware"),
    Group("wa1-web", "Web", "WA1", "wa1-0", "Web"),
    Group("wa1-db", "Databases", "WA1", "wa1-0", "Databases"),
)


def server(number: int, **fields: Any) -> Server:
    """A server of the scripted fleet; every fourth is a database."""
    kind, group = ("DB", "wa1-db") if number % 4 == 0 else ("WEB", "wa1-web")
    defaults: dict[str, Any] = {
        "id": f"WA1ACME{kind}{number:03}",
        "name": f"wa1acme{kind.lower()}{number:03}",
        "group_id": group,
        "data_center": "WA1",
        "status": "active",
        "power": "started",
        "maintenance": False,
        "os": "ubuntu20_64Bit",
        "cpu": 2,
        "memory_mb": 4096,
        "storage_gb": 60,
        "ip": f"10.12.0.{number % 250}",
        "description": "shop front" if kind == "WEB" else "orders",
        "modified": "2023-11-02T08:15:00Z",
    }
    return Server(**{**defaults, **fields})


def fleet_of(count: int) -> tuple[Server, ...]:
    """Servers numbered from 1: number 3 is in maintenance, number 5 archived, the others are eligible."""
    special: dict[int, dict[str, Any]] = {
        3: {"maintenance": True},
        5: {"status": "archived", "power": None, "maintenance": None},
    }
    return tuple(server(number, **special.get(number, {})) for number in range(1, count + 1))


class ScriptedEngine:
    """Records every call; the test emits the events.

    With ``auto_answer`` it accepts a login and answers a reading at once.
    """

    def __init__(
        self,
        servers: Iterable[Server] = (),
        *,
        auto_answer: bool = True,
        roles: tuple[str, ...] = ("ServerAdmin",),
    ) -> None:
        self.servers = tuple(servers)
        self.auto_answer = auto_answer
        self.roles = roles
        self.calls: list[tuple[Any, ...]] = []
        self.operations: dict[str, Operation] = {}
        self.pending: list[events.Event] = []
        self._wake: Callable[[], None] = lambda: None
        self.stopped = False

    def emit(self, *new_events: events.Event) -> None:
        """Emit events; the console fetches them next."""
        self.pending += new_events
        self._wake()

    def start(self) -> None:
        self.calls.append(("start",))

    def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        self.calls.append(("login", endpoint.name, user, password, account))
        if self.auto_answer:
            self.emit(events.LoggedIn(user, account or "ACME", self.roles, endpoint.name))

    def unlock(self, password: str) -> None:
        self.calls.append(("unlock", password))

    def refresh(self) -> None:
        self.calls.append(("refresh",))
        if self.auto_answer:
            self.emit(
                events.DataCenterRead(CENTER, GROUPS, self.servers, NOW),
                events.FleetRead(("WA1",), (), NOW),
                events.Latency(0.034),
            )

    def read_details(self, server_id: str) -> None:
        self.calls.append(("read_details", server_id))

    def run(self, plan: Plan, *, reason: str = "") -> str:
        id_ = f"op-{len(self.operations) + 1}"
        self.calls.append(("run", plan.action.value, plan.server_ids, reason))
        self.operations[id_] = Operation(id_, plan.action, plan.server_ids, reason=reason, started=NOW)
        targets = tuple(self.operations[id_].targets.values())
        self.emit(events.OperationStarted(id_, plan.action, "ACME", "window-1", reason, NOW, targets))
        return id_

    def progress(self, id_: str, state: State, ids: Iterable[str] | None = None, *, after: float = 0.0,
                 job_id: str = "wa1-12345", message: str = "") -> None:  # fmt: skip
        """Emit that servers of an operation (by default all) are in a state."""
        operation = self.operations[id_]
        targets = tuple(
            Target(one, state, NOW + after, job_id, message) for one in (ids or operation.targets)
        )
        operation.restore(targets)
        self.emit(events.Progress(id_, targets))

    def end(self, id_: str, after: float = 0.0) -> None:
        """Emit that an operation has ended."""
        self.operations[id_].ended = NOW + after
        self.emit(events.OperationEnded(id_, NOW + after, self.operations[id_].summary()))

    def read_prior_targets(self) -> None:
        self.calls.append(("read_prior_targets",))

    def cancel(self, operation_id: str) -> None:
        self.calls.append(("cancel", operation_id))

    def resume(self, *, send_planned: bool = False) -> None:
        self.calls.append(("resume", send_planned))

    def wind_down(self, *, send_rest: bool) -> None:
        self.calls.append(("wind_down", send_rest))

    def on_events(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def fetch_events(self) -> list[events.Event]:
        fetched, self.pending = self.pending, []
        return fetched

    def running(self) -> bool:
        return any(operation.ended is None for operation in self.operations.values())

    def stop(self, timeout: float = 5.0) -> None:
        self.stopped = True

    def calls_to(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of each call to a method, oldest first."""
        return [call[1:] for call in self.calls if call[0] == name]


def make_app(
    engine: ScriptedEngine,
    *,
    endpoints: tuple[Endpoint, ...] = (SANDBOX,),
    settings: Settings | None = None,
    start: StartOptions | None = None,
    clock: Callable[[], float] = lambda: NOW,
    monotonic: Callable[[], float] = time.monotonic,
    ascii_only: bool = False,
    save: Callable[..., None] = lambda **_: None,
) -> PitstopApp:
    """The console on a scripted engine, with a fixed clock."""
    return PitstopApp(
        engine_factory=lambda: engine,
        endpoints=endpoints,
        settings=settings or Settings(),
        start=start or StartOptions(),
        clock=clock,
        monotonic=monotonic,
        ascii_only=ascii_only,
        save=save,
    )


LOGGED_IN = StartOptions(user="demo", password="pitstop")
"""Start options with credentials: the console logs in without a key."""


async def until(pilot: Pilot[None], condition: Callable[[], object], what: str = "") -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what or condition}"
        await asyncio.sleep(0.01)
    await pilot.pause()
