"""Errors of the journal; their messages are for the operator."""


class JournalError(Exception):
    """The journal cannot be read or written; the message explains why and what to do.

    Nothing new is sent then: an operation that is not on disk could be lost, or carried out twice.
    """


class JournalTooNew(JournalError):
    """The journal was written by a newer Pitstop. It is not changed."""


class JournalDamaged(JournalError):
    """The file is not a journal, or a damaged one. It is not changed."""


class JournalNotLocal(JournalError):
    """The journal would be on a network file system. Nothing is created there."""


TAKEN_OVER = "another Pitstop of yours has taken this operation over"


class OwnershipLost(JournalError):
    """Another process has claimed the operation: this one must not send anything more of it."""


class StopRequested(JournalError):
    """Another console of the same user requested that nothing more of the operation is sent."""


class ServersBusy(JournalError):
    """Servers are still under way in another operation, perhaps of another process, or an interrupted one."""
