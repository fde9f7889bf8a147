"""The signs of what a refresh changed, shown beside a server for some seconds."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from textual.message_pump import MessagePump

from tui.console.later import later
from tui.model.server import Server

NEW, CHANGED = "+", "•"
CHANGES_SHOWN = 20.0
"""Seconds that the signs stay."""


class ChangeSigns:
    """The sign of each server that changed lately. All are removed together, some seconds after the first.

    ``refresh`` is called with the servers whose sign was removed or replaced.
    """

    def __init__(self, widget: MessagePump, refresh: Callable[[Collection[str]], None]) -> None:
        self._widget = widget
        self._refresh = refresh
        self._signs: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        return bool(self._signs)

    def of(self, server_id: str) -> str:
        """The sign of a server; a space without one."""
        return self._signs.get(server_id, " ")

    def add(self, signs: Mapping[str, str]) -> None:
        """Give servers a sign."""
        self._set({**self._signs, **signs})

    def _set(self, signs: dict[str, str]) -> None:
        before, self._signs = self._signs, signs
        self._refresh({id_ for id_, sign in before.items() if signs.get(id_) != sign})
        if signs and self._timer is None:
            self._timer = later(self._widget, CHANGES_SHOWN, self._clear)

    def _clear(self) -> None:
        self._timer = None
        self._set({})


def signs_between(
    before: Sequence[Server], rows: Mapping[str, int], after: Iterable[Server]
) -> dict[str, str]:
    """The signs of servers that are new or changed ``after`` a refresh.

    ``rows`` is id -> position in ``before``.
    The servers of a data center that is read for the first time are neither.
    """
    known = {server.data_center for server in before}
    signs = {}
    for server in after:
        row = rows.get(server.id)
        if row is None:
            if server.data_center in known:
                signs[server.id] = NEW
        elif before[row] is not server:
            signs[server.id] = CHANGED
    return signs
