"""Virtual time: an event loop that never waits, and the engine's clock on it.

Whenever nothing is ready, the loop jumps to the next moment something is due. A run of hours takes
milliseconds, and the same run takes the same steps every time.

In tests/engine every async test runs on such a loop (see conftest.py) and the `clock` fixture tells its
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
"""What the wall clock of a test shows when it begins."""


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
            # Only another thread can bring what is waited for: that takes real time.
            ready = self._real.select(self._loop.patience)
            if not ready:
                raise RuntimeError("every task waits for something that nothing will bring")
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
        """Virtual seconds that a thread of its own takes for each thing it is given."""
        self._free_at = 0.0
        self._selector: Any = _Jump(self, self._selector)

    def time(self) -> float:
        return self.virtual_time

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> "asyncio.Future[Any]":
        """Time stands still while a thread works, as asyncio.to_thread lets one.

        What is given to a thread of its own is done here, so that the same run takes the same steps: at once,
        or one thing after the other with ``lag`` between them.
        """
        if executor is not None:
            return self._do_here(func, *args)
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _do_here(self, func: Any, *args: Any) -> "asyncio.Future[Any]":
        future = self.create_future()

        def do() -> None:
            try:
                result = func(*args)
            except Exception as error:
                future.set_exception(error)
                future.exception()  # Nobody need look at it.
            else:
                future.set_result(result)

        if not self.lag:
            do()
        else:
            self._free_at = max(self.time(), self._free_at) + self.lag
            self.call_at(self._free_at, do)
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
        with contextlib.suppress(RuntimeError):  # Asked from outside the loop: the newest time known.
            self._last = asyncio.get_running_loop().time()
        return self._last

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """The machine's wall clock is set forward or back; intervals are as they were."""
        self.epoch += seconds


def run(scenario: Callable[[VirtualClock], Awaitable[T]], *, epoch: float = EPOCH) -> T:
    """Carry a scenario out in virtual time, from a test that is not async itself."""

    async def main() -> T:
        return await scenario(VirtualClock(epoch))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
