"""The operations kept in memory: those under way, and the newest that have ended."""

from tui.model.operation import Operation

KEEP = 20
"""Ended operations that are kept."""


class Recent:
    """Operations by id, without the oldest of those that have ended."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        """By id."""
        self._ended: dict[str, None] = {}

    def add(self, operation: Operation) -> None:
        """Add an operation that is under way, for the first time or again."""
        self._ended.pop(operation.id, None)
        self.operations[operation.id] = operation

    def end(self, operation_id: str) -> None:
        """Note that an operation has ended, and forget the oldest ended one beyond ``KEEP``."""
        if operation_id in self.operations:
            self._ended[operation_id] = None
        if len(self._ended) > KEEP:
            oldest = next(iter(self._ended))
            del self._ended[oldest], self.operations[oldest]
