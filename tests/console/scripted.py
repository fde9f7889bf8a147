"""An engine that does what the test says, and the fleet it serves."""

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
    """A server of the scripted fleet."""
    kind, group = ("DB", "wa1-db") if number % 4 == 0 else ("WEB", "wa1-web")
    usual: dict[str, Any] = {
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
    return Server(**{**usual, **fields})


def fleet_of(count: int) -> tuple[Server, ...]:
    """Servers numbered from 1: one archived, one in maintenance already, the others ready."""
    special: dict[int, dict[str, Any]] = {
        3: {"maintenance": True},
        5: {"status": "archived", "power": None, "maintenance": None},
    }
    return tuple(server(number, **special.get(number, {})) for number in range(1, count + 1))


class ScriptedEngine:
    """Records what it is asked and answers as the test has it; nothing happens by itself.

    With ``willing`` a login is accepted and readings are answered at once.
    """

    def __init__(
        self,
        servers: Iterable[Server] = (),
        *,
        willing: bool = True,
        roles: tuple[str, ...] = ("ServerAdmin",),
    ) -> None:
        self.servers = tuple(servers)
        self.willing = willing
        self.roles = roles
        self.asked: list[tuple[Any, ...]] = []
        self.operations: dict[str, Operation] = {}
        self.untaken: list[events.Event] = []
        self._wake: Callable[[], None] = lambda: None
        self.stopped = False

    def tell(self, *happened: events.Event) -> None:
        """Let these be what the console drains next."""
        self.untaken += happened
        self._wake()

    def start(self) -> None:
        self.asked.append(("start",))

    def login(self, endpoint: Endpoint, user: str, password: str, account: str = "") -> None:
        self.asked.append(("login", endpoint.name, user, password, account))
        if self.willing:
            self.tell(events.LoggedIn(user, account or "ACME", self.roles, endpoint.name))

    def unlock(self, password: str) -> None:
        self.asked.append(("unlock", password))

    def refresh(self) -> None:
        self.asked.append(("refresh",))
        if self.willing:
            self.tell(
                events.DataCenterRead(CENTER, GROUPS, self.servers, NOW),
                events.FleetRead(("WA1",), (), NOW),
                events.Latency(0.034),
            )

    def read_details(self, server_id: str) -> None:
        self.asked.append(("read_details", server_id))

    def run(self, plan: Plan, *, reason: str = "") -> str:
        id_ = f"op-{len(self.operations) + 1}"
        self.asked.append(("run", plan.action.value, plan.server_ids, reason))
        self.operations[id_] = Operation(id_, plan.action, plan.server_ids, reason=reason, started=NOW)
        targets = tuple(self.operations[id_].targets.values())
        self.tell(events.OperationStarted(id_, plan.action, "ACME", "window-1", reason, NOW, targets))
        return id_

    def progress(self, id_: str, state: State, ids: Iterable[str] | None = None, *, after: float = 0.0,
                 job_id: str = "wa1-12345", message: str = "") -> None:  # fmt: skip
        """Servers of an operation (all, if not said) come into a state."""
        operation = self.operations[id_]
        targets = tuple(
            Target(one, state, NOW + after, job_id, message) for one in (ids or operation.targets)
        )
        operation.restore(targets)
        self.tell(events.Progress(id_, targets))

    def end(self, id_: str, after: float = 0.0) -> None:
        """An operation is over."""
        self.operations[id_].ended = NOW + after
        self.tell(events.OperationEnded(id_, NOW + after, self.operations[id_].summary()))

    def read_prior_targets(self) -> None:
        self.asked.append(("read_prior_targets",))

    def cancel(self, operation_id: str) -> None:
        self.asked.append(("cancel", operation_id))

    def resume(self, *, send_planned: bool = False) -> None:
        self.asked.append(("resume", send_planned))

    def wind_down(self, *, send_rest: bool) -> None:
        self.asked.append(("wind_down", send_rest))

    def on_events(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def fetch_events(self) -> list[events.Event]:
        happened, self.untaken = self.untaken, []
        return happened

    def running(self) -> bool:
        return any(operation.ended is None for operation in self.operations.values())

    def stop(self, timeout: float = 5.0) -> None:
        self.stopped = True

    def asked_for(self, what: str) -> list[tuple[Any, ...]]:
        """The calls of one kind, without its name."""
        return [call[1:] for call in self.asked if call[0] == what]


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
    """The console on a scripted engine, its clock standing still."""
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
"""Start options with which the console logs in by itself."""


async def until(pilot: Pilot[None], condition: Callable[[], object], what: str = "") -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what or condition}"
        await asyncio.sleep(0.01)
    await pilot.pause()
