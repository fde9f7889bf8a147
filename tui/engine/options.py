"""How the engine goes about its work, where there is a choice."""

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds."""

    batch_size: int = 100
    """Servers in one POST at most, for plans made without saying so."""
    posts_at_once: int = 4
    """POSTs of one operation in flight at once at most."""
    verify_limit: float = 300.0
    """How long after a job's success a server may take to be as asked."""
    failed_limit: float = 60.0
    """How long after a refusal or a job's failure its servers are watched for changes made all the same."""
    unsure_least: float = 3_600.0
    """How long servers are watched at least when it is not known whether the request was carried out: as long
    as the platform lets the longest job take."""
    posts: int = 4
    """How often a batch is sent at most where the endpoint refuses it at the door (401, 429)."""
    look_after: float = 5.0
    """How long after such a refusal its servers are looked at, at least, before the batch is sent again."""
    watch_interval: float = 1.0
    """How often the journal is read for an operation that another console carries out."""
    close_grace: float = 3.0
    """How long leaving waits for the answers of requests in flight."""
