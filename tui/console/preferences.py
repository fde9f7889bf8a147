"""What the operator chooses while the console is open: in force at once, and kept for the next start."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from tui.settings.schema import Settings

log = logging.getLogger("pitstop.console")


class Preferences:
    """The settings in force. ``save`` keeps some of them, as ``tui.settings.loader.save`` does.

    Saving waits for a disk, so it has a thread: one, so that the newest is written last; what is not yet
    written when the program ends is waited for.
    """

    def __init__(
        self, settings: Settings, save: Callable[..., None], trouble: Callable[[str], object]
    ) -> None:
        self.settings = settings
        self._save = save
        self._trouble = trouble
        """Told, on the thread, why something could not be kept."""
        self._writer: ThreadPoolExecutor | None = None

    def choose(self, **chosen: Any) -> None:
        """Let these settings be in force; nothing is written where they are already."""
        now = msgspec.structs.replace(self.settings, **chosen)
        if now == self.settings:
            return
        if "filters" in chosen:  # others may have kept some of theirs meanwhile
            before = self.settings.filters
            gone = dict.fromkeys(before.keys() - chosen["filters"].keys(), "")
            new = {name: text for name, text in chosen["filters"].items() if before.get(name) != text}
            chosen["filters"] = gone | new
        self.settings = now
        self._writer = self._writer or ThreadPoolExecutor(1, "preferences")
        self._writer.submit(self._keep, chosen)

    def _keep(self, chosen: dict[str, Any]) -> None:
        from tui.settings.paths import UnsafePathError

        try:
            self._save(**chosen)
        except (OSError, UnsafePathError) as error:
            log.warning("not kept: %s: %s", ", ".join(chosen), error)
            why = error.strerror if isinstance(error, OSError) else str(error)
            self._trouble(f"This choice holds, but cannot be kept for the next start: {why}")
