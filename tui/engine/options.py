"""Limits and pauses of the engine."""

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and pauses of the engine; times in seconds."""

    batch_size: int = 100
    """Servers in one POST at most, unless a plan says otherwise."""
    posts_at_once: int = 4
    """POSTs of one operation in flight at most."""
    verify_limit: float = 300.0
    """How long after a job's success its servers are read for the requested state."""
    failed_limit: float = 60.0
    """How long after a refusal or a job's failure its servers are read for changes made nevertheless."""
    unsure_least: float = 3_600.0
    """How long servers are read at least when it is not known whether the request was carried out: the
    longest that the platform lets a job take."""
    max_posts: int = 4
    """How often a batch is sent at most when the endpoint refuses it with 401 or 429."""
    retry_after: float = 5.0
    """Pause at least after such a refusal, before the servers are read and the batch is sent again."""
    live: bool = False
    """Whether servers are also read while their jobs run, so that an operator sees them change one by one."""
    watch_interval: float = 1.0
    """Interval at which the journal is read for an operation that another process carries out."""
    close_grace: float = 3.0
    """How long ``close`` waits for the answers of requests in flight."""
