"""Virtual time: an event loop that never waits, and the engine's clock on it.

Whenever nothing is ready, the loop jumps to the next moment something is due. A run of hours takes
milliseconds, and the same run takes the same steps every time.

In tests/engine every async test runs on such a loop (see conftest.py) and the `clock` fixture shows its
time. Elsewhere, e.g. in a hypothesis test: `run(lambda clock: scenario(clock))`.
"""

import asyncio
import contextlib
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.patience import PATIENCE

T = TypeVar("T")

EPOCH = 1_800_000_000.0
"""The wall clock's time at the start of a test."""


class _Jump:
    """Stands in for a loop's selector: instead of waiting it moves the loop's time on."""

    def __init__(self, loop: "VirtualLoop", real: selectors.BaseSelector) -> None:
        self._loop = loop
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self._loop.threads:
            # Only another thread can wake a task now: that takes real time.
            ready = self._real.select(self._loop.patience)
            if not ready:
                raise RuntimeError("every task waits, and nothing is due")
        else:
            self._loop.virtual_time += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is virtual and starts at zero."""

    patience = PATIENCE
    """Real seconds to wait for other threads when nothing is due at all."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual_time = 0.0
        self.threads = 0
        self.lag = 0.0
        """Virtual seconds that a call takes in an executor of its own."""
        self._free_at = 0.0
        self._selector: Any = _Jump(self, self._selector)

    def time(self) -> float:
        return self.virtual_time

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> "asyncio.Future[Any]":
        """Virtual time stops while a thread of asyncio.to_thread works.

        Calls for an executor of its own are made here, so that the same run takes the same steps: at once,
        or one after the other with ``lag`` between them.
        """
        if executor is not None:
            return self._call_here(func, *args)
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _call_here(self, func: Any, *args: Any) -> "asyncio.Future[Any]":
        future = self.create_future()

        def call() -> None:
            try:
                result = func(*args)
            except Exception as error:
                future.set_exception(error)
                future.exception()  # Marks it as retrieved: it need not be awaited.
            else:
                future.set_result(result)

        if not self.lag:
            call()
        else:
            self._free_at = max(self.time(), self._free_at) + self.lag
            self.call_at(self._free_at, call)
        return future

    def _thread_done(self, _: "asyncio.Future[Any]") -> None:
        self.threads -= 1


class VirtualClock:
    """The engine's clock on a virtual loop."""

    def __init__(self, epoch: float = EPOCH) -> None:
        self.epoch = epoch
        self._last = 0.0

    def now(self) -> float:
        return self.epoch + self.monotonic()

    def monotonic(self) -> float:
        with contextlib.suppress(RuntimeError):  # Called from outside the loop: the newest time known.
            self._last = asyncio.get_running_loop().time()
        return self._last

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back; intervals stay as they are."""
        self.epoch += seconds


def run(scenario: Callable[[VirtualClock], Awaitable[T]], *, epoch: float = EPOCH) -> T:
    """Carry a scenario out in virtual time, from a test that is not async itself."""

    async def main() -> T:
        return await scenario(VirtualClock(epoch))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
