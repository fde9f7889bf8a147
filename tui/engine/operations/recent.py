"""The operations that stay in memory: those under way, and the newest that are over."""

from tui.model.operation import Operation

KEEP = 20
"""How many that are over."""


class Recent:
    """Adding and ending one costs the same however many there are."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        """By id."""
        self._over: dict[str, None] = {}

    def add(self, operation: Operation) -> None:
        """One is under way, for the first time or again."""
        self._over.pop(operation.id, None)
        self.operations[operation.id] = operation

    def end(self, operation_id: str) -> None:
        """One is over; the oldest too many of those is forgotten."""
        if operation_id in self.operations:
            self._over[operation_id] = None
        if len(self._over) > KEEP:
            oldest = next(iter(self._over))
            del self._over[oldest], self.operations[oldest]
