"""What can go wrong with the journal, in words for the operator."""


class JournalError(Exception):
    """The journal cannot be read or written; ``str()`` says why and what to do.

    Nothing new is sent then: an operation that is not on disk first could be lost, or done twice.
    """


class JournalNewer(JournalError):
    """The journal was written by a newer Pitstop. It is left as it is."""


class JournalDamaged(JournalError):
    """The file is not a journal, or a damaged one. It is left as it is."""


class JournalNotLocal(JournalError):
    """The journal would lie where other machines can write to it as well. Nothing is made there."""


TAKEN_OVER = "another Pitstop of yours has taken this operation over"


class NotOurs(JournalError):
    """The operation is another console's now: this process must not send anything more for it."""


class StopAsked(JournalError):
    """Another console of the same user asked that nothing more of this operation is sent."""


class ServersBusy(JournalError):
    """Servers are still under way in another operation, perhaps another console's, or one interrupted."""
