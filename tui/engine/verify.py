"""Re-reads servers after an operation: the queue tells nothing of a single server."""

import random
from collections.abc import Awaitable, Callable, Iterable

from tui.engine.clock import Clock
from tui.model.operation import Action
from tui.model.server import Server


class Verifier:
    """Reads servers until they are as asked. One per session, shared by all operations.

    At most one request per data center and round: the server itself when only one is looked for there,
    else the data center's whole tree. Rounds of one data center serve everyone who waits there; the
    first comes at once, later ones at growing intervals.

    Usage::

        verifier = Verifier(read_server=..., read_data_center=..., data_center_of=..., clock=clock)
        left = await verifier.settle(action, ids, limit=300.0, on_server=lambda server: ...)

    There is nothing to start and nothing to close: it works while somebody waits.
    """

    def __init__(
        self,
        *,
        read_server: Callable[[str], Awaitable[Server]],
        read_data_center: Callable[[str], Awaitable[Iterable[Server]]],
        data_center_of: Callable[[str], str],
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Make a verifier.

        Args:
            read_server: Reads one server by its id (upper case).
            read_data_center: Reads all servers of a data center by the data center's id. Both readings are
                the engine's own, so that it can also feed the fleet with what was read.
            data_center_of: The data center of a server id, e.g. from the fleet. Any string that
                ``read_data_center`` understands.
            clock: The engine's clock.
            jitter: Random numbers from 0 up to 1, replaced in tests.
        """
        raise NotImplementedError

    async def settle(
        self,
        action: Action,
        server_ids: Iterable[str],
        *,
        limit: float,
        on_server: Callable[[Server], None],
    ) -> set[str]:
        """Read the servers until each is as ``action`` leaves it.

        The servers are read once at once, and a last time at the limit. A reading that fails because of
        the link or the endpoint is repeated, backed off with jitter, even beyond the limit: what is
        returned as not so was seen not so (or is gone, or may not be read). Never raises ``ApiError``.

        Args:
            action: What was asked for. One that leaves no trace in a server (reset, reboot) is not
                verified: all ids are returned at once.
            server_ids: Upper case.
            limit: Seconds; 0 for one look.
            on_server: Told each server that is as asked, as soon as it is.

        Returns:
            The ids that are not as asked.
        """
        raise NotImplementedError
