"""What all objects with actions share."""

from dataclasses import dataclass
from typing import Any

from textual.notifications import SeverityLevel
from textual.screen import Screen


@dataclass(eq=False, repr=False)
class Actions:
    """Actions of one kind: ``action_name`` is run by the action ``kind.name`` of a command."""

    screen: Screen[Any]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Textual: whether an action can be run. The table of commands decides."""
        return True

    def notify(self, message: str, severity: SeverityLevel = "information") -> None:
        """Show a notice."""
        self.screen.app.notify(message, severity=severity, markup=False)
