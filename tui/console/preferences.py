"""Settings that the operator changes in the console: in force at once, and saved for the next start."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from tui.settings.schema import Settings

log = logging.getLogger("pitstop.console")


class Preferences:
    """The settings in force, and the thread that saves those that were chosen.

    Saving waits for a disk, so it has a thread; a single one, so that the newest is saved last.
    """

    def __init__(
        self, settings: Settings, save: Callable[..., None], on_failure: Callable[[str], object]
    ) -> None:
        """``save`` is as ``tui.settings.loader.save``; ``on_failure`` gets, on the thread, why it failed."""
        self.settings = settings
        self._save = save
        self._on_failure = on_failure
        self._writer: ThreadPoolExecutor | None = None

    def choose(self, **chosen: Any) -> None:
        """Put settings in force and save them; do nothing if they are in force already."""
        now = msgspec.structs.replace(self.settings, **chosen)
        if now == self.settings:
            return
        if "filters" in chosen:  # save the difference only: another console may have saved its own meanwhile
            before = self.settings.filters
            removed = dict.fromkeys(before.keys() - chosen["filters"].keys(), "")
            new = {name: text for name, text in chosen["filters"].items() if before.get(name) != text}
            chosen["filters"] = removed | new
        self.settings = now
        self._writer = self._writer or ThreadPoolExecutor(1, "preferences")
        self._writer.submit(self._save_chosen, chosen)

    def close(self) -> None:
        """Wait until everything that was chosen is saved."""
        if self._writer is not None:
            self._writer.shutdown()

    def _save_chosen(self, chosen: dict[str, Any]) -> None:
        from tui.settings.paths import UnsafePathError

        try:
            self._save(**chosen)
        except (OSError, UnsafePathError) as error:
            log.warning("not saved: %s: %s", ", ".join(chosen), error)
            why = error.strerror if isinstance(error, OSError) else str(error)
            self._on_failure(f"This choice holds, but cannot be kept for the next start: {why}")
